"""L2 penalty on weights (ridge)."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Strength, Weight, strength
from regzoo.core.lazy import keras
from regzoo.core.roles import MULTIPLYING


@dataclass(frozen=True)
class L2(OnWeights):
    """Keep weights small by adding the sum of their squares to the training loss.

    Formula: L + strength sum w^2 over kernels, recurrent ones and LoRA's included, and embedding tables (Keras's
    convention: no factor 1/2). Biases, scales and position embeddings have no penalty.

    With Adam this is not decoupled weight decay, because Adam divides the penalty's gradient by its own scale; see
    `weight_decay`.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Krogh and Hertz 1991 [krogh1991],
    https://papers.nips.cc/paper/1991/hash/8eefcfdf5990e441f0fb6f3fad709e21-Abstract.html

    >>> from regzoo.regularizers import L2
    >>> print(L2(0.0001))
    l2(0.0001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return a penalty for each kernel and each embedding table."""
        if weight.role not in MULTIPLYING:
            return None
        return Penalty(lambda w: self.strength * keras.ops.sum(keras.ops.square(w)))
