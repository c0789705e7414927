"""Images: sampled anew at other places. Values are never clamped or rescaled: they stay standardized."""

from __future__ import annotations

from regzoo.core import Tensor
from regzoo.core.lazy import keras, tf


def sample(x: Tensor, rows: Tensor, columns: Tensor) -> Tensor:
    """The images seen at other places: bilinear between pixels, the border's pixels repeated beyond it.

    At whole-number places the pixels are copied, bit for bit.

    Args:
        x: images, (batch, height, width, channels).
        rows: from where each row comes, (batch, height).
        columns: from where each column comes, (batch, width).
    """
    return _along(_along(x, rows, 1), columns, 2)


def _along(x: Tensor, places: Tensor, axis: int) -> Tensor:
    """Sample x along ``axis`` (1 or 2) at ``places`` (batch, length of that axis)."""
    last = keras.ops.shape(x)[axis] - 1
    places = keras.ops.clip(places, 0.0, float(last))
    below = keras.ops.floor(places)
    over = places - below  # (batch, length)
    over = over[:, :, None, None] if axis == 1 else over[:, None, :, None]
    first = keras.ops.cast(below, "int32")
    second = keras.ops.minimum(first + 1, last)
    near, far = (tf.gather(x, index, axis=axis, batch_dims=1) for index in (first, second))
    return (1.0 - over) * near + over * far
