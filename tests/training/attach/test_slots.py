"""Places of the slots and weights of a user's own model; `on=`, `exclude=` and what lies before frozen layers."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
from keras import layers as L

from regzoo.core import InputError, OnActivations, Slot
from regzoo.core._keras_compat import get_operation, list_call_inputs
from regzoo.core.errors import FrozenPlacesWarning
from regzoo.training.attach.attach import attach


@dataclass(frozen=True)
class Everywhere(OnActivations):
    """Acts at every slot and changes nothing."""

    def layer(self, slot: Slot) -> keras.Layer | None:
        return L.Identity()


def block() -> keras.Model:
    """Return convolution, batch norm, ReLU; then a branch with another one, added and passed through ReLU."""
    x = keras.Input((6, 6, 2), name="image")
    h = L.ReLU(name="relu_0")(L.BatchNormalization(name="norm_0")(L.Conv2D(3, 3, padding="same", name="conv_0")(x)))
    b = L.BatchNormalization(name="norm_1")(L.Conv2D(3, 3, padding="same", name="conv_1")(h))
    h = L.ReLU(name="relu_1")(L.Add(name="add")([h, b]))
    h = L.PReLU(name="slopes")(L.MaxPooling2D(name="pool")(h))
    h = L.Dense(4, activation="relu", name="top")(L.Flatten(name="flat")(h))
    return keras.Model(x, L.Dense(2, name="out")(h))


def tokens() -> keras.Model:
    x = keras.Input((5,), dtype="int32", name="words")
    h = L.Embedding(7, 4, name="table")(x)
    h = L.LayerNormalization(name="norm")(L.Add(name="add")([h, L.MultiHeadAttention(2, 3, name="attend")(h, h)]))
    h = L.TimeDistributed(L.Dense(3, name="inner"), name="each_step")(h)
    h = L.Bidirectional(L.GRU(2, name="gru"), name="both_ways")(L.Activation("tanh", name="tanh")(h))
    return keras.Model(x, L.Dense(2, name="out")(h))


def towers() -> keras.Model:
    a, b = keras.Input((3,), name="a"), keras.Input((2,), name="b")
    one = L.Dense(4, activation="relu", name="one_1")(L.Dense(4, activation="relu", name="one_0")(a))
    two = L.Dense(4, activation="relu", name="two")(b)
    h = L.Activation("relu", name="joined")(L.Concatenate(name="join")([two, one]))
    return keras.Model([a, b], L.Dense(1, name="out")(h))


def nested(frozen: bool = False) -> keras.Model:
    base = keras.Sequential(
        [keras.Input((6, 6, 2)), L.Conv2D(3, 3, name="conv_0"), L.ReLU(name="relu_0"), L.Conv2D(3, 3, name="conv_1")],
        name="base",
    )
    base.trainable = not frozen
    x = keras.Input((6, 6, 2), name="image")
    h = L.ReLU(name="relu_1")(base(x))
    return keras.Model(x, L.Dense(2, name="out")(L.Dense(4, activation="relu", name="top")(L.Flatten()(h))))


MODELS = (block, tokens, towers, nested)


def hits(recipe: str, model: keras.Model, **given: Any) -> dict[str, dict[str, int]]:
    return attach(recipe, model, **given).hits_by_layer


@pytest.mark.parametrize("make", MODELS)
def test_what_a_slot_is_listed_at_is_what_it_is_inserted_after(make: Callable[[], keras.Model]) -> None:
    """The names of a place lead to the layer before the inserted one, inserted layers apart."""
    attached = attach(Everywhere(), make(), expand_nested=True)
    found = attached._info.insertions
    inserted = {id(each.inserted) for each in found}
    for each in found:
        tensor = each.inserted.output
        while id(get_operation(tensor)) in inserted:
            tensor = list_call_inputs(tensor)[0]
        name = get_operation(tensor).name
        assert each.layer.matches(name.removesuffix("_activation")), (each.layer, name)


WANTED: dict[Callable[[], keras.Model], dict[str, dict[str, int]]] = {
    block: {
        "dropout(0.1)": {"conv_0": 1, "conv_1": 2, "top": 1},
        "activation_noise(0.1, on='relu_1')": {"conv_1": 1},
        "gaussian_dropout(0.1, on='norm_0')": {"conv_0": 1},
        "activity_l2(0.1, on=conv, exclude='slopes')": {"conv_0": 1, "conv_1": 1},
        "stochastic_depth(0.1)": {"conv_1": 1},
        "l2(0.1, exclude=dense)": {"conv_0": 1, "conv_1": 1},
        "ema(0.9, on='norm_*')": {"norm_0": 2, "norm_1": 2},
    },
    tokens: {
        "dropout(0.1)": {"each_step/inner": 1, "both_ways": 1},
        "activation_noise(0.1, on='each_step')": {"each_step/inner": 1},
        "gaussian_dropout(0.1, on=recurrent)": {"both_ways": 1},
        "stochastic_depth(0.1, on=attention)": {"attend": 1},
        "dropconnect(0.1, on=attention)": {"attend": 4},
        "weight_noise(0.1, on='attend/query')": {"attend": 1},
        "l2(0.1, on=embedding)": {"table": 1},
        "l1(0.1, on=recurrent)": {"both_ways": 4},
        "weight_decay(0.1, exclude=attention|embedding|recurrent)": {"each_step/inner": 1, "out": 1},
    },
    towers: {
        "dropout(0.1)": {"one_0": 1, "two": 1, "one_1": 2},
        "activation_noise(0.1, on='joined')": {"one_1": 1},
        "gaussian_dropout(0.1, on='one_*', exclude='joined')": {"one_0": 1, "one_1": 1},
    },
}
"""Layers at which each regularizer acts, worked by hand, in models that take all of them together."""


@pytest.mark.parametrize("make", WANTED)
def test_places_are_those_of_the_layers_with_weights(make: Callable[[], keras.Model]) -> None:
    found = hits(" + ".join(WANTED[make]), make())
    assert found == {recipe.partition("(")[0]: wanted for recipe, wanted in WANTED[make].items()}


def test_layers_of_nested_models_are_named_by_name_and_path() -> None:
    recipe = "dropout(0.1, on='base/*') + activation_noise(0.1, on='base') + gaussian_dropout(0.1, on='relu_0')"
    found = hits(f"{recipe} + activity_l2(0.1, on=conv) + activity_l1(0.1, on=dense)", nested(), expand_nested=True)
    both = {"base/conv_0": 1, "base/conv_1": 1}
    assert list(found.values()) == [both, both, {"base/conv_0": 1}, both, {"top": 1}]
    assert hits("l2(0.1, exclude='base')", nested()) == {"l2": {"top": 1, "out": 1}}
    with pytest.raises(InputError, match=r"has no place to act; .* unless expand_nested=True: base"):
        attach("dropout(0.1, on='conv_0')", nested())


def test_places_before_frozen_layers_are_counted_and_warned_of() -> None:
    """By hand: relu_0 lies before the frozen conv_1, relu_1 before the trained layers."""
    with pytest.warns(FrozenPlacesWarning, match="dropout: 1 of its 3 places lie before layers that are frozen"):
        attached = attach("dropout(0.1)", nested(frozen=True), expand_nested=True)
    assert attached.hits_before_frozen == {"dropout": 1}
    attached.get_layer("base").trainable = True
    assert attached.hits_before_frozen == {"dropout": 0}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        last = attach("dropout(0.1, on='relu_1') + l2(0.1)", nested(frozen=True), expand_nested=True)
    assert last.hits_before_frozen == {"dropout": 0, "l2": 0}
    assert last.hits_by_layer["l2"] == {"top": 1, "out": 1}  # frozen weights do not count


def test_a_narrowed_recipe_is_saved_and_loaded(tmp_path: Any) -> None:
    recipe = "dropout(0.25, on=conv) + dropout(0.5, on=dense) + l2_sp(0.1, on='top') + l2_sp(0.2, on='out')"
    attached = attach(recipe, block())
    x = np.random.default_rng(0).standard_normal((4, 6, 6, 2)).astype("float32")
    attached.set_dials({"dropout[conv].rate": 0.125})
    attached.save(tmp_path / "model.keras")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's own, about the state of the optimizer
        loaded = keras.models.load_model(tmp_path / "model.keras")
    assert str(loaded.recipe) == recipe
    assert (loaded.hits, loaded.hits_by_layer) == (attached.hits, attached.hits_by_layer)
    np.testing.assert_array_equal(loaded(x), attached(x))
    for (_, mine), (_, own) in zip(attached.companions("l2_sp"), loaded.companions("l2_sp"), strict=True):
        np.testing.assert_array_equal(mine, own)


@pytest.mark.slow
def test_a_pretrained_base_needs_no_dropout_before_frozen_layers() -> None:
    base = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, include_top=False, weights=None)
    base.trainable = False
    head = L.Dense(4, "softmax", name="head")(L.GlobalAveragePooling2D()(base.output))
    model = keras.Model(base.input, head)
    with pytest.warns(FrozenPlacesWarning, match="34 of its 35 places"):
        assert attach("dropout(0.2)", model).hits_by_kind == {"dropout": {"conv": 35}}
    attached = attach("dropout(0.2, on=last) + l2(0.1)", model)
    assert attached.hits_by_layer == {"dropout": {"Conv_1": 1}, "l2": {"head": 1}}
