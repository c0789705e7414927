"""Proximal group lasso: groups by hand, scikit-learn's MultiTaskLasso with its zeros, units that can be removed."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import MultiTaskLasso

import regzoo
from regzoo.core import Backbone, Weight
from regzoo.regularizers import ProximalGroupLasso

STEPS = 400


def prox(w: Any, strength: float, step_size: float = 1.0, **weight: Any) -> np.ndarray:
    """Return a kernel after the proximal step."""
    w = np.asarray(w, np.float32)
    rule: Any = ProximalGroupLasso(strength).rule(Weight("dense/kernel", w.shape, **weight))
    return np.array(rule.prox(w, step_size))


def test_a_group_is_what_leaves_an_input() -> None:
    # Norms 5 and 2, threshold 0.5 * 4 sqrt(2) = 2.828: the first row keeps 1 - 2.828 / 5, the second nothing.
    moved = prox([[3.0, 4.0], [0.0, 2.0]], 4.0, 0.5)
    assert moved[0] == pytest.approx(np.array([3.0, 4.0]) * (1 - 2 * math.sqrt(2) / 5), rel=1e-6)
    assert moved[1].tolist() == [0.0, 0.0]


def test_of_a_convolution_it_is_what_leaves_a_channel() -> None:
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    w[:, :, 1] *= 0.01
    moved = prox(w, 0.1)
    norm = np.sqrt((w[:, :, 0] ** 2).sum())
    np.testing.assert_allclose(moved[:, :, 0], w[:, :, 0] * (1 - 0.1 * math.sqrt(45) / norm), rtol=1e-5)
    assert not moved[:, :, 1].any()


def test_of_a_grouped_convolution_each_part_has_channels_of_its_own() -> None:
    w = np.random.default_rng(0).normal(size=(1, 1, 2, 6))  # the first 3 filters read channels 0 and 1, the others 2, 3
    w[..., 1, :3] *= 0.01
    moved = prox(w, 0.1, groups=2)
    for channel, part in ((0, slice(0, 3)), (0, slice(3, 6)), (1, slice(3, 6))):
        group = w[0, 0, channel, part]
        kept = 1 - 0.1 * math.sqrt(3) / np.linalg.norm(group)
        np.testing.assert_allclose(moved[0, 0, channel, part], group * kept, rtol=1e-5)
    assert not moved[..., 1, :3].any()


def test_neutral_changes_no_bit_and_zeros_stay() -> None:
    w = np.random.default_rng(0).normal(size=(6, 4)).astype(np.float32)
    assert np.array_equal(prox(w, 0.0), w)
    assert np.array_equal(prox(w, 3.0, 0.0), w)
    assert not prox(np.zeros((3, 2)), 0.5).any()
    assert not prox(np.zeros((3, 2)), 0.0).any()


@pytest.mark.parametrize("strength", [0.05, 0.15])
def test_on_least_squares_it_is_the_multi_task_lasso(line: Backbone, strength: float) -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 6)) + 0.5 * random.normal(size=(200, 1))
    x = (x - x.mean(0)).astype(np.float32)
    true = np.zeros((6, 3))
    true[:3] = random.normal(size=(3, 3)) * np.array([[1.0], [0.4], [0.1]])
    y = (x @ true + 0.5 * random.normal(size=(200, 3))).astype(np.float32)
    # The loss is the mean over rows and outputs, scikit-learn's the sum over outputs by 2: ours times 3 / 2.
    alpha = strength * math.sqrt(3) * 3 / 2
    expected = MultiTaskLasso(alpha=alpha, tol=1e-12, max_iter=100_000).fit(x.astype(float), y.astype(float)).coef_.T
    eigenvalues = np.linalg.eigvalsh(x.T @ x / len(x))
    optimizer = keras.optimizers.SGD(float(1.5 / eigenvalues[-1]))
    recipe = f"proximal_group_lasso({strength})"
    model = regzoo.build(line, recipe, input_shape=(6,), outputs=3, optimizer=optimizer, seed=1)
    step = tf.function(model.update)
    for _ in range(STEPS):
        step(x, y)
    kernel = model.get_layer("head").get_weights()[0]
    rate = 1 - eigenvalues[0] / eigenvalues[-1]
    assert rate**STEPS < 1e-6
    np.testing.assert_allclose(kernel, expected, atol=1e-6 + 2e-7 / (1 - rate))
    assert np.array_equal(kernel == 0, expected == 0)
    assert np.any(kernel == 0)
    assert np.any(kernel)


def test_inputs_that_say_nothing_can_be_removed() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)  # the other three columns are noise
    optimizer = keras.optimizers.SGD(0.1)
    model = regzoo.build("mlp([4])", "proximal_group_lasso(0.05)", (4,), 2, optimizer=optimizer, seed=1)
    step = tf.function(model.update)
    for _ in range(300):
        step(x, y)
    kernel = model.get_layer("dense_0").get_weights()[0]
    assert np.linalg.norm(kernel[0]) > 0.3
    assert not kernel[1:].any()
    before = model.predict(x, verbose=0)
    x[:, 1:] = 100.0
    assert np.array_equal(before, model.predict(x, verbose=0))


def test_biases_are_left_alone() -> None:
    assert ProximalGroupLasso(0.1).rule(Weight("dense/bias", (4,))) is None
