"""Lookahead optimizer: k steps forward, one step back."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Companion, Float, Int, OnWeights, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Lookahead(OnWeights):
    """Move the weights, after every ``k`` steps, part of the way back to their values ``k`` steps before.

    Formula: after steps k, 2k, ...: w <- slow + alpha (w - slow), slow <- w; all trainable weights. The optimizer
    keeps its moments.

    Stabilizes large learning rates; gains little where the learning rate is well tuned.

    Cost: in addition to the pass, a second copy of each weight.

    Args:
        k: steps between two moves back, a whole number in [1, inf).
        alpha: fraction of the change that is kept, in [0, 1]; 1 does nothing, at 0 nothing is learned.

    Raises:
        InputError: if ``k`` is not a whole number from 1 or ``alpha`` lies outside [0, 1].

    Reference: Zhang et al. 2019 [zhang2019], https://arxiv.org/abs/1907.08610
    Departure: in the paper the slow weights are used after training; here a training that ends between two moves
    back keeps the weights as they are then.

    >>> from regzoo.regularizers import Lookahead
    >>> print(Lookahead(k=5, alpha=0.5))
    lookahead(k=5, alpha=0.5)
    """

    k: Strength = strength(Int(5, 10), neutral=1, domain="[1, inf)")
    alpha: Strength = strength(Float(0.5, 0.8), neutral=1.0, domain="[0, 1]")

    def rule(self, weight: Weight) -> Companion:
        """Return a companion with the slow weights for each trainable weight."""
        return Companion(keras.ops.copy, self.follow)

    def follow(self, w: Tensor, slow: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Move back part of the way after every ``k`` steps."""
        time = keras.ops.equal(step % self.k, 0)
        between = self.alpha * w + (1.0 - self.alpha) * slow
        return keras.ops.where(time, between, w), keras.ops.where(time, between, slow)
