"""L2-SP: zero at the start, by hand away from it, and which weights are the start."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import L2SP

ByHand = Callable[[str], Any]
ORIGIN = np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32)
"""Rows and targets: the loss of the bias alone is (0.5 - 1.5)^2."""


def moved(by_hand: ByHand, recipe: str, start: Any) -> Any:
    """Return a model with weights (1, -2) that started at ``start``."""
    model = by_hand(recipe)
    for _, companion in model.companions("l2_sp"):
        companion.assign(np.array(start, np.float32)[:, None])
    return model


def test_at_the_start_it_costs_nothing(by_hand: ByHand) -> None:
    model = moved(by_hand, "l2_sp(1000.0)", (1.0, -2.0))
    loss, _ = model.update(*ORIGIN)
    assert float(loss) == pytest.approx(1.0, rel=1e-6)
    assert np.array_equal(model.get_layer("head").get_weights()[0][:, 0], [1.0, -2.0])


def test_the_way_from_the_start_by_hand(by_hand: ByHand) -> None:
    model = moved(by_hand, "l2_sp(0.1)", (0.0, -1.0))
    loss, _ = model.update(*ORIGIN)
    # 1 + 0.1 (1^2 + 1^2); the gradient is 0.2 (1, -1), the learning rate 0.5.
    assert float(loss) == pytest.approx(1.2, rel=1e-6)
    assert model.get_layer("head").get_weights()[0][:, 0] == pytest.approx([0.9, -1.9], rel=1e-6)


def test_from_zero_it_is_l2(by_hand: ByHand) -> None:
    ours, plain = moved(by_hand, "l2_sp(0.1)", (0.0, 0.0)), by_hand("l2(0.1)")
    for model in (ours, plain):
        model.update(np.array([[1.0, 0.5]], np.float32), np.array([[0.0]], np.float32))
    assert all(map(np.array_equal, ours.get_weights(), plain.get_weights()))


def test_the_start_is_that_of_the_run(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "l2_sp(0.1)", input_shape=(5,), classes=3, seed=1)
    model.fit(*rows, epochs=1, verbose=0)
    pairs = model.companions("l2_sp")
    assert len(pairs) == 2  # the kernels
    assert not any(np.array_equal(weight, start) for weight, start in pairs)
    model.reset(2)
    assert all(np.array_equal(weight, start) for weight, start in pairs)


def test_fit_starts_where_weights_were_set(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "l2_sp(0.1)", input_shape=(5,), classes=3)
    mine = [weight + 1 for weight in model.get_weights()]
    model.set_weights(mine)
    for _ in range(2):
        model.fit(*rows, epochs=1, verbose=0)
        starts = [start for _, start in model.companions("l2_sp")]
        assert all(map(np.array_equal, starts, mine[::2]))  # the kernels


def test_it_holds_the_weights_where_they_were(rows: Any) -> None:
    away = []
    for strength in (0.0, 1.0):
        model = regzoo.build("mlp([4])", L2SP(strength), input_shape=(5,), classes=3, seed=1)
        step = tf.function(model.update)
        for _ in range(100):
            step(*rows)
        away.append(sum(float(np.square(w.numpy() - start.numpy()).sum()) for w, start in model.companions("l2_sp")))
    assert away[1] < away[0]


def test_biases_are_left_alone() -> None:
    assert L2SP(0.1).rule(Weight("dense/bias", (4,))) is None
    assert L2SP.name == "l2_sp"
