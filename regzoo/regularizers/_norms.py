"""Euclidean norms of weights and gradients, at least 1e-7, so that one can divide by them and differentiate at 0."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.core import Tensor
from regzoo.core.lazy import keras


def norm(w: Tensor, axes: Sequence[int]) -> Tensor:
    """Return the norm of ``w`` over ``axes``, which stay as axes of size 1."""
    return _root(keras.ops.sum(keras.ops.square(w), axis=tuple(axes), keepdims=True))


def global_norm(tensors: Sequence[Tensor]) -> Tensor:
    """Return the norm of all ``tensors`` as one vector, a scalar."""
    return _root(sum(keras.ops.sum(keras.ops.square(tensor)) for tensor in tensors))


def _root(squares: Tensor) -> Tensor:
    return keras.ops.sqrt(keras.ops.maximum(squares, keras.config.epsilon() ** 2))
