"""Random rotations of images: direction, angles, the border, the ends of the domain, the seed."""

from __future__ import annotations

import math

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.regularizers import RandomRotation

N = 4000


def rotate(degrees: float, x: np.ndarray, seed: int = 0) -> np.ndarray:
    """Return the images of a batch after the rotation; check that the targets stay."""
    after, y = RandomRotation(degrees).batch(x, np.ones(3), keras.random.SeedGenerator(seed))
    assert np.array_equal(y, np.ones(3))
    return np.array(after)


def find_angle(after: np.ndarray) -> np.ndarray:
    """Return the clockwise angle, in degrees, of a dot that was 40 pixels above the center: (batch,)."""
    height, width = after.shape[1:3]
    place = after.reshape(len(after), -1).argmax(axis=1)
    up, right = (height - 1) / 2 - place // width, place % width - (width - 1) / 2
    assert abs(np.hypot(up, right) - 40).max() <= 2  # the disk and the nearest pixel
    return np.degrees(np.arctan2(right, up))


def draw_dot(size: int = 91) -> np.ndarray:
    """Return one image with a disk of radius 1 that is 40 pixels above the center, brightest in its middle."""
    image = np.zeros((1, size, size, 1), np.float32)
    image[0, 4:7, 44:47, 0] = 1.0
    image[0, 5, 45, 0] = 2.0
    return image


def test_angles_are_uniform_up_to_the_largest_in_both_directions() -> None:
    after = rotate(30.0, np.repeat(draw_dot(), N, axis=0))
    found = after.max(axis=(1, 2, 3)) == 2.0  # the nearest pixel may miss the brightest one
    angle = find_angle(after)[found]
    pixel = math.degrees(math.sqrt(0.5) / 40)  # the nearest pixel is at most this far away
    assert found.mean() > 0.6
    assert abs(angle).max() <= 30 + pixel
    assert min(angle.max(), -angle.min()) >= 29
    assert angle.mean() == pytest.approx(0, abs=5 * 30 / math.sqrt(3 * found.sum()))
    assert angle.std() == pytest.approx(30 / math.sqrt(3), rel=0.05)  # 5 standard errors, and the pixels
    assert len(np.unique(angle.round(1))) > 30  # drawn for each image


@pytest.mark.parametrize("side", [5, 6, 201])
def test_the_largest_angle_is_in_degrees(side: int, monkeypatch: pytest.MonkeyPatch) -> None:
    x = np.random.default_rng(0).normal(size=(1, side, side, 2)).astype(np.float32)
    monkeypatch.setattr(keras.random, "uniform", lambda shape, *_, **__: keras.ops.ones(shape))
    assert np.array_equal(rotate(90.0, x)[0], np.rot90(x[0], -1))


def test_a_rotation_is_about_the_center_and_keeps_the_distance() -> None:
    size = 9
    image = np.arange(size * size, dtype=np.float32).reshape(1, size, size, 1) + 1
    after = rotate(180.0, np.repeat(image, 400, axis=0))
    assert (after[:, 4, 4, 0] == image[0, 4, 4, 0]).all()
    # Of the pixels next to the center, each rotation brings one of the eight around it.
    around = set(image[0, 3:6, 3:6, 0].ravel()) - {image[0, 4, 4, 0]}
    assert set(after[:, 3, 4, 0].ravel()) == around
    assert set(after.ravel()) <= {0.0, *image.ravel()}


def test_beyond_the_border_is_the_mean_of_standardized_inputs() -> None:
    after = rotate(45.0, np.full((200, 8, 8, 3), 7.0, np.float32))
    assert set(after.ravel()) == {0.0, 7.0}
    assert (after[:, 2:6, 2:6] == 7.0).all()  # at most 2.2 pixels from the center: inside at any angle


def test_all_channels_turn_together() -> None:
    x = np.random.default_rng(0).normal(size=(20, 8, 6, 1)).astype(np.float32)
    after = rotate(90.0, np.concatenate([x, 2 * x], axis=3))
    assert np.array_equal(after[..., 1], 2 * after[..., 0])


def test_0_degrees_change_no_bit() -> None:
    x = np.random.default_rng(0).normal(size=(50, 7, 8, 2)).astype(np.float32)
    assert np.array_equal(rotate(0.0, x), x)


def test_the_seed_decides() -> None:
    x = np.repeat(draw_dot(), 20, axis=0)
    assert np.array_equal(rotate(20.0, x, seed=1), rotate(20.0, x, seed=1))
    assert not np.array_equal(rotate(20.0, x, seed=1), rotate(20.0, x, seed=2))


def test_rows_are_refused() -> None:
    with pytest.raises(InputError, match="random_rotation needs images"):
        regzoo.build("mlp([4])", "random_rotation(10)", input_shape=(5,), classes=3)


@pytest.mark.parametrize("degrees", [-1.0, 180.5])
def test_other_angles_are_refused(degrees: float) -> None:
    with pytest.raises(InputError, match=r"degrees must lie in \[0, 180\]"):
        RandomRotation(degrees)
