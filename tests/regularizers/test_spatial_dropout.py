"""Spatial dropout: stock Keras's results, whole channels, and where it acts."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import SpatialDropout


def layer(rate: float, rank: int = 4, seed: int = 0) -> Any:
    """Its layer at a slot of this rank with this seed."""
    return SpatialDropout(rate).layer(Slot("activation", 0, 1, rank, seed))


def some(*shape: int) -> np.ndarray:
    """Normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_it_equals_stock_keras_for_the_same_seed(rate: float) -> None:
    for shape, stock in (((16, 5, 8), keras.layers.SpatialDropout1D), ((16, 4, 3, 8), keras.layers.SpatialDropout2D)):
        h, ours, theirs = some(*shape), layer(rate, len(shape), seed=7), stock(rate, seed=7)
        for _ in range(3):
            np.testing.assert_allclose(ours(h, training=True), theirs(h, training=True), rtol=1e-6)


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


def test_rate_0_and_inference_change_no_bit() -> None:
    h = some(5, 4, 3, 2)
    assert np.array_equal(layer(0.0)(h, training=True), h)
    assert np.array_equal(layer(0.7)(h), h)


def test_rate_1_gives_zeros_and_finite_gradients() -> None:
    h = tf.constant(some(5, 4, 3, 2))
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = layer(1.0)(h, training=True)
    assert not np.any(out)
    assert not np.any(tape.gradient(out, h))


def test_every_seed_and_every_step_has_its_own_mask() -> None:
    h = np.ones((9, 2, 2, 9), np.float32)
    first, again, other = (layer(0.5, seed=seed) for seed in (1, 1, 2))
    draws = [np.array(each(h, training=True)) for each in (first, again, other, first)]
    assert np.array_equal(draws[0], draws[1])
    assert not np.array_equal(draws[0], draws[2])
    assert not np.array_equal(draws[0], draws[3])


def test_it_acts_where_there_are_positions() -> None:
    model = regzoo.build("cnn([2], dense=3)", "spatial_dropout(0.5)", input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"spatial_dropout": 1}
    assert layer(0.5, rank=2) is None
    assert SpatialDropout(0.5).layer(Slot("attention", 0, 1, 4, 0)) is None
    with pytest.raises(InputError, match="spatial_dropout finds no place to act in mlp"):
        regzoo.build("mlp([4])", "spatial_dropout(0.5)", input_shape=(5,), classes=3)
