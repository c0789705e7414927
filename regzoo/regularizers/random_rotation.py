"""Random rotations of images (augmentation)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import warp


@dataclass(frozen=True)
class RandomRotation(Augmentation):
    """Rotate each training image by a random angle about its center.

    Formula: x[u, v] -> x[u cos a - v sin a, v cos a + u sin a], u and v the offsets of a pixel from the center downward
    and to the right, a ~ U(-degrees, degrees), drawn for each image: clockwise for a > 0. The nearest pixel is copied,
    as torchvision does; pixels from beyond the border are 0, the mean of standardized inputs.

    Hurts where orientation carries meaning, as between 6 and 9 at large angles.

    Args:
        degrees: largest angle, in degrees, in [0, 180]; 0 does nothing.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``degrees`` lies outside [0, 180], the inputs are not images, or the task is reconstruction.

    Reference: Shorten and Khoshgoftaar 2019 [shorten2019], https://doi.org/10.1186/s40537-019-0197-0

    >>> from regzoo.regularizers import RandomRotation
    >>> print(RandomRotation(15.0))
    random_rotation(15.0)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images", "targets"})

    degrees: Strength = strength(Float(5.0, 30.0), neutral=0.0, domain="[0, 180]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Rotate images x (batch, height, width, channels); the targets stay."""
        angle = math.pi / 180 * self.degrees * keras.random.uniform((keras.ops.shape(x)[0],), -1.0, 1.0, seed=seed)
        cosine, sine, none = keras.ops.cos(angle), keras.ops.sin(angle), keras.ops.zeros_like(angle)
        return warp(x, (cosine, -sine, none), (sine, cosine, none)), y
