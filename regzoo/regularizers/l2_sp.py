"""L2-SP: L2 penalty on the distance to the initial weights, for fine-tuning."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.core.roles import MULTIPLYING

TO_ZERO = frozenset(
    {"l1", "l2", "l1_l2", "elastic_net", "proximal_l1", "weight_decay", "group_lasso", "proximal_group_lasso"}
)
"""Regularizers that pull weights to zero."""


@dataclass(frozen=True)
class L2SP(OnWeights):
    """Keep weights close to their values at the start of training, for fine-tuning.

    Formula: L + strength sum (w - w0)^2 over kernels, recurrent ones and LoRA's included, and embedding tables (Keras's
    convention: no factor 1/2); w0 are the weights at the start of the run. Biases, scales and position embeddings have
    no penalty.

    For random initial weights `l2` is the better choice. In `fit`, w0 are the weights before the first epoch: load the
    weights to fine-tune before that. A saved model contains w0.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Li et al. 2018 [li2018], https://arxiv.org/abs/1802.01483
    Departure: in the paper new layers, such as the head, have a separate `l2` penalty; here all kernels have the same.

    >>> from regzoo.regularizers import L2SP
    >>> print(L2SP(0.001))
    l2_sp(0.001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """Return a penalty for each kernel and each embedding table, with its initial value as companion."""
        return Penalty(self.distance, companion=keras.ops.copy) if weight.role in MULTIPLYING else None

    def distance(self, w: Tensor, start: Tensor) -> Tensor:
        """Return the penalty of ``w`` for its distance to ``start`` (both of any shape), a scalar."""
        return self.strength * keras.ops.sum(keras.ops.square(w - start))

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about what pulls the weights to zero."""
        if other.name not in TO_ZERO:
            return None
        return f"l2_sp pulls weights to where they started, and {other.name} pulls the same ones to zero"
