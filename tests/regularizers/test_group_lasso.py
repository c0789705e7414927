"""Group lasso: groups by hand, one output as the lasso, and gradients at zero."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import GroupLasso


def penalty(w: Any, strength: float = 1.0) -> tuple[float, np.ndarray]:
    """Return the penalty of a kernel, and its gradient."""
    w = tf.constant(w, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(w)
        value = GroupLasso(strength).rule(Weight("dense/kernel", tuple(w.shape))).value(w)
    return float(value), tape.gradient(value, w).numpy()


def test_a_group_is_what_leaves_an_input() -> None:
    value, gradient = penalty([[3.0, 4.0], [0.0, 2.0]], 0.5)
    assert value == pytest.approx(0.5 * math.sqrt(2) * (5 + 2), rel=1e-6)
    assert gradient == pytest.approx(0.5 * math.sqrt(2) * np.array([[0.6, 0.8], [0.0, 1.0]]), rel=1e-6)


def test_of_a_convolution_it_is_what_leaves_a_channel() -> None:
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 5))
    norms = np.sqrt((w**2).sum((0, 1, 3)))  # of the two input channels, 45 weights each
    assert penalty(w)[0] == pytest.approx(math.sqrt(45) * norms.sum(), rel=1e-5)


def test_with_one_output_it_is_the_lasso(by_hand: Callable[[str], Any]) -> None:
    grouped, plain = by_hand("group_lasso(0.1)"), by_hand("l1(0.1)")
    for model in (grouped, plain):
        model.update(np.array([[1.0, 0.5]], np.float32), np.array([[0.0]], np.float32))
    for mine, theirs in zip(grouped.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-6)


def test_gradients_at_zero_are_zero() -> None:
    value, gradient = penalty(np.zeros((3, 4)), 1e6)
    assert math.isfinite(value)
    assert not gradient.any()
    assert not penalty(np.ones((3, 4)), 0.0)[1].any()


def test_inputs_that_say_nothing_are_emptied() -> None:
    random = np.random.default_rng(0)
    x = random.normal(size=(400, 4)).astype(np.float32)
    y = (x[:, 0] > 0).astype(np.int64)  # the other three columns are noise
    model = regzoo.build("mlp([4])", "group_lasso(0.05)", (4,), 2, optimizer=keras.optimizers.SGD(0.1), seed=1)
    step = tf.function(model.update)
    for _ in range(300):
        step(x, y)
    norms = np.linalg.norm(model.get_layer("dense_0").get_weights()[0], axis=1)
    # A step moves an empty group by at most lr * strength * sqrt(size) = 0.1 * 0.05 * 2, around zero.
    assert norms[0] > 0.3
    assert norms[1:].max() < 0.02


def test_biases_are_left_alone() -> None:
    assert GroupLasso(0.1).rule(Weight("dense/bias", (4,))) is None
