"""Helpers of backbones for images: which are averaged first, by how much, and what a dense layer cannot take."""

from __future__ import annotations

import keras
import numpy as np
import pytest

from regzoo.backbones._images import flatten_inputs, get_smaller_side, require_known_size
from regzoo.core import InputError


@pytest.mark.parametrize(
    ("shape", "flat"),
    [
        ((5,), (5,)),
        ((4, 3), (12,)),
        ((63, 64, 1), (63 * 64,)),  # below 64 x 64 pixels
        ((64, 64, 1), (32 * 32,)),
        ((16, 256, 1), (8 * 128,)),  # 64^2 pixels: blocks of 2 x 2
        ((65, 64, 2), (22 * 22 * 2,)),  # sqrt(65 x 64) / 32 = 2.02: blocks of 3 x 3
        ((2, 4096, 3), (1 * 1366 * 3,)),  # sqrt(8192) / 32 = 2.8: blocks of 3, of which a side of 2 gives 2
        ((8, 8, 8, 8), (4096,)),  # no images
    ],
)
def test_large_images_are_averaged_to_about_32_x_32(shape: tuple[int, ...], flat: tuple[int, ...]) -> None:
    assert flatten_inputs(keras.Input(shape)).shape == (None, *flat)


def test_a_block_is_its_mean() -> None:
    x = np.random.default_rng(0).normal(size=(2, 64, 64, 1)).astype(np.float32)
    means = x.reshape(2, 32, 2, 32, 2).mean(axis=(2, 4)).reshape(2, -1)
    np.testing.assert_allclose(np.array(flatten_inputs(x)), means, atol=1e-6)
    small = x[:, :8, :8]
    assert np.array_equal(flatten_inputs(small), small.reshape(2, -1))


def test_a_size_that_is_not_known_is_refused() -> None:
    for shape in ((None, 3), (4, None, 1), (None,)):
        with pytest.raises(InputError, match=r"a dense layer needs inputs of one known size, received shape \(.*None"):
            flatten_inputs(keras.Input(shape))
    require_known_size(keras.Input((4, 3)))


def test_the_smaller_side_is_that_of_height_and_width() -> None:
    assert get_smaller_side(keras.Input((7, 9, 3))) == get_smaller_side(keras.Input((9, 7, 3))) == 7
