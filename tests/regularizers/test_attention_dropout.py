"""Dropout of attention weights: sums of a query's weights, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import AttentionDropout

TINY = "transformer(width=4, depth=2, heads=2, hidden=6)"


def layer(rate: float, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return AttentionDropout(rate).layer(Slot("attention", 0, 1, 4, seed))


def weights(*shape: int) -> np.ndarray:
    """Return attention weights (batch, heads, queries, keys): positive, of sum 1 over the keys."""
    a = np.random.default_rng(0).exponential(size=shape)
    return (a / a.sum(-1, keepdims=True)).astype(np.float32)


def test_the_weights_of_a_query_add_up_to_1_on_average() -> None:
    rate, a = 0.3, weights(4000, 2, 3, 4)
    sums = np.array(layer(rate)(a, training=True), np.float64).sum(-1)
    # Given the weights, a sum has mean 1 and variance rate / (1 - rate) sum a^2; five standard errors of their mean.
    variance = rate / (1 - rate) * (a.astype(np.float64) ** 2).sum(-1)
    assert sums.mean() == pytest.approx(1, abs=5 * math.sqrt(variance.sum()) / sums.size)
    assert sums.var() > 0


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
