"""Gaussian dropout: multiplicative noise on hidden activations."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, strength
from regzoo.core.lazy import keras, layers
from regzoo.regularizers._normalization import warn_variance_shift


@dataclass(frozen=True)
class GaussianDropout(OnActivations):
    """Multiply activations by random factors of mean 1 during training.

    Formula: h n, n ~ N(1, rate / (1 - rate)); inference uses h as it is.

    The factors have the mean and variance of `dropout`'s mask at the same rate, but no exact zeros. Acts after every
    activation, never after the output. At high rates signs flip often: at rate 0.5 one factor in six is negative.

    Cost: in addition to the pass, a normal random number for each activation, which takes longer than `dropout`'s
    uniform one: in small networks on a processor about as long as the pass.

    Args:
        rate: the rate of the dropout with this mean and variance, in [0, 1); 0 does nothing.

    Raises:
        InputError: if ``rate`` lies outside [0, 1): at 1 the variance is infinite.

    Reference: Srivastava et al. 2014 [srivastava2014], section 10, https://jmlr.org/papers/v15/srivastava14a.html

    >>> from regzoo.regularizers import GaussianDropout
    >>> print(GaussianDropout(0.5))
    gaussian_dropout(0.5)
    """

    rate: Strength = strength(Float(0.05, 0.7), neutral=0.0, domain="[0, 1)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a noise layer for each activation slot."""
        return layers.InTraining(self.perturb, slot.seed) if slot.kind == "activation" else None

    def perturb(self, h: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Multiply ``h`` (any shape) by noise."""
        kept = keras.ops.maximum(1.0 - self.rate, keras.config.epsilon())  # a rate next to 1 is 1 in float32
        stddev = keras.ops.sqrt(self.rate / kept)
        return h * (1.0 + stddev * keras.random.normal(keras.ops.shape(h), dtype=h.dtype, seed=seed))

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)
