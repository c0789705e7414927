"""Swap noise: cells of the same column of other rows, with equal probabilities, at the given rate, down to one row."""

from __future__ import annotations

import math
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import SwapNoise


def swapped(rate: float, rows: int, columns: int, seed: int = 0) -> np.ndarray:
    """Return the original row of each cell, (rows, columns); check that it came from its own column."""
    x = np.arange(rows, dtype=np.float32)[:, None] + rows * np.arange(columns, dtype=np.float32)
    after, y = SwapNoise(rate).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    after = np.array(after)
    assert np.array_equal(after // rows, x // rows)
    return (after % rows).astype(int)


def test_a_cell_is_swapped_with_probability_rate() -> None:
    own = np.arange(500)[:, None]
    for rate in (0.15, 0.6):
        moved = swapped(rate, 500, 40) != own
        assert moved.mean() == pytest.approx(rate, abs=5 * math.sqrt(rate * (1 - rate) / moved.size))
        # Cells are independent: so are neighbors in a row.
        both = (moved[:, 1:] & moved[:, :-1]).mean()
        assert both == pytest.approx(rate**2, abs=5 * math.sqrt(rate**2 / (500 * 20)))


def test_donors_are_the_other_rows_each_as_likely() -> None:
    rows, columns = 5, 20_000
    donors = swapped(1.0, rows, columns)
    for row in range(rows):
        shares = np.bincount(donors[row], minlength=rows) / columns
        assert shares[row] == 0
        assert np.delete(shares, row) == pytest.approx([0.25] * 4, abs=5 * math.sqrt(0.25 * 0.75 / columns))


def test_the_ends_of_its_domain() -> None:
    own = np.repeat(np.arange(50)[:, None], 7, axis=1)
    assert np.array_equal(swapped(0.0, 50, 7), own)
    assert not (swapped(1.0, 50, 7) == own).any()


def test_a_batch_of_one_row_is_left_as_it_is() -> None:
    assert np.array_equal(swapped(1.0, 1, 7), np.zeros((1, 7)))


def test_every_seed_and_every_step_has_its_own_swaps() -> None:
    assert np.array_equal(swapped(0.5, 9, 9, seed=1), swapped(0.5, 9, 9, seed=1))
    assert not np.array_equal(swapped(0.5, 9, 9, seed=1), swapped(0.5, 9, 9, seed=2))
    stream, x = keras.random.SeedGenerator(0), np.arange(81, dtype=np.float32).reshape(9, 9)
    first, second = (SwapNoise(0.5).batch(x, None, stream)[0] for _ in range(2))
    assert not np.array_equal(first, second)


def test_it_trains_and_refuses_images(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "swap_noise(1.0)", input_shape=(5,), classes=3)
    model.fit(*rows, batch_size=59, verbose=0)  # the last batch is one row
    assert all(np.isfinite(weight).all() for weight in model.get_weights())
    with pytest.raises(InputError, match="swap_noise needs rows"):
        regzoo.build("cnn([2], dense=3)", "swap_noise(0.1)", input_shape=(8, 8, 1), classes=3)
