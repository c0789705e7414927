"""DeCov: covariances by hand and by NumPy, and lower correlations after training."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Slot
from regzoo.regularizers import Decov


def cost(h: Any, strength: float = 1.0) -> tuple[float, np.ndarray]:
    """Return the penalty on activations and its gradient."""
    values = tf.constant(h, tf.float32)
    with tf.GradientTape() as tape:
        tape.watch(values)
        loss = Decov(strength).penalty(values)
    return float(loss), tape.gradient(loss, values).numpy()


def test_by_hand() -> None:
    # Centered columns (-1, 1) and (-3, 3): their covariance is 3, counted twice and halved.
    assert cost([[0.0, 1.0], [2.0, 7.0]])[0] == pytest.approx(9, rel=1e-6)
    assert cost([[0.0, 1.0], [2.0, 7.0]], strength=0.5)[0] == pytest.approx(4.5, rel=1e-6)
    assert cost([[0.0, 5.0], [2.0, 5.0]])[0] == 0  # a constant has no covariance


@pytest.mark.parametrize("shape", [(30, 6), (5, 4, 6), (5, 3, 2, 6)])
def test_it_is_numpys_covariance(shape: tuple[int, ...]) -> None:
    h = np.random.default_rng(0).normal(size=shape) + 3
    c = np.cov(h.reshape(-1, 6), rowvar=False, bias=True)
    assert cost(h)[0] == pytest.approx(((c**2).sum() - (np.diag(c) ** 2).sum()) / 2, rel=1e-4)


def test_its_gradient_is_the_papers() -> None:
    h = np.random.default_rng(0).normal(size=(8, 4))
    centered = h - h.mean(0)
    c = centered.T @ centered / 8
    # Cogswell 2016, equation 3: the mean's own part of the gradient sums to zero.
    expected = 2 / 8 * centered @ (c - np.diag(np.diag(c)))
    np.testing.assert_allclose(cost(h)[1], expected, atol=1e-6)


def test_strength_0_and_a_batch_of_one_cost_nothing() -> None:
    h = np.random.default_rng(0).normal(size=(8, 4))
    for values, strength in ((h, 0.0), (h[:1], 1.0), (np.zeros((8, 4)), 1.0), (h[:, :1], 1.0)):
        loss, gradient = cost(values, strength)
        assert loss == 0
        assert not gradient.any()


def test_it_decorrelates_the_units_of_a_network(rows: Any) -> None:
    sizes = []
    for strength in (0.0, 1.0):
        model = regzoo.build("mlp([6])", f"decov({strength})", input_shape=(5,), classes=3)
        assert model.hits == {"decov": 1}
        model.optimizer.learning_rate.assign(0.02)
        model.fit(*rows, batch_size=30, epochs=20, verbose=0)
        h = np.array(keras.Model(model.input, model.get_layer("activation_0").output)(rows[0]))
        sizes.append(cost(h)[0])
    assert sizes[1] < 0.1 * sizes[0]
    assert Decov(1.0).layer(Slot("preactivation", 0, 1, 2, 0)) is None
