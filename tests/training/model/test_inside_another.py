"""A model with a recipe that is trained as a layer of another model: what does not act there is warned about."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core.errors import InactiveRecipeWarning

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)
Y = np.arange(12) % 3


def attached(recipe: str) -> Any:
    layers = [keras.Input((5,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "softmax")]
    return regzoo.attach(recipe, keras.Sequential(layers))


class Subclassed(keras.Model):
    """A model that calls another one."""

    def __init__(self, inner: keras.Model) -> None:
        super().__init__()
        self.inner = inner

    def call(self, x: Any, training: Any = None) -> Any:
        return self.inner(x, training=training)


def put_into_functional(inner: keras.Model) -> keras.Model:
    inputs = keras.Input((5,))
    return keras.Model(inputs, inner(inputs))


def put_at_each_step(inner: keras.Model) -> keras.Model:
    inputs = keras.Input((5,))
    steps = keras.layers.TimeDistributed(inner)(keras.layers.RepeatVector(2)(inputs))
    return keras.Model(inputs, keras.layers.GlobalAveragePooling1D()(steps))


OUTER: dict[str, Callable[[keras.Model], keras.Model]] = {
    "functional": put_into_functional,
    "sequential": lambda inner: keras.Sequential([keras.Input((5,)), inner]),
    "twice": lambda inner: put_into_functional(put_into_functional(inner)),
    "subclassed": Subclassed,
    "at each step": put_at_each_step,
}


def list_warnings(train: Callable[[], Any]) -> list[str]:
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        train()
    return [str(each.message) for each in caught if each.category is InactiveRecipeWarning]


@pytest.mark.parametrize("put", OUTER.values(), ids=OUTER)
def test_what_does_not_act_in_another_models_training_is_named(put: Callable[[keras.Model], keras.Model]) -> None:
    outer = put(attached("dropout(linear(0.5, 0.0, epochs=3)) + l2(0.1) + max_norm(2) + ema(0.9)"))
    assert list_warnings(lambda: outer(X)) == []
    (message,) = set(list_warnings(lambda: outer(X, training=True)))
    assert "l2 and max_norm and ema and the schedule of dropout.rate would need the fit of" in message
    assert f"as a layer of {outer.name!r}" in message


@pytest.mark.parametrize("recipe", ["none", "dropout(0.5)", "activity_l2(0.1)"])
def test_what_acts_there_as_well_is_not_warned_about(recipe: str) -> None:
    outer = put_into_functional(attached(recipe))
    assert list_warnings(lambda: outer(X, training=True)) == []


def test_a_frozen_model_loses_nothing() -> None:
    inner = attached("l2(0.1)")
    inner.trainable = False
    outer = put_into_functional(inner)
    assert list_warnings(lambda: outer(X, training=True)) == []


@pytest.mark.slow
def test_fit_of_the_other_model_warns_and_the_models_own_does_not() -> None:
    """Its uses after training, which call it inside other models, do not either."""
    inner = attached("dropout(0.2) + l2(0.1) + mc_dropout(20)")
    assert list_warnings(lambda: inner.fit(X, Y, verbose=0)) == []
    assert list_warnings(lambda: inner.finished().predict(X, verbose=0)) == []
    for options in ({}, {"run_eagerly": True}):
        outer = put_into_functional(attached("l2(0.1)"))
        outer.compile("sgd", "sparse_categorical_crossentropy", **options)
        assert list_warnings(lambda outer=outer: outer.fit(X, Y, batch_size=12, verbose=0)) != []  # type: ignore[misc]
