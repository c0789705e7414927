"""L1: its penalty and sub-gradient by hand, stock Keras, and weights near zero that are not zero."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import L1


def test_penalty_and_gradient_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("l1(0.1)")
    loss, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Zero inputs: the prediction is the bias .5, its loss (.5 - 1.5)^2 = 1; the penalty is .1 (1 + 2).
    assert float(loss) == pytest.approx(1.3, rel=1e-6)
    # The data pulls the bias alone, by -2, and the penalty the kernel alone, by .1 sign(w); learning rate .5.
    assert bias == pytest.approx([1.5], rel=1e-6)
    assert kernel[:, 0] == pytest.approx([0.95, -1.95], rel=1e-6)


def test_it_equals_stock_keras(twin: Callable[..., tuple[Any, Any]]) -> None:
    w = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
    ours = L1(0.03).rule(Weight("dense/kernel", w.shape)).value(w)
    assert float(ours) == pytest.approx(float(keras.regularizers.L1(0.03)(w)), rel=1e-6)
    ours, stock = twin("l1(0.01)", lambda: keras.optimizers.SGD(0.05), penalty=keras.regularizers.L1(0.01))
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_biases_are_left_alone() -> None:
    assert L1(0.1).rule(Weight("dense/bias", (5,))) is None
    assert regzoo.build("cnn([2], dense=3)", "l1(0.1)", input_shape=(8, 8, 1), classes=3).hits == {"l1": 3}


def test_useless_weights_come_near_zero_and_not_to_it(line: Any) -> None:
    draw = np.random.default_rng(0)
    x = draw.normal(size=(200, 6)).astype(np.float32)
    y = 2 * x[:, :1] + 0.1 * draw.normal(size=(200, 1)).astype(np.float32)
    rate, strength = 0.05, 0.4
    model = regzoo.build(line, f"l1({strength})", input_shape=(6,), outputs=1, optimizer=keras.optimizers.SGD(rate))
    for _ in range(150):
        model.update(x, y)
    weights = np.abs(model.get_layer("head").get_weights()[0][:, 0])
    # Soft threshold: a standardized column's weight loses strength / 2 = .2; 5 standard errors of its variance, which
    # divides it, are 5 sqrt(2 / 200) of .2, and the columns' correlations move the rest.
    assert weights[0] == pytest.approx(1.8, abs=0.1)
    # The others are kicked across zero by up to rate * strength in each step: below it, and never on it.
    assert (weights[1:] < 2 * rate * strength).all()
    assert (weights[1:] > 0).all()
