"""Random zooms of images (augmentation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import resample


@dataclass(frozen=True)
class RandomZoom(Augmentation):
    """Enlarge or shrink each training image by a random factor about its center.

    Formula: x[i, j] -> x[c + (i - c) / (1 + a), d + (j - d) / (1 + b)], (c, d) the center, a and b ~
    U(-factor, factor), drawn for each image; bilinear between pixels. Beyond the border its pixels are repeated.

    Height and width have separate factors, so images are stretched too. Hurts where the size of an object carries
    meaning; bilinear interpolation blurs fine detail.

    Args:
        factor: largest change of scale, in [0, 1); 0 does nothing.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``factor`` lies outside [0, 1), the inputs are not images, or the task is reconstruction.

    Reference: Shorten and Khoshgoftaar 2019 [shorten2019], https://doi.org/10.1186/s40537-019-0197-0

    >>> from regzoo.regularizers import RandomZoom
    >>> print(RandomZoom(0.1))
    random_zoom(0.1)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images", "targets"})

    factor: Strength = strength(Float(0.05, 0.3), neutral=0.0, domain="[0, 1)")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Zoom images x (batch, height, width, channels); the targets stay."""
        batch, height, width, _ = keras.ops.shape(x)
        rows, columns = self._draw_positions(batch, height, seed), self._draw_positions(batch, width, seed)
        return resample(x, rows, columns), y

    def _draw_positions(self, batch: Tensor, length: int, seed: keras.random.SeedGenerator) -> Tensor:
        """Return the position from which each of ``length`` rows or columns is sampled, (batch, length), in pixels."""
        scale = 1.0 + self.factor * keras.random.uniform((batch, 1), -1.0, 1.0, seed=seed)
        center = (length - 1) / 2
        offset = keras.ops.arange(length, dtype=keras.config.floatx()) - center
        return center + offset / keras.ops.maximum(scale, keras.config.epsilon())
