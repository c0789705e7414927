"""Sharpness-aware minimization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Gradients, OnGradients, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import global_norm


@dataclass(frozen=True)
class Sam(OnGradients):
    """Take each step along the gradient at nearby weights with a higher loss, which leads to flat minima.

    Formula: gradient of L at w + rho g / |g|, g the gradient at w, |g| over all weights; the step is taken from w,
    which is restored exactly.

    Both gradients are of the same loss of the same batch: the second pass has the same noise as the first (dropout
    masks), and only the first updates batch norm's averages. So at rho 0 it equals the baseline, with noise or without.

    Cost: two passes, the second at the nearby weights.

    Args:
        rho: distance to the nearby weights, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``rho`` is negative.

    Reference: Foret et al. 2021 [foret2021], https://arxiv.org/abs/2010.01412
    Departure: the batch is not split into smaller ones with nearby weights of their own (m-sharpness).

    >>> from regzoo.regularizers import Sam
    >>> print(Sam(0.05))
    sam(0.05)
    """

    cost: ClassVar[float] = 2.0

    rho: Strength = strength(Float(0.01, 0.2), neutral=0.0, domain="[0, inf)")

    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Move to weights of higher loss, compute the gradients there, and move back."""
        climb = compute()
        here = [keras.ops.copy(weight) for weight in weights]  # after compute(): weight decay may have moved them
        scale = self.rho / global_norm(climb)
        for weight, gradient in zip(weights, climb, strict=True):
            weight.assign_add(scale * gradient)
        gradients = compute()
        for weight, value in zip(weights, here, strict=True):
            weight.assign(value)
        return gradients

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about noise in the gradient that it climbs along."""
        if any(other.name == "gradient_noise" for other in others):
            return "sam climbs along the noise of a gradient_noise that is written before it: write sam first"
        return None
