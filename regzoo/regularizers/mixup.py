"""Mixup."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import clash, partners


@dataclass(frozen=True)
class Mixup(OnBatch):
    """Train on mixtures of two examples, inputs and targets alike.

    Formula: (s x + (1 - s) x', s y + (1 - s) y'), (x', y') another example of the batch, s = max(l, 1 - l),
    l ~ Beta(alpha, alpha), drawn for each example. Small alpha mixes hardly at all, 1 mixes evenly.

    Helps against wrong labels and overconfidence; hurts small networks, which underfit the mixtures, and rows
    whose columns are categories.

    Departs from the authors' code in two ways that leave the distribution of mixtures as in the paper's
    equation: s is drawn per example, not once a batch, and taken from 1/2 upwards, since (x, x') at l is (x', x)
    at 1 - l; so at alpha 0 the batch keeps its order, and is the baseline's bit for bit.

    Args:
        alpha: of the Beta distribution, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``alpha`` is negative.

    Reference: Zhang et al. 2018 [zhang2018], https://arxiv.org/abs/1710.09412

    >>> from regzoo.regularizers import Mixup
    >>> print(Mixup(0.2))
    mixup(0.2)
    """

    alpha: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Mix x (batch, ...) and y (batch, size) with a permutation of themselves."""
        partner = partners(x, seed)
        share = self.share(keras.ops.shape(x)[0], seed)  # (batch,)

        def mixed(values: Tensor) -> Tensor:
            own = keras.ops.reshape(share, (-1, *[1] * (len(values.shape) - 1)))
            return own * values + (1.0 - own) * keras.ops.take(values, partner, axis=0)

        return mixed(x), mixed(y)

    def share(self, batch: Tensor, seed: keras.random.SeedGenerator) -> Tensor:
        """Each example's own share, (batch,), in [1/2, 1].

        Beta is G / (G + G') with G, G' ~ Gamma(alpha). These underflow at small alpha, so their logarithms are
        drawn: Gamma(alpha) is Gamma(alpha + 1) times U^(1 / alpha).
        """

        def log_gamma() -> Tensor:
            gamma = keras.random.gamma((batch,), self.alpha + 1.0, seed=seed)
            exponential = -keras.ops.log1p(-keras.random.uniform((batch,), seed=seed))
            return keras.ops.log(gamma) - exponential / keras.ops.maximum(self.alpha, keras.config.epsilon())

        folded = keras.ops.sigmoid(keras.ops.abs(log_gamma() - log_gamma()))
        return keras.ops.where(keras.ops.greater(self.alpha, 0.0), folded, 1.0)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """A second augmentation, or labels that are smoothed as well."""
        return clash(self.name, others, softening={"label_smoothing"})
