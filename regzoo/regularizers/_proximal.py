"""Soft thresholds of the proximal regularizers, and their warning about a penalty that is there twice."""

from __future__ import annotations

from collections.abc import Collection

from regzoo.core import Regularizer, Tensor
from regzoo.core.lazy import keras

AVERAGES = frozenset({"ema", "swa", "lookahead"})
"""Regularizers that average weights over steps."""


def soft_threshold(w: Tensor, threshold: Tensor) -> Tensor:
    """Return ``w`` moved toward zero by ``threshold``, a scalar, and not beyond it; at 0 bit for bit the same."""
    moved = keras.ops.absolute(w) - keras.ops.cast(threshold, w.dtype)
    return keras.ops.sign(w) * keras.ops.maximum(moved, keras.ops.zeros_like(w))


def warn_zeros(name: str, other: Regularizer, same: Collection[str]) -> str | None:
    """Return a warning about a regularizer that penalizes the same, or makes the zeros of ``name`` inexact.

    Args:
        name: the regularizer that asks.
        other: another one in the recipe.
        same: names of those with the same penalty.
    """
    if other.name in same:
        return f"{name} and {other.name} penalize the same: use one of the two"
    if other.name == "weight_standardization":
        return (
            f"weight_standardization takes the mean away, so that the zeros of {name} are not those that the layer "
            "computes with, and the length of the weights has no effect: narrow each to layers of its own"
        )
    if other.name in AVERAGES:
        return (
            f"{other.name} averages the weights over steps, and an average is zero only where the weight was zero "
            f"in all of them: hardly any zero that {name} makes remains exact"
        )
    return None
