"""Dropout in its form of 2014: no scaling in training, shrinking at inference."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import ClassicDropout


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return ClassicDropout(rate).layer(Slot("activation", 0, 1, 2, seed))


def some(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_it_is_stock_dropout_without_its_scale(rate: float) -> None:
    h, ours, stock = some(64, 32), layer(rate, seed=7), keras.layers.Dropout(rate, seed=7)
    for _ in range(3):
        # One float32 rounding each of the scale, its product, and the product that takes it back.
        np.testing.assert_allclose(ours(h, training=True), stock(h, training=True) * (1 - rate), rtol=4e-7)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_inference_is_the_mean_over_masks(rate: float) -> None:
    n, h = 100_000, np.array([[1.0, -2.0, 0.5]], np.float32)
    drop = layer(rate)
    trained = np.array(drop(np.tile(h, (n, 1)), training=True), np.float64)
    assert set(np.unique(trained)) == {0.0, 1.0, -2.0, 0.5}
    # Five standard errors of a mean of n draws of h m, whose variance is h^2 rate (1 - rate).
    error = np.abs(h[0]) * math.sqrt(rate * (1 - rate) / n)
    assert (np.abs(trained.mean(0) - np.array(drop(h))[0]) < 5 * error).all()
    np.testing.assert_allclose(drop(h), h * (1 - rate), rtol=2e-7)


def test_rate_1_gives_zeros_and_finite_gradients() -> None:
    h = tf.constant(some(50, 20))
    for training in (True, False):
        with tf.GradientTape() as tape:
            tape.watch(h)
            out = layer(1.0)(h, training=training)
        assert not np.any(out)
        assert not np.any(tape.gradient(out, h))


def test_a_turned_dial_reaches_inference(line: Any) -> None:
    model = regzoo.build(line, "classic_dropout(0.5)", input_shape=(4,), outputs=1)
    x = some(3, 4)
    whole = x @ model.get_layer("head").get_weights()[0]
    for rate in (0.5, 0.25, 0.0):
        model.set_dials({"classic_dropout.rate": rate})
        np.testing.assert_allclose(model.predict(x, verbose=0), (1 - rate) * whole, rtol=1e-5, atol=1e-6)


def test_it_takes_no_schedule() -> None:
    with pytest.raises(InputError, match="one rate must hold throughout"):
        regzoo.parse("classic_dropout(linear(0.5, 0.0, epochs=2))")


def test_it_acts_after_every_activation() -> None:
    assert regzoo.build("mlp([4, 4])", "classic_dropout(0.5)", input_shape=(5,), classes=3).hits == {
        "classic_dropout": 2
    }
    assert ClassicDropout(0.5).layer(Slot("input", 0, 1, 2, 0)) is None
