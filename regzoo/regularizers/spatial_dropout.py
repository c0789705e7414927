"""Spatial dropout of whole feature maps."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class SpatialDropout(OnActivations):
    """Set random channels of images and sequences to zero during training.

    Formula: h m / (1 - rate), one m ~ Bernoulli(1 - rate) for each example and channel; inference uses h as it is.

    Neighboring pixels and time steps are correlated, so a mask on single values hides little. Acts after activations of
    images and sequences; dense layers are left as they are. Hurts layers of few channels.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the backbone has no activations of images or sequences.

    Reference: Tompson et al. 2015 [tompson2015], https://arxiv.org/abs/1411.4280

    >>> from regzoo.regularizers import SpatialDropout
    >>> print(SpatialDropout(0.2))
    spatial_dropout(0.2)
    """

    rate: Strength = strength(Float(0.05, 0.5), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each activation slot of images and sequences."""
        has_positions = slot.kind == "activation" and slot.rank in (3, 4)
        return layers.InTraining(self.drop, slot.seed) if has_positions else None

    def drop(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask the channels of ``h`` (batch, ..., channels) and scale up the rest."""
        batch, *positions, channels = keras.ops.shape(h)
        return mask_and_scale(h, self.rate, seed, (batch, *(1 for _ in positions), channels))

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
