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
    their averages: the sum of momentum^(n - i) times those of training batch i, of n, over the sum of momentum^(n - i).

    The averages are computed for the weights that are judged, after each epoch and at the end, as in the paper: a
    forward pass in training mode over the training rows, 200 batches at most. The moving averages that training leaves
    behind would be of past weights, and of the start: those at momentum 0.99 need some hundred steps to arrive. They
    are used in ``fit`` on data that can be read only once, and go on in batch norm of your own model with `attach` and
    ``weights: keep``, unless the recipe averages weights; with ``weights: fresh`` your own is computed so as well.

    The batch's own sampling noise is what regularizes. Poor with batches below about 8. Dropout in the same recipe
    shifts the variance that inference relies on, since a layer's dropout comes before the batch norm of the next layer.

    Cost: in addition to the pass, the pass for the averages for each validation.

    Args:
        momentum: fraction of the weight of a batch in the averages that remains after the next batch, in [0, 1): about
            1 / (1 - momentum) batches are averaged.

    Raises:
        InputError: if ``momentum`` lies outside [0, 1).

    Reference: Ioffe and Szegedy 2015 [ioffe2015], https://arxiv.org/abs/1502.03167
    Departure: the averages are weighted by momentum, and a variance is that of the batch, not divided by 1 - 1 / batch.

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
