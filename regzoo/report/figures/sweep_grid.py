"""Sweep of two strengths: the validation score of every combination, as a map with numbers."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import matplotlib as mpl
import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, SymLogNorm
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle

from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse
from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import Plain, finite, scale
from regzoo.report.figures._style import BLACK, PALE, SMALL, WIDTH, canvas, styled
from regzoo.report.figures._text import inches
from regzoo.report.findings import sweep as words
from regzoo.report.formatting import show, strength
from regzoo.training.records import Record

ORDER = 0
TITLE = "Score against two strengths"

COLORS = "cividis"
"""Runs from dark to light evenly, for the colour-blind and for grey printers."""


@dataclass(frozen=True)
class SweepGrid(Info):
    """The response to two strengths; None if the comparison sweeps none, or one."""

    response: StrengthResponse | None

    @property
    def fits(self) -> bool:
        """Only a sweep of two strengths has this figure."""
        return self.response is not None

    @property
    def missing(self) -> str:
        """No combination has a score."""
        done = self.response is not None and self.response.best is not None
        return "" if done else "No combination of the strengths has a finished replicate yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Mean validation {self.metric} ({boards.better(self.direction)} is better) of each combination; the "
            "thick frame is the best, dashed frames are within one standard error of it, and a cross is a "
            "combination that lost a replicate."
        )

    @property
    def alternative(self) -> str:
        """The best combination in words, and every mean."""
        if self.response is None or self.response.best is None:
            return self.missing
        means = [f"{words.at(p)}: {show(p.mean, words.places(self.response))}" for p in self.response.points]
        return f"{words.headline(self.response).replace('`', '')} Means: {', '.join(means)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> SweepGrid:
    """Return the response, if the comparison is a sweep of two strengths."""
    found = words.response_of(records, comparison)
    double = found is not None and len(found.sweep.over) == 2
    return SweepGrid(board["rank_by"], board["direction"], found if double else None)


@styled
def draw(info: SweepGrid) -> Figure:
    """Draw the first strength to the right, the second upwards."""
    found = info.response
    assert found is not None
    first, second = found.sweep.over
    columns, rows = len(first.values), len(second.values)
    figure = canvas(1.5 + max(0.42, min(0.62, 4.5 / rows)) * rows)
    axes = figure.add_subplot()
    means = np.array([point.mean for point in found.points]).reshape(columns, rows).T  # (rows, columns)
    norm = _norm([point.mean for point in found.points])
    colors = mpl.colormaps[COLORS].with_extremes(bad=PALE)
    image = axes.imshow(np.ma.masked_invalid(means), origin="lower", aspect="auto", cmap=colors, norm=norm)
    axes.set_xticks(range(columns), _thinned(first.values, (WIDTH - 1.8) / columns))
    axes.set_yticks(range(rows), [strength(value) for value in second.values])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel=first.name, ylabel=second.name)
    _cells(axes, found, image, (WIDTH - 1.8) / columns)
    bar = figure.colorbar(image, ax=axes, format=Plain(), pad=0.015, fraction=0.035, aspect=30)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label(f"validation {info.metric} ({boards.better(info.direction)} is better)")
    figure.legend(handles=_legend(found), loc="outside upper left", ncols=4)
    return figure


def _norm(values: Sequence[float]) -> Normalize:
    """A scale of colours on which the means can be told apart."""
    shown = finite(values)
    low, high = min(shown), max(shown)
    if low == high:
        return Normalize(low - 0.5, high + 0.5)
    kind = scale(shown)
    if kind == "symlog":
        return SymLogNorm(float(np.median(np.abs(shown))), vmin=low, vmax=high)
    return LogNorm(low, high) if kind == "log" else Normalize(low, high)


def _thinned(values: Sequence[float], room: float) -> list[str]:
    """Labels of the columns, each one only if it does not run into the one before."""
    texts: list[str] = []
    free = -math.inf
    for index, value in enumerate(values):
        text, middle = strength(value), index * room
        fits = middle - inches(text) / 2 > free
        texts.append(text if fits else "")
        free = middle + inches(text) / 2 + 0.05 if fits else free
    return texts


def _cells(axes: Axes, found: StrengthResponse, image: Any, room: float) -> None:
    """Numbers in the cells, frames around the best and the flat ones."""
    assert found.best is not None
    places, rows = words.places(found), len(found.sweep.over[1].values)
    texts = [show(point.mean, places) + (" ×" if point.lost else "") for point in found.points]  # noqa: RUF001
    size = min(SMALL, SMALL * (room - 0.12) / max(inches(text) for text in texts))
    for index, (point, text) in enumerate(zip(found.points, texts, strict=True)):
        x, y = divmod(index, rows)
        best = point.name == found.best.name
        color = _ink(image, point)
        axes.text(x, y, text, ha="center", va="center", size=size, color=color, weight="bold" if best else "normal")
        if best:
            axes.add_patch(_frame(x, y, 0.46, color="white", linewidth=4.5))
            axes.add_patch(_frame(x, y, 0.46, color=BLACK, linewidth=2.4))
        elif point.flat:
            axes.add_patch(_frame(x, y, 0.44, color=color, linewidth=1.3, linestyle=(0, (4, 2))))


def _frame(x: float, y: float, reach: float, **look: Any) -> Rectangle:
    return Rectangle((x - reach, y - reach), 2 * reach, 2 * reach, fill=False, zorder=3, **look)


def _ink(image: Any, point: ResponsePoint) -> str:
    """Black or white, whichever stands out."""
    if math.isnan(point.mean):
        return BLACK
    red, green, blue, _ = image.cmap(image.norm(point.mean))
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _legend(found: StrengthResponse) -> list[Any]:
    assert found.best is not None
    handles: list[Any] = [
        Patch(facecolor="none", edgecolor=BLACK, linewidth=2.2, label=f"best: {words.at(found.best)}")
    ]
    if len(found.flat) > 1:
        handles.append(
            Patch(facecolor="none", edgecolor=BLACK, linestyle=(0, (3, 1.5)), label="within one standard error")
        )
    base = found.baseline.mean
    if not math.isnan(base):
        handles.append(Line2D([], [], linestyle="", label=f"baseline: {show(base, words.places(found))}"))
    if any(point.lost for point in found.points):
        handles.append(Line2D([], [], linestyle="", marker="x", color=BLACK, label="diverged or failed"))
    return handles
