"""Random shifts of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import sample


@dataclass(frozen=True)
class RandomShift(OnBatch):
    """Move each training image up or down and left or right by up to ``factor`` of its size.

    Formula: x[i, j] -> x[i - a, j - b], a ~ U(-factor, factor) height and b ~ U(-factor, factor) width, each
    image by itself, as whole pixels (a fraction of a pixel is one pixel with that probability). Beyond the
    border its pixels are repeated.

    Departs from Keras's RandomTranslation, which blurs by sampling between pixels: whole pixels keep the scale
    of standardized inputs. Hurts where the place of a thing is its meaning.

    Args:
        factor: largest shift as a share of height and of width, in [0, 1]; 0 does nothing.

    Raises:
        InputError: if ``factor`` lies outside [0, 1], the inputs are no images, or they are to be reconstructed.

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
        rows, columns = self._places(batch, height, seed), self._places(batch, width, seed)
        return sample(x, rows, columns), y

    def _places(self, batch: Tensor, length: int, seed: keras.random.SeedGenerator) -> Tensor:
        """From where each of ``length`` rows or columns comes, (batch, length)."""
        pixels = self.factor * length * keras.random.uniform((batch, 1), -1.0, 1.0, seed=seed)
        whole = keras.ops.floor(pixels + keras.random.uniform((batch, 1), seed=seed))
        return keras.ops.arange(length, dtype="float32") - whole
