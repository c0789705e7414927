"""What is counted in a traced function: the products of some layers, in every function that is called."""

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
    """Of two products one is for nothing."""
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
    """Outputs of both, and the gradients at the weights; at the first one's inputs nobody asks for it."""
    weights = [FIRST.kernel.value, SECOND.kernel.value]
    with tf.GradientTape() as tape:
        loss = tf.reduce_sum(both())
    return loss, tape.gradient(loss, weights)


def stray() -> Any:
    """A product that is no layer's."""
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


def test_operations_are_those_of_every_function() -> None:
    assert list_operations(tf.function(unused).get_concrete_function()).count("MatMul") == 2
    assert list_operations(tf.function(branched).get_concrete_function()).count("MatMul") == 2
