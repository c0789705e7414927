"""Cutout: hidden cells are zero and the others unchanged, in images and in rows, up to the ends of the domain."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.regularizers import Cutout

PICTURES = np.random.default_rng(0).normal(size=(3000, 8, 8, 2)).astype(np.float32)
TABLE = np.random.default_rng(0).normal(size=(3000, 10)).astype(np.float32)


def cut(share: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the inputs of a batch after the augmentation; check that the targets stay."""
    x, y = Cutout(share).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


@pytest.mark.parametrize("x", [PICTURES, TABLE], ids=["images", "rows"])
def test_what_is_not_hidden_is_untouched(x: np.ndarray) -> None:
    after = cut(0.3, x)
    assert np.array_equal(after, np.where(after == 0, 0, x))
    assert 0 < (after == 0).mean() < 0.3 + 1e-9
    assert np.array_equal(cut(0.0, x), x)


def test_in_images_a_box_is_hidden_in_all_channels() -> None:
    hidden = cut(0.25, PICTURES) == 0
    assert (hidden[..., 0] == hidden[..., 1]).all()
    # A box of 4 x 4 of 8 x 8 pixels: whole, or cut off at a border, at a corner down to 2 x 2 or so.
    counts = hidden[..., 0].sum((1, 2))
    assert counts.max() == 16
    # The place is one of 8; 4 pixels from place - 2 on are 2, 3, 4, 4, 4, 4, 4, 3 of them.
    sides = np.array([2, 3, 4, 4, 4, 4, 4, 3])
    assert counts.mean() == pytest.approx(sides.mean() ** 2, abs=5 * counts.std() / math.sqrt(counts.size))


def test_of_rows_a_share_of_the_columns_is_hidden() -> None:
    hidden = cut(0.3, TABLE) == 0
    assert (hidden.sum(1) == 3).all()
    assert hidden.mean(0) == pytest.approx(np.full(10, 0.3), abs=5 * math.sqrt(0.21 / len(TABLE)))
    assert not cut(1.0, TABLE).any()


def test_the_seed_decides() -> None:
    assert np.array_equal(cut(0.3, TABLE, seed=1), cut(0.3, TABLE, seed=1))
    assert not np.array_equal(cut(0.3, TABLE, seed=1), cut(0.3, TABLE, seed=2))


def test_it_hides_in_training_only(images: Any) -> None:
    model = regzoo.build("cnn([2], dense=3)", "cutout(1.0)", input_shape=(8, 8, 1), classes=3, seed=1)
    plain = regzoo.build("cnn([2], dense=3)", input_shape=(8, 8, 1), classes=3, seed=1)
    assert model.evaluate(*images, verbose=0) == plain.evaluate(*images, verbose=0)
    model.fit(*images, verbose=0)
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
