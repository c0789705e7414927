"""Downsampling of large images before the first layer with weights, and flattening."""

from __future__ import annotations

import math
from typing import Any

from regzoo.core import InputError
from regzoo.core.lazy import keras

LARGE = 64
"""Height and width in pixels from which images are downsampled first: twice those of CIFAR."""

SMALL = 32
"""Approximate height and width in pixels of downsampled images for dense layers."""


def get_smaller_side(x: Any) -> int:
    """Return the smaller of height and width of images x (batch, height, width, channels)."""
    return min(x.shape[1], x.shape[2])


def require_known_size(x: Any) -> None:
    """Require that all sizes of x but the batch are fixed, as a dense layer does.

    Raises:
        InputError: if a size is unknown.
    """
    if None in x.shape[1:]:
        raise InputError(
            f"a dense layer needs inputs of one known size, received shape {tuple(x.shape[1:])}; use transformer for "
            "sequences of any length"
        )


def flatten_inputs(x: Any) -> Any:
    """Map x (batch, ...) to (batch, inputs); images of 64 x 64 pixels and more are first averaged to about 32 x 32.

    For images that are not square the area counts. A dense layer on every pixel of a photograph would have tens of
    millions of weights (224 x 224 x 3 pixels, 256 units: 38.5 million); on 32 x 32 it has less than one million.

    Raises:
        InputError: if a size is unknown.
    """
    require_known_size(x)
    if len(x.shape) == 4 and x.shape[1] * x.shape[2] >= LARGE**2:
        block = math.ceil(math.sqrt(x.shape[1] * x.shape[2]) / SMALL)
        window = tuple(min(block, length) for length in x.shape[1:3])
        x = keras.layers.AveragePooling2D(window, padding="same", name="shrink")(x)
    return keras.layers.Flatten(name="flatten")(x) if len(x.shape) > 2 else x
