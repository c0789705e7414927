"""Decoupled weight decay, as in AdamW."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Gradients, OnGradients, Regularizer, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras
from regzoo.core.places import AtLayers
from regzoo.core.ranges import PerRun
from regzoo.core.roles import MULTIPLYING


@dataclass(frozen=True)
class WeightDecay(OnGradients, AtLayers):
    """Shrink all weights a little in every step, separately from the gradient.

    Formula: w <- w - learning_rate decay w on kernels, recurrent ones and LoRA's included, and embedding tables,
    after the gradients are computed. Biases, scales and position embeddings do not shrink.

    Nothing shrinks where the optimizer makes no step, since it accumulates gradients or finds some that are not finite.
    With a MultiOptimizer of Keras's, each weight shrinks at the learning rate of its own optimizer.

    With plain SGD it equals an L2 penalty of decay / 2. With Adam it does not, since Adam does not scale it.

    Over a run of constant learning rate a weight that nothing else moves shrinks to exp(-learning_rate decay steps), so
    what a decay does depends on the length of the run. A search therefore draws learning_rate x decay x steps, from
    0.0007, which has no effect, to 0.7, which halves a weight, and shows the decay; a range that a recipe gives is of
    the decay itself.

    Args:
        decay: fraction by which a weight shrinks per step at learning rate 1, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``decay`` is negative.

    Reference: Loshchilov and Hutter 2019 [loshchilov2019], https://arxiv.org/abs/1711.05101

    >>> from regzoo.regularizers import WeightDecay
    >>> print(WeightDecay(0.01))
    weight_decay(0.01)
    """

    decay: Strength = strength(PerRun(7e-4, 0.7), neutral=0.0, domain="[0, inf)", log=True)

    def acts_on(self, weight: Weight) -> bool:
        """Return True for kernels and embedding tables."""
        return weight.role in MULTIPLYING

    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Compute the gradients, then shrink the kernels and embedding tables."""
        gradients = compute()
        for weight in weights:
            if self.acts_on(compute.describe(weight)) and compute.selects(weight):
                weight.assign_sub(compute.get_learning_rate(weight) * self.decay * weight)
        return gradients

    def warn_pair(self, other: Regularizer) -> str | None:
        """Warn about a penalty that shrinks the same weights."""
        if other.name not in ("l2", "l1_l2", "elastic_net"):
            return None
        return f"weight_decay and {other.name} both shrink the same weights toward zero: use one of the two"
