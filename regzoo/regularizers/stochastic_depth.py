"""Stochastic depth: random skipping of residual branches."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale


@dataclass(frozen=True)
class StochasticDepth(OnActivations):
    """Skip random residual branches during training, deeper ones more often.

    Formula: x + f(x) m / (1 - p), m ~ Bernoulli(1 - p) for each example, p = rate l / L for branch l of L; inference
    uses x + f(x).

    Trains a shorter network in each step, whose gradients reach the first layers. Acts at the end of each residual
    branch. Hurts shallow networks. Departs from the paper in two ways that are usual today: branches are skipped for
    each example rather than for the whole batch, and scaled up in training rather than down at inference.

    Args:
        rate: probability that the last branch is skipped, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the backbone has no residual branches.

    Reference: Huang et al. 2016 [huang2016], https://arxiv.org/abs/1603.09382

    >>> from regzoo.regularizers import StochasticDepth
    >>> print(StochasticDepth(0.5))
    stochastic_depth(0.5)
    """

    rate: Strength = strength(Float(0.05, 0.5), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each branch slot."""
        if slot.kind != "branch":
            return None
        depth = (slot.index + 1) / slot.of
        return layers.InTraining(lambda branch, seed: self.drop(branch, depth, seed), slot.seed)

    def drop(self, branch: Tensor, depth: float, seed: keras.random.SeedGenerator) -> Tensor:
        """Set ``branch`` (batch, ...) to zero for some examples and scale it up for the others.

        Args:
            branch: the output of a residual branch.
            depth: position of the branch, l / L in (0, 1].
            seed: the slot's random stream.
        """
        batch, *rest = keras.ops.shape(branch)
        return mask_and_scale(branch, self.rate * depth, seed, (batch, *(1 for _ in rest)))
