"""The common look: colours that the colour-blind can tell apart, shapes that survive a grey printer.

Colours: Okabe and Ito 2008, https://jfly.uni-koeln.de/color/
"""

from __future__ import annotations

import io
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from functools import wraps
from pathlib import Path
from typing import Any, TypeVar
from xml.sax.saxutils import escape

import matplotlib as mpl
from matplotlib.figure import Figure

from regzoo.core import InputError

BLACK, GREY, PALE = "#000000", "#6b6b6b", "#f0f2f4"
ORANGE, SKY, BLUE, VERMILLION = "#E69F00", "#56B4E9", "#0072B2", "#D55E00"

WIDTH = 8.0
"""Inches, for every figure."""
SIZE, SMALL = 9.5, 8.5
"""Points: what is written in a figure, and what is written in small."""

I = TypeVar("I")  # noqa: E741


@dataclass(frozen=True)
class Part:
    """How a part of the data looks in every figure."""

    color: str
    marker: str
    line: str


PARTS = {
    "train": Part(ORANGE, "s", "--"),
    "validation": Part(BLUE, "o", "-"),
    "test": Part(BLACK, "D", ":"),
}


def style() -> AbstractContextManager[None]:
    """Settings that hold while a figure is drawn and saved; names are never read as mathematics."""
    return mpl.rc_context(
        {
            "font.family": ["DejaVu Sans"],  # comes with matplotlib
            "font.size": SIZE,
            "axes.titlesize": SIZE,
            "axes.labelsize": SIZE,
            "xtick.labelsize": SMALL,
            "ytick.labelsize": SMALL,
            "legend.fontsize": SMALL,
            "legend.frameon": False,
            "axes.spines.top": False,
            "axes.spines.right": False,
            "axes.edgecolor": GREY,
            "axes.linewidth": 0.8,
            "xtick.color": GREY,
            "ytick.color": GREY,
            "xtick.labelcolor": BLACK,
            "ytick.labelcolor": BLACK,
            "text.parse_math": False,
            "axes.formatter.use_mathtext": False,
            "axes.unicode_minus": False,
            "svg.hashsalt": "regzoo",
            "svg.fonttype": "path",
        }
    )


def styled(draw: Callable[[I], Figure]) -> Callable[[I], Figure]:
    """Draw in the common look."""

    @wraps(draw)
    def inside(info: I) -> Figure:
        with style():
            return draw(info)

    return inside


def canvas(height: float) -> Figure:
    """Return an empty figure, ``height`` inches high, that lays itself out."""
    return Figure(figsize=(WIDTH, height), layout="constrained")


def svg(figure: Figure, name: str, title: str, alternative: str) -> str:
    """Return the figure as one ``<svg>`` element with a title; equal figures give equal text.

    Every id starts with ``name``, so that several figures can stand in one page.
    """
    buffer = io.StringIO()
    nothing: dict[str, Any] = {"Date": None, "Creator": None, "Format": None, "Type": None}
    with style():
        figure.savefig(buffer, format="svg", metadata=nothing)
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r'(\bid="|url\(#|href="#)', rf"\g<1>{name}-", text)
    head = f'<title id="{name}-title">{escape(title)}</title>\n<desc id="{name}-desc">{escape(alternative)}</desc>\n'
    text = text.replace("<svg ", f'<svg role="img" aria-labelledby="{name}-title {name}-desc" ', 1)
    end = text.index(">") + 1
    return text[:end] + "\n" + head + text[end:].lstrip()


def save(figure: Figure, path: Path, name: str, title: str, alternative: str) -> None:
    """Write the figure as the end of ``path`` says, such as ``.svg`` or ``.png``.

    Raises:
        InputError: if no picture ends so.
    """
    known = sorted(figure.canvas.get_supported_filetypes())
    kind = path.suffix.lower().removeprefix(".")
    if kind not in known:
        raise InputError(f"{path}: a picture ends in .svg, .png or .pdf, received {path.suffix or 'no ending'!r}")
    path.parent.mkdir(parents=True, exist_ok=True)
    if kind == "svg":
        text = svg(figure, name, title, alternative)
        path.write_text(f'<?xml version="1.0" encoding="utf-8"?>\n{text}', encoding="utf-8")
        return
    with style():
        figure.savefig(path, dpi=200)
