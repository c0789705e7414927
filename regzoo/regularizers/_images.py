"""Resampling of images at other positions. Values are never clipped or rescaled: they stay standardized."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core import Tensor
from regzoo.core.lazy import keras, tf


def resample(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """Return the images at other positions: bilinear between pixels, the border's pixels repeated beyond it.

    At whole-number positions the pixels are copied, bit for bit.

    Args:
        x: images, (batch, height, width, channels).
        rows: position from which each row is sampled, (batch, height), in pixels.
        columns: position from which each column is sampled, (batch, width), in pixels.
    """
    return _resample_axis(_resample_axis(x, rows, 1), columns, 2)


def _resample_axis(x: Tensor, positions: Tensor, axis: int) -> Tensor:
    """Return x sampled along ``axis`` (1 or 2) at ``positions`` (batch, length of that axis)."""
    last = keras.ops.shape(x)[axis] - 1
    positions = keras.ops.clip(positions, 0.0, float(last))
    below = keras.ops.floor(positions)
    over = positions - below  # (batch, length)
    over = over[:, :, None, None] if axis == 1 else over[:, None, :, None]
    first = keras.ops.cast(below, "int32")
    second = keras.ops.minimum(first + 1, last)
    near, far = (tf.gather(x, index, axis=axis, batch_dims=1) for index in (first, second))
    return (1.0 - over) * near + over * far


def warp(x: Tensor, to_row: Sequence[Tensor], to_column: Sequence[Tensor]) -> Tensor:
    """Return the images under an affine map about their center: the nearest pixel, 0 beyond the border.

    The pixel with offset (u, v) from the center is copied from that with offset (a u + b v + c, d u + e v + f). Where
    this is (u, v), the pixels are copied bit for bit.

    Args:
        x: images, (batch, height, width, channels).
        to_row: a, b and c, (batch,) each; c in pixels.
        to_column: d, e and f, likewise.
    """
    _, height, width, channels = keras.ops.shape(x)
    u, v = (keras.ops.arange(length, dtype=keras.config.floatx()) - (length - 1) / 2 for length in (height, width))

    def find(numbers: Sequence[Tensor], length: int) -> Tensor:
        a, b, c = (number[:, None, None] for number in numbers)
        return keras.ops.round(a * u[:, None] + b * v[None, :] + c + (length - 1) / 2)  # (batch, height, width)

    row, column = find(to_row, height), find(to_column, width)
    inside = (row >= 0) & (row < height) & (column >= 0) & (column < width)
    position = keras.ops.clip(row, 0, height - 1) * width + keras.ops.clip(column, 0, width - 1)
    index = keras.ops.reshape(keras.ops.cast(position, "int32"), (-1, height * width))
    pixels = tf.gather(keras.ops.reshape(x, (-1, height * width, channels)), index, axis=1, batch_dims=1)
    return keras.ops.where(inside[..., None], keras.ops.reshape(pixels, keras.ops.shape(x)), 0.0)
