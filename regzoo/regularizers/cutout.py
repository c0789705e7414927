"""Cutout augmentation of images and rows."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from regzoo.core import Augmentation, Float, Regularizer, Strength, Tensor, strength
from regzoo.core.batch_inputs import map_cells
from regzoo.core.cells import Cells, InputCells
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import draw_region, warn_augmentation


@dataclass(frozen=True)
class Cutout(Augmentation):
    """Set a random box of each training image, or random cells of each row, to zero.

    Formula: (1 - m) x; in images m is a box of sqrt(share) height by sqrt(share) width around a random pixel,
    clipped at the border, so that less is hidden there; in rows it is a random subset of ``share`` of the
    cells, the columns of the data. Nothing is scaled up. Zero is the mean of standardized inputs.

    A category is one cell: where it is hidden, all of its one-hot columns are zero, as for a word that training did not
    have. A hidden boolean is false, a hidden number the mean, and not marked as missing.

    The paper hides 0.06 to 0.4 of an image's area. Hurts where a small region carries the answer, and rows whose
    columns cannot be predicted from one another.

    Args:
        share: fraction of the area or of the columns, in [0, 1]; 0 does nothing.
        copies: copies of each training row that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``share`` lies outside [0, 1].

    Reference: DeVries and Taylor 2017 [devries2017], https://arxiv.org/abs/1708.04552; for rows Kadra et al. 2021
    [kadra2021], https://arxiv.org/abs/2106.11189

    >>> from regzoo.regularizers import Cutout
    >>> print(Cutout(0.25))
    cutout(0.25)
    """

    share: Strength = strength(Float(0.05, 0.4), neutral=0.0, domain="[0, 1]")

    def batch(
        self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator, cells: InputCells = None
    ) -> tuple[Tensor, Tensor]:
        """Hide a region of x (batch, ...), and of several inputs one of all floats; the targets stay."""

        def hide(values: Tensor, own: Cells | None) -> Tensor:
            region, _ = draw_region(values, self.share, seed, own)
            return keras.ops.where(region, 0.0, values)

        return map_cells(hide, x, cells), y

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about a second augmentation."""
        return warn_augmentation(self.name, others)
