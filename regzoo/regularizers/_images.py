"""Resampling of images at other positions. Values are never clipped or rescaled: they stay standardized."""

from __future__ import annotations

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
