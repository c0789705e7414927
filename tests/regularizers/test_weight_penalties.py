"""Penalties on weights, L1, L2 and both: loss and gradient by hand, stock Keras, sparsity, ridge regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import regzoo
from regzoo.core import Backbone, OnWeights, Weight
from regzoo.regularizers import L1, L1L2, L2

COVERS = ("l1", "l2", "l1_l2")
"""The regularizers that this module tests in place of a module of their own; see ``tests/test_house.py``."""

W = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
KERNEL = Weight("dense/kernel", W.shape)


def compute_penalty(regularizer: OnWeights) -> float:
    """Return the penalty of the kernel `W`."""
    rule: Any = regularizer.rule(KERNEL)
    return float(rule.value(W))


@pytest.mark.parametrize(
    ("recipe", "loss", "kernel"),
    [
        # Zero inputs: the prediction is the bias 0.5, its loss (0.5 - 1.5)^2 = 1; the kernel is (1, -2). The penalty is
        # 0.1 (1 + 2), its gradient 0.1 sign(w); learning rate 0.5.
        ("l1(0.1)", 1.3, [0.95, -1.95]),
        # 0.1 (1 + 4); 2 * 0.1 * w.
        ("l2(0.1)", 1.5, [0.9, -1.8]),
        # 0.1 (1 + 2) + 0.2 (1 + 4); 0.1 sign(w) + 0.4 w.
        ("l1_l2(l1=0.1, l2=0.2)", 2.3, [0.75, -1.55]),
    ],
)
def test_penalty_and_gradient_by_hand(
    by_hand: Callable[[str], Any], recipe: str, loss: float, kernel: list[float]
) -> None:
    model = by_hand(recipe)
    found, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    weights, bias = model.get_layer("head").get_weights()
    assert float(found) == pytest.approx(loss, rel=1e-6)
    # The data moves only the bias, by a gradient of -2, and the penalty only the kernel.
    assert bias == pytest.approx([1.5], rel=1e-6)
    assert weights[:, 0] == pytest.approx(kernel, rel=1e-6)


@pytest.mark.parametrize(
    ("regularizer", "stock"),
    [
        (L1(0.03), keras.regularizers.L1(0.03)),
        (L2(0.03), keras.regularizers.L2(0.03)),
        (L1L2(0.03, 0.07), keras.regularizers.L1L2(l1=0.03, l2=0.07)),
    ],
    ids=COVERS,
)
def test_the_penalty_equals_stock_keras(regularizer: OnWeights, stock: Any) -> None:
    assert compute_penalty(regularizer) == pytest.approx(float(stock(W)), rel=1e-6)


@pytest.mark.parametrize(
    ("recipe", "optimizer", "penalty"),
    [
        ("l1(0.01)", lambda: keras.optimizers.SGD(0.05), keras.regularizers.L1(0.01)),
        ("l2(0.01)", lambda: keras.optimizers.Adam(0.01), keras.regularizers.L2(0.01)),
        ("l1_l2(0.01, 0.02)", lambda: keras.optimizers.SGD(0.05), keras.regularizers.L1L2(0.01, 0.02)),
    ],
    ids=COVERS,
)
def test_training_equals_stock_keras(
    twin: Callable[..., tuple[Any, Any]], recipe: str, optimizer: Callable[[], Any], penalty: Any
) -> None:
    ours, stock = twin(recipe, optimizer, penalty=penalty)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


@pytest.mark.parametrize("regularizer", [L1(0.1), L2(0.1), L1L2(0.1, 0.1)], ids=COVERS)
def test_biases_have_no_penalty(regularizer: OnWeights) -> None:
    assert regularizer.rule(Weight("dense/bias", (5,))) is None


def test_every_kernel_has_a_penalty_and_scales_have_none() -> None:
    assert regzoo.build("cnn([2], dense=3)", "l1(0.1)", input_shape=(8, 8, 1), classes=3).hits == {"l1": 3}
    model = regzoo.build("mlp([4, 4])", "batch_norm(0.9) + l2(0.1)", input_shape=(5,), classes=3)
    assert model.hits == {"batch_norm": 2, "l2": 3}


def test_the_elastic_net_without_one_penalty_is_the_other() -> None:
    assert compute_penalty(L1L2(0.03, 0)) == compute_penalty(L1(0.03))
    assert compute_penalty(L1L2(0, 0.07)) == compute_penalty(L2(0.07))
    assert compute_penalty(L1L2(0, 0)) == 0


def test_validation_loss_holds_no_penalty(rows: Any) -> None:
    plain, penalized = (regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3) for recipe in ("none", "l2(9.0)"))
    assert penalized.evaluate(*rows, verbose=0) == plain.evaluate(*rows, verbose=0)


def test_l1_brings_useless_weights_near_zero_and_not_to_it(line: Any) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 6)).astype(np.float32)
    y = 2 * x[:, :1] + 0.1 * draw.normal(size=(200, 1)).astype(np.float32)
    rate, strength = 0.05, 0.4
    model = regzoo.build(line, f"l1({strength})", input_shape=(6,), outputs=1, optimizer=keras.optimizers.SGD(rate))
    for _ in range(150):
        model.update(x, y)
    weights = np.abs(model.get_layer("head").get_weights()[0][:, 0])
    # Soft threshold: a standardized column's weight loses strength / 2 = 0.2; 5 standard errors of its variance, which
    # divides it, are 5 sqrt(2 / 200) of 0.2, and the columns' correlations move the rest.
    assert weights[0] == pytest.approx(1.8, abs=0.1)
    # The others cross zero by up to rate * strength in each step: they stay below it, and never at zero.
    assert (weights[1:] < 2 * rate * strength).all()
    assert (weights[1:] > 0).all()


def test_l2_is_ridge_for_linear_regression(line: Backbone) -> None:
    x, y = load_diabetes(return_X_y=True)
    x, y = ((x - x.mean(0)) / x.std(0)).astype(np.float32), ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
    model = regzoo.build(line, "l2(1.0)", input_shape=(10,), outputs=1, optimizer=keras.optimizers.SGD(0.09))
    for _ in range(100):
        model.update(x, y)
    # The same vector as dropout at rate 0.5 gives. Curvatures lie between 2 and 2 (4.03 + 1), so a step leaves at most
    # 1 - 0.09 * 2 = 0.82 of the distance, and 100 steps 3e-9 of it.
    published = [0.0182, -0.0514, 0.1892, 0.1245, 0.0037, -0.0182, -0.0939, 0.0725, 0.1624, 0.0691]
    assert model.get_layer("head").get_weights()[0][:, 0] == pytest.approx(published, abs=6e-5)
