"""Gaussian dropout: moments of the noise, stock Keras, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Slot
from regzoo.regularizers import GaussianDropout


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return GaussianDropout(rate).layer(Slot("activation", 0, 1, 2, seed))


def some(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
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


def test_it_acts_after_every_activation() -> None:
    model = regzoo.build("cnn([2], dense=3)", "gaussian_dropout(0.5)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"gaussian_dropout": 2}
    assert GaussianDropout(0.5).layer(Slot("input", 0, 1, 2, 0)) is None
