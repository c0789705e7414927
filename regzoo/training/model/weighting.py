"""Inputs, losses of examples and their weights: common type, weighted mean."""

from __future__ import annotations

from typing import Any

import keras
import tensorflow as tf

from regzoo.core.layers import to_floatx


def match_dtypes(logits: Any, y: Any) -> tuple[Any, Any]:
    """Return logits and targets in the type in which a loss is computed: float64 for such logits, else float32."""
    dtype = tf.float64 if logits.dtype == tf.float64 else tf.float32
    return tf.cast(logits, dtype), tf.cast(y, dtype)


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
