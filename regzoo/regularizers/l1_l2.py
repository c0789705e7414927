"""L1 and L2 penalties on weights together (elastic net)."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Regularizer, Strength, Weight, strength
from regzoo.core.lazy import keras
from regzoo.core.roles import MULTIPLYING


@dataclass(frozen=True)
class L1L2(OnWeights):
    """Push weights toward zero by adding both their absolute values and their squares to the training loss.

    Formula: L + l1 sum |w| + l2 sum w^2 over kernels, recurrent ones and LoRA's included, and embedding tables.
    Biases, scales and position embeddings have no penalty.

    Sparse as with `l1`, and more stable than that where inputs are correlated; `elastic_net` has the same penalties
    with exact zeros.

    Args:
        l1: weight of the absolute penalty, in [0, inf); 0 leaves it out.
        l2: weight of the squared penalty, in [0, inf); 0 leaves it out.

    Raises:
        InputError: if ``l1`` or ``l2`` is negative.

    Reference: Zou and Hastie 2005 [zou2005], https://doi.org/10.1111/j.1467-9868.2005.00503.x

    >>> from regzoo.regularizers import L1L2
    >>> print(L1L2(l1=1e-05, l2=0.0001))
    l1_l2(l1=1e-05, l2=0.0001)
    """

    l1: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)
    l2: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return both penalties for each kernel and each embedding table."""
        if weight.role not in MULTIPLYING:
            return None
        return Penalty(
            lambda w: self.l1 * keras.ops.sum(keras.ops.absolute(w)) + self.l2 * keras.ops.sum(keras.ops.square(w))
        )

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about a penalty that it has itself."""
        return f"l1_l2 has the penalty of {other.name} itself: the two add up" if other.name in ("l1", "l2") else None
