"""Gradient noise: its standard deviation at the start and later; each step and seed has its own."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Gradients
from regzoo.regularizers import GradientNoise

ZEROS = np.zeros((500, 400), np.float32)


def noisy(gradient: np.ndarray, eta: float, step: int = 0, seed: int = 0) -> np.ndarray:
    """Return the gradients that the optimizer receives."""
    compute = Gradients(lambda: [gradient], learning_rate=0.1, step=step, seed=keras.random.SeedGenerator(seed))
    return np.array(GradientNoise(eta).gradients(compute, [])[0])


@pytest.mark.parametrize(("step", "stddev"), [(0, math.sqrt(0.3)), (99, math.sqrt(0.3 / 100**0.55))])
def test_its_variance_fades(step: int, stddev: float) -> None:
    noise = noisy(ZEROS, 0.3, step).astype(np.float64)
    # Five standard errors: sd / sqrt n of the mean, sd / sqrt(2 n) of the deviation.
    assert noise.mean() == pytest.approx(0, abs=5 * stddev / math.sqrt(noise.size))
    assert noise.std() == pytest.approx(stddev, abs=5 * stddev / math.sqrt(2 * noise.size))


def test_0_changes_no_bit() -> None:
    gradient = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    assert np.array_equal(noisy(gradient, 0.0), gradient)


def test_each_seed_has_its_draws() -> None:
    assert np.array_equal(noisy(ZEROS, 0.1, seed=3), noisy(ZEROS, 0.1, seed=3))
    assert not np.array_equal(noisy(ZEROS, 0.1, seed=3), noisy(ZEROS, 0.1, seed=4))


def test_steps_are_counted_from_0_and_have_their_own_draws(by_hand: Any) -> None:
    model = by_hand("gradient_noise(1e12)")
    steps = []
    for _ in range(200):
        model.get_layer("head").set_weights([np.zeros((2, 1)), np.zeros(1)])
        model.update(np.zeros((1, 2), np.float32), np.zeros((1, 1), np.float32))
        steps.append(model.get_layer("head").get_weights()[0][:, 0] / -0.5)  # learning rate 0.5
    # Each draw, brought back to deviation 1; five standard errors of the deviation of 400 draws.
    draws = np.array(steps) / np.sqrt(1e12 / np.arange(1, 201) ** 0.55)[:, None]
    assert draws.std() == pytest.approx(1, abs=5 / math.sqrt(2 * draws.size))


def test_fit_repeats(rows: Any) -> None:
    weights = []
    for _ in range(2):
        model = regzoo.build("mlp([4])", "gradient_noise(0.1)", input_shape=(5,), classes=3, seed=1)
        model.fit(*rows, epochs=1, shuffle=False, verbose=0)
        weights.append(model.get_weights())
    assert all(map(np.array_equal, *weights))
