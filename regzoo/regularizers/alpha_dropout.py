"""Alpha dropout for self-normalizing (SELU) networks."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Backbone, Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_variance_shift

SATURATION = -1.6732632423543772 * 1.0507009873554805
"""SELU's limit for large negative inputs, -alpha scale."""


@dataclass(frozen=True)
class AlphaDropout(OnActivations):
    """Set random activations to SELU's negative limit during training, and keep their mean and variance.

    Formula: a (h m + s (1 - m)) + b, m ~ Bernoulli(1 - rate), s = -1.7581, a = ((1 - rate)(1 + rate s^2))^-1/2,
    b = -a s rate; inference uses h as it is.

    Keeps mean 0 and variance 1, which SELU networks depend on. **Use it with activation selu only**: it shifts the
    activations of any other nonlinearity; use `dropout` there.

    Args:
        rate: probability of the limit, in [0, 1); 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1): at 1 there is nothing left to scale.

    Reference: Klambauer et al. 2017 [klambauer2017], https://arxiv.org/abs/1706.02515

    >>> from regzoo.regularizers import AlphaDropout
    >>> print(AlphaDropout(0.1))
    alpha_dropout(0.1)
    """

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each activation slot."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "activation" else None

    def drop(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (any shape), then restore mean and variance."""
        kept = keras.random.uniform(keras.ops.shape(h), seed=seed) >= self.rate
        keep = keras.ops.maximum(1.0 - self.rate, keras.config.epsilon())  # a rate next to 1 is 1 in float32
        a = 1.0 / keras.ops.sqrt(keep * (1.0 + self.rate * SATURATION**2))
        b = -a * SATURATION * self.rate
        return a * keras.ops.where(kept, h, SATURATION) + b

    def warn_backbone(self, backbone: Backbone) -> str | None:
        """Warn about another nonlinearity than selu."""
        if vars(backbone).get("activation", "selu") == "selu":
            return None
        return (
            "alpha_dropout keeps the mean and variance of selu alone: give the backbone activation=selu, or use dropout"
        )

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
