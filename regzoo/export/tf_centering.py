"""Centering of raw numbers as TensorFlow operations: `regzoo.data.centering` in the exported graph, and its inverse."""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.data.centering import Centering, choose_answer_dtype
from regzoo.data.numbers import LARGEST_EXACT


def apply_centering(centering: Centering, raw: Any) -> Any:
    """Return ``raw`` numbers (batch, ..., features), of the dtype that is served, as centered float32."""
    if centering.is_neutral:
        return tf.cast(raw, tf.float32)
    centered = _center(centering, raw)
    if centering.unit:
        centered /= np.array(centering.unit, centered.dtype.as_numpy_dtype)
    return tf.cast(centered, tf.float32)


def _center(centering: Centering, raw: Any) -> Any:
    if raw.dtype != tf.int64:
        centered = raw - np.array(centering.center or 0.0, raw.dtype.as_numpy_dtype)
        # without an operation in between, TensorFlow adds the center to the mean that follows, which float32 rounds
        return tf.maximum(centered, raw.dtype.min) if raw.dtype == tf.float32 else centered
    plain = tf.cast(raw, tf.float64) - np.array(centering.center or 0, np.float64)
    whole = tf.cast(raw - np.array(centering.center or 0, np.int64), tf.float64)
    return tf.where(tf.abs(plain) < LARGEST_EXACT, whole, plain)  # beyond, int64 might overflow


def restore_units(values: Any, mean: Any, scale: Any) -> Any:
    """Return standardized float32 ``values`` times ``scale`` plus ``mean``: float64 if float32 would blur the sum."""
    dtype = choose_answer_dtype(mean, scale)
    return tf.cast(values, dtype) * np.asarray(scale, dtype) + np.asarray(mean, dtype)
