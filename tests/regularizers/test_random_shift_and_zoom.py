"""Random shifts and zooms of images: how far, each side independently, the border, the ends of the domain, the seed."""

from __future__ import annotations

import math
from collections.abc import Callable

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, OnBatch
from regzoo.regularizers import RandomShift, RandomZoom

COVERS = ("random_shift", "random_zoom")
"""The regularizers that this module tests in place of a module of their own; see ``tests/test_house.py``."""

KINDS: dict[str, Callable[[float], OnBatch]] = {"random_shift": RandomShift, "random_zoom": RandomZoom}
N = 4000


def make_ramps(height: int, width: int) -> np.ndarray:
    """Return an image whose two channels are the row and the column of each pixel: (height, width, 2)."""
    return np.stack(np.meshgrid(np.arange(height), np.arange(width), indexing="ij"), -1).astype(np.float32)


def augment(name: str, factor: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the images of a batch after the augmentation; check that the targets stay."""
    after, y = KINDS[name](factor).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(after)


@pytest.mark.parametrize("name", COVERS)
def test_the_seed_decides(name: str) -> None:
    x = np.tile(make_ramps(8, 6) if name == "random_shift" else make_ramps(9, 7), (20, 1, 1, 1))
    assert np.array_equal(augment(name, 0.3, x, seed=1), augment(name, 0.3, x, seed=1))
    assert not np.array_equal(augment(name, 0.3, x, seed=1), augment(name, 0.3, x, seed=2))


@pytest.mark.parametrize("name", COVERS)
def test_rows_are_refused(name: str) -> None:
    with pytest.raises(InputError, match=f"{name} needs images"):
        regzoo.build("mlp([4])", f"{name}(0.1)", input_shape=(5,), classes=3)


@pytest.mark.parametrize(("name", "shape"), [("random_shift", (200, 5, 7, 3)), ("random_zoom", (300, 8, 8, 2))])
def test_factor_0_changes_no_bit(name: str, shape: tuple[int, ...]) -> None:
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    assert np.array_equal(augment(name, 0.0, x), x)


def test_a_shift_is_whole_pixels_up_to_factor_of_each_side() -> None:
    height, width = 8, 6
    after = augment("random_shift", 0.25, np.tile(make_ramps(height, width), (N, 1, 1, 1)))
    down, right = 4 - after[:, 4, 3, 0], 3 - after[:, 4, 3, 1]
    rows = np.clip(np.arange(height) - down[:, None], 0, height - 1)
    columns = np.clip(np.arange(width) - right[:, None], 0, width - 1)
    assert np.array_equal(after[..., 0], np.repeat(rows[:, :, None], width, axis=2))
    assert np.array_equal(after[..., 1], np.repeat(columns[:, None, :], height, axis=1))
    assert np.unique(down).tolist() == [-2, -1, 0, 1, 2]  # 0.25 of 8 pixels
    assert np.unique(right).tolist() == [-2, -1, 0, 1, 2]  # 0.25 of 6 is 1.5: sometimes rounded up
    # Variance of U(-c, c) is c^2 / 3; rounding at random adds the mean of f (1 - f) over the fractions f: for c = 2
    # 1/6, for c = 1.5 as well, since 3 whole intervals or 2 wholes and 2 halves have every fraction equally often.
    for drawn, largest in ((down, 2.0), (right, 1.5)):
        variance = largest**2 / 3 + 1 / 6
        assert drawn.mean() == pytest.approx(0, abs=5 * math.sqrt(variance / N))
        # |d| is at most 2, so d^2 has a standard deviation of at most 2.
        assert (drawn**2).mean() == pytest.approx(variance, abs=5 * 2 / math.sqrt(N))
    assert abs(np.corrcoef(down, right)[0, 1]) < 5 / math.sqrt(N)


def test_a_shift_of_square_images_has_two_distances() -> None:
    after = augment("random_shift", 0.25, np.tile(make_ramps(9, 9), (N, 1, 1, 1)))
    assert abs(np.corrcoef(after[:, 4, 4, 0], after[:, 4, 4, 1])[0, 1]) < 5 / math.sqrt(N)


def test_a_shift_of_less_than_a_pixel_is_sometimes_a_pixel() -> None:
    after = augment("random_shift", 0.05, np.tile(make_ramps(8, 6), (N, 1, 1, 1)))
    moved = after[:, 4, 3, 0] != 4
    # 0.05 of 8 rows: |U(-0.4, 0.4)| is 0.2 on average.
    assert moved.mean() == pytest.approx(0.2, abs=5 * math.sqrt(0.2 * 0.8 / N))


def test_a_shift_copies_pixels_of_any_scale() -> None:
    x = np.random.default_rng(0).normal(size=(200, 5, 7, 3)).astype(np.float32)
    assert set(augment("random_shift", 1.0, x).ravel()) <= set(x.ravel())


@pytest.mark.parametrize(("height", "width"), [(9, 7), (9, 9)])
def test_a_zoom_stretches_each_side_about_the_center_by_up_to_factor(height: int, width: int) -> None:
    after = augment("random_zoom", 0.3, np.tile(make_ramps(height, width), (N, 1, 1, 1)))
    # A ramp sampled between pixels is the position it was sampled at; next to the center that is 1 / scale away.
    middle = width // 2
    vertical, horizontal = 1 / (after[:, 5, middle, 0] - 4), 1 / (after[:, 4, middle + 1, 1] - middle)
    for scale in (vertical, horizontal):
        assert scale.min() >= 0.7 - 1e-5
        assert scale.max() <= 1.3 + 1e-5
        # U(0.7, 1.3): variance 0.6^2 / 12.
        assert scale.mean() == pytest.approx(1, abs=5 * 0.6 / math.sqrt(12 * N))
    assert abs(np.corrcoef(vertical, horizontal)[0, 1]) < 5 / math.sqrt(N)
    rows = np.clip(4 + (np.arange(height) - 4) / vertical[:, None], 0, height - 1)
    np.testing.assert_allclose(after[..., 0], np.repeat(rows[:, :, None], width, axis=2), atol=2e-5)


def test_a_zoom_with_factor_next_to_1_stays_within_the_pixels() -> None:
    x = np.random.default_rng(0).normal(size=(300, 8, 8, 2)).astype(np.float32)
    after = augment("random_zoom", 0.9999, x)
    assert np.isfinite(after).all()
    # Means of pixels lie between them, but for rounding.
    assert np.abs(after).max() <= np.abs(x).max() * (1 + 1e-6)


def test_a_zoomed_flat_image_stays_as_it_is() -> None:
    flat = np.full((50, 8, 8, 1), -1.7, np.float32)
    np.testing.assert_allclose(augment("random_zoom", 0.5, flat), -1.7, rtol=1e-6)


def test_a_zoom_with_factor_1_is_refused() -> None:
    with pytest.raises(InputError, match=r"factor must lie in \[0, 1\), received 1.0"):
        RandomZoom(1.0)
