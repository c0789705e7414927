"""Orthogonality penalty: by hand, Keras's regularizer, kernels of rank 4, and gradients of degenerate kernels."""

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
from regzoo.regularizers import Orthogonal


def penalty(w: Any, strength: float = 1.0) -> tuple[float, np.ndarray]:
    """Return the penalty of a kernel, and its gradient."""
    w = tf.constant(w, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(w)
        value = Orthogonal(strength).rule(Weight("dense/kernel", tuple(w.shape))).value(w)
    return float(value), tape.gradient(value, w).numpy()


def test_by_hand() -> None:
    # Units (1, 0) and (1, 1): cosine 1 / sqrt 2. Their lengths do not matter.
    assert penalty([[1.0, 1.0], [0.0, 1.0]], 0.5)[0] == pytest.approx(0.5 / math.sqrt(2), rel=1e-6)
    assert penalty([[3.0, 9.0], [0.0, 9.0]])[0] == pytest.approx(1 / math.sqrt(2), rel=1e-6)
    assert penalty(np.eye(4))[0] == 0
    assert penalty(np.ones((2, 3)))[0] == pytest.approx(1, rel=1e-6)


@pytest.mark.parametrize("shape", [(6, 4), (3, 7), (5, 2)])
def test_it_equals_kerass_regularizer_of_columns(shape: tuple[int, int]) -> None:
    w = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    stock = keras.regularizers.OrthogonalRegularizer(0.3, mode="columns")
    assert penalty(w, 0.3)[0] == pytest.approx(float(stock(tf.constant(w))), rel=1e-5)


def test_a_filter_is_a_unit() -> None:
    w = np.random.default_rng(0).normal(size=(3, 3, 2, 5)).astype(np.float32)
    stock = keras.regularizers.OrthogonalRegularizer(1.0, mode="columns")
    assert penalty(w)[0] == pytest.approx(float(stock(tf.constant(w.reshape(-1, 5)))), rel=1e-5)


def test_it_trains_like_kerass(twin: Callable[..., tuple[Any, Any]]) -> None:
    stock = keras.regularizers.OrthogonalRegularizer(0.5, mode="columns")
    ours, theirs = twin("orthogonal(0.5)", lambda: keras.optimizers.SGD(0.1), penalty=stock)
    for mine, other in zip(ours.get_weights(), theirs.get_weights(), strict=True):
        np.testing.assert_allclose(mine, other, atol=1e-5)  # 24 steps of some roundings (6e-8) of weights near 1


def test_gradients_are_finite_at_zeros_and_right_angles() -> None:
    for w in (np.zeros((3, 4)), np.eye(3), np.array([[1.0, 0.0], [0.0, 0.0]])):
        value, gradient = penalty(w, 1e6)
        assert math.isfinite(value)
        assert np.isfinite(gradient).all()
    assert not penalty(np.random.default_rng(0).normal(size=(3, 4)), 0.0)[1].any()


def test_one_unit_has_nothing_to_be_at_right_angles_to() -> None:
    assert Orthogonal(0.1).rule(Weight("head/kernel", (5, 1))) is None
    assert regzoo.build("mlp([4])", "orthogonal(0.1)", (5,), outputs=1).hits == {"orthogonal": 1}
