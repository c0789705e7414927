"""Gaussian dropout: moments of the noise, stock Keras, and the end of its domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import GaussianDropout


def layer(rate: float, seed: int = 0) -> Any:
    """Its layer at a slot with this seed."""
    return GaussianDropout(rate).layer(Slot("activation", 0, 1, 2, seed))


def some(*shape: int) -> np.ndarray:
    """Normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_equals_stock_keras_for_the_same_seed(rate: float) -> None:
    h, ours, stock = some(64, 32), layer(rate, seed=7), keras.layers.GaussianDropout(rate, seed=7)
    for _ in range(3):
        # The factor is 1 + stddev z, rounded to float32 at most at the size of 1 + 5 stddev.
        limit = 2e-7 * (1 + 5 * math.sqrt(rate / (1 - rate))) * np.abs(h).max()
        np.testing.assert_allclose(ours(h, training=True), stock(h, training=True), rtol=0, atol=limit)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.8])
def test_the_noise_has_the_mean_and_the_variance_of_dropouts_mask(rate: float) -> None:
    noise = np.array(layer(rate)(np.ones((500, 400), np.float32), training=True), np.float64)
    variance = rate / (1 - rate)
    # Standard errors over n normal draws: sqrt(v / n) of the mean, v sqrt(2 / n) of the variance.
    assert noise.mean() == pytest.approx(1, abs=5 * math.sqrt(variance / noise.size))
    assert noise.var() == pytest.approx(variance, abs=5 * variance * math.sqrt(2 / noise.size))


def test_rate_0_and_inference_change_no_bit() -> None:
    h = some(50, 20)
    assert np.array_equal(layer(0.0)(h, training=True), h)
    assert np.array_equal(layer(0.7)(h), h)


def test_rate_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"rate must lie in \[0, 1\), received 1\.0"):
        GaussianDropout(1.0)


def test_a_rate_that_float32_rounds_to_1_stays_finite(rows: Any) -> None:
    h = tf.constant(some(5, 4))
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = layer(1 - 1e-12)(h, training=True)
    assert np.isfinite(out).all()
    assert np.isfinite(tape.gradient(out, h)).all()
    model = regzoo.build("mlp([4])", f"gaussian_dropout({1 - 1e-12!r})", input_shape=(5,), classes=3)
    assert model.dials == {"gaussian_dropout.rate": 1.0}
    model.update(*rows)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_every_seed_and_every_step_has_its_own_noise() -> None:
    h = np.ones((9, 9), np.float32)
    first, again, other = layer(0.5, 1), layer(0.5, 1), layer(0.5, 2)
    draws = [np.array(each(h, training=True)) for each in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])


def test_it_acts_after_every_activation() -> None:
    model = regzoo.build("cnn([2], dense=3)", "gaussian_dropout(0.5)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"gaussian_dropout": 2}
    assert GaussianDropout(0.5).layer(Slot("input", 0, 1, 2, 0)) is None
