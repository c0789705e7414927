"""L1 penalty on weights (lasso)."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Strength, Weight, strength
from regzoo.core.lazy import keras
from regzoo.core.roles import MULTIPLYING


@dataclass(frozen=True)
class L1(OnWeights):
    """Push many weights toward zero by adding the sum of their absolute values to the training loss.

    Formula: L + strength sum |w| over kernels, recurrent ones and LoRA's included, and embedding tables.
    Biases, scales and position embeddings have no penalty.

    Subgradient steps come close to zero and do not reach it: count weights below a threshold, or take
    `proximal_l1`, whose zeros are exact.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Tibshirani 1996 [tibshirani1996], https://doi.org/10.1111/j.2517-6161.1996.tb02080.x

    >>> from regzoo.regularizers import L1
    >>> print(L1(0.001))
    l1(0.001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return a penalty for each kernel and each embedding table."""
        if weight.role not in MULTIPLYING:
            return None
        return Penalty(lambda w: self.strength * keras.ops.sum(keras.ops.absolute(w)))
