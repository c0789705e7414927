"""TrivialAugment: one random operation with one random strength for each image (augmentation)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from regzoo.core import Augmentation, Float, Strength, Tensor, strength
from regzoo.core.lazy import keras
from regzoo.regularizers._images import warp

OPERATIONS = (
    "identity",
    "shear_x",
    "shear_y",
    "translate_x",
    "translate_y",
    "rotate",
    "brightness",
    "contrast",
    "sharpness",
    "posterize",
    "solarize",
    "color",
)
"""The operations to draw from; ``color`` is the last, since images of one channel do without it."""

LARGEST_SHEAR = 0.99
LARGEST_ANGLE = math.radians(135)
LARGEST_CHANGE = 0.99
"""The ends of the paper's wide ranges; `LARGEST_CHANGE` is that of brightness, contrast, sharpness and color."""

MOST_BITS, BITS = 8, 6
"""Posterize leaves 8 bits of each channel, or up to 6 fewer."""


@dataclass(frozen=True)
class TrivialAugment(Augmentation):
    """Change each training image by one random operation: move, turn, shear, recolor, sharpen, or nothing.

    Formula: x -> op(x, a), op uniform among the operations and a ~ U(0, strength), both drawn for each image. With
    s = a or -a, each half of the time, u the offset of a row and v that of a column from the center, and lo and hi the
    least and the largest value of the channel in the image:

    - identity; shear_x: x[u, v + 0.99 s u]; shear_y: x[u + 0.99 s v, v]; translate_x and translate_y by s of the
      side; rotate by 135 s degrees clockwise. Pixels are copied from the nearest one, those from beyond the
      border are 0, the mean of standardized inputs.
    - brightness: x + 0.99 s; contrast, color, sharpness: x + 0.99 s (x - d), where d is the mean of the image, the
      mean over the pixel's channels, or the mean over the 3 x 3 pixels around it, itself counted five times.
    - posterize: floor(L (x - lo) / (hi - lo)) (hi - lo) / L + lo, L = 2^(8 - 6 a) with the exponent rounded, and hi in
      the highest of the L steps, nothing at 8 bits; solarize: lo + hi - x where x > hi - a (hi - lo).

    At strength 1 these are the paper's wide ranges, at 0.3 roughly its standard ones (shear 0.3, translation 10 of 32
    pixels). The paper tunes neither. Hurts where position, orientation or color carry meaning, as in digits.

    Departs from the paper, whose operations act on pixels in [0, 255]: standardized values have no black, so
    brightness adds instead of multiplying, and posterize and solarize take the image's own range. Auto-contrast and
    equalize are left out: they have no strength, and stretch to a range that standardized values do not have. ``color``
    weighs all channels equally and goes without images of one channel. Shear is about the center, and strengths are
    continuous instead of 31 levels.

    Args:
        strength: largest share of the widest ranges, in [0, 1]; 0 does nothing.
        copies: copies of each training image that are changed once, before training; 0 changes the batches instead.

    Raises:
        InputError: if ``strength`` lies outside [0, 1], the inputs are not images, or the task is reconstruction.

    Reference: Müller and Hutter 2021 [muller2021], https://arxiv.org/abs/2103.10158

    >>> from regzoo.regularizers import TrivialAugment
    >>> print(TrivialAugment(1.0))
    trivial_augment(1.0)
    """

    requires: ClassVar[frozenset[str]] = frozenset({"images", "targets"})

    strength: Strength = strength(Float(0.3, 1.0), neutral=0.0, domain="[0, 1]")

    def batch(self, x: Tensor, y: Tensor, seed: keras.random.SeedGenerator) -> tuple[Tensor, Tensor]:
        """Change images x (batch, height, width, channels); the targets stay."""
        batch, *_, channels = keras.ops.shape(x)
        count = len(OPERATIONS) - (channels == 1)
        kind = keras.ops.floor(count * keras.random.uniform((batch,), seed=seed))
        amount = self.strength * keras.random.uniform((batch,), seed=seed)
        sign = keras.ops.where(keras.random.uniform((batch,), seed=seed) < 0.5, -1.0, 1.0)
        chosen = {name: kind == number for number, name in enumerate(OPERATIONS)}  # (batch,) each
        x = change_values(x, amount, sign, chosen)
        return move(x, sign * amount, chosen), y


def move(x: Tensor, amount: Tensor, chosen: dict[str, Tensor]) -> Tensor:
    """Return the images sheared, translated or turned.

    Args:
        x: images (batch, height, width, channels).
        amount: signed share of the widest range, (batch,).
        chosen: by name of the operation, whether it is an image's, (batch,).
    """
    _, height, width, _ = keras.ops.shape(x)

    def take(name: str, largest: float) -> Tensor:
        return largest * keras.ops.where(chosen[name], amount, 0.0)

    angle = take("rotate", LARGEST_ANGLE)
    cosine, sine = keras.ops.cos(angle), keras.ops.sin(angle)
    to_row = (cosine, take("shear_y", LARGEST_SHEAR) - sine, take("translate_y", height))
    to_column = (take("shear_x", LARGEST_SHEAR) + sine, cosine, take("translate_x", width))
    return warp(x, to_row, to_column)


def change_values(x: Tensor, amount: Tensor, sign: Tensor, chosen: dict[str, Tensor]) -> Tensor:
    """Return the images with other brightness, contrast, sharpness or color, or fewer values, or values inverted.

    Args:
        x: images (batch, height, width, channels).
        amount: share of the widest range, (batch,).
        sign: 1 or -1, (batch,).
        chosen: by name of the operation, whether it is an image's, (batch,).
    """
    amount, sign = (values[:, None, None, None] for values in (amount, sign))
    low, high = keras.ops.min(x, axis=(1, 2), keepdims=True), keras.ops.max(x, axis=(1, 2), keepdims=True)
    change = LARGEST_CHANGE * sign * amount
    changed = {
        "brightness": x + change,
        "contrast": x + change * (x - keras.ops.mean(x, axis=(1, 2, 3), keepdims=True)),
        "sharpness": x + change * subtract_smooth(x),
        "color": x + change * (x - keras.ops.mean(x, axis=3, keepdims=True)),
        "posterize": posterize(x, amount, low, high),
        "solarize": keras.ops.where(x > high - amount * (high - low), low + high - x, x),
    }
    for name, values in changed.items():
        x = keras.ops.where(chosen[name][:, None, None, None], values, x)
    return x


def subtract_smooth(x: Tensor) -> Tensor:
    """Return x minus the mean over the 3 x 3 pixels around it, itself counted five times; 0 along the border."""
    if min(x.shape[1:3]) < 3:
        return keras.ops.zeros_like(x)
    center = x[:, 1:-1, 1:-1]
    around = keras.ops.average_pool(x, 3, 1, padding="valid", data_format="channels_last")
    return keras.ops.pad(center - (9.0 * around + 4.0 * center) / 13.0, [[0, 0], [1, 1], [1, 1], [0, 0]])


def posterize(x: Tensor, amount: Tensor, low: Tensor, high: Tensor) -> Tensor:
    """Return x with 2^(8 - 6 amount) values between low and high, the exponent rounded; x itself at 8 bits."""
    bits = MOST_BITS - keras.ops.round(BITS * amount)
    levels, span = keras.ops.power(2.0, bits), keras.ops.maximum(high - low, keras.config.epsilon())
    step = keras.ops.minimum(keras.ops.floor(levels * (x - low) / span), levels - 1.0)
    return keras.ops.where(bits < MOST_BITS, low + span * step / levels, x)
