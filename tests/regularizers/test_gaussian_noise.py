"""Gaussian noise on the inputs: its moments, its seed, and Tikhonov regularization."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Backbone
from regzoo.regularizers import GaussianNoise


def noise(stddev: float, seed: int = 0, shape: tuple[int, ...] = (500, 400)) -> np.ndarray:
    """Return the noise that is added to a batch of zeros."""
    x, y = GaussianNoise(stddev).batch(np.zeros(shape, np.float32), np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x, np.float64)


@pytest.mark.parametrize("stddev", [0.1, 2.0])
def test_it_has_mean_0_and_its_standard_deviation(stddev: float) -> None:
    drawn = noise(stddev)
    # Standard errors over n normal draws: sd / sqrt n of the mean, sd / sqrt(2 n) of the standard deviation, and
    # sqrt(24 / n) of the excess kurtosis.
    n = drawn.size
    assert drawn.mean() == pytest.approx(0, abs=5 * stddev / math.sqrt(n))
    assert drawn.std() == pytest.approx(stddev, abs=5 * stddev / math.sqrt(2 * n))
    assert ((drawn / stddev) ** 4).mean() == pytest.approx(3, abs=5 * math.sqrt(96 / n))


def test_every_seed_and_every_step_has_its_own_noise() -> None:
    assert np.array_equal(noise(1.0, seed=1), noise(1.0, seed=1))
    assert not np.array_equal(noise(1.0, seed=1), noise(1.0, seed=2))
    stream = keras.random.SeedGenerator(0)
    first, second = (GaussianNoise(1.0).batch(np.zeros((9, 9), np.float32), None, stream)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_stddev_0_changes_no_bit() -> None:
    x = np.random.default_rng(0).normal(size=(50, 8, 8, 1)).astype(np.float32)
    assert np.array_equal(GaussianNoise(0.0).batch(x, None, keras.random.SeedGenerator(0))[0], x)


def test_for_squared_loss_it_is_a_penalty_on_the_weights(line: Backbone) -> None:
    """Bishop 1995: E (y - w (x + e))^2 = (y - w x)^2 + stddev^2 |w|^2, exactly for a linear model."""
    n, stddev = 100_000, 0.7
    model = regzoo.build(
        line, f"gaussian_noise({stddev})", input_shape=(2,), outputs=1, optimizer=keras.optimizers.SGD(0.0)
    )
    model.get_layer("head").set_weights([np.array([[1.0], [-2.0]]), np.array([0.5])])
    x, y = np.tile(np.array([[0.3, 0.1]], np.float32), (n, 1)), np.full((n, 1), 2.0, np.float32)
    loss, logits = model.update(x, y)
    clean = (2.0 - (0.3 - 0.2 + 0.5)) ** 2
    spread = float(((np.array(logits) - y) ** 2).std())
    assert float(loss) == pytest.approx(clean + stddev**2 * 5, abs=5 * spread / math.sqrt(n))
    assert model.evaluate(x[:10], y[:10], verbose=0)[0] == pytest.approx(clean, rel=1e-5)


def test_it_hits_the_batch_once(rows: Any) -> None:
    assert regzoo.build("mlp([4])", "gaussian_noise(0.1)", input_shape=(5,), classes=3).hits == {"gaussian_noise": 1}
