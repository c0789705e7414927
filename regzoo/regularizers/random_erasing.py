"""Random erasing of boxes in images (augmentation)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Regularizer, Strength, Tensor, setting, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._augment import warn_augmentation

SMALLEST = 0.02
"""Smallest fraction of the area that is erased, as in the paper."""

ATTEMPTS = 10
"""Boxes drawn for each image, of which the first that fits into it is taken, as in torchvision."""


@dataclass(frozen=True)
class RandomErasing(Augmentation):
    """Replace a random box of random training images by noise or by the mean.

    Formula: with probability rate (1 - m) x + m e, drawn for each image; m is a box inside the image of a fraction
    s ~ U(0.02, area) of its area, sqrt(s r height width) pixels high and sqrt(s height width / r) wide, rounded, with
    r ~ U(aspect, 1 / aspect); e ~ N(0, 1) for each pixel and channel, or 0. Zero is the mean of standardized inputs
    and 1 their standard deviation.

    The paper improves with any rate in [0.2, 0.8]; it takes 0.5, area 0.4 and aspect 0.3. Hurts where a small region
    carries the answer.

    Departs from the paper, whose noise is uniform in [0, 255], the range of its raw pixels. A box that does not fit is
    drawn again, ten times at most (the authors' code: 100); then the image stays. It has one pixel at least.

    Args:
        rate: probability that an image is changed, in [0, 1]; 0 does nothing.
        area: largest fraction of the area that is erased, in [0.02, 1].
        aspect: smallest ratio of the box's height to its width, in (0, 1]; the largest is its inverse.
        fill: ``noise`` or ``mean``.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if a value lies outside its domain, or the inputs are not images.

    Reference: Zhong et al. 2020 [zhong2020], https://arxiv.org/abs/1708.04896

    >>> from regzoo.regularizers import RandomErasing
    >>> print(RandomErasing(0.5))
    random_erasing(0.5)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images"})

    rate: Strength = strength(Float(0.2, 0.8), neutral=0.0, domain="[0, 1]")
    area: float = setting(0.4, domain="[0.02, 1]")
    aspect: float = setting(0.3, domain="(0, 1]")
    fill: str = setting("noise", options=("noise", "mean"))

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Erase a box of images x (batch, height, width, channels); the targets stay."""
        shape = keras.ops.shape(x)
        erased = keras.random.uniform((shape[0], 1, 1, 1), seed=seed) < self.rate
        box = self._draw_box(shape, seed)
        fill = keras.random.normal(shape, seed=seed) if self.fill == "noise" else keras.ops.zeros_like(x)
        return keras.ops.where(keras.ops.logical_and(erased, box), fill, x), y

    def _draw_box(self, shape: Sequence[Tensor], seed: keras.random.SeedGenerator) -> Tensor:
        """Return True inside a random box of each image, (batch, height, width, 1); nowhere if none fits."""
        batch, height, width, _ = shape
        tries = (batch, ATTEMPTS)
        pixels = height * width * keras.random.uniform(tries, SMALLEST, self.area, seed=seed)
        aspect = keras.random.uniform(tries, self.aspect, 1.0 / self.aspect, seed=seed)
        rows = keras.ops.maximum(keras.ops.round(keras.ops.sqrt(pixels * aspect)), 1.0)
        columns = keras.ops.maximum(keras.ops.round(keras.ops.sqrt(pixels / aspect)), 1.0)
        fits = keras.ops.logical_and(rows <= height, columns <= width)
        first = keras.ops.argmax(keras.ops.cast(fits, "int32"), axis=1)[:, None]
        sides = [
            self._draw_interval(keras.ops.take_along_axis(count, first, axis=1), length, seed)
            for count, length in ((rows, height), (columns, width))
        ]
        box = keras.ops.logical_and(sides[0][:, :, None], sides[1][:, None, :])
        return keras.ops.logical_and(box, keras.ops.any(fits, axis=1)[:, None, None])[..., None]

    def _draw_interval(self, count: Tensor, length: int, seed: keras.random.SeedGenerator) -> Tensor:
        """Return True within an interval of ``count`` (batch, 1) pixels at a random place, (batch, length)."""
        places = length - count + 1.0  # of its first pixel
        start = keras.ops.floor(places * keras.random.uniform(keras.ops.shape(count), seed=seed))
        position = keras.ops.arange(length, dtype=keras.config.floatx())
        return keras.ops.logical_and(position >= start, position < start + count)

    def warn_recipe(self, others: Sequence[Regularizer]) -> str | None:
        """Warn about cutout, which hides boxes as well."""
        return warn_augmentation(self.name, others)
