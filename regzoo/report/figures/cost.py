"""Cost: score against training time, and the Pareto front: the recipes that no other one beats in both."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_list, format_significant
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, set_up_axis
from regzoo.report.figures._style import BLUE, GRAY, ORANGE, SMALL, WIDTH, make_figure, with_style
from regzoo.report.figures._text import measure_width, spread_labels, wrap_text
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 7
TITLE = "Score and cost"

_LINE = 0.155
"""Height of a line of small text, in inches."""

_CLEAR = 0.07
"""Inches between a marker's center and a line that passes it."""


@dataclass(frozen=True)
class CostPoint:
    """One recipe: mean training seconds of a replicate, mean score, and whether no other one beats it in both."""

    name: str
    seconds: float
    score: float
    pareto: bool


@dataclass(frozen=True)
class CostFigure(FigureInfo):
    """The measured recipes, from the best down."""

    points: tuple[CostPoint, ...]

    @property
    def missing(self) -> str:
        return "" if self.points else "No recipe has both a score and a training time yet."

    @property
    def reading(self) -> str:
        corner = "lower" if self.direction == "min" else "upper"
        return (
            f"Each point is a recipe, and the best place is the {corner} left corner: filled circles, joined by the "
            "line, are the recipes that no other one beats in both score and time (the Pareto front), while for each "
            "open square there is a recipe at least as good and as fast."
        )

    @property
    def alternative(self) -> str:
        best = [
            f"{point.name} ({format_significant(point.score, 4)} in {format_significant(point.seconds, 3)} s)"
            for point in self.points
            if point.pareto
        ]
        return f"Validation {self.metric} against training seconds. Best trade-offs: {format_list(best)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> CostFigure:
    """Return score and training time of each recipe, and the Pareto set."""
    sign = 1.0 if leaderboard.direction == "min" else -1.0
    known = [(row.name, row.fit_seconds, row.mean) for row in leaderboard.measured if row.mean is not None]
    timed = [(name, time, score) for name, time, score in known if time is not None]
    points = tuple(
        CostPoint(name, time, score, not any(_beats((t, sign * s), (time, sign * score)) for _, t, s in timed))
        for name, time, score in timed
    )
    return CostFigure(leaderboard.rank_by, leaderboard.direction, points)


def _beats(one: tuple[float, float], other: tuple[float, float]) -> bool:
    """Return True if ``one`` is no worse in both and better in one; less is better."""
    return one != other and one[0] <= other[0] and one[1] <= other[1]


@with_style
def draw(info: CostFigure) -> Figure:
    """Draw the points, with their names in a column at the right."""
    points = sorted(info.points, key=lambda p: -p.seconds)  # equal scores: the leftmost leads to the highest name
    labels = [wrap_text(point.name, 2.4, weight=_choose_weight(point)) for point in points]
    sizes = [_LINE * (label.count("\n") + 1) + 0.05 for label in labels]
    widths = [measure_width(label, weight=_choose_weight(point)) for label, point in zip(labels, points, strict=True)]
    column = max(widths) + 0.35
    figure = make_figure(max(3.6, sum(sizes) + 1.1))
    axes, names = figure.subplots(1, 2, width_ratios=[WIDTH - 1.0 - column, column])
    names.set_axis_off()
    times, scores = [p.seconds for p in points], [p.score for p in points]
    set_up_axis(axes.xaxis, times, choose_scale(times), ticks=5)
    set_up_axis(axes.yaxis, scores, choose_scale(scores))
    axes.set_xlabel("mean training time of a replicate (seconds)")
    axes.set_ylabel(f"validation {info.metric} ({info.better})")
    best = sorted((p for p in info.points if p.pareto), key=lambda p: p.seconds)
    axes.plot([p.seconds for p in best], [p.score for p in best], color=BLUE, linewidth=1, zorder=2)
    for point in points:
        axes.plot([point.seconds], [point.score], zorder=3, **(_BEST if point.pareto else _REST))
    _write_names(axes, names, points, labels, sizes)
    figure.legend(handles=_make_legend(), loc="outside upper left", ncols=2)
    return figure


def _write_names(
    axes: Axes, names: Axes, points: Sequence[CostPoint], labels: Sequence[str], sizes: Sequence[float]
) -> None:
    """Write each name near the height of its point as far as there is room, and lead a line to it."""
    height = max(3.6, sum(sizes) + 1.1) - 1.0
    centers = _choose_centers([_locate(axes, point, height) for point in points], sizes, height)
    for point, label, center in zip(points, labels, centers, strict=True):
        text = names.annotate(
            label, (point.seconds, point.score), xycoords=axes.transData, xytext=(0.0, center / height),
            textcoords=names.transAxes, va="center", size=SMALL, weight=_choose_weight(point),
            arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.5, "shrinkB": 4, "relpos": (0.0, 0.5)},
        )  # fmt: skip
        text.set_in_layout(False)


def _choose_centers(places: Sequence[tuple[float, float]], sizes: Sequence[float], height: float) -> list[float]:
    """Return the heights of the names, in inches: shifted together just enough that lines keep clear of markers."""
    shifts = sorted((0.03 * step for step in range(-12, 13)), key=abs)
    layouts = (spread_labels([y + shift for _, y in places], sizes, 0.0, height) for shift in shifts)
    return min(layouts, key=lambda centers: _count_covered(places, centers))  # the first of the best


def _count_covered(places: Sequence[tuple[float, float]], centers: Sequence[float]) -> int:
    """Return how many markers lie on a line from another point to its name."""
    return sum(
        abs(y + (center - y) * (across - x) / (1.0 - x) - up) < _CLEAR
        for (x, y), center in zip(places, centers, strict=True)
        for across, up in places
        if across > x
    )


def _choose_weight(point: CostPoint) -> str:
    return "bold" if point.pareto else "normal"


def _locate(axes: Axes, point: CostPoint, height: float) -> tuple[float, float]:
    """Return where a point lies: the share of the width of the axes, and inches of their height, in hundredths."""
    x, y = axes.transLimits.transform(axes.transScale.transform((point.seconds, point.score)))
    return float(x), round(float(y), 2) * height if math.isfinite(y) else height / 2


_BEST: dict[str, Any] = {"marker": "o", "linestyle": "", "color": BLUE, "markersize": 7}
_REST: dict[str, Any] = {
    "marker": "s", "linestyle": "", "color": ORANGE, "markersize": 6, "markerfacecolor": "white", "mew": 1.6
}  # fmt: skip


def _make_legend() -> list[Line2D]:
    return [
        Line2D([], [], label="best trade-off", **_BEST),
        Line2D([], [], label="beaten by another recipe", **_REST),
    ]
