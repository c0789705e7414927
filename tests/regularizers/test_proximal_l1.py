"""Proximal L1: by hand, scikit-learn's lasso with its zeros, momentum, Adam, and where it runs."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import Lasso

import regzoo
from regzoo.core import Backbone, Weight
from regzoo.regularizers import ElasticNet, ProximalGroupLasso, ProximalL1
from regzoo.search.nesting import IN_EFFECT

STEPS = 400


@pytest.fixture(scope="module")
def problem() -> tuple[np.ndarray, np.ndarray]:
    """Return centered inputs (200, 8), correlated, and targets (200, 1) of which half the inputs know nothing."""
    random = np.random.default_rng(0)
    x = random.normal(size=(200, 8)) + 0.5 * random.normal(size=(200, 1))
    x -= x.mean(0)
    y = x @ np.array([1.0, -0.7, 0.4, 0.1, 0, 0, 0, 0]) + 0.5 * random.normal(size=200) + 2.0
    return x.astype(np.float32), y[:, None].astype(np.float32)


def descend(line: Backbone, recipe: str, problem: Any, momentum: float = 0.0) -> np.ndarray:
    """Return the kernel (inputs,) of a linear model after gradient descent on all rows."""
    x, y = problem
    curvature = 2 * np.linalg.eigvalsh(x.T @ x / len(x))[-1]
    optimizer = keras.optimizers.SGD(float((1 - momentum) / curvature), momentum=momentum)
    model = regzoo.build(line, recipe, input_shape=(x.shape[1],), outputs=1, optimizer=optimizer, seed=1)
    step = tf.function(model.update)
    for _ in range(STEPS):
        step(x, y)
    kernel: np.ndarray = model.get_layer("head").get_weights()[0][:, 0]
    return kernel


def test_a_step_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("proximal_l1(0.2)")
    loss, _ = model.update(np.array([[1.0, 0.0]], np.float32), np.array([[1.0]], np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Prediction 1.5, gradient 2 * 0.5 = 1, learning rate 0.5: weights 0.5 and -2, then 0.5 * 0.2 = 0.1 toward zero.
    assert float(loss) == pytest.approx(0.25, rel=1e-6)  # no penalty in the loss
    assert kernel[:, 0] == pytest.approx([0.4, -1.9], rel=1e-6)
    assert bias == pytest.approx([0.0], abs=1e-7)


def test_what_would_cross_zero_is_exactly_zero() -> None:
    rule: Any = ProximalL1(2.0).rule(Weight("dense/kernel", (4, 1)))
    w = np.array([[0.1], [-0.2], [0.3], [-0.0]], np.float32)
    moved = np.array(rule.prox(w, 0.1))
    assert moved[:2].tolist() == [[0.0], [0.0]]
    assert moved[2:, 0] == pytest.approx([0.1, 0.0], abs=1e-7)
    assert np.array_equal(np.array(rule.prox(w, 0.0)), w)


@pytest.mark.parametrize("strength", [0.1, 0.5, 1.5])
def test_on_least_squares_it_is_the_lasso(line: Backbone, problem: Any, strength: float) -> None:
    x, y = problem
    expected = Lasso(alpha=strength / 2, tol=1e-12, max_iter=100_000).fit(
        *(part.astype(float) for part in (x, y[:, 0]))
    )
    kernel = descend(line, f"proximal_l1({strength})", problem)
    eigenvalues = np.linalg.eigvalsh(x.T @ x / len(x))
    rate = 1 - eigenvalues[0] / eigenvalues[-1]
    assert rate**STEPS < 1e-6  # what descent has left; then each step's rounding of 1e-7 counts 1 / (1 - rate) times
    np.testing.assert_allclose(kernel, expected.coef_, atol=1e-6 + 2e-7 / (1 - rate))
    assert np.array_equal(kernel == 0, expected.coef_ == 0)
    assert 0 < np.mean(kernel == 0) < 1 or strength == 0.1


def test_momentum_weakens_it_as_the_docstring_says(line: Backbone, problem: Any) -> None:
    plain = descend(line, "proximal_l1(0.5)", problem)
    with_momentum = descend(line, "proximal_l1(1.0)", problem, momentum=0.5)
    np.testing.assert_allclose(with_momentum, plain, atol=1e-5)
    assert np.array_equal(with_momentum == 0, plain == 0)
    assert not np.array_equal(descend(line, "l1(0.5)", problem) == 0, plain == 0)  # subgradients give no zeros


def test_with_adam_the_step_size_is_the_learning_rate(line: Backbone) -> None:
    optimizer = keras.optimizers.Adam(0.1)
    model = regzoo.build(line, "proximal_l1(0.25)", input_shape=(2,), outputs=1, optimizer=optimizer)
    model.get_layer("head").set_weights([np.array([[1.0], [0.01]]), np.zeros(1)])
    model.update(np.array([[1.0, 0.0]], np.float32), np.array([[0.0]], np.float32))
    # Adam's first step is the learning rate against the gradient's sign; then both lose 0.025.
    assert model.get_layer("head").get_weights()[0][:, 0] == pytest.approx([0.875, 0.0], abs=1e-6)


def test_weights_without_use_are_zero_after_training(rows: Any) -> None:
    model = regzoo.build("mlp([8])", "proximal_l1(0.3)", (5,), 3, optimizer=keras.optimizers.Adam(0.01), seed=1)
    model.fit(*rows, batch_size=8, epochs=15, verbose=0)
    shares = [np.mean(layer.get_weights()[0] == 0) for layer in (model.get_layer("dense_0"), model.get_layer("head"))]
    assert min(shares) > 0.05
    assert all((layer.get_weights()[1] != 0).any() for layer in (model.get_layer("dense_0"), model.get_layer("head")))


def test_it_works_in_mixed_precision_and_with_bfloat16_weights(rows: Any) -> None:
    for policy in ("mixed_float16", "bfloat16"):
        before = keras.config.dtype_policy()
        keras.config.set_dtype_policy(policy)
        try:
            model = regzoo.build("mlp([4])", "proximal_l1(50.0)", (5,), 3, optimizer=keras.optimizers.SGD(0.1), seed=1)
        finally:
            keras.config.set_dtype_policy(before)
        model.update(*rows)
        assert not bool(keras.ops.any(keras.ops.not_equal(model.get_layer("dense_0").kernel, 0)))


@pytest.mark.parametrize("kind", [ProximalL1, ElasticNet, ProximalGroupLasso])
def test_the_range_ends_at_the_size_of_initial_weights_and_begins_without_effect(kind: Any) -> None:
    low, high = kind().strength.values()
    sizes = [np.sqrt(2 / (inputs + 128)) for inputs in (64, 128)]  # Glorot's standard deviation, 128 units
    assert min(sizes) < high < max(sizes) + 0.01
    assert low == pytest.approx(IN_EFFECT * high)


def test_biases_are_left_alone() -> None:
    assert ProximalL1(0.1).rule(Weight("dense/bias", (4,))) is None
