"""Elastic net: by hand, scikit-learn's elastic net with its zeros, and both ends of its ratio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from sklearn.linear_model import ElasticNet as Reference

import regzoo
from regzoo.core import Backbone, InputError, Weight
from regzoo.regularizers import ElasticNet, ProximalL1

STEPS = 400


def test_a_step_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("elastic_net(0.4, l1_ratio=0.25)")
    model.update(np.array([[1.0, 0.0]], np.float32), np.array([[1.0]], np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Weights 0.5 and -2 after the gradient; a = 0.5 * 0.4 = 0.2: 0.05 toward zero, then divided by 1 + 0.15.
    assert kernel[:, 0] == pytest.approx([0.45 / 1.15, -1.95 / 1.15], rel=1e-6)
    assert bias == pytest.approx([0.0], abs=1e-7)


@pytest.mark.parametrize(("strength", "l1_ratio"), [(0.5, 0.5), (1.0, 0.9), (0.3, 1.0), (0.7, 0.1)])
def test_on_least_squares_it_is_scikit_learns(line: Backbone, strength: float, l1_ratio: float) -> None:
    random = np.random.default_rng(1)
    x = random.normal(size=(200, 6)) + 0.5 * random.normal(size=(200, 1))
    x = (x - x.mean(0)).astype(np.float32)
    y = (x @ np.array([1.0, 0.8, -0.3, 0.05, 0, 0]) + 0.5 * random.normal(size=200)).astype(np.float32)
    expected = Reference(alpha=strength / 2, l1_ratio=l1_ratio, tol=1e-12, max_iter=100_000).fit(
        x.astype(float), y.astype(float)
    )
    eigenvalues = np.linalg.eigvalsh(x.T @ x / len(x))
    optimizer = keras.optimizers.SGD(float(0.5 / eigenvalues[-1]))
    recipe = f"elastic_net({strength}, l1_ratio={l1_ratio})"
    model = regzoo.build(line, recipe, input_shape=(6,), outputs=1, optimizer=optimizer, seed=1)
    step = tf.function(model.update)
    for _ in range(STEPS):
        step(x, y[:, None])
    kernel = model.get_layer("head").get_weights()[0][:, 0]
    rate = 1 - eigenvalues[0] / eigenvalues[-1]
    assert rate**STEPS < 1e-6
    np.testing.assert_allclose(kernel, expected.coef_, atol=1e-6 + 2e-7 / (1 - rate))
    assert np.array_equal(kernel == 0, expected.coef_ == 0)
    assert np.any(kernel == 0) == (l1_ratio > 0.1)


def test_its_ratio_is_scikit_learns_unless_given() -> None:
    assert ElasticNet(0.1).l1_ratio == Reference().l1_ratio


def test_the_ends_of_its_ratio() -> None:
    weight = Weight("dense/kernel", (5, 4))
    w = np.random.default_rng(0).normal(size=(5, 4)).astype(np.float32)
    rules: list[Any] = [ElasticNet(0.6, ratio).rule(weight) for ratio in (1.0, 0.0)]
    lasso: Any = ProximalL1(0.6).rule(weight)
    assert np.array_equal(np.array(rules[0].prox(w, 0.5)), np.array(lasso.prox(w, 0.5)))
    np.testing.assert_allclose(np.array(rules[1].prox(w, 0.5)), w / 1.3, rtol=1e-6)
    assert np.array_equal(np.array(rules[0].prox(w, 0.0)), w)
    assert np.array_equal(np.array(rules[1].prox(w, 0.0)), w)
    with pytest.raises(InputError, match=r"l1_ratio must lie in \[0, 1\], received 1.5"):
        ElasticNet(0.1, 1.5)


def test_biases_are_left_alone() -> None:
    assert ElasticNet(0.1).rule(Weight("dense/bias", (4,))) is None
