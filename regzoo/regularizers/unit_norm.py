"""Unit-norm constraint on the incoming weights of each unit."""

from __future__ import annotations

import functools
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import OnWeights, Projection, Regularizer, Tensor, Weight
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import norm
from regzoo.regularizers._weights import list_fan_in_axes


@dataclass(frozen=True)
class UnitNorm(OnWeights):
    """Scale the incoming weights of each unit to length 1 after each step.

    Formula: w <- w / (norm(w) + 1e-7) for each unit w of a kernel: a column of a dense kernel, a filter of a
    convolution (of a depthwise one: of one channel), one feature of a head of attention; in a recurrent kernel, each
    unit and gate, as in Keras. Biases, scales, embedding tables (whose rows are no incoming weights) and position
    embeddings stay.

    Only the direction of the weights is learned, which suits units that are normalized afterwards (`batch_norm`).
    The output layer's kernel is included, so its logits are limited and the model cannot be very confident; hurts where
    confident predictions are right. It has no strength.

    Raises:
        InputError: if a model without kernels is built.

    Reference: Huang et al. 2017 [huang2017b], https://arxiv.org/abs/1710.02338

    >>> from regzoo.regularizers import UnitNorm
    >>> print(UnitNorm())
    unit_norm
    """

    def rule(self, weight: Weight) -> Projection | None:
        """Return a projection for each kernel."""
        return Projection(functools.partial(self.scale, axes=list_fan_in_axes(weight))) if weight.kernel else None

    def scale(self, w: Tensor, axes: Sequence[int]) -> Tensor:
        """Return the kernel ``w`` with norms of 1 over ``axes``."""
        return w / (norm(w, axes) + keras.config.epsilon())

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about what else sets or shrinks the lengths that it restores."""
        if other.name in ("l2", "weight_decay"):
            return f"unit_norm restores after each step the lengths that {other.name} shrinks, except of embeddings"
        if other.name in ("max_norm", "spectral_norm"):
            return f"unit_norm and {other.name} both set the scale of the same kernels after each step: only one holds"
        return None
