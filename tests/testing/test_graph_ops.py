"""Operations of a traced function: products are counted by layer, in every function that is called."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import keras
import pytest
import tensorflow as tf

from regzoo.testing.graph_ops import count_products, list_operations

X = tf.ones((2, 3))
FIRST, SECOND = keras.layers.Dense(3, name="first"), keras.layers.Dense(3, name="second")
for layer in (FIRST, SECOND):
    layer.build((None, 3))


def both() -> Any:
    """One product in each layer."""
    return SECOND(FIRST(X))


def unused() -> Any:
    """One of two products is unused."""
    FIRST(X)
    return SECOND(X)


def branched() -> Any:
    """A product in each branch, of which one is taken."""
    return tf.cond(tf.reduce_sum(X) > 0, lambda: FIRST(X), lambda: SECOND(X))


def twice() -> Any:
    """A function called twice."""
    inner = tf.function(lambda x: FIRST(x))
    return inner(inner(X))


def gradient() -> Any:
    """Outputs of both layers and the gradients at their weights; the gradient at the first inputs is not needed."""
    weights = [FIRST.kernel.value, SECOND.kernel.value]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(both())
    return loss, tape.gradient(loss, weights)


def stray() -> Any:
    """A product outside the layers."""
    return tf.matmul(FIRST(X), FIRST.kernel.value)


@pytest.mark.parametrize(
    ("function", "first", "second"),
    [(both, 1, 1), (unused, 0, 1), (branched, 1, 1), (twice, 2, 0), (gradient, 2, 3), (stray, 1, 0)],
    ids=lambda value: getattr(value, "__name__", str(value)),
)
def test_products_are_counted_by_layer(function: Callable[[], Any], first: int, second: int) -> None:
    traced = tf.function(function).get_concrete_function()
    assert count_products(traced, {"first"}) == first
    assert count_products(traced, {"second"}) == second
    assert count_products(traced, {"first", "second"}) == first + second
    assert count_products(traced, {"fir", "irst", "third"}) == 0


def test_operations_of_called_functions_are_listed() -> None:
    assert list_operations(tf.function(unused).get_concrete_function()).count("MatMul") == 2
    assert list_operations(tf.function(branched).get_concrete_function()).count("MatMul") == 2
