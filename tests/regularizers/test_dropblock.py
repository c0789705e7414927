"""DropBlock: its blocks, the fraction that it drops, and dropout and spatial dropout as special cases."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, Slot
from regzoo.regularizers import Dropblock


def layer(rate: float, block: int = 7, seed: int = 0) -> Any:
    """Return its layer at a slot with this seed."""
    return Dropblock(rate, block).layer(Slot("activation", 0, 1, 4, seed))


def some(*shape: int) -> np.ndarray:
    """Return standard normal draws, float32."""
    return np.random.default_rng(0).normal(size=shape).astype(np.float32)


def mask(rate: float, block: int, shape: tuple[int, ...], seed: int = 0) -> np.ndarray:
    """Return ones after it."""
    return np.array(layer(rate, block, seed)(np.ones(shape, np.float32), training=True), np.float64)


def blocks(corners: np.ndarray, tall: int, wide: int) -> np.ndarray:
    """Return zeros on blocks at these corners (batch, rows, columns, channels) and ones elsewhere, block by block."""
    batch, rows, columns, channels = corners.shape
    kept = np.ones((batch, rows + tall - 1, columns + wide - 1, channels))
    for n, i, j, c in zip(*np.nonzero(corners), strict=True):
        kept[n, i : i + tall, j : j + wide, c] = 0.0
    return kept


@pytest.mark.parametrize(("block", "tall", "wide"), [(2, 2, 2), (3, 3, 3), (6, 5, 6), (1, 1, 1)])
def test_it_is_the_paper_block_by_block(block: int, tall: int, wide: int) -> None:
    rate, (batch, height, width, channels) = 0.4, (20, 5, 8, 3)
    gamma = rate * height * width / (tall * wide * (height - tall + 1) * (width - wide + 1))
    places = (batch, height - tall + 1, width - wide + 1, channels)
    corners = np.array(keras.random.uniform(places, seed=keras.random.SeedGenerator(5))) < gamma
    kept = blocks(corners, tall, wide)
    assert 0 < kept.mean() < 1
    np.testing.assert_allclose(mask(rate, block, (batch, height, width, channels), seed=5), kept / kept.mean(), 1e-6)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_block_of_1_is_dropout(rate: float) -> None:
    shape = (50, 5, 4, 10)
    stock = np.array(keras.layers.Dropout(rate, seed=3)(np.ones(shape, np.float32), training=True))
    assert np.array_equal(mask(rate, 1, shape, seed=3) > 0, stock > 0)


@pytest.mark.parametrize("rate", [0.1, 0.5, 0.9])
def test_a_block_of_the_maps_size_is_spatial_dropout(rate: float) -> None:
    shape = (50, 4, 4, 10)
    stock = np.array(keras.layers.SpatialDropout2D(rate, seed=3)(np.ones(shape, np.float32), training=True))
    for block in (4, 100):  # a block is never larger than the map
        assert np.array_equal(mask(rate, block, shape, seed=3) > 0, stock > 0)


def test_it_drops_what_independent_blocks_cover() -> None:
    rate, block, size, maps = 0.3, 3, 8, 20_000
    gamma = rate * size**2 / (block**2 * (size - block + 1) ** 2)
    # A pixel is kept if none of the corners whose blocks reach it is drawn; their number falls toward the edges.
    reach = np.convolve(np.ones(size - block + 1), np.ones(block))
    expected = ((1 - gamma) ** np.outer(reach, reach)).mean()
    kept = (mask(rate, block, (maps // 10, size, size, 10)) > 0).mean(axis=(1, 2))
    assert kept.mean() == pytest.approx(expected, abs=5 * kept.std() / math.sqrt(maps))
    assert expected > 1 - rate  # blocks overlap


def test_what_is_left_is_scaled_to_mean_1() -> None:
    # A float32 mean of 6,400 values near 1 is good to 1e-6.
    assert mask(0.3, 3, (10, 8, 8, 10)).mean() == pytest.approx(1, abs=1e-6)


@pytest.mark.parametrize("block", [1, 3, 8])
def test_rate_1_is_finite_and_so_are_its_gradients(block: int) -> None:
    h = tf.constant(some(5, 8, 8, 2))
    with tf.GradientTape() as tape:
        tape.watch(h)
        out = layer(1.0, block)(h, training=True)
    assert np.isfinite(out).all()
    assert np.isfinite(tape.gradient(out, h)).all()
    assert np.any(out) == (block == 3)  # blocks overlap, so that some is left


def test_it_acts_on_maps_and_its_rate_can_rise(images: Any) -> None:
    recipe = "dropblock(linear(0.0, 0.2, epochs=2))"
    model = regzoo.build("cnn([2, 2], dense=3)", recipe, input_shape=(8, 8, 1), classes=3)
    assert model.hits == {"dropblock": 2}
    model.fit(*images, epochs=2, verbose=0)
    assert model.dials == {"dropblock.rate": pytest.approx(0.1)}  # half of the way in the second of two epochs
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_rows_and_images_of_unknown_size_are_refused() -> None:
    with pytest.raises(InputError, match="dropblock needs images"):
        regzoo.build("mlp([4])", "dropblock(0.1)", input_shape=(5,), classes=3)
    with pytest.raises(InputError, match="dropblock needs images of one known size"):
        Dropblock(0.1).drop(keras.KerasTensor((None, None, 8, 3)), keras.random.SeedGenerator(0))
    assert Dropblock(0.1).layer(Slot("attention", 0, 1, 4, 0)) is None
