"""Dropout at the end of residual branches."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class ResidualDropout(OnActivations):
    """Set random outputs of each residual branch to zero during training, before the branch is added.

    Formula: x + f(x) m / (1 - rate), m ~ Bernoulli(1 - rate) for each number; inference uses x + f(x).

    The paper applies it to every sublayer of the transformer, with rate 0.1; the shortcut stays whole. Where the branch
    ends in an activation, as in ``mlp(residual=true)``, it masks the same units as `dropout`. `stochastic_depth` drops
    whole branches instead. Hurts small networks.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing, and at 1 only the shortcuts are left.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the backbone has no residual branches.

    Reference: Vaswani et al. 2017 [vaswani2017], https://arxiv.org/abs/1706.03762

    >>> from regzoo.regularizers import ResidualDropout
    >>> print(ResidualDropout(0.1))
    residual_dropout(0.1)
    """

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each branch slot."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "branch" else None

    def drop(self, branch: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``branch`` (any shape) and scale up the rest."""
        return mask_and_scale(branch, self.rate, seed)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next block."""
        return warn_variance_shift(self, others)
