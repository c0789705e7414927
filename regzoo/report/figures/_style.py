"""The common style of the figures: ``regzoo.mplstyle``, named colors, and a marker and line for each part of the data.

Colors: Okabe and Ito 2008, https://jfly.uni-koeln.de/color/. Marker and line differ too, so nothing is lost in gray.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import TypeVar

import matplotlib as mpl
import matplotlib.style
from matplotlib.figure import Figure

STYLE = Path(__file__).with_name("regzoo.mplstyle")
_SETTINGS = mpl.rc_params_from_file(STYLE, use_default_template=False)

WIDTH: float = _SETTINGS["figure.figsize"][0]
"""Inches, for every figure."""

SIZE: float = _SETTINGS["font.size"]
SMALL: float = _SETTINGS["legend.fontsize"]
"""Points: of titles and axis labels, and of everything that is written smaller."""

BLACK, GRAY, PALE = "#000000", "#6b6b6b", "#f0f2f4"
ORANGE, SKY, BLUE, VERMILION = "#E69F00", "#56B4E9", "#0072B2", "#D55E00"

Info = TypeVar("Info")


@dataclass(frozen=True)
class PartStyle:
    """Color, marker and line of one part of the data, the same in every figure."""

    color: str
    marker: str
    line: str


PARTS = {
    "train": PartStyle(ORANGE, "s", "--"),
    "validation": PartStyle(BLUE, "o", "-"),
    "test": PartStyle(BLACK, "D", ":"),
}


@contextmanager
def use_style() -> Iterator[None]:
    """Apply the common style while a figure is drawn or saved; letters that its font lacks are boxes."""
    with matplotlib.style.context(STYLE), warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        yield


def with_style(draw: Callable[[Info], Figure]) -> Callable[[Info], Figure]:
    """Make ``draw`` use the common style."""

    @wraps(draw)
    def draw_in_style(info: Info) -> Figure:
        with use_style():
            return draw(info)

    return draw_in_style


def make_figure(height: float) -> Figure:
    """Return an empty figure, ``height`` inches high; under `use_style` it arranges its own layout."""
    return Figure(figsize=(WIDTH, height))
