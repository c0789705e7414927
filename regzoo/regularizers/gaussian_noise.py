"""Gaussian noise on the inputs of the model."""

from __future__ import annotations

from dataclasses import dataclass

from regzoo.core import Float, OnBatch, Strength, Tensor, strength
from regzoo.core.batch_inputs import map_floats
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class GaussianNoise(OnBatch):
    """Add random noise to the inputs during training.

    Formula: x + N(0, stddev^2). Inputs are standardized, so ``stddev`` is in units of an input's own
    standard deviation.

    For small noise and squared loss this is Tikhonov regularization.

    Args:
        stddev: standard deviation of the noise, in [0, inf); 0 does nothing.

    Raises:
        InputError: if ``stddev`` is negative.

    Reference: Bishop 1995 [bishop1995], https://doi.org/10.1162/neco.1995.7.1.108

    >>> from regzoo.regularizers import GaussianNoise
    >>> print(GaussianNoise(0.1))
    gaussian_noise(0.1)
    """

    stddev: Strength = strength(Float(0.01, 0.5), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Add noise to x (any shape; of several inputs, to all floats); the targets stay."""

        def add_noise(values: Tensor) -> Tensor:
            return values + self.stddev * keras.random.normal(keras.ops.shape(values), seed=seed)

        return map_floats(add_noise, x), y
