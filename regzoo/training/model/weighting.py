"""Inputs, losses of examples and their weights: common type, weighted mean."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from regzoo.core.errors import InputError
from regzoo.core.layers import to_floatx


def match_dtypes(logits: Any, y: Any) -> tuple[Any, Any]:
    """Return logits and targets in the type in which a loss is computed: float64 for such logits, else float32."""
    dtype = tf.float64 if logits.dtype == tf.float64 else tf.float32
    return tf.cast(logits, dtype), tf.cast(y, dtype)


def flatten_weights(weight: Any) -> Any:
    """Return the weights of the examples as (batch,), from (batch,) or a column (batch, 1); None as it is.

    A column would be multiplied with every loss of the batch.

    Raises:
        InputError: if they are of another shape.
    """
    if weight is None:
        return None
    tensor = tf.convert_to_tensor(weight)
    if tensor.shape.rank in (1, None):
        return weight
    if tensor.shape.rank == 2 and tensor.shape[1] == 1:
        return tf.reshape(tensor, [-1])
    raise InputError(
        f"sample_weight: takes one weight for each example, of shape (batch,) or (batch, 1), received "
        f"{tuple(tensor.shape)}; give each example one weight"
    )


def divide_by_mean(total: Any, weight: Any) -> Any:
    """Return ``total`` divided by the mean of the weights of the examples; 0 if they are all 0."""
    return tf.math.divide_no_nan(total, tf.reduce_mean(tf.cast(weight, total.dtype)))


def weighted_mean(per_example: Any, weight: Any) -> Any:
    """Return the mean over the batch of a loss (batch,), weighted by ``weight`` (batch,) unless that is None."""
    if weight is not None:
        per_example *= tf.cast(weight, per_example.dtype)
    return tf.reduce_mean(per_example)


def floats_to_floatx(x: Any) -> Any:
    """Return inputs in the type of strengths and weights; whole numbers and text stay as they are."""

    def convert(values: Any) -> Any:
        tensor = keras.ops.convert_to_tensor(values)
        return to_floatx(tensor) if tensor.dtype.is_floating else tensor

    return keras.tree.map_structure(convert, x)
