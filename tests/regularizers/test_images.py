"""Resampling of images: by hand, exact copies, and Keras's own affine transform."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from regzoo.regularizers import _images

X = np.random.default_rng(0).normal(size=(3, 6, 5, 2)).astype(np.float32)
ROWS, COLUMNS = (np.tile(np.arange(n, dtype=np.float32), (3, 1)) for n in (6, 5))


def test_where_it_is_it_stays_bit_for_bit() -> None:
    assert np.array_equal(_images.resample(X, ROWS, COLUMNS), X)


def test_whole_places_are_copies_and_the_border_is_repeated() -> None:
    moved = np.array(_images.resample(X, ROWS - 2, COLUMNS + 1))
    assert np.array_equal(moved[:, 2:, :-1], X[:, :-2, 1:])
    assert np.array_equal(moved[:, :2, :-1], np.repeat(X[:, :1, 1:], 2, axis=1))
    assert np.array_equal(moved[:, 2:, -1], X[:, :-2, -1])


def test_between_pixels_it_is_bilinear() -> None:
    halves = np.array(_images.resample(X, ROWS + 0.25, COLUMNS + 0.5))
    ours = halves[:, :5, :4]
    by_hand = 0.75 * (X[:, :5, :4] + X[:, :5, 1:]) / 2 + 0.25 * (X[:, 1:, :4] + X[:, 1:, 1:]) / 2
    np.testing.assert_allclose(ours, by_hand, atol=1e-6)


def test_every_image_has_its_own_places() -> None:
    shift = np.array([[0.0], [1.0], [2.0]], np.float32)
    moved = np.array(_images.resample(X, ROWS + shift, COLUMNS))
    for image in range(3):
        assert np.array_equal(moved[image, : 6 - image], X[image, image:])


@pytest.mark.parametrize("scale", [0.7, 1.3])
def test_it_equals_kerass_affine_transform(scale: float) -> None:
    rows, columns = 2.5 + (ROWS - 2.5) / scale, 2.0 + (COLUMNS - 2.0) / scale
    # Keras: the output at (column, row) comes from (a column + b row + c, d column + e row + f).
    transform = [1 / scale, 0, 2.0 - 2.0 / scale, 0, 1 / scale, 2.5 - 2.5 / scale, 0, 0]
    stock = keras.ops.image.affine_transform(
        X, np.tile(np.array(transform, np.float32), (3, 1)), interpolation="bilinear", fill_mode="nearest"
    )
    np.testing.assert_allclose(_images.resample(X, rows, columns), stock, atol=1e-5)


def warp(x: np.ndarray, to_row: tuple[float, ...], to_column: tuple[float, ...]) -> np.ndarray:
    """Return the images under one affine map for all."""
    maps = [[np.full(len(x), number, np.float32) for number in numbers] for numbers in (to_row, to_column)]
    return np.array(_images.warp(x, *maps))


def test_an_affine_map_copies_the_nearest_pixels_and_0_from_beyond_the_border() -> None:
    assert np.array_equal(warp(X, (1, 0, 0), (0, 1, 0)), X)
    down, left = np.zeros_like(X), np.zeros_like(X)
    down[:, 2:], left[:, :, :-1] = X[:, :-2], X[:, :, 1:]
    assert np.array_equal(warp(X, (1, 0, -2), (0, 1, 0)), down)
    assert np.array_equal(warp(X, (1, 0, 0), (0, 1, 1)), left)
    assert np.array_equal(warp(X, (1, 0, 0), (0, 1, 0.8)), left)  # the nearest pixel
    assert not np.any(warp(X, (1, 0, 6), (0, 1, 0)))
    assert np.array_equal(warp(X, (-1, 0, 0), (0, 1, 0)), X[:, ::-1])
    square = X[:, :5]
    assert np.array_equal(warp(square, (0, 1, 0), (1, 0, 0)), square.transpose(0, 2, 1, 3))
    assert np.array_equal(warp(square, (0, 1, 0), (-1, 0, 0)), np.rot90(square, 1, (1, 2)))


def test_every_image_has_its_own_map() -> None:
    zero, one = np.zeros(3, np.float32), np.ones(3, np.float32)
    moved = np.array(_images.warp(X, [one, zero, np.array([0, 1, 2], np.float32)], [zero, one, zero]))
    for image, (before, after) in enumerate(zip(X, moved, strict=True)):
        assert np.array_equal(after[: 6 - image], before[image:])
        assert not np.any(after[6 - image :])
