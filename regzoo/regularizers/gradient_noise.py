"""Gaussian noise on the gradients, annealed."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, Gradients, OnGradients, Strength, Tensor, strength
from regzoo.core.lazy import keras

DECAY = 0.55
"""Exponent with which the variance of the noise decays; the paper's value."""


@dataclass(frozen=True)
class GradientNoise(OnGradients):
    """Add random noise to the gradients, less and less during training.

    Formula: g + N(0, eta / (1 + t)^0.55), t the number of steps taken so far; 0.55 is the exponent of the variance.

    Helps deep networks with poor initial values to leave narrow valleys early; it only slows down a network that trains
    well without it.

    Cost: in addition to the pass, a random number for each weight in every step: at a small batch several times
    the pass (measured: 5 more in an MLP at 32 rows).

    Args:
        eta: variance of the noise in the first step, in [0, inf); 0 does nothing. The paper tries 0.01, 0.3 and 1.

    Raises:
        InputError: if ``eta`` is negative.

    Reference: Neelakantan et al. 2015 [neelakantan2015], https://arxiv.org/abs/1511.06807

    >>> from regzoo.regularizers import GradientNoise
    >>> print(GradientNoise(0.01))
    gradient_noise(0.01)
    """

    eta: Strength = strength(Float(1e-3, 1.0), neutral=0.0, domain="[0, inf)", log=True)

    def gradients(self, compute: Gradients, weights: list[keras.Variable]) -> list[Tensor]:
        """Compute the gradients and add noise."""
        step = keras.ops.cast(compute.step, keras.config.floatx())
        stddev = keras.ops.sqrt(self.eta / (1.0 + step) ** DECAY)
        return [g + stddev * keras.random.normal(keras.ops.shape(g), seed=compute.seed) for g in compute()]
