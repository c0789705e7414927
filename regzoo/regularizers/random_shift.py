"""Random shifts of images (augmentation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import resample


@dataclass(frozen=True)
class RandomShift(Augmentation):
    """Shift each training image by a random distance, up or down and left or right.

    Formula: x[i, j] -> x[i - a, j - b], a ~ U(-factor, factor) height and b ~ U(-factor, factor) width, drawn for each
    image, in whole pixels (a fraction of a pixel is one pixel with that probability). Beyond the border its pixels are
    repeated.

    Departs from Keras's RandomTranslation, which interpolates between pixels and so blurs: whole pixels keep the scale
    of standardized inputs. Hurts where the position of an object carries meaning.

    Args:
        factor: largest shift as a fraction of height and of width, in [0, 1]; 0 does nothing.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``factor`` lies outside [0, 1], the inputs are not images, or the task is reconstruction.

    Reference: Shorten and Khoshgoftaar 2019 [shorten2019], https://doi.org/10.1186/s40537-019-0197-0

    >>> from regzoo.regularizers import RandomShift
    >>> print(RandomShift(0.1))
    random_shift(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images", "targets"})

    factor: Strength = strength(Float(0.02, 0.2), neutral=0.0, domain="[0, 1]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Shift images x (batch, height, width, channels); the targets stay."""
        batch, height, width, _ = keras.ops.shape(x)
        rows, columns = self._draw_positions(batch, height, seed), self._draw_positions(batch, width, seed)
        return resample(x, rows, columns), y

    def _draw_positions(self, batch: Tensor, length: int, seed: keras.random.SeedGenerator) -> Tensor:
        """Return the position from which each of ``length`` rows or columns is copied, (batch, length), in pixels."""
        pixels = self.factor * length * keras.random.uniform((batch, 1), -1.0, 1.0, seed=seed)
        whole = keras.ops.floor(pixels + keras.random.uniform((batch, 1), seed=seed))
        return keras.ops.arange(length, dtype=keras.config.floatx()) - whole
