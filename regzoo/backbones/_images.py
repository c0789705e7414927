"""Images too large for what is made for digits: made smaller before the first layer with weights."""

from __future__ import annotations

import math
from typing import Any

from regzoo.core import InputError
from regzoo.core.lazy import keras

LARGE = 64
"""Height and width from which images are halved, or averaged down, first: twice what CIFAR has."""

SMALL = 32
"""To about this height and width images are averaged down for dense layers."""


def side(x: Any) -> int:
    """The smaller of height and width of images x (batch, height, width, channels)."""
    return min(x.shape[1], x.shape[2])


def refuse_unknown(x: Any) -> None:
    """Refuse inputs x (batch, ...) with a size that differs from example to example: a dense layer takes one.

    Raises:
        InputError: if there is such a size.
    """
    if None in x.shape[1:]:
        raise InputError(
            f"a dense layer needs inputs of one known size, received shape {tuple(x.shape[1:])}; use transformer for "
            "sequences of any length"
        )


def flat(x: Any) -> Any:
    """Map x (batch, ...) to (batch, inputs); images of 64 x 64 pixels and more are averaged down to 32 x 32 before.

    Other shapes count by their area. A dense layer on every pixel of a photograph would hold tens of millions of
    weights (224 x 224 x 3 pixels, 256 units: 38.5 million), on 32 x 32 it holds less than one.

    Raises:
        InputError: if a size is unknown.
    """
    refuse_unknown(x)
    if len(x.shape) == 4 and x.shape[1] * x.shape[2] >= LARGE**2:
        block = math.ceil(math.sqrt(x.shape[1] * x.shape[2]) / SMALL)
        window = tuple(min(block, length) for length in x.shape[1:3])
        x = keras.layers.AveragePooling2D(window, padding="same", name="shrink")(x)
    return keras.layers.Flatten(name="flatten")(x) if len(x.shape) > 2 else x
