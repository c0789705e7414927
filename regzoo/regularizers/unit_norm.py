"""Unit-norm constraint on the incoming weights of each unit."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import OnWeights, Projection, Tensor, Weight
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import unit_norms


@dataclass(frozen=True)
class UnitNorm(OnWeights):
    """Scale the incoming weights of each unit to length 1 after each step.

    Formula: w <- w / (norm(w) + 1e-7) for each unit: norms over all axes of a kernel but the last. Biases stay.

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
        return Projection(self.scale) if weight.kernel else None

    def scale(self, w: Tensor) -> Tensor:
        """Return the kernel ``w`` (..., units) with norms of 1."""
        return w / (unit_norms(w) + keras.config.epsilon())
