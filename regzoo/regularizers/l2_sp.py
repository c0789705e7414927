"""L2 towards the starting point."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnWeights, Penalty, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class L2SP(OnWeights):
    """Keep the weights near those the training started from: for fine-tuning.

    Formula: L + strength sum (w - w0)^2 over kernels, not biases (Keras's convention: no half); w0 are the weights
    at the start of the run. Weights drawn at random hold nothing to go back to: there `l2` is the better choice.

    In `fit` these are the weights before the first epoch: set or load what shall be fine-tuned before. A saved model
    remembers them.

    Args:
        strength: weight of the penalty, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``strength`` is negative.

    Reference: Li et al. 2018 [li2018], https://arxiv.org/abs/1802.01483
    Departure: there new layers, such as the head, have an `l2` penalty of their own; here all kernels are alike.

    >>> from regzoo.regularizers import L2SP
    >>> print(L2SP(0.001))
    l2_sp(0.001)
    """

    strength: Strength = strength(Float(1e-6, 1e-2), neutral=0.0, domain="[0, inf)", log=True)

    def rule(self, weight: Weight) -> Penalty | None:
        """A penalty on each kernel, beside where it started."""
        return Penalty(self.distance, companion=keras.ops.copy) if weight.kernel else None

    def distance(self, w: Tensor, start: Tensor) -> Tensor:
        """What the way from ``start`` to ``w`` (any shape) costs, a scalar."""
        return self.strength * keras.ops.sum(keras.ops.square(w - start))
