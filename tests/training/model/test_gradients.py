"""Weights that the loss does not depend on, as the unused ones of a layer of the user's."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import OnGradients
from regzoo.core.registry import regularizers
from regzoo.training.model.gradients import fill_missing, multiply

X = np.random.default_rng(0).normal(size=(12, 5)).astype(np.float32)


STRENGTHS = {"gradient_clip": 1.0, "gradient_noise": 0.1, "sam": 0.05, "weight_decay": 0.1}


class Unused(keras.Layer):
    """A layer with a weight that it does not use."""

    def build(self, shape: Any) -> None:
        """Make it."""
        self.idle = self.add_weight(shape=(3, 3), name="idle")

    def call(self, x: Any) -> Any:
        """Return the input."""
        return x


def test_every_regularizer_of_gradients_is_in_the_table() -> None:
    assert {name for name, kind in regularizers().items() if issubclass(kind, OnGradients)} == set(STRENGTHS)


@pytest.mark.filterwarnings("ignore:Gradients do not exist")
@pytest.mark.parametrize("recipe", [f"{name}({strength})" for name, strength in STRENGTHS.items()])
def test_gradients_are_changed_beside_weights_that_have_none(recipe: str) -> None:
    own = keras.Sequential([keras.Input((5,)), Unused(), keras.layers.Dense(3, "softmax")])
    model = regzoo.attach(recipe, own, optimizer=keras.optimizers.SGD(0.1))
    before = model.get_weights()
    model.fit(X, np.arange(12) % 3, epochs=1, verbose=0)
    idle, kernel, _ = (np.abs(new - old).max() for new, old in zip(model.get_weights(), before, strict=True))
    assert kernel > 0.0
    assert (idle > 0.0) == recipe.startswith("weight_decay")


def test_what_is_missing_becomes_zeros() -> None:
    weights = [keras.Variable(np.ones((2, 2), "float64"), dtype="float64"), keras.Variable(np.ones(3))]
    filled = fill_missing([None, 2.0 * weights[1].value], weights)
    np.testing.assert_array_equal(filled[0], np.zeros((2, 2)))
    np.testing.assert_array_equal(multiply(filled, 3.0)[1], np.full(3, 6.0))
