"""The elastic net: its penalty and gradient by hand, stock Keras, and its two parts."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import Weight
from regzoo.regularizers import L1, L1L2, L2

W = np.random.default_rng(0).normal(size=(7, 5)).astype(np.float32)
KERNEL = Weight("dense/kernel", W.shape)


def test_penalty_and_gradient_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("l1_l2(l1=0.1, l2=0.2)")
    loss, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # Zero inputs: the prediction is the bias .5, its loss (.5 - 1.5)^2 = 1; the penalty is .1 (1 + 2) + .2 (1 + 4).
    assert float(loss) == pytest.approx(2.3, rel=1e-6)
    # The data pulls the bias alone, by -2, the penalty the kernel alone, by .1 sign(w) + .4 w; learning rate .5.
    assert bias == pytest.approx([1.5], rel=1e-6)
    assert kernel[:, 0] == pytest.approx([0.75, -1.55], rel=1e-6)


def test_it_equals_stock_keras(twin: Callable[..., tuple[Any, Any]]) -> None:
    stock = keras.regularizers.L1L2(l1=0.03, l2=0.07)
    assert float(L1L2(0.03, 0.07).rule(KERNEL).value(W)) == pytest.approx(float(stock(W)), rel=1e-6)
    ours, stock = twin(
        "l1_l2(0.01, 0.02)", lambda: keras.optimizers.SGD(0.05), penalty=keras.regularizers.L1L2(0.01, 0.02)
    )
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_with_one_part_left_out_it_is_the_other() -> None:
    assert float(L1L2(0.03, 0).rule(KERNEL).value(W)) == float(L1(0.03).rule(KERNEL).value(W))
    assert float(L1L2(0, 0.07).rule(KERNEL).value(W)) == float(L2(0.07).rule(KERNEL).value(W))
    assert float(L1L2(0, 0).rule(KERNEL).value(W)) == 0
    assert L1L2(0.1, 0.1).rule(Weight("dense/bias", (5,))) is None
