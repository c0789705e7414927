"""Sharpness-aware minimization."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, Gradients, OnGradients, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._norms import global_norm


@dataclass(frozen=True)
class Sam(OnGradients):
    """Step by the gradient of a worse place nearby, which leads to valleys that are flat and not only deep.

    Formula: gradient of L at w + rho g / |g|, g the gradient at w, |g| over all weights; the step is taken from w,
    which is restored exactly.

    Both gradients are of the same loss of the same batch: the second pass meets the noise of the first (dropout's
    masks), and batch norm's averages follow the first alone. So at rho 0 it is the baseline, noise or not.

    Cost: two passes, the second at the worse place.

    Args:
        rho: how far away the worse place is looked for, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``rho`` is negative.

    Reference: Foret et al. 2021 [foret2021], https://arxiv.org/abs/2010.01412
    Departure: the batch is not split into parts with a worse place each (m-sharpness).

    >>> from regzoo.regularizers import Sam
    >>> print(Sam(0.05))
    sam(0.05)
    """

    cost: ClassVar[float] = 2.0

    rho: Strength = strength(Float(0.01, 0.2), neutral=0.0, domain="[0, inf)")

    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Climb, take the gradients there, and go back."""
        climb = compute()
        here = [keras.ops.copy(weight) for weight in weights]  # after compute(): weight decay may have moved them
        scale = self.rho / global_norm(climb)
        for weight, gradient in zip(weights, climb, strict=True):
            weight.assign_add(scale * gradient)
        gradients = compute()
        for weight, value in zip(weights, here, strict=True):
            weight.assign(value)
        return gradients
