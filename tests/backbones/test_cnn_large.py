"""`cnn` on images of any size: large final maps are averaged, small ones flattened."""

from __future__ import annotations

import pytest

import regzoo


@pytest.mark.parametrize(
    ("shape", "features"),
    [
        ((8, 8, 1), 2 * 2 * 64),
        ((28, 28, 1), 7 * 7 * 64),
        ((32, 32, 3), 64),
        ((224, 224, 3), 64),
        ((12, 224, 3), 3 * 56 * 64),
    ],
)
def test_maps_above_seven_by_seven_are_averaged(shape: tuple[int, ...], features: int) -> None:
    model = regzoo.build("cnn", input_shape=shape, classes=10)
    assert tuple(model.get_layer("dense").kernel.shape) == (features, 128)


def test_photographs_take_thousands_of_weights_and_not_millions() -> None:
    assert regzoo.build("cnn", input_shape=(224, 224, 3), classes=10).count_params() < 100_000
