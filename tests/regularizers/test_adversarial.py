"""Adversarial training: by hand, the worst inputs of a linear model, no clipping, and the baseline."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Forward
from regzoo.regularizers import Adversarial


def trained(recipe: str, rows: Any) -> list[np.ndarray]:
    """Return the weights of a small model after two epochs, random streams and moving averages included."""
    model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, seed=1)
    model.fit(*rows, batch_size=16, epochs=2, shuffle=False, verbose=0)
    return [variable.numpy() for layer in model.layers for variable in layer.variables]


def attack(epsilon: float, x: np.ndarray, kernel: np.ndarray, y: np.ndarray) -> tuple[list[np.ndarray], Any, Any]:
    """Return the inputs at which a linear classifier is run, its logits and losses."""
    seen = []

    def compute(x: Any, y: Any) -> tuple[Any, Any]:
        seen.append(x.numpy())
        logits = x @ kernel
        return logits, tf.nn.softmax_cross_entropy_with_logits(y, logits)

    logits, losses = Adversarial(epsilon).forward(Forward(compute), x, y, keras.random.SeedGenerator(0))
    return seen, logits.numpy(), losses.numpy()


def test_a_step_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("adversarial(0.1)")
    loss, logits = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Residual -1, dL/dx = -2 (1, -2): x' = 0.1 (-1, 1), prediction 0.5 - 0.1 - 0.2 = 0.2, residual -1.3.
    assert float(loss) == pytest.approx((1 + 1.69) / 2, rel=1e-6)
    assert np.array(logits) == pytest.approx(np.full((4, 1), 0.5))
    # Mean gradients (-2 - 2.6) / 2 for the bias and -2.6 (-0.1, 0.1) / 2 for the kernel; learning rate 0.5.
    assert bias == pytest.approx([0.5 + 1.15], rel=1e-6)
    assert kernel[:, 0] == pytest.approx([1 - 0.065, -2 + 0.065], rel=1e-6)


def test_for_two_classes_and_a_linear_model_it_is_the_worst_change() -> None:
    random = np.random.default_rng(0)
    x, kernel = random.normal(size=(20, 6)).astype(np.float32), random.normal(size=(6, 2)).astype(np.float32)
    y = np.eye(2, dtype=np.float32)[np.arange(20) % 2]
    (first, second), logits, losses = attack(0.3, x, kernel, y)
    assert np.array_equal(first, x)
    np.testing.assert_allclose(np.abs(second - x), 0.3, rtol=1e-5)
    np.testing.assert_allclose(logits, x @ kernel, rtol=1e-5)

    def loss(inputs: np.ndarray) -> np.ndarray:
        return np.array(tf.nn.softmax_cross_entropy_with_logits(y, inputs @ kernel))

    np.testing.assert_allclose(losses, (loss(x) + loss(second)) / 2, rtol=1e-6)
    corners = 0.3 * np.sign(random.normal(size=(200, 20, 6)).astype(np.float32))
    assert all((loss(x + corner) <= loss(second) * (1 + 1e-5)).all() for corner in corners)


def test_nothing_is_clamped() -> None:
    x, kernel = np.full((2, 3), 5.0, np.float32), np.eye(3, 2, dtype=np.float32)
    (_, second), _, losses = attack(1000.0, x, kernel, np.eye(2, dtype=np.float32))
    assert second[0] == pytest.approx([-995, 1005, 5])  # the third input does not matter, so it stays
    assert np.isfinite(losses).all()


def test_at_epsilon_0_there_is_no_second_pass() -> None:
    x, kernel, y = np.ones((2, 3), np.float32), np.eye(3, 2, dtype=np.float32), np.eye(2, dtype=np.float32)
    seen, logits, losses = attack(0.0, x, kernel, y)
    assert len(seen) == 1
    assert np.array_equal(losses, tf.nn.softmax_cross_entropy_with_logits(y, logits))


@pytest.mark.parametrize("company", ["l2(0.001)", "dropout(0.5) + batch_norm(0.9)"])
def test_epsilon_0_trains_the_baseline_bit_for_bit(company: str, rows: Any) -> None:
    own, plain = trained(f"{company} + adversarial(0.0)", rows), trained(company, rows)
    assert len(own) == len(plain) >= 4
    assert all(map(np.array_equal, own, plain))


def test_no_gradient_reaches_the_weights_through_the_perturbation() -> None:
    """With a squared input the perturbation depends on the weight; the step must ignore that."""
    w = tf.Variable(2.0)

    def compute(x: Any, y: Any) -> tuple[Any, Any]:
        logits = w * x
        return logits, tf.reduce_sum(logits**2, axis=-1)

    with tf.GradientTape() as tape:
        _, losses = Adversarial(1.0).forward(Forward(compute), np.array([[3.0]], np.float32), None, None)
    # L = 4 * 9, x' = 4: 4 * 16. d/dw (w^2 9 + w^2 16) / 2 = 25 w.
    assert losses.numpy() == pytest.approx([50.0])
    assert float(tape.gradient(losses, w)) == pytest.approx(50.0)
