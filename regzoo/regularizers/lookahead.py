"""Lookahead optimizer: k steps forward, one step back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Companion, Float, Int, OnWeights, Strength, Tensor, Weight, strength
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class Lookahead(OnWeights):
    """Move the weights, after every ``k`` steps, part of the way back to their values ``k`` steps before.

    Formula: after steps k, 2k, ...: w <- slow + alpha (w - slow), slow <- w; all trainable weights. The optimizer
    keeps its moments.

    After each epoch the weights are validated as a move back at that time would leave them, with batch norm's averages
    computed again for them; training goes on from the weights themselves. Early stopping restores them so.

    Stabilizes large learning rates; gains little where the learning rate is well tuned.

    Cost: in addition to the pass, a second copy of each weight. With batch norm also a forward pass over the training
    rows, 200 batches at most, for each validation.

    Args:
        k: steps between two moves back, a whole number in [1, inf).
        alpha: fraction of the change that is kept, in [0, 1]; 1 does nothing, at 0 nothing is learned.

    Raises:
        InputError: if ``k`` is not a whole number from 1 or ``alpha`` lies outside [0, 1].

    Reference: Zhang et al. 2019 [zhang2019], https://arxiv.org/abs/1907.08610
    Departure: the paper judges the slow weights; here, between two moves back, they are first moved by alpha toward
    the weights, as at a move back.

    >>> from regzoo.regularizers import Lookahead
    >>> print(Lookahead(k=5, alpha=0.5))
    lookahead(k=5, alpha=0.5)
    """

    averages: ClassVar[bool] = True

    k: Strength = strength(Int(5, 10), neutral=1, domain="[1, inf)")
    alpha: Strength = strength(Float(0.5, 0.8), neutral=1.0, domain="[0, 1]")

    def rule(self, weight: Weight) -> Companion:
        """Return a companion with the slow weights for each trainable weight."""
        return Companion(keras.ops.copy, self.follow, average=self.move_back)

    def move_back(self, w: Tensor, slow: Tensor) -> Tensor:
        """Return the weight after a move back."""
        return self.alpha * w + (1.0 - self.alpha) * slow

    def follow(self, w: Tensor, slow: Tensor, step: Tensor) -> tuple[Tensor, Tensor]:
        """Move back part of the way after every ``k`` steps."""
        time = keras.ops.equal(step % self.k, 0)
        between = self.move_back(w, slow)
        return keras.ops.where(time, between, w), keras.ops.where(time, between, slow)
