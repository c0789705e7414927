"""Gradient clipping by global norm."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, Gradients, OnGradients, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import global_norm


@dataclass(frozen=True)
class GradientClip(OnGradients):
    """Shorten the gradient when it is longer than ``norm``.

    Formula: g <- g min(1, norm / |g|), |g| over all weights, so its direction stays.

    Limits the effect of steep places and outliers. With Adam, whose steps do not grow with the gradient, it matters
    only in rare large steps.

    Args:
        norm: largest length of the gradient, in (0, inf]; infinity does nothing.

    Raises:
        InputError: if ``norm`` is not positive.

    Reference: Pascanu et al. 2013 [pascanu2013], https://arxiv.org/abs/1211.5063

    >>> from regzoo.regularizers import GradientClip
    >>> print(GradientClip(1.0))
    gradient_clip(1.0)
    """

    norm: Strength = strength(Float(0.1, 5.0), neutral=float("inf"), domain="(0, inf]")

    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Compute the gradients and shorten them."""
        gradients = compute()
        scale = keras.ops.minimum(1.0, self.norm / global_norm(gradients))
        return [gradient * scale for gradient in gradients]
