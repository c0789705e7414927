"""Concrete dropout: the rate is learned."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnActivations, Regularizer, Slot, Strength, Tensor, setting, strength
from regzoo.core.lazy import LazyModule, keras
from regzoo.regularizers._normalization import shifted

_layers = LazyModule("regzoo.regularizers._layers")

TEMPERATURE = 0.1
"""How soft the mask is; the paper's value."""


@dataclass(frozen=True)
class ConcreteDropout(OnActivations):
    """Drop hidden activations at a rate that each layer learns by gradient descent.

    Formula: h m / (1 - p), m = 1 - sigmoid((logit p + logit u) / 0.1), u ~ U(0, 1), p trained with
    L + prior sum w^2 / (1 - p) - entropy K H(p), H(p) = -p log p - (1 - p) log(1 - p), K units that are dropped
    and w the kernels that they feed; inference uses h as it is.

    H pulls p towards 1/2 and the data pull it to where they are explained, so the rate needs no search; with
    ``entropy`` 0 nothing keeps it from shrinking to 0. Images and sequences lose whole channels. For N training rows
    and squared loss with noise of precision 1 the paper has entropy = 2 / N and prior = l^2 / N, for cross-entropy
    half of both. Rates move slowly: needs long training. The learned rates are the sigmoids of the weights called
    ``logit``. Works with `mc_dropout`.

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
        """A mask with a trainable rate after each activation."""
        if slot.kind != "activation":
            return None
        return _layers.LearnedRate(self.drop, self.penalty, math.log(self.start / (1 - self.start)), slot.seed)

    def drop(self, h: Tensor, logit: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Mask ``h`` (batch, ..., units), softly enough for gradients to reach the rate's ``logit``."""
        batch, *positions, units = keras.ops.shape(h)
        tiny = keras.config.epsilon()
        u = keras.random.uniform((batch, *(1 for _ in positions), units), tiny, 1.0 - tiny, seed=seed)
        dropped = keras.ops.sigmoid((logit + keras.ops.log(u) - keras.ops.log(1.0 - u)) / TEMPERATURE)
        return h * ((1.0 - dropped) / kept(logit))

    def penalty(self, units: int, logit: Tensor, kernels: Sequence[Tensor]) -> Tensor:
        """What a rate costs that ``units`` are dropped at before they feed ``kernels``."""
        p, softplus = keras.ops.sigmoid(logit), keras.ops.softplus
        entropy = p * softplus(-logit) + (1.0 - p) * softplus(logit)  # softplus(-logit) = -log p
        squares = sum(keras.ops.sum(keras.ops.square(kernel)) for kernel in kernels)
        return self.prior * squares / kept(logit) - self.entropy * units * entropy

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Batch norm behind it, in the next layer."""
        return shifted(self.name, others)


def kept(logit: Tensor) -> Tensor:
    """1 - p, never quite 0."""
    return keras.ops.maximum(keras.ops.sigmoid(-logit), keras.config.epsilon())
