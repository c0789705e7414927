"""Axes of a weight, and a weight as the matrix that it is for its layer."""

from __future__ import annotations

import math
from collections.abc import Iterable

from regzoo.core import Tensor, Weight
from regzoo.core.lazy import keras


def list_fan_in_axes(weight: Weight) -> tuple[int, ...]:
    """Return the axes along which the incoming weights of one unit lie, ascending."""
    return _list_others(weight, weight.unit_axes)


def list_fan_out_axes(weight: Weight) -> tuple[int, ...]:
    """Return the axes along which the outgoing weights of one input lie, ascending."""
    return _list_others(weight, weight.input_axes)


def split_outgoing(w: Tensor, weight: Weight) -> tuple[Tensor, tuple[int, ...], int]:
    """Return ``w`` such that the outgoing weights of each input lie along axes of their own.

    Returns:
        The weight, reshaped where a convolution has groups; these axes, ascending; and the size of each input's part.
    """
    axes = list_fan_out_axes(weight)
    if weight.groups > 1:  # the last axis is made of the groups, which have inputs of their own
        w = keras.ops.reshape(w, (*w.shape[:-1], weight.groups, -1))
        axes = (*axes[:-1], len(weight.shape))
    return w, axes, math.prod(w.shape[axis] for axis in axes)


def _list_others(weight: Weight, axes: Iterable[int]) -> tuple[int, ...]:
    return tuple(axis for axis in range(len(weight.shape)) if axis not in set(axes))


def get_matrix_shape(weight: Weight) -> tuple[int, ...]:
    """Return the shape of `to_matrix`: (inputs, units), or (blocks, inputs, units)."""
    blocks = math.prod(weight.shape[axis] for axis in _list_block_axes(weight)) * weight.groups
    inputs = math.prod(weight.shape[axis] for axis in list_fan_in_axes(weight))
    units = math.prod(weight.shape) // (blocks * inputs)
    return (inputs, units) if blocks == 1 else (blocks, inputs, units)


def to_matrix(w: Tensor, weight: Weight) -> Tensor:
    """Return the kernel ``w`` as a matrix (inputs, units).

    Where inputs reach only units of their own, as in depthwise and grouped convolutions, the matrix is zero but for the
    blocks on its diagonal: then the blocks are returned, (blocks, inputs, units).
    """
    rank, blocks = len(weight.shape), _list_block_axes(weight)
    units = [axis for axis in weight.unit_axes if axis not in blocks]
    order = (*blocks, *list_fan_in_axes(weight), *units)
    if order != tuple(range(rank)):
        w = keras.ops.transpose(w, order)
    shape = get_matrix_shape(weight)
    if weight.groups == 1:
        return keras.ops.reshape(w, shape)
    parts = keras.ops.reshape(w, (shape[1], weight.groups, shape[2]))  # the last axis is made of the groups
    return keras.ops.transpose(parts, (1, 0, 2))


def _list_block_axes(weight: Weight) -> tuple[int, ...]:
    """Return the axes that index inputs and units at once: each index is a block of its own."""
    return tuple(axis for axis in weight.unit_axes if axis in weight.input_axes)
