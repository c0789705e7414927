"""`linear`: no layers but the head."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo


@pytest.mark.parametrize(("shape", "inputs"), [((5,), 5), ((8, 8, 1), 64), ((7, 5), 35)])
def test_inputs_of_any_shape_are_flattened(announced: Callable[..., Any], shape: tuple[int, ...], inputs: int) -> None:
    assert announced("linear", shape) == [("input", (None, inputs)), ("features", (None, inputs))]


def test_it_is_one_product_and_one_sum(rows: Any) -> None:
    model = regzoo.build("linear", input_shape=(5,), classes=3)
    kernel, bias = model.get_weights()
    assert kernel.shape == (5, 3)
    # Float32 sums of 5 numbers of size below 10.
    np.testing.assert_allclose(model.logits(rows[0]), rows[0] @ kernel + bias, atol=1e-5)


def test_it_fits_least_squares(numbers: Any) -> None:
    """Full-batch gradient descent on a convex problem ends at the solution of the normal equations."""
    x, y = numbers
    y = ((y - y.mean()) / y.std()).astype(np.float32)
    model = regzoo.build("linear", input_shape=(5,), outputs=1, optimizer=keras.optimizers.SGD(0.3))
    step = tf.function(lambda: model.update(x, y)[0])
    for _ in range(150):
        step()
    design = np.hstack([x, np.ones((60, 1), np.float32)])
    solution = np.linalg.lstsq(design, y, rcond=None)[0]
    # The slowest direction shrinks by 1 - 2 * 0.3 * (least eigenvalue of X'X / n) in a step.
    slowest = 1 - 0.6 * np.linalg.eigvalsh(design.T @ design / 60)[0]
    assert slowest**150 < 1e-6
    np.testing.assert_allclose(np.vstack([w.reshape(-1, 1) for w in model.get_weights()])[:, 0], solution, atol=1e-4)


def test_what_needs_a_hidden_layer_is_refused() -> None:
    with pytest.raises(regzoo.InputError, match="dropout finds no place to act in linear: it would do nothing"):
        regzoo.build("linear", "dropout(0.5)", input_shape=(5,), classes=3)
    assert regzoo.build("linear", "l2(0.1)", input_shape=(5,), classes=3).hits == {"l2": 1}


def test_a_head_that_no_computer_would_hold_is_refused() -> None:
    with pytest.raises(
        regzoo.InputError, match="linear: its head would hold 22,658,678,784 weights, 150,528 features by"
    ):
        regzoo.build("linear", input_shape=(224, 224, 3), task="reconstruction")


def test_rows_need_no_layer_of_their_own() -> None:
    assert regzoo.build("linear", input_shape=(5,), classes=3).layers[1].name == "head"


def test_a_size_that_is_not_known_is_refused() -> None:
    for backbone in ("linear", "mlp([4])"):
        with pytest.raises(regzoo.InputError, match=r"needs inputs of one known size, received shape \(None, 3\)"):
            regzoo.build(backbone, input_shape=(None, 3), classes=3)
