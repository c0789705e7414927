"""Batch normalization before each nonlinearity."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._normalization import warn_double_normalization, warn_variance_shift


@dataclass(frozen=True)
class BatchNorm(OnActivations):
    """Scale each unit to mean 0 and variance 1 over the training batch, before its nonlinearity.

    Formula: gamma (h - mean) / sqrt(var + 1e-3) + beta with the batch's mean and variance; inference uses
    their moving averages, new = momentum old + (1 - momentum) batch.

    The batch's own sampling noise is what regularizes. Poor with batches below about 8. Dropout in the same recipe
    shifts the variance that inference relies on, since a layer's dropout comes before the batch norm of the next layer.

    Args:
        momentum: fraction of the old average that is kept in each step, in [0, 1).

    Raises:
        InputError: if ``momentum`` lies outside [0, 1).

    Reference: Ioffe and Szegedy 2015 [ioffe2015], https://arxiv.org/abs/1502.03167

    >>> from regzoo.regularizers import BatchNorm
    >>> print(BatchNorm(0.9))
    batch_norm(0.9)
    """

    momentum: Strength = strength(Float(0.9, 0.99), neutral=None, domain="[0, 1)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return Keras's layer for each preactivation slot, with its momentum on a dial."""
        if slot.kind != "preactivation":
            return None
        layer = keras.layers.BatchNormalization()
        # The constructor takes a Python number only. This bypasses Keras's tracking: a dial is no weight of the layer.
        object.__setattr__(layer, "momentum", self.momentum)
        return layer

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about dropout, which comes before it in the next layer, and about another normalization."""
        found = (warn_variance_shift(self, others), warn_double_normalization(self, others))
        return "; ".join(sentence for sentence in found if sentence) or None
