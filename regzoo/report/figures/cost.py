"""Cost: score against training time, and which recipes no other beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, scale
from regzoo.report.figures._style import BLUE, GREY, ORANGE, SMALL, WIDTH, canvas, styled
from regzoo.report.figures._text import inches, spread, wrap
from regzoo.report.formatting import listing
from regzoo.training.records import Record

ORDER = 7
TITLE = "Score and cost"

_LINE = 0.155
"""Height of a line of small text, in inches."""

_CLEAR = 0.07
"""Inches between a marker's centre and a line that passes beside it."""


@dataclass(frozen=True)
class Point:
    """One recipe: mean training seconds of a replicate, mean score, and whether no other beats it in both."""

    name: str
    seconds: float
    score: float
    pareto: bool


@dataclass(frozen=True)
class Cost(Info):
    """The measured recipes, from the best down."""

    points: tuple[Point, ...]

    @property
    def missing(self) -> str:
        """No recipe has both numbers."""
        return "" if self.points else "No recipe has both a score and a training time yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        corner = "lower" if self.direction == "min" else "upper"
        return (
            f"Each point is a recipe, and the {corner} left corner is where to be: no other recipe is at least as "
            "good and as fast as one of the filled circles, which the line joins; the rest (open squares) cost "
            "more than they give."
        )

    @property
    def alternative(self) -> str:
        """The Pareto set in words."""
        best = [f"{p.name} ({p.score:.4g} in {p.seconds:.3g} s)" for p in self.points if p.pareto]
        return f"Validation {self.metric} against training seconds. Not beaten in both: {listing(best)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Cost:
    """Return score and training time of each recipe, and the Pareto set."""
    sign = 1.0 if board["direction"] == "min" else -1.0
    known = [
        (row["name"], boards.number(row["fit_seconds"]), boards.number(row["mean"]))
        for row in boards.measured(board)
        if boards.known(row["fit_seconds"])
    ]
    points = tuple(
        Point(name, time, score, not any(_beats((t, sign * s), (time, sign * score)) for _, t, s in known))
        for name, time, score in known
    )
    return Cost(board["rank_by"], board["direction"], points)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """True if ``one`` is no worse in both and better in one; less is better."""
    return one != other and one[0] <= other[0] and one[1] <= other[1]


@styled
def draw(info: Cost) -> Figure:
    """Draw the points, with their names in a column at the right."""
    points = sorted(info.points, key=lambda p: -p.seconds)  # equal scores: the leftmost leads to the highest name
    labels = [wrap(point.name, 2.4, weight=_weight(point)) for point in points]
    sizes = [_LINE * (label.count("\n") + 1) + 0.05 for label in labels]
    column = max(inches(label, weight=_weight(point)) for label, point in zip(labels, points, strict=True)) + 0.35
    figure = canvas(max(3.6, sum(sizes) + 1.1))
    axes, beside = figure.subplots(1, 2, width_ratios=[WIDTH - 1.0 - column, column])
    beside.set_axis_off()
    times, scores = [p.seconds for p in points], [p.score for p in points]
    dress(axes.xaxis, times, scale(times), ticks=5)
    dress(axes.yaxis, scores, scale(scores))
    axes.set_xlabel("training time, seconds (mean of a replicate)")
    axes.set_ylabel(f"validation {info.metric} ({boards.better(info.direction)} is better)")
    best = sorted((p for p in info.points if p.pareto), key=lambda p: p.seconds)
    axes.plot([p.seconds for p in best], [p.score for p in best], color=BLUE, linewidth=1, zorder=2)
    for point in points:
        axes.plot([point.seconds], [point.score], zorder=3, **(_BEST if point.pareto else _REST))
    _names(axes, beside, points, labels, sizes)
    figure.legend(handles=_legend(), loc="outside upper left", ncols=2)
    return figure


def _names(axes: Axes, beside: Axes, points: Sequence[Point], labels: Sequence[str], sizes: Sequence[float]) -> None:
    """Write each name near the height of its point as far as there is room, and lead a line to it."""
    height = max(3.6, sum(sizes) + 1.1) - 1.0
    centres = _centres([_place(axes, point, height) for point in points], sizes, height)
    for point, label, centre in zip(points, labels, centres, strict=True):
        name = beside.annotate(
            label, (point.seconds, point.score), xycoords=axes.transData, xytext=(0.0, centre / height),
            textcoords=beside.transAxes, va="center", size=SMALL, weight=_weight(point),
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 4, "relpos": (0.0, 0.5)},
        )  # fmt: skip
        name.set_in_layout(False)


def _centres(places: Sequence[tuple[float, float]], sizes: Sequence[float], height: float) -> list[float]:
    """Heights of the names, in inches: shifted together as little as it takes for lines to keep clear of markers."""
    shifts = sorted((0.03 * step for step in range(-12, 13)), key=abs)
    layouts = (spread([y + shift for _, y in places], sizes, 0.0, height) for shift in shifts)
    return min(layouts, key=lambda centres: _covered(places, centres))  # the first of the best


def _covered(places: Sequence[tuple[float, float]], centres: Sequence[float]) -> int:
    """How many markers lie on a line from another point to its name."""
    return sum(
        abs(y + (centre - y) * (across - x) / (1.0 - x) - up) < _CLEAR
        for (x, y), centre in zip(places, centres, strict=True)
        for across, up in places
        if across > x
    )


def _weight(point: Point) -> str:
    return "bold" if point.pareto else "normal"


def _place(axes: Axes, point: Point, height: float) -> tuple[float, float]:
    """Where a point lies: the share of the width of the axes, and inches of their height, in hundredths."""
    x, y = axes.transLimits.transform(axes.transScale.transform((point.seconds, point.score)))
    return float(x), round(float(y), 2) * height if math.isfinite(y) else height / 2


_BEST: dict[str, Any] = {"marker": "o", "linestyle": "", "color": BLUE, "markersize": 7}
_REST: dict[str, Any] = {
    "marker": "s", "linestyle": "", "color": ORANGE, "markersize": 6, "markerfacecolor": "white", "mew": 1.6
}  # fmt: skip


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], label="not beaten in both", **_BEST),
        Line2D([], [], label="beaten by another recipe", **_REST),
    ]
