"""Spatial dropout: whole channels, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import SpatialDropout


def layer(rate: float, rank: int = 4, seed: int = 0) -> Any:
    """Return its layer at a slot of this rank with this seed."""
    return SpatialDropout(rate).layer(Slot("activation", 0, 1, rank, seed))


def some(*shape: int) -> np.ndarray:
    """Normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def test_a_channel_lives_or_dies_as_a_whole_and_each_on_its_own() -> None:
    rate = 0.3
    mask = np.array(layer(rate)(np.ones((100, 3, 4, 50), np.float32), training=True), np.float64)
    assert (mask == mask[:, :1, :1]).all()
    channels = mask[:, 0, 0]  # (100, 50) independent draws of mean 1 and variance rate / (1 - rate)
    assert channels.mean() == pytest.approx(1, abs=5 * math.sqrt(rate / (1 - rate) / channels.size))
    signs = (channels - 1) / math.sqrt(rate / (1 - rate))  # mean 0 and variance 1
    # A mean of n products of independent pairs has a standard error of 1 / sqrt n.
    assert abs((signs[1:] * signs[:-1]).mean()) < 5 / math.sqrt(99 * 50)
    assert abs((signs[:, 1:] * signs[:, :-1]).mean()) < 5 / math.sqrt(100 * 49)


def test_it_acts_where_there_are_positions() -> None:
    model = regzoo.build("cnn([2], dense=3)", "spatial_dropout(0.5)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"spatial_dropout": 1}
    assert layer(0.5, rank=2) is None
    assert SpatialDropout(0.5).layer(Slot("attention", 0, 1, 4, 0)) is None
    with pytest.raises(InputError, match="spatial_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4])", "spatial_dropout(0.5)", input_shape=(5,), classes=3)
