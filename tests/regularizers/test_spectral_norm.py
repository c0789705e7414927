"""Spectral normalization: the singular value itself, stock Keras's wrapper, and kernels of any rank."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import SpectralNorm


def settled(w: np.ndarray, steps: int) -> np.ndarray:
    """Return a kernel after ``steps`` steps that did not change it otherwise."""
    rule = SpectralNorm().rule(Weight("dense/kernel", w.shape))
    u = rule.start(w)
    for step in range(1, steps + 1):
        w, u = rule.follow(w, u, step)
    return np.array(w)


@pytest.mark.parametrize("shape", [(6, 4), (3, 7), (5, 1), (3, 3, 2, 5)])
def test_the_largest_singular_value_becomes_1(shape: tuple[int, ...]) -> None:
    w = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    found = settled(w, 100)
    assert np.linalg.svd(found.reshape(-1, shape[-1]), compute_uv=False)[0] == pytest.approx(1, abs=1e-4)
    np.testing.assert_allclose(found / found.max(), w / w.max(), atol=1e-5)  # its direction stays


def test_by_hand() -> None:
    # u = (1, 1) / sqrt 2: Wu = (3, 1) / sqrt 2, v = (3, 1) / sqrt 10, W'v = (9, 1) / sqrt 10, sigma = sqrt 8.2.
    found = settled(np.array([[3.0, 0.0], [0.0, 1.0]], np.float32), 1)
    np.testing.assert_allclose(found, np.array([[3.0, 0.0], [0.0, 1.0]]) / np.sqrt(8.2), rtol=1e-6)


def test_zeros_stay_zeros() -> None:
    assert not np.any(settled(np.zeros((3, 2), np.float32), 3))
    weight = Weight("dense/kernel", (3, 2))
    zeros, u = np.zeros((3, 2), np.float32), np.array([[0.6], [0.8]], np.float32)
    left, direction = SpectralNorm().follow(zeros, u, 1, weight)
    assert not np.any(left)
    assert np.array_equal(direction, u)  # with a direction of zeros it would never find another


def test_it_equals_stock_keras_after_training(rows: Any) -> None:
    ours = regzoo.build("mlp([4])", "spectral_norm", (5,), 3, optimizer=keras.optimizers.SGD(0.1), seed=1)
    wrapped = [keras.layers.SpectralNormalization(keras.layers.Dense(units)) for units in (4, 3)]
    stock = keras.Sequential([keras.Input((5,)), wrapped[0], keras.layers.ReLU(), wrapped[1]])
    pairs = list(zip(wrapped, ours.companions("spectral_norm"), strict=True))
    for layer, (kernel, u) in pairs:
        layer.kernel.assign(kernel)
        vector, normalized = layer.normalized_weights()  # Keras's comes before the first step
        kernel.assign(normalized)
        u.assign(np.transpose(vector))
    stock.compile(keras.optimizers.SGD(0.1), keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    stock.fit(*rows, batch_size=20, epochs=3, shuffle=False, verbose=0)
    for start in [0, 20, 40] * 3:  # fit would begin with a u of its own
        ours.update(*(part[start : start + 20] for part in rows))
    for layer, (kernel, _) in pairs:
        normalized = layer.normalized_weights()[1]  # and ours after the last
        np.testing.assert_allclose(kernel.numpy(), normalized, atol=1e-5)  # 9 steps of some roundings (6e-8)


def test_fit_normalizes(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "spectral_norm", input_shape=(5,), classes=3)
    model.fit(*rows, batch_size=5, epochs=5, verbose=0)
    for kernel, _ in model.companions("spectral_norm"):
        # u follows the kernel's own slow change (steps of 0.001), so it lags a little behind.
        assert np.linalg.svd(kernel.numpy(), compute_uv=False)[0] == pytest.approx(1, abs=0.02)


def test_a_run_starts_with_its_own_u(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "spectral_norm", input_shape=(5,), classes=3)
    (_, u), _ = model.companions("spectral_norm")
    start = u.numpy()
    assert np.linalg.norm(start) == pytest.approx(1, rel=1e-6)
    model.update(*rows)
    assert not np.array_equal(u.numpy(), start)
    model.reset(0)
    assert np.array_equal(u.numpy(), start)


def test_it_has_no_strength_and_leaves_biases_alone() -> None:
    assert SpectralNorm().strengths() == {}
    assert SpectralNorm().rule(Weight("dense/bias", (4,))) is None
