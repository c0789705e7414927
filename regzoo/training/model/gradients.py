"""Lists of gradients, one of each trainable weight, None where the loss does not depend on it; lists of values."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import keras
import tensorflow as tf


def fill_missing(gradients: Sequence[Any], weights: Sequence[keras.Variable]) -> list[Any]:
    """Return ``gradients`` with zeros in place of None, as regularizers expect them."""
    pairs = zip(gradients, weights, strict=True)
    return [tf.zeros_like(weight.value) if gradient is None else gradient for gradient, weight in pairs]


def multiply(gradients: Sequence[Any], factor: Any) -> list[Any]:
    """Return ``gradients`` times ``factor``; themselves if that is the number 1.0."""
    if isinstance(factor, float) and factor == 1.0:
        return list(gradients)
    return [gradient * tf.cast(factor, gradient.dtype) for gradient in gradients]


def assign_all(variables: Sequence[keras.Variable], values: Sequence[Any]) -> None:
    """Assign ``values`` to ``variables``, in order."""
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)
