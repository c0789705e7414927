"""A model small enough to compute by hand, and a stock Keras model to compare others with."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import Backbone

Rows = tuple[np.ndarray, np.ndarray]


@dataclass(frozen=True)
class Line(Backbone):
    """No hidden layer: the inputs are announced as an activation and go to the head, so the model is linear."""

    def __call__(self, x: Any, slot: Any) -> Any:
        """Return x, (batch, features)."""
        return slot("activation", slot("preactivation", slot("input", x)))


@pytest.fixture(autouse=True)
def _imported(tensorflow: None) -> None:
    """Import TensorFlow first, since every regularizer needs it."""


@pytest.fixture
def line() -> Backbone:
    """Return the backbone of a linear model."""
    return Line()


@pytest.fixture
def by_hand(line: Backbone) -> Callable[[str], Any]:
    """Return ``by_hand(recipe)``, which builds y = x . (1, -2) + 0.5 with plain SGD at learning rate 0.5."""

    def build(recipe: str) -> Any:
        import keras

        model = regzoo.build(line, recipe, input_shape=(2,), outputs=1, optimizer=keras.optimizers.SGD(0.5))
        model.get_layer("head").set_weights([np.array([[1.0], [-2.0]]), np.array([0.5])])
        return model

    return build


@pytest.fixture
def twin(rows: Rows) -> Callable[..., tuple[Any, Any]]:
    """Return ``twin(recipe, optimizer, ...)``, which trains regzoo's model and a stock Keras one from equal weights.

    ``optimizer()`` makes an optimizer; ``stock_optimizer()`` makes that of the stock model, if it differs. ``penalty``
    is the stock model's kernel regularizer, ``before()`` makes its layer between hidden layer and nonlinearity.
    """

    def train(
        recipe: str,
        optimizer: Callable[[], Any],
        stock_optimizer: Callable[[], Any] | None = None,
        penalty: Any = None,
        before: Callable[[], Any] | None = None,
        epochs: int = 3,
    ) -> tuple[Any, Any]:
        import keras

        ours = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, optimizer=optimizer(), seed=1)
        layers = [
            keras.layers.Dense(4, kernel_regularizer=penalty),
            *([before()] if before else []),
            keras.layers.ReLU(),
            keras.layers.Dense(3, kernel_regularizer=penalty),
        ]
        stock = keras.Sequential([keras.Input((5,)), *layers])
        layers[0].set_weights(ours.get_layer("dense_0").get_weights())
        layers[-1].set_weights(ours.get_layer("head").get_weights())
        loss = keras.losses.SparseCategoricalCrossentropy(from_logits=True)
        stock.compile((stock_optimizer or optimizer)(), loss)
        for model in (ours, stock):
            model.fit(*rows, batch_size=8, epochs=epochs, shuffle=False, verbose=0)
        return ours, stock

    return train
