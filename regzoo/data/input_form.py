"""Kind of the inputs: rows, images, sequences, tokens or text, as the config says it or the shape shows it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, get_args

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.inputs import Array
from regzoo.data.reading.reading import OPEN, ReadingKeys

InputForms = Literal["rows", "images", "sequences", "tokens", "text"]
"""Kinds of inputs, see `InputForm`."""

FORMS: tuple[InputForms, ...] = get_args(InputForms)

SHAPES = {
    "rows": "(n, features)",
    "images": "(n, height, width) or (n, height, width, channels)",
    "sequences": "(n, steps, channels), or (n, steps) for a single channel",
    "tokens": "(n, steps) of whole numbers",
    "text": "(n,) of text",
}
"""Shapes of the arrays of each kind."""

_RANKS = {"rows": (2,), "images": (3, 4), "sequences": (2, 3), "tokens": (2,), "text": (1, 2)}

SMALLEST_IMAGE = 4
"""Height and width from which bytes are the pixels of an image."""

UNCLEAR_FROM, UNCLEAR_RATIO = 8, 2.0
"""An array that is not square may be images if both sides have 8 lines and the longer is less than twice the other."""


@dataclass(frozen=True)
class InputForm:
    """Kind of the inputs, as ``data.kind`` and its neighbors in a config say it.

    Attributes:
        kind: ``rows`` of features, ``images``, ``sequences`` of numbers (steps, channels), ``tokens`` (whole numbers, 0
            for padding) or ``text``; None to see it from the data.
        max_tokens: for text, the size of the vocabulary at most, as in `keras.layers.TextVectorization`; None for the
            default.
        sequence_length: for text, the number of words that are read of each; None for the default.
        keys: how the cells of a table's columns of text are read, where the user decides it.
    """

    kind: InputForms | None = None
    max_tokens: int | None = None
    sequence_length: int | None = None
    keys: ReadingKeys = OPEN


SEEN = InputForm()
"""The form of data whose shape shows its kind."""

IMAGES = InputForm("images")


def shape_array(x: Array, kind: InputForms | None, where: str) -> tuple[Array, InputForms, str]:
    """Return an array of numbers in the shape of its kind, the kind, and a sentence where shape alone decided.

    Two axes are rows, four are images. Three axes are gray images if they are square, or pixels in bytes; otherwise the
    steps and channels of sequences, as Keras's recurrent layers and tslearn take them.

    Args:
        x: (n, ...).
        kind: what it is; None to see it from the shape.
        where: the inputs in messages.

    Returns:
        Rows (n, features), images (n, height, width, channels), sequences (n, steps, channels) or tokens (n, steps).

    Raises:
        InputError: if the array has another number of axes than its kind; if three axes may be either.

    >>> shape_array(np.zeros((2, 50, 3)), None, "x")[1], shape_array(np.zeros((2, 8, 8)), None, "x")[0].shape
    ('sequences', (2, 8, 8, 1))
    """
    sentence = ""
    if kind is None:
        kind, sentence = _find_kind(x, where)
    if x.ndim not in _RANKS[kind]:
        raise InputError(f"{where} has the shape {x.shape}, and {kind} have {SHAPES[kind]}: correct data.kind (kind=)")
    single = (kind == "images" and x.ndim == 3) or (kind == "sequences" and x.ndim == 2)
    return (x[..., np.newaxis] if single else x), kind, sentence


def _find_kind(x: Array, where: str) -> tuple[InputForms, str]:
    if x.ndim != 3:
        return ("rows" if x.ndim == 2 else "images"), ""
    height, width = x.shape[1:]
    size, steps = f"{height} x {width}", f"sequences of {height} steps of {width} channels"
    if x.dtype == np.uint8 and min(height, width) >= SMALLEST_IMAGE:
        return "images", ""
    if height == width:
        return "images", f"x has square examples, read as gray images of {size}; data.kind: sequences reads {steps}"
    if min(height, width) >= UNCLEAR_FROM and max(height, width) < UNCLEAR_RATIO * min(height, width):
        raise InputError(
            f"{where} has the shape {x.shape}, which may be gray images of {size} pixels or {steps}: say which by "
            "data.kind: images or data.kind: sequences (in Python kind=), or give images a channel axis"
        )
    return "sequences", f"x was read as {steps}; data.kind: images reads gray images of {size}"
