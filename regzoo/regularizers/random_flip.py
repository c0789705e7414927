"""Random flips of images (augmentation)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, setting, strength
from regzoo.core.lazy import keras

AXES = {"horizontal": (2,), "vertical": (1,), "both": (1, 2)}


@dataclass(frozen=True)
class RandomFlip(Augmentation):
    """Mirror random training images.

    Formula: x[i, j] -> x[i, width - 1 - j] with probability factor, drawn for each image; ``vertical`` reverses the
    rows instead, ``both`` draws for each of the two. Pixels are copied, bit for bit.

    Hurts where left and right differ in meaning: digits, letters, text.

    Args:
        factor: probability of a flip, in [0, 1]; 0 does nothing, 0.5 is the usual value, 1 flips every image.
        axis: ``horizontal``, ``vertical`` or ``both``.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``factor`` lies outside [0, 1], ``axis`` is another word, the inputs are not images, or the task
            is reconstruction.

    Reference: Shorten and Khoshgoftaar 2019 [shorten2019], https://doi.org/10.1186/s40537-019-0197-0

    >>> from regzoo.regularizers import RandomFlip
    >>> print(RandomFlip(0.5))
    random_flip(0.5)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images", "targets"})

    factor: Strength = strength(Float(0.1, 0.5), neutral=0.0, domain="[0, 1]")
    axis: str = setting("horizontal", options=tuple(AXES))

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Flip images x (batch, height, width, channels); the targets stay."""
        for axis in AXES[self.axis]:
            flipped = keras.random.uniform((keras.ops.shape(x)[0], 1, 1, 1), seed=seed) < self.factor
            x = keras.ops.where(flipped, keras.ops.flip(x, axis), x)
        return x, y
