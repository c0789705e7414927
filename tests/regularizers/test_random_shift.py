"""Random shifts: whole pixels, how far, the border, and the ends of the domain."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import RandomShift

N, HEIGHT, WIDTH = 4000, 8, 6
WHERE = np.stack(np.meshgrid(np.arange(HEIGHT), np.arange(WIDTH), indexing="ij"), -1).astype(np.float32)
"""An image that says of each pixel where it was: (height, width, 2)."""


def shifted(factor: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """The images of a batch after it."""
    x, y = RandomShift(factor).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(x)


def test_a_shift_is_whole_pixels_up_to_factor_of_each_side() -> None:
    after = shifted(0.25, np.tile(WHERE, (N, 1, 1, 1)))
    down, right = 4 - after[:, 4, 3, 0], 3 - after[:, 4, 3, 1]
    rows = np.clip(np.arange(HEIGHT) - down[:, None], 0, HEIGHT - 1)
    columns = np.clip(np.arange(WIDTH) - right[:, None], 0, WIDTH - 1)
    assert np.array_equal(after[..., 0], np.repeat(rows[:, :, None], WIDTH, axis=2))
    assert np.array_equal(after[..., 1], np.repeat(columns[:, None, :], HEIGHT, axis=1))
    assert np.unique(down).tolist() == [-2, -1, 0, 1, 2]  # .25 of 8 pixels
    assert np.unique(right).tolist() == [-2, -1, 0, 1, 2]  # .25 of 6 is 1.5: at times rounded up
    # Variance of U(-c, c) is c^2 / 3; rounding at random adds the mean of f (1 - f) over the fractions f: for c = 2
    # 1/6, for c = 1.5 as well, since 3 whole intervals or 2 wholes and 2 halves see every fraction equally often.
    for drawn, largest in ((down, 2.0), (right, 1.5)):
        variance = largest**2 / 3 + 1 / 6
        assert drawn.mean() == pytest.approx(0, abs=5 * math.sqrt(variance / N))
        # |d| is at most 2, so d^2 has a standard deviation of at most 2.
        assert (drawn**2).mean() == pytest.approx(variance, abs=5 * 2 / math.sqrt(N))
    assert abs(np.corrcoef(down, right)[0, 1]) < 5 / math.sqrt(N)


def test_less_than_a_pixel_is_a_pixel_now_and_then() -> None:
    after = shifted(0.05, np.tile(WHERE, (N, 1, 1, 1)))
    moved = after[:, 4, 3, 0] != 4
    # .05 of 8 rows: |U(-.4, .4)| is .2 on average.
    assert moved.mean() == pytest.approx(0.2, abs=5 * math.sqrt(0.2 * 0.8 / N))


def test_the_ends_of_its_domain() -> None:
    x = np.random.default_rng(0).normal(size=(200, 5, 7, 3)).astype(np.float32)
    assert np.array_equal(shifted(0.0, x), x)
    assert set(shifted(1.0, x).ravel()) <= set(x.ravel())  # pixels are copied, whatever their scale


def test_the_seed_decides() -> None:
    x = np.tile(WHERE, (20, 1, 1, 1))
    assert np.array_equal(shifted(0.3, x, seed=1), shifted(0.3, x, seed=1))
    assert not np.array_equal(shifted(0.3, x, seed=1), shifted(0.3, x, seed=2))


def test_rows_are_refused() -> None:
    with pytest.raises(InputError, match="random_shift needs images"):
        regzoo.build("mlp([4])", "random_shift(0.1)", input_shape=(5,), classes=3)
