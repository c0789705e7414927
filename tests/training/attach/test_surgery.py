"""ModelSurgery: copies of layers, their names, and layers that cannot be copied."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import attach

L = keras.layers
Rows = tuple[np.ndarray, np.ndarray]


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """Return the model with ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def test_inserted_layers_avoid_the_names_of_the_users_layers(rows: Rows) -> None:
    taken = ["batch_normalization", "in_training", "relu", "first_activation", "probabilities", "two_logits"]
    hidden = [L.Dense(5, activation="relu", name="first"), *(L.Dense(5, name=name) for name in taken)]
    model = keras.Sequential([keras.Input((5,)), *hidden, L.Dense(1, activation="sigmoid")])
    keras.backend.clear_session()  # restarts Keras's numbering, as in a new process
    attached = attach("batch_norm(0.9) + dropout(0.5)", model, classes=2)
    assert {layer.name for layer in model.layers} < {layer.name for layer in attached.layers}
    assert attached.hits == {"batch_norm": 1, "dropout": 1}


class Tied(keras.Layer):
    """Multiplies by the transposed kernel of another layer."""

    def __init__(self, other: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.other = other

    def call(self, x: Any) -> Any:
        return x @ keras.ops.transpose(self.other.kernel)


def test_a_layer_whose_config_leaves_out_what_it_needs_is_refused() -> None:
    first = L.Dense(4, use_bias=False, name="first")
    with pytest.raises(InputError, match=r"layer 'second' cannot be copied from its get_config\(\)"):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(Tied(first, name="second")(first(x)))))


class Scaled(keras.Layer):
    """Multiplies by a number that its config does not hold."""

    by = 1.0

    def call(self, x: Any) -> Any:
        return self.by * x


class Configless(keras.Layer):
    """Cannot be serialized."""

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> Any:
        raise NotImplementedError("not today")


def test_a_layer_that_is_not_its_config_is_refused() -> None:
    changed = Scaled()
    changed.by = 3.0
    with pytest.raises(InputError, match=r"a copy of the model gives other outputs.*get_config"):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(changed(x))))
    with pytest.raises(InputError, match=r"'mute' cannot be copied.*NotImplementedError: not today"):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(Configless(name="mute")(x))))
    assert attach("l2(0.1)", functional(lambda x: L.Dense(2)(Scaled()(x)))).hits == {"l2": 1}
