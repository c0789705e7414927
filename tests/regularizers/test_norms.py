"""Norms by hand: over axes and over all weights, of tiny weights, and with a derivative at 0."""

from __future__ import annotations

import numpy as np
import pytest
import tensorflow as tf

from regzoo.regularizers._norms import global_norm, norm


def test_over_axes_they_stay_as_axes_of_size_1() -> None:
    w = np.array([[3.0, 5.0], [4.0, 12.0]], np.float32)
    assert np.array(norm(w, [0])) == pytest.approx(np.array([[5.0, 13.0]]))
    assert np.array(norm(w, [1])) == pytest.approx(np.sqrt([[34.0], [160.0]]))
    assert np.array(norm(w, [0, 1])) == pytest.approx(np.array([[np.sqrt(194.0)]]))


def test_several_weights_are_one_vector() -> None:
    assert float(global_norm([np.array([[1.0, 2.0]]), np.array([2.0, 4.0])])) == pytest.approx(5.0)


def test_tiny_weights_have_their_norm_and_zeros_1e_7() -> None:
    w = np.array([[3e-6, 0.0], [4e-6, 0.0]], np.float32)
    assert np.array(norm(w, [0])) == pytest.approx(np.array([[5e-6, 1e-7]]), rel=1e-5)
    assert float(global_norm([w])) == pytest.approx(5e-6, rel=1e-5)


def test_the_gradient_at_0_is_0() -> None:
    w = tf.zeros((3, 2))
    with tf.GradientTape() as tape:
        tape.watch(w)
        total = tf.reduce_sum(norm(w, [0]))
    assert not np.any(tape.gradient(total, w))
