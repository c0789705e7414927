"""Layer normalization."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import OnActivations, Regularizer, Slot
from regzoo.core.lazy import keras
from regzoo.regularizers._normalization import twice


@dataclass(frozen=True)
class LayerNorm(OnActivations):
    """Normalize the units of a layer against each other, example by example, before the nonlinearity.

    Formula: gamma (h - mean) / sqrt(var + 1e-3) + beta, mean and var over the last axis; inference does the same.

    Knows no batch, so that training and inference agree and small batches do no harm. In images and sequences each
    position is normalized over its channels; `group_norm` with one group takes all positions together, as the paper
    does. Hurts narrow layers: a single unit is normalized away.

    Raises:
        InputError: if the backbone has no nonlinearity to stand before.

    Reference: Ba et al. 2016 [ba2016], https://arxiv.org/abs/1607.06450

    >>> from regzoo.regularizers import LayerNorm
    >>> print(LayerNorm())
    layer_norm
    """

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Keras's own layer before each nonlinearity."""
        return keras.layers.LayerNormalization() if slot.kind == "preactivation" else None

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Another normalization at the same place."""
        return twice(self.name, others)
