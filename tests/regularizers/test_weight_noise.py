"""Noise on the weights: moments, one draw for a batch, and the ends of its domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Backbone, Weight
from regzoo.regularizers import WeightNoise


def perturbed(w: np.ndarray, stddev: float, seed: int = 0) -> np.ndarray:
    """Return a kernel as the forward pass uses it."""
    rule = WeightNoise(stddev).rule(Weight("dense/kernel", w.shape))
    return np.array(rule.perturb(w, keras.random.SeedGenerator(seed)))


def test_the_noise_is_normal_with_this_deviation() -> None:
    noise = perturbed(np.zeros((500, 400), np.float32), 0.3).astype(np.float64)
    n = noise.size
    # Five standard errors: sd / sqrt n of the mean, sd / sqrt(2 n) of the deviation, sqrt(24 / n) of the kurtosis.
    assert noise.mean() == pytest.approx(0, abs=5 * 0.3 / math.sqrt(n))
    assert noise.std() == pytest.approx(0.3, abs=5 * 0.3 / math.sqrt(2 * n))
    assert ((noise / noise.std()) ** 4).mean() == pytest.approx(3, abs=5 * math.sqrt(24 / n))


def test_each_seed_has_its_draws() -> None:
    w = np.zeros((4, 5), np.float32)
    assert np.array_equal(perturbed(w, 0.1, 3), perturbed(w, 0.1, 3))
    assert not np.array_equal(perturbed(w, 0.1, 3), perturbed(w, 0.1, 4))


def test_one_draw_serves_the_batch_and_each_step_has_its_own(line: Backbone) -> None:
    model = regzoo.build(line, "weight_noise(0.5)", (30,), outputs=1, optimizer=keras.optimizers.SGD(0.0))
    x, y = np.ones((8, 30), np.float32), np.zeros((8, 1), np.float32)
    first, second = (model.update(x, y)[1].numpy() for _ in range(2))
    assert np.ptp(first) == 0
    assert first[0, 0] != second[0, 0]


def test_the_gradient_is_that_of_the_noisy_weights(line: Backbone) -> None:
    model = regzoo.build(line, "weight_noise(0.5)", (1,), outputs=1, optimizer=keras.optimizers.SGD(0.5))
    w, bias = (weight.item() for weight in model.get_layer("head").get_weights())
    _, logits = model.update(np.ones((1, 1), np.float32), np.zeros((1, 1), np.float32))
    noisy = logits.numpy().item()  # w + noise + bias; the gradient of its square, times 0.5, is itself
    assert [weight.item() for weight in model.get_layer("head").get_weights()] == pytest.approx(
        [w - noisy, bias - noisy], abs=1e-6
    )


def test_0_changes_no_bit_and_much_stays_finite(rows: Any) -> None:
    w = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    assert np.array_equal(perturbed(w, 0.0), w)
    model = regzoo.build("mlp([6])", "weight_noise(1000.0)", input_shape=(5,), classes=3)
    model.fit(*rows, epochs=1, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_biases_are_left_alone() -> None:
    assert WeightNoise(0.5).rule(Weight("dense/bias", (4,))) is None
