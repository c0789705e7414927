"""Dropout of embedded tokens: after positions are added, each number for itself."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import EmbeddingDropout

TINY = "transformer(width=4, depth=1, heads=2, hidden=6)"


def layer(rate: float, seed: int = 0, rank: int = 3) -> Any:
    """Return its layer at embeddings, with this seed."""
    return EmbeddingDropout(rate).layer(Slot("embedding", 0, 1, rank, seed))


@pytest.mark.parametrize("shape", [(5000, 12), (1000, 5, 12)])
def test_each_number_draws_for_itself_and_has_mean_1(shape: tuple[int, ...]) -> None:
    rate, n = 0.2, math.prod(shape)
    mask = np.array(layer(rate, rank=len(shape))(np.ones(shape, np.float32), training=True), np.float64)
    assert np.unique(mask) == pytest.approx([0, 1 / (1 - rate)], rel=1e-6)
    assert (mask == 0).mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / n))  # 5 standard errors
    assert 0 < (mask[..., 0] == mask[..., 1]).mean() < 1  # a token is not dropped as a whole
    np.testing.assert_array_equal(layer(rate)(np.ones((2, 3), np.float32)), np.ones((2, 3)))


def test_positions_are_dropped_with_the_tokens() -> None:
    """At rate 1 all tokens are zero, so examples do not differ, nor do the positions of one."""
    model = regzoo.build(TINY, "embedding_dropout(1.0)", input_shape=(5,), classes=3)
    assert model.hits_by_layer == {"embedding_dropout": {"embed": 1}}
    x = np.random.default_rng(0).normal(size=(6, 5)).astype(np.float32)
    dropped = np.array(model.logits(x, training=True))
    # Zero tokens stay zero through every layer, whose biases start at zero.
    np.testing.assert_array_equal(dropped, np.zeros((6, 3)))
    assert np.std(model.logits(x), axis=0).min() > 1e-3


@pytest.mark.parametrize("shape", [(5,), (7, 3), (None, 3), (8, 8, 1)])
def test_it_trains_on_every_kind_of_token(shape: tuple[int | None, ...]) -> None:
    model = regzoo.build(TINY, "embedding_dropout(0.2)", input_shape=shape, classes=3)
    random = np.random.default_rng(0)
    x = random.normal(size=(16, *(size or 6 for size in shape))).astype(np.float32)
    model.update(x, random.integers(0, 3, 16))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_without_embeddings_there_is_no_place() -> None:
    assert EmbeddingDropout(0.1).layer(Slot("input", 0, 1, 2, 0)) is None
    with pytest.raises(InputError, match="embedding_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4])", "embedding_dropout(0.1)", input_shape=(5,), classes=3)
