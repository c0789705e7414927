"""Concrete dropout, whose rate is learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, setting, strength
from regzoo.core.lazy import LazyModule, keras
from regzoo.regularizers._normalization import warn_variance_shift

_layers = LazyModule("regzoo.regularizers._layers")

TEMPERATURE = 0.1
"""Temperature of the relaxed mask, which is closer to 0 or 1 the lower it is; the paper's value."""

CHANNEL_TEMPERATURE = 2.0 / 3.0
"""The same for whole channels; the value in the authors' code (``SpatialConcreteDropout``)."""


@dataclass(frozen=True)
class ConcreteDropout(OnActivations):
    """Set random activations to zero during training, at a rate that each layer learns.

    Formula: h m / (1 - p), m = 1 - sigmoid((logit p + logit u) / t), u ~ U(0, 1), t = 0.1, p trained with
    L + prior sum w^2 / (1 - p) - entropy K H(p), H(p) = -p log p - (1 - p) log(1 - p), K the number of units and w the
    kernels that they feed; inference uses h as it is.

    H pulls p toward 1/2, and the data pull it to where they are fitted best, so the rate needs no search; with
    ``entropy`` 0 nothing keeps it from shrinking to 0. Images and sequences lose whole channels, with t = 2/3. For N
    training rows and squared loss with noise of precision 1 the paper has entropy = 2 / N and prior = l^2 / N; for
    cross-entropy, half of both. Rates change slowly, so it needs long training. The learned rates are the sigmoids of
    the weights called ``logit``. Works with `mc_dropout`.

    Args:
        entropy: weight of the term that keeps the rate up, in [0, inf).
        prior: weight of the penalty on the kernels, in [0, inf).
        start: the rate at the start of training, in (0, 1).

    Raises:
        InputError: if a field lies outside its domain.

    Reference: Gal et al. 2017 [gal2017], https://arxiv.org/abs/1705.07832

    >>> from regzoo.regularizers import ConcreteDropout
    >>> print(ConcreteDropout(0.001, 1e-06))
    concrete_dropout(entropy=0.001, prior=1e-06)
    """

    entropy: Strength = strength(Float(1e-5, 1e-2), neutral=None, domain="[0, inf)", log=True)
    prior: Strength = strength(Float(1e-8, 1e-4), neutral=None, domain="[0, inf)", log=True)
    start: float = setting(0.1, domain="(0, 1)")

    def layer(self, slot: Slot) -> keras.Layer | None:
        """Return a layer with a random mask of trainable rate for each activation slot."""
        if slot.kind != "activation":
            return None
        return _layers.LearnedRate(self.drop, self.penalty, math.log(self.start / (1 - self.start)), slot.seed)

    def drop(self, h: Tensor, logit: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (batch, ..., units) by factors between 0 and 1, so that gradients reach the rate's ``logit``."""
        batch, *positions, units = keras.ops.shape(h)
        temperature = CHANNEL_TEMPERATURE if positions else TEMPERATURE
        tiny = keras.config.epsilon()
        u = keras.random.uniform((batch, *(1 for _ in positions), units), tiny, 1.0 - tiny, seed=seed)
        dropped = keras.ops.sigmoid((logit + keras.ops.log(u) - keras.ops.log(1.0 - u)) / temperature)
        return h * ((1.0 - dropped) / keep_probability(logit))

    def penalty(self, units: int, logit: Tensor, kernels: Sequence[Tensor]) -> Tensor:
        """Return the penalty of a layer of ``units`` that feed ``kernels``, a scalar."""
        p, softplus = keras.ops.sigmoid(logit), keras.ops.softplus
        entropy = p * softplus(-logit) + (1.0 - p) * softplus(logit)  # softplus(-logit) = -log p
        squares = sum(keras.ops.sum(keras.ops.square(kernel)) for kernel in kernels)
        return self.prior * squares / keep_probability(logit) - self.entropy * units * entropy

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about batch norm in the next layer."""
        return warn_variance_shift(self, others)


def keep_probability(logit: Tensor) -> Tensor:
    """Return 1 - p, at least 1e-7, so that it can be divided by."""
    return keras.ops.maximum(keras.ops.sigmoid(-logit), keras.config.epsilon())
