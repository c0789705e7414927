"""Stochastic depth: residual branches left out at random."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers


@dataclass(frozen=True)
class StochasticDepth(OnActivations):
    """Leave out residual branches during training, the deeper the more often.

    Formula: x + f(x) m / (1 - p), m ~ Bernoulli(1 - p) for each example, p = rate l / L for branch l of L; inference
    uses x + f(x).

    Trains a shorter network in each step, whose gradients reach the first layers. Acts at the end of each residual
    branch. Hurts shallow networks. Departs from the paper in two ways that are usual today: each example draws its
    own depth rather than the whole batch one, and branches are scaled up in training rather than down at inference.

    Args:
        rate: probability that the last branch is left out, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the backbone has no residual branches.

    Reference: Huang et al. 2016 [huang2016], https://arxiv.org/abs/1603.09382

    >>> from regzoo.regularizers import StochasticDepth
    >>> print(StochasticDepth(0.5))
    stochastic_depth(0.5)
    """

    rate: Strength = strength(Float(0.05, 0.5), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """A switch at the end of each residual branch."""
        if slot.kind != "branch":
            return None
        depth = (slot.index + 1) / slot.of
        return layers.InTraining(lambda branch, seed: self.drop(branch, depth, seed), slot.seed)

    def drop(self, branch: Tensor, depth: float, seed: keras.random.SeedGenerator) -> Tensor:
        """Switch ``branch`` (batch, ...) off for some examples and scale it for the others."""
        p = self.rate * depth
        batch, *rest = keras.ops.shape(branch)
        kept = keras.random.uniform((batch, *(1 for _ in rest)), seed=seed) >= p
        scale = 1.0 / keras.ops.maximum(1.0 - p, keras.config.epsilon())
        return branch * (keras.ops.cast(kept, branch.dtype) * scale)
