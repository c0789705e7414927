"""Dropout of embeddings."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._masks import mask_and_scale
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class EmbeddingDropout(OnActivations):
    """Set random numbers of the embedded tokens to zero during training, after positions are added.

    Formula: (e + p) m / (1 - rate), m ~ Bernoulli(1 - rate) for each number of the token embedding e plus the position
    embedding p, if there is one; inference uses e + p.

    The paper has rate 0.1. In your own model it acts behind Embedding layers, after the sum with other embeddings, and
    else on the tokens that the first attention reads; normalizations that belong to the attention come after it.
    `patch_dropout` drops whole tokens instead. Hurts small embeddings.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the model has no embeddings.

    Reference: Vaswani et al. 2017 [vaswani2017], https://arxiv.org/abs/1706.03762

    >>> from regzoo.regularizers import EmbeddingDropout
    >>> print(EmbeddingDropout(0.1))
    embedding_dropout(0.1)
    """

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each embedding slot."""
        return layers.InTraining(self.drop, slot.seed) if slot.kind == "embedding" else None

    def drop(self, tokens: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``tokens`` (batch, ..., width) and scale up the rest."""
        return mask_and_scale(tokens, self.rate, seed)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in a later layer."""
        return warn_variance_shift(self, others)
