"""Inverted dropout of hidden activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class Dropout(OnActivations):
    """Set random activations to zero during training.

    Formula: h m / (1 - rate), m ~ Bernoulli(1 - rate); inference uses h as it is (inverted dropout).

    Acts after every activation, never after the output. Hurts small networks and tiny data sets. Needs two to three
    times more epochs. Rate 1 gives zeros, never NaN.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1].

    Reference: Srivastava et al. 2014 [srivastava2014], https://jmlr.org/papers/v15/srivastava14a.html

    >>> from regzoo.regularizers import Dropout
    >>> print(Dropout(0.5))
    dropout(0.5)
    """

    rate: Strength = strength(Float(0.05, 0.7), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each activation slot."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "activation" else None

    def drop(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (any shape) and scale up the rest."""
        return mask_and_scale(h, self.rate, seed)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
