"""Focal loss: by hand, stock Keras, finite at any logits, and cross-entropy at gamma 0."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import Focal

LOGITS = np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32)
HARD = np.eye(4, dtype=np.float32)[np.arange(50) % 4]
SOFT = np.random.default_rng(1).dirichlet([0.5] * 4, 50).astype(np.float32)


def focal(gamma: float, y: Any, logits: Any) -> Any:
    """Return the focal loss of each example, from its cross-entropy."""
    return Focal(gamma).loss(y, logits, tf.nn.softmax_cross_entropy_with_logits(y, logits))


def test_by_hand() -> None:
    logits = np.log([[0.75, 0.25]]).astype(np.float32)
    # The label's class: 0.25^2 * -log 0.75 and 0.75^2 * -log 0.25.
    y = np.eye(2, dtype=np.float32)
    assert np.array(focal(2.0, y, np.tile(logits, (2, 1)))) == pytest.approx([0.017980, 0.779791], abs=1e-6)


@pytest.mark.parametrize("gamma", [0.5, 1.0, 2.0, 5.0])
@pytest.mark.parametrize("y", [HARD, SOFT], ids=["hard", "soft"])
def test_it_equals_stock_keras(y: np.ndarray, gamma: float) -> None:
    stock = keras.losses.CategoricalFocalCrossentropy(alpha=1.0, gamma=gamma, from_logits=True, reduction="none")
    np.testing.assert_allclose(focal(gamma, y, LOGITS), stock(y, LOGITS), rtol=1e-4, atol=1e-6)


def test_gamma_0_changes_no_bit_of_whatever_stood_in_the_loss() -> None:
    losses = np.random.default_rng(2).normal(size=50).astype(np.float32)
    assert np.array_equal(Focal(0.0).loss(HARD, LOGITS, losses), losses)


@pytest.mark.parametrize("size", [0.0, 1.0, 20.0, 1e4])
@pytest.mark.parametrize("gamma", [0.0, 0.01, 0.5, 5.0])
def test_values_and_gradients_are_finite_at_any_logits(gamma: float, size: float) -> None:
    logits = tf.Variable([[size, -size, 0.0]] * 3)
    with tf.GradientTape() as tape:
        value = focal(gamma, tf.eye(3), logits)
    assert np.isfinite(value).all()
    assert np.isfinite(tape.gradient(value, logits)).all()


def test_at_gamma_0_the_gradient_is_that_of_cross_entropy() -> None:
    logits = tf.Variable(LOGITS)
    with tf.GradientTape(persistent=True) as tape:
        plain = tf.nn.softmax_cross_entropy_with_logits(HARD, logits)
        value = Focal(0.0).loss(HARD, logits, plain)
    assert np.array_equal(tape.gradient(value, logits), tape.gradient(plain, logits))


def test_training_counts_and_validation_does_not(rows: Any) -> None:
    x, y = rows
    model, plain = (regzoo.build("mlp([4])", r, input_shape=(5,), classes=3) for r in ("focal(2.0)", "none"))
    assert model.evaluate(x, y, verbose=0) == plain.evaluate(x, y, verbose=0)
    expected = float(np.mean(focal(2.0, np.eye(3, dtype=np.float32)[y], model.logits(x))))
    assert float(model.update(x, y)[0]) == pytest.approx(expected, rel=1e-6)


def test_regression_is_refused() -> None:
    with pytest.raises(InputError, match="focal needs classes"):
        regzoo.build("mlp([4])", "focal(2.0)", input_shape=(5,), outputs=1)
