"""Random zooms of images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Float, OnBatch, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import sample


@dataclass(frozen=True)
class RandomZoom(OnBatch):
    """Stretch or shrink each training image about its centre, height and width each by up to ``factor``.

    Formula: x[i, j] -> x[c + (i - c) / (1 + a), d + (j - d) / (1 + b)], (c, d) the centre, a and b ~
    U(-factor, factor), each image by itself; bilinear between pixels. Beyond the border its pixels are repeated.

    Height and width are drawn apart, so images are stretched too. Hurts where size is the meaning; bilinear
    sampling blurs fine detail.

    Args:
        factor: largest change of scale, in [0, 1); 0 does nothing.

    Raises:
        InputError: if ``factor`` lies outside [0, 1), the inputs are no images, or they are to be reconstructed.

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
        rows, columns = self._places(batch, height, seed), self._places(batch, width, seed)
        return sample(x, rows, columns), y

    def _places(self, batch: Tensor, length: int, seed: keras.random.SeedGenerator) -> Tensor:
        """From where each of ``length`` rows or columns comes, (batch, length)."""
        scale = 1.0 + self.factor * keras.random.uniform((batch, 1), -1.0, 1.0, seed=seed)
        centre = (length - 1) / 2
        offset = keras.ops.arange(length, dtype="float32") - centre
        return centre + offset / keras.ops.maximum(scale, keras.config.epsilon())
