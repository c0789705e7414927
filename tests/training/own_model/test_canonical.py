"""Digests of own models: equal for equal models however Keras numbers their layers, different for any other change."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.training.own_model.canonical import list_custom_classes, make_canonical
from regzoo.training.own_model.pack import pack


def build(units: int = 6, name: str | None = None, rate: float = 0.2, frozen: bool = False) -> keras.Model:
    """A model with layers of every kind of name: made up, given, inside another layer, in a nested model."""
    inner_input = keras.Input((units,))
    inner = keras.Model(inner_input, keras.layers.Dense(4, activation="relu")(inner_input))
    inputs = keras.Input((5, 3), name=name)
    x = keras.layers.Bidirectional(keras.layers.LSTM(units // 2))(inputs)
    x = keras.layers.Dropout(rate)(inner(x) + inner(keras.layers.Dense(units, trainable=not frozen)(x)))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax", name="head")(x))


def test_two_models_built_alike_have_one_digest_though_keras_numbers_their_layers_differently() -> None:
    first, second = build(), build()
    assert {layer.name for layer in first.layers} != {layer.name for layer in second.layers}
    assert pack(first, "fresh").digest == pack(second, "fresh").digest
    assert pack(first, "fresh").name == pack(second, "fresh").name == "functional"


CHANGES: dict[str, Callable[[], keras.Model]] = {
    "units": lambda: build(units=8),
    "an input's name": lambda: build(name="mine"),
    "a rate": lambda: build(rate=0.3),
    "a frozen layer": lambda: build(frozen=True),
}


@pytest.mark.parametrize("change", CHANGES)
def test_any_other_change_gives_another_digest(change: str) -> None:
    assert pack(CHANGES[change](), "fresh").digest != pack(build(), "fresh").digest


def test_weights_count_only_where_runs_start_from_them() -> None:
    model = build()
    fresh, keep = pack(model, "fresh").digest, pack(model, "keep").digest
    assert fresh != keep
    model.set_weights([weight + 1.0 for weight in model.get_weights()])
    assert pack(model, "fresh").digest == fresh
    assert pack(model, "keep").digest != keep


def test_the_source_counts() -> None:
    model = build()
    assert pack(model, "fresh", "x = 1").digest != pack(model, "fresh", "x = 2").digest


def test_the_state_of_adapted_layers_counts() -> None:
    def adapted(shift: float) -> keras.Model:
        layer = keras.layers.Normalization()
        layer.adapt(np.random.default_rng(0).normal(size=(20, 3)).astype(np.float32) + shift)
        return keras.Sequential([keras.Input((3,)), layer, keras.layers.Dense(2)])

    assert pack(adapted(0.0), "fresh").digest == pack(adapted(0.0), "fresh").digest
    assert pack(adapted(0.0), "fresh").digest != pack(adapted(1.0), "fresh").digest


def test_connections_count() -> None:
    def wire(swapped: bool) -> keras.Model:
        inputs = keras.Input((3,))
        a, b = keras.layers.Dense(4)(inputs), keras.layers.Dense(4, activation="relu")(inputs)
        return keras.Model(inputs, keras.layers.Subtract()([b, a] if swapped else [a, b]))

    assert pack(wire(False), "fresh").digest != pack(wire(True), "fresh").digest


@pytest.mark.parametrize(
    ("module", "custom"), [("keras.layers", False), ("keras", False), ("kerasx.layers", True), ("mine", True)]
)
def test_custom_classes_are_those_outside_of_keras(module: str, custom: bool) -> None:
    config: Any = {"module": module, "class_name": "Layer", "config": {"inner": [{"name": "x"}]}}
    assert list_custom_classes({"layers": [config]}) == ([(module, "Layer")] if custom else [])


def test_names_that_the_user_gave_stay() -> None:
    config = keras.saving.serialize_keras_object(build())
    names = [layer["name"] for layer in make_canonical(config)["config"]["layers"]]
    assert "head" in names
    assert names.count("dense 0") == 1
