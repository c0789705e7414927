"""Sums and means over the positions of sequences that are no padding."""

from __future__ import annotations

import math

from regzoo.core import Tensor
from regzoo.core.lazy import keras


def weigh_present(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return ``values`` (..., units) with zeros where ``mask`` (...) is false; None if it is true everywhere."""
    if mask is None:
        return values
    return keras.ops.where(keras.ops.expand_dims(_spread(values, mask), -1), values, 0.0)


def count_present(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return at how many positions of ``values`` (..., units) the ``mask`` is true, at least 1, as a number."""
    if mask is None:
        return keras.ops.cast(math.prod(keras.ops.shape(values)[:-1]), values.dtype)
    return keras.ops.maximum(keras.ops.sum(keras.ops.cast(_spread(values, mask), values.dtype)), 1.0)


def average_present(values: Tensor, mask: Tensor | None) -> Tensor:
    """Return the mean (units,) of ``values`` (..., units) over the positions where ``mask`` (...) is true."""
    axes = tuple(range(len(values.shape) - 1))
    if mask is None:
        return keras.ops.mean(values, axis=axes)
    return keras.ops.sum(weigh_present(values, mask), axis=axes) / count_present(values, mask)


def _spread(values: Tensor, mask: Tensor) -> Tensor:
    """Return ``mask`` of the shape of ``values`` without its last axis; that of steps holds for all axes after it."""
    missing = len(values.shape) - 1 - len(mask.shape)
    mask = keras.ops.reshape(mask, (*keras.ops.shape(mask), *[1] * missing))
    return keras.ops.broadcast_to(keras.ops.cast(mask, "bool"), keras.ops.shape(values)[:-1])
