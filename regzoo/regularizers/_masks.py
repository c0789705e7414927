"""The random mask of the dropout family."""

from __future__ import annotations

from typing import Any

from regzoo.core import Tensor
from regzoo.core.lazy import keras


def mask_and_scale(values: Tensor, rate: Tensor, seed: keras.random.SeedGenerator, shape: Any = None) -> Tensor:
    """Return ``values`` with each number set to zero with probability ``rate``, and the others scaled up.

    The mean over the masks is that of ``values``; rate 1 gives zeros, never NaN.

    Args:
        values: a tensor of any shape.
        rate: probability of zero, in [0, 1], a scalar.
        seed: random stream.
        shape: shape of the mask, which broadcasts over ``values``; None for a mask of each number.
    """
    kept = keras.random.uniform(keras.ops.shape(values) if shape is None else shape, seed=seed) >= rate
    scale = 1.0 / keras.ops.maximum(1.0 - rate, keras.config.epsilon())
    return values * (keras.ops.cast(kept, values.dtype) * scale)
