"""Dropout as first published: scaled at inference, not in training."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Schedule, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class ClassicDropout(OnActivations):
    """Set random activations to zero during training, and shrink all of them at inference.

    Formula: h m in training, m ~ Bernoulli(1 - rate); h (1 - rate) at inference.

    The same expectation as `dropout`, which scales in training instead. Here the activations in training are smaller,
    so the same learning rate takes smaller steps. Acts after every activation, never after the output. Hurts small
    networks and tiny data sets. Rate 1 gives zeros.

    Args:
        rate: probability of zero, in [0, 1]; 0 does nothing. Inference depends on it, so it takes no schedule.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or is scheduled.

    Reference: Srivastava et al. 2014 [srivastava2014], https://jmlr.org/papers/v15/srivastava14a.html

    >>> from regzoo.regularizers import ClassicDropout
    >>> print(ClassicDropout(0.5))
    classic_dropout(0.5)
    """

    rate: Strength = strength(Float(0.05, 0.7), neutral=0.0, domain="[0, 1]")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask for each activation slot."""
        return layers.InTraining(self.drop, slot.seed, inference=self.shrink) if slot.kind == "activation" else None

    def drop(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (any shape)."""
        kept = keras.random.uniform(keras.ops.shape(h), seed=seed) >= self.rate
        return h * keras.ops.cast(kept, h.dtype)

    def shrink(self, h: Tensor) -> Tensor:
        """Return the mean of ``h`` (any shape) over all masks."""
        return h * (1.0 - self.rate)

    def reject_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Reject a schedule: a model is saved with its recipe, not with the epoch at which its training ended."""
        if isinstance(self.rate, Schedule):
            return "inference multiplies by 1 - rate, so one rate must hold throughout; schedule dropout instead"
        return None

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
