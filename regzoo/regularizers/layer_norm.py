"""Layer normalization before each nonlinearity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import OnActivations, Regularizer, Slot
from regzoo.core.lazy import keras
from regzoo.regularizers._normalization import warn_double_normalization


@dataclass(frozen=True)
class LayerNorm(OnActivations):
    """Scale the units of each layer to mean 0 and variance 1, separately for each example, before the nonlinearity.

    Formula: gamma (h - mean) / sqrt(var + 1e-3) + beta, mean and var over the last axis; inference does the same.

    Does not depend on the batch, so training and inference agree and small batches do no harm. In images and sequences
    each position is normalized over its channels; `group_norm` with one group normalizes all positions together, as in
    the paper. Hurts narrow layers: a single unit becomes constant.

    Raises:
        InputError: if the backbone has no nonlinearity.

    Reference: Ba et al. 2016 [ba2016], https://arxiv.org/abs/1607.06450

    >>> from regzoo.regularizers import LayerNorm
    >>> print(LayerNorm())
    layer_norm
    """

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return Keras's layer for each preactivation slot."""
        return keras.layers.LayerNormalization() if slot.kind == "preactivation" else None

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about another normalization at the same place."""
        return warn_double_normalization(self, others)
