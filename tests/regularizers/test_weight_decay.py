"""Weight decay: by hand, AdamW, and where it is and is not an L2 penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest

import regzoo

Twin = Callable[..., tuple[Any, Any]]


def adamw() -> Any:
    """Return Keras's optimizer, biases excluded as in regzoo."""
    optimizer = keras.optimizers.AdamW(0.01, weight_decay=0.3)
    optimizer.exclude_from_weight_decay(var_names=["bias"])
    return optimizer


def trained(recipe: str, optimizer: Any, rows: Any) -> list[np.ndarray]:
    """Return the weights of a small model after three epochs."""
    model = regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, optimizer=optimizer, seed=1)
    model.fit(*rows, batch_size=8, epochs=3, shuffle=False, verbose=0)
    return model.get_weights()


def test_shrinking_by_hand(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("weight_decay(0.1)")
    loss, _ = model.update(np.zeros((4, 2), np.float32), np.full((4, 1), 1.5, np.float32))
    kernel, bias = model.get_layer("head").get_weights()
    # No penalty in the loss, (0.5 - 1.5)^2; the kernel loses 0.5 * 0.1 of itself, the bias makes the plain step.
    assert float(loss) == pytest.approx(1.0, rel=1e-6)
    assert kernel[:, 0] == pytest.approx([0.95, -1.9], rel=1e-6)
    assert bias == pytest.approx([1.5], rel=1e-6)


def test_gradients_are_taken_before_the_weights_shrink(by_hand: Callable[[str], Any]) -> None:
    model = by_hand("weight_decay(1.0)")
    model.update(np.array([[1.0, 0.0]], np.float32), np.array([[0.0]], np.float32))
    # Prediction 1 + 0.5 before shrinking: gradient 2 * 1.5 for the first weight; 1 * (1 - 0.5) - 0.5 * 3.
    assert model.get_layer("head").get_weights()[0][:, 0] == pytest.approx([-1.0, -1.0], rel=1e-6)


def test_with_adam_it_is_adamw(twin: Twin, rows: Any) -> None:
    ours, stock = twin("weight_decay(0.3)", lambda: keras.optimizers.Adam(0.01), stock_optimizer=adamw, epochs=5)
    for mine, theirs in zip(ours.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_with_sgd_it_is_an_l2_penalty_of_half_the_decay(rows: Any) -> None:
    decayed = trained("weight_decay(0.2)", keras.optimizers.SGD(0.1), rows)
    penalized = trained("l2(0.1)", keras.optimizers.SGD(0.1), rows)
    # Kernels and biases come first; 24 steps of a few float32 roundings of weights near 1.
    for mine, theirs in zip(decayed[:4], penalized[:4], strict=True):
        np.testing.assert_allclose(mine, theirs, atol=1e-6)


def test_with_adam_it_is_no_l2_penalty(rows: Any) -> None:
    decayed = trained("weight_decay(0.2)", keras.optimizers.Adam(0.01), rows)
    penalized = trained("l2(0.1)", keras.optimizers.Adam(0.01), rows)
    # 24 steps of decay take away 1 - 0.998^24 = 5 % of a weight near 0.5; Adam's own steps of 0.01 differ by far more.
    assert np.abs(decayed[0] - penalized[0]).max() > 0.01
