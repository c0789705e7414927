"""L2: its penalty and gradient by hand, stock Keras, and ridge regression."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
from sklearn.datasets import load_diabetes

import regzoo
from regzoo.core import Backbone, Weight
from regzoo.regularizers import L2


def test_penalty_and_gradient_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("l2(0.1)")
    loss, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Zero inputs: the prediction is the bias .5, its loss (.5 - 1.5)^2 = 1; the penalty is .1 (1 + 4).
    assert float(loss) == pytest.approx(1.5, rel=1e-6)
    # The data pulls the bias alone, by -2, and the penalty the kernel alone, by 2 * .1 * w; learning rate .5.
    assert bias == pytest.approx([1.5], rel=1e-6)
    assert kernel[:, 0] == pytest.approx([0.9, -1.8], rel=1e-6)


def test_it_equals_stock_keras(twin: Callable[..., tuple[Any, Any]]) -> None:
    w = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    ours = L2(0.03).rule(Weight("dense/kernel", w.shape)).value(w)
    assert float(ours) == pytest.approx(float(keras.regularizers.L2(0.03)(w)), rel=1e-6)
    ours, stock = twin("l2(0.01)", lambda: keras.optimizers.Adam(0.01), penalty=keras.regularizers.L2(0.01))
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_biases_and_scales_are_left_alone() -> None:
    assert L2(0.1).rule(Weight("dense/bias", (5,))) is None
    model = regzoo.build("mlp([4, 4])", "batch_norm(0.9) + l2(0.1)", input_shape=(5,), classes=3)
    assert model.hits == {"batch_norm": 2, "l2": 3}


def test_validation_loss_holds_no_penalty(rows: Any) -> None:
    plain, penalized = (regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3) for recipe in ("none", "l2(9.0)"))
    assert penalized.evaluate(*rows, verbose=0) == plain.evaluate(*rows, verbose=0)


def test_it_is_ridge_for_linear_regression(line: Backbone) -> None:
    x, y = load_diabetes(return_X_y=True)
    x, y = ((x - x.mean(0)) / x.std(0)).astype(np.float32), ((y - y.mean()) / y.std()).astype(np.float32)[:, None]
    model = regzoo.build(line, "l2(1.0)", input_shape=(10,), outputs=1, optimizer=keras.optimizers.SGD(0.09))
    for _ in range(100):
        model.update(x, y)
    # The same vector as dropout at rate .5 gives. Curvatures lie between 2 and 2 (4.03 + 1), so a step leaves at most
    # 1 - .09 * 2 = .82 of the distance, and 100 steps 3e-9 of it.
    published = [0.0182, -0.0514, 0.1892, 0.1245, 0.0037, -0.0182, -0.0939, 0.0725, 0.1624, 0.0691]
    assert model.get_layer("head").get_weights()[0][:, 0] == pytest.approx(published, abs=6e-5)
