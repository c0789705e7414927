"""CutMix augmentation of images and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Regularizer, Strength, Tensor, strength
from regzoo.core.cells import Cells
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import average, draw_partners, draw_region, warn_augmentation


@dataclass(frozen=True)
class Cutmix(OnBatch):
    """Replace a random region of each example by that of another example, and mix their targets accordingly.

    Formula: (m x' + (1 - m) x, k y + (1 - k) y') with probability rate, (x', y') another example of the batch,
    k = 1 - mean(m) the fraction kept. In images m is a box around a random pixel that covers a fraction U(0, 1) of the
    area, clipped at the border; in rows it is a random subset of a fraction U(0, 1) of the cells.

    A cell is a column of the data: the one-hot columns of a category are replaced together, and count as one in k; so
    do a number and the mark that it is missing.

    Helps image models use the whole object; hurts where a small region carries the answer. An autoencoder's targets are
    its inputs with the same region replaced, so it has nothing to mix.

    Departs from Yun's code: the box, its size and whether to replace anything are drawn for each example, not once a
    batch. The fraction is Beta(1, 1), as in the paper.

    Args:
        rate: probability that an example is changed, in [0, 1]; 0 does nothing, 1 changes every example.

    Raises:
        InputError: if ``rate`` lies outside [0, 1]; if the inputs are to be reconstructed.

    Reference: Yun et al. 2019 [yun2019], https://arxiv.org/abs/1905.04899; for rows Kadra et al. 2021 [kadra2021],
    https://arxiv.org/abs/2106.11189

    >>> from regzoo.regularizers import Cutmix
    >>> print(Cutmix(0.5))
    cutmix(0.5)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"targets"})
    mixes_targets: ClassVar[bool] = True

    rate: Strength = strength(Float(0.1, 1.0), neutral=0.0, domain="[0, 1]")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: Cells | None = None
    ) -> tuple[Tensor, Tensor]:
        """Replace regions of x (batch, ...) and mix y (batch, size)."""
        each = (keras.ops.shape(x)[0], 1)
        partner = draw_partners(x, seed)
        replaced = keras.random.uniform(each, seed=seed) < self.rate
        share = keras.ops.where(replaced, keras.random.uniform(each, seed=seed), 0.0)
        region, kept = draw_region(x, share, seed, cells)
        return keras.ops.where(region, keras.ops.take(x, partner, axis=0), x), average(y, partner, kept)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about a second augmentation and about label smoothing."""
        return warn_augmentation(self.name, others, softening={"label_smoothing"})
