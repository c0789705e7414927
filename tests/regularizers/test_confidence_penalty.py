"""Confidence penalty: by hand, its gradient, any logits, and the baseline."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from scipy.optimize import brentq
from scipy.stats import entropy

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import ConfidencePenalty


def penalized(beta: float, logits: Any) -> Any:
    """Return the per-example losses after it, from a loss of 1 each."""
    return ConfidencePenalty(beta).loss(None, logits, tf.fill([logits.shape[0]], 1.0))


def test_by_hand() -> None:
    logits = np.log([[0.75, 0.25], [0.5, 0.5]]).astype(np.float32)
    # H(0.75, 0.25) = 0.75 log(4/3) + 0.25 log 4 = 0.56234; H(0.5, 0.5) = log 2.
    assert penalized(0.5, logits).numpy() == pytest.approx([1 - 0.28117, 1 - 0.5 * math.log(2)], abs=1e-5)


def test_it_is_the_entropy_whatever_is_added_to_the_logits() -> None:
    p = np.random.default_rng(0).dirichlet([0.5] * 6, 40)
    logits = (np.log(p) + 5.0).astype(np.float32)
    np.testing.assert_allclose(1 - np.array(penalized(1.0, logits)), entropy(p, axis=1), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize("size", [0.0, 1.0, 1e4])
@pytest.mark.parametrize("beta", [0.0, 1.0, 100.0])
def test_values_and_gradients_are_finite_at_any_logits(beta: float, size: float) -> None:
    logits = tf.Variable([[size, -size, 0.0]])
    with tf.GradientTape() as tape:
        value = penalized(beta, logits)
    gradient = tape.gradient(value, logits)
    assert np.isfinite(value).all()
    assert np.isfinite(gradient).all()
    # dH/dz_k = -p_k (log p_k + H).
    p = np.array(tf.nn.softmax(logits), np.float64)[0]
    expected = beta * p * (np.log(np.maximum(p, 1e-300)) + entropy(p))
    np.testing.assert_allclose(gradient[0], expected, rtol=1e-4, atol=1e-5)


def test_beta_0_changes_no_bit() -> None:
    logits, losses = np.random.default_rng(0).normal(size=(2, 50, 3)).astype(np.float32)
    assert np.array_equal(ConfidencePenalty(0.0).loss(None, logits, losses[:, 0]), losses[:, 0])


@pytest.mark.parametrize("beta", [0.5, 2.0])
def test_the_best_prediction_is_where_loss_and_entropy_balance(beta: float) -> None:
    """The derivative of -log p - beta H(p, q, q) with q = (1 - p) / 2 is -1 / p + beta log(p / q)."""
    sgd = keras.optimizers.SGD(0.5)
    model = regzoo.build("mlp([2])", f"confidence_penalty({beta})", (2,), classes=3, optimizer=sgd)
    step = tf.function(lambda: model.update(np.zeros((6, 2), np.float32), np.zeros(6, np.int64))[0])
    # Only the head's bias learns, the other two classes equally; from label to others the curvature is 0.136 at least,
    # so that at learning rate 0.5 a step leaves 0.932 of the distance, and 200 steps 1e-6.
    for _ in range(200):
        step()
    best = brentq(lambda p: -1 / p + beta * np.log(2 * p / (1 - p)), 0.34, 0.99)
    assert model.predict(np.zeros((1, 2)), verbose=0)[0] == pytest.approx(
        [best, (1 - best) / 2, (1 - best) / 2], abs=1e-4
    )


@pytest.mark.parametrize(
    ("beta", "classes", "best"),
    [(1.0, 2, 0.78), (1.0, 3, 0.68), (1.0, 10, 0.48), (1.0, 100, 0.28), (0.1, 2, 0.99995), (0.1, 100, 0.9957)],
)
def test_how_confident_it_lets_a_model_become(beta: float, classes: int, best: float) -> None:
    """The docstring's numbers: the probability of the label at which the loss is least, of all that are tried."""
    p = np.concatenate([np.linspace(0.0005, 0.9995, 2000), 1 - np.geomspace(1e-7, 5e-4, 2000)])
    predictions = np.column_stack([p, *[(1 - p) / (classes - 1)] * (classes - 1)])
    losses = ConfidencePenalty(beta).loss(None, tf.constant(np.log(predictions)), tf.constant(-np.log(p)))
    found = p[int(np.argmin(losses))]
    assert found == pytest.approx(best, abs=0.005 if beta == 1.0 else 5e-4)
    # It is where the derivative is 0, as the docstring has it, and for few classes far from uniform.
    assert brentq(lambda q: -1 / q + beta * np.log(q * (classes - 1) / (1 - q)), 1 / classes, 1 - 1e-9) == (
        pytest.approx(best, abs=0.005 if beta == 1.0 else 5e-4)
    )
    for number in ("0.78, 0.68, 0.48 and 0.28", "above 0.99"):
        assert number in (ConfidencePenalty.__doc__ or "")


def test_regression_is_refused() -> None:
    with pytest.raises(InputError, match="confidence_penalty needs classes"):
        regzoo.build("mlp([4])", "confidence_penalty(0.1)", input_shape=(5,), outputs=1)
