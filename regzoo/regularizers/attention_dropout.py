"""Dropout of attention weights."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale


@dataclass(frozen=True)
class AttentionDropout(OnActivations):
    """Set random attention weights to zero during training.

    Formula: a m / (1 - rate) on the attention weights a (batch, heads, queries, keys), m ~ Bernoulli(1 - rate);
    inference uses a as it is.

    Acts after the softmax, which is not repeated: the weights of a query add up to 1 only on average. Hurts with few
    keys, where a query may be left with none. The paper's text describes dropout at the end of residual branches and on
    the embeddings; this one is in its published code.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the backbone has no attention.

    Reference: Vaswani et al. 2017 [vaswani2017], https://arxiv.org/abs/1706.03762

    >>> from regzoo.regularizers import AttentionDropout
    >>> print(AttentionDropout(0.1))
    attention_dropout(0.1)
    """

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each attention slot."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "attention" else None

    def drop(self, a: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``a`` (batch, heads, queries, keys) and scale up the rest."""
        return mask_and_scale(a, self.rate, seed)
