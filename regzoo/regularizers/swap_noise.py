"""Swap noise for rows of a table (augmentation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.cells import Cells, count_cells, spread
from regzoo.core.lazy import keras


@dataclass(frozen=True)
class SwapNoise(Augmentation):
    """Replace random cells of each training row by the same column of other rows.

    Formula: x[i, j] -> x[k, j] with probability rate, k uniform among the other rows of the batch, drawn for each cell.

    A category is one cell, whose one-hot columns are swapped together; so is a number with the mark that it is missing.
    Every column keeps its own distribution, and becomes less correlated with the others; the target stays. Hurts where
    a few columns carry the answer; a batch of one row is left as it is.

    Args:
        rate: probability of a swap, in [0, 1]; 0 does nothing, 0.15 is Jahrer's value.
        copies: copies of each training row that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``rate`` lies outside [0, 1], or the inputs are not rows.

    Reference: Yoon et al. 2020 [yoon2020], VIME,
    https://proceedings.neurips.cc/paper/2020/hash/7d97667a3e056acab9aaf653807b4a03-Abstract.html; first used by Jahrer
    2017 [jahrer2017], https://www.kaggle.com/c/porto-seguro-safe-driver-prediction/discussion/44629

    >>> from regzoo.regularizers import SwapNoise
    >>> print(SwapNoise(0.15))
    swap_noise(0.15)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"rows"})

    rate: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1]")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: Cells | None = None
    ) -> tuple[Tensor, Tensor]:
        """Swap cells of x (batch, columns); the targets stay."""
        shape = (keras.ops.shape(x)[0], count_cells(x, cells))
        swapped = keras.random.uniform(shape, seed=seed) < self.rate
        rows = keras.ops.cast(keras.ops.maximum(shape[0], 2), "int32")
        step = keras.random.randint(shape, 1, rows, seed=seed)  # to another row
        donor = (keras.ops.arange(shape[0], dtype="int32")[:, None] + step) % shape[0]
        donated = keras.ops.take_along_axis(x, spread(donor, cells), axis=0)
        return keras.ops.where(spread(swapped, cells), donated, x), y
