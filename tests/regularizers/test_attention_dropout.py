"""Dropout on attention weights: its mask, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import AttentionDropout

TINY = "transformer(width=4, depth=2, heads=2, hidden=6)"


def layer(rate: float, seed: int = 0) -> Any:
    """Its layer at a slot with this seed."""
    return AttentionDropout(rate).layer(Slot("attention", 0, 1, 4, seed))


def weights(*shape: int) -> np.ndarray:
    """Attention weights (batch, heads, queries, keys): positive, of sum 1 over the keys."""
    a = np.random.default_rng(0).exponential(size=shape)
    return (a / a.sum(-1, keepdims=True)).astype(np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_equals_stock_dropout_for_the_same_seed(rate: float) -> None:
    a, ours, stock = weights(8, 2, 5, 5), layer(rate, seed=7), keras.layers.Dropout(rate, seed=7)
    for _ in range(3):
        np.testing.assert_allclose(ours(a, training=True), stock(a, training=True), rtol=1e-6)


def test_the_weights_of_a_query_add_up_to_1_on_average() -> None:
    rate, a = 0.3, weights(4000, 2, 3, 4)
    sums = np.array(layer(rate)(a, training=True), np.float64).sum(-1)
    # Given the weights, a sum has mean 1 and variance rate / (1 - rate) sum a^2; five standard errors of their mean.
    variance = rate / (1 - rate) * (a.astype(np.float64) ** 2).sum(-1)
    assert sums.mean() == pytest.approx(1, abs=5 * math.sqrt(variance.sum()) / sums.size)
    assert sums.var() > 0


def test_rate_0_and_inference_change_no_bit() -> None:
    a = weights(3, 2, 5, 5)
    assert np.array_equal(layer(0.0)(a, training=True), a)
    assert np.array_equal(layer(0.7)(a), a)


def test_rate_1_gives_zeros_and_finite_gradients() -> None:
    a = tf.constant(weights(3, 2, 5, 5))
    with tf.GradientTape() as tape:
        tape.watch(a)
        out = layer(1.0)(a, training=True)
    assert not np.any(out)
    assert not np.any(tape.gradient(out, a))


def test_every_seed_and_every_step_has_its_own_mask() -> None:
    a = weights(3, 2, 5, 5)
    first, again, other = layer(0.5, 1), layer(0.5, 1), layer(0.5, 2)
    draws = [np.array(each(a, training=True)) for each in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])


def test_it_acts_on_the_attention_of_every_block(rows: Any) -> None:
    model = regzoo.build(TINY, "attention_dropout(0.2)", input_shape=(5,), classes=3)
    assert model.hits == {"attention_dropout": 2}
    model.fit(*rows, batch_size=30, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_at_rate_1_nothing_is_seen(rows: Any) -> None:
    model = regzoo.build(TINY, "attention_dropout(1.0)", input_shape=(5,), classes=3)
    before = model.get_layer("block_0_query").get_weights()
    model.update(*rows)
    assert all(map(np.array_equal, before, model.get_layer("block_0_query").get_weights()))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_without_attention_there_is_no_place() -> None:
    assert AttentionDropout(0.1).layer(Slot("activation", 0, 1, 4, 0)) is None
    with pytest.raises(InputError, match="attention_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4])", "attention_dropout(0.1)", input_shape=(5,), classes=3)
