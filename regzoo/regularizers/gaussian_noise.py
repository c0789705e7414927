"""Gaussian noise on the inputs of the model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.batch_inputs import map_cells
from regzoo.core.cells import Cells, InputCells
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class GaussianNoise(Augmentation):
    """Add random noise to the inputs during training.

    Formula: x + N(0, stddev^2). Inputs are standardized, so ``stddev`` is in units of an input's own
    standard deviation.

    Numbers alone get noise. Categories and booleans, columns of 0 and 1, are not standardized and stay as they are,
    since between two words there is none; so do numbers that are missing.

    For small noise and squared loss this is Tikhonov regularization.

    Args:
        stddev: standard deviation of the noise, in [0, inf); 0 does nothing.
        copies: copies of each training row that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``stddev`` is negative; when the model is built, if its inputs are categories and booleans
            alone.

    Reference: Bishop 1995 [bishop1995], https://doi.org/10.1162/neco.1995.7.1.108

    >>> from regzoo.regularizers import GaussianNoise
    >>> print(GaussianNoise(0.1))
    gaussian_noise(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"numbers"})

    stddev: Strength = strength(Float(0.01, 0.5), neutral=0.0, domain="[0, inf)")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: InputCells = None
    ) -> tuple[Tensor, Tensor]:
        """Add noise to x (any shape; of several inputs, to all floats); the targets stay."""

        def add_noise(values: Tensor, own: Cells | None) -> Tensor:
            noisy = values + self.stddev * keras.random.normal(keras.ops.shape(values), seed=seed)
            return noisy if own is None else keras.ops.where(own.find_numbers(values), noisy, values)

        return map_cells(add_noise, x, cells), y
