"""Sweep of one strength: training and validation score at each value, with bands, the best value and its equals."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse
from regzoo.comparison.sweep import SweptStrength
from regzoo.core.formatting import format_strength
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._style import BLACK, GRAY, PARTS, SIZE, VERMILION, WIDTH, make_figure, with_style
from regzoo.report.figures._text import measure_width
from regzoo.report.findings.sweep import describe_means, format_point, name_resampled, read_response
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 0
TITLE = "Score against strength"

SHADE = "#e2e5e9"
DETACHED = 0.11
"""Distance of a detached neutral value from the other values, as a share of their span."""


@dataclass(frozen=True)
class SweepFigure(FigureInfo):
    """The response to one strength; None if the comparison sweeps none, or two."""

    response: StrengthResponse | None
    coverage: Coverage

    @property
    def fits(self) -> bool:
        return self.response is not None

    @property
    def missing(self) -> str:
        done = self.response is not None and self.response.best is not None
        return "" if done else "No value of the strength has a finished replicate yet."

    @property
    def reading(self) -> str:
        return (
            f"Mean {self.metric} over the replicates ({self.better}) at each value, with 95 % bands {self.coverage}; "
            "the bar at the bottom joins the values that may be the best (95 % of the resamples of the "
            f"{self._name_resampled()}), the gray area covers those within one standard error of the best, and a "
            "dotted line leads to a neutral value that does not fit on the axis."
        )

    def _name_resampled(self) -> str:
        return "seeds" if self.response is None else name_resampled(self.response)

    @property
    def alternative(self) -> str:
        return self.missing or ("" if self.response is None else describe_means(self.response))


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> SweepFigure:
    """Return the response, if the comparison is a sweep of one strength."""
    response = read_response(records, comparison)
    coverage = read_coverage(leaderboard, comparison)
    single = response is not None and len(response.sweep.over) == 1
    return SweepFigure(leaderboard.rank_by, leaderboard.direction, response if single else None, coverage)


def place_values(swept: SweptStrength) -> tuple[dict[float, float], bool]:
    """Return the position of each value on the axis, and whether the neutral one is detached.

    A neutral value is detached if the axis cannot hold it (zero where values are logarithmic, infinity), or if it is
    farther from the others than they are from one another.

    >>> place_values(SweptStrength("l2.strength", (0.0, 0.001, 0.01, 0.1), 0.0, True))
    ({0.001: -3.0, 0.01: -2.0, 0.1: -1.0, 0.0: -3.22}, True)
    """
    inner = [value for value in swept.values if value != swept.neutral and math.isfinite(value)]
    if not inner:
        return {value: float(index) for index, value in enumerate(swept.values)}, False
    if swept.complement and max(swept.values) < 1:
        return {value: -math.log10(1.0 - value) for value in swept.values}, False
    log = swept.log and min(inner) > 0
    places = {value: math.log10(value) if log else float(value) for value in inner}
    low, high = min(places.values()), max(places.values())
    neutral = swept.neutral
    if neutral is None or neutral not in swept.values:
        return places, False
    if math.isfinite(neutral) and (neutral > 0 or not log):
        place = math.log10(neutral) if log else float(neutral)
        if low == high or min(abs(place - other) for other in places.values()) <= high - low:
            return places | {neutral: place}, False
    distance = DETACHED * ((high - low) or abs(high) or 1.0)
    return places | {neutral: round(low - distance if neutral < min(inner) else high + distance, 12)}, True


@with_style
def draw(info: SweepFigure) -> Figure:
    """Draw the training and the validation score against the strength."""
    response = info.response
    assert response is not None
    assert response.best is not None
    swept = response.sweep.over[0]
    places, is_detached = place_values(swept)
    detached = swept.neutral if is_detached else None
    figure = make_figure(3.9)
    axes = figure.add_subplot()
    points = sorted(response.points, key=lambda point: places[point.values[0]])
    ends = [v for p in points for v in (p.mean, p.low, p.high, p.train_mean, p.train_low, p.train_high)]
    baseline = response.baseline.mean
    set_up_axis(axes.yaxis, keep_finite([*ends, baseline]), choose_scale(keep_finite(ends)), margin=0.12)
    set_up_axis(axes.xaxis, list(places.values()), "linear")
    _label_values(axes, places, [response.best.values[0], *([] if detached is None else [detached])])
    if detached is not None:
        others = [place for value, place in places.items() if value != detached]
        _break_axis(axes, sorted(places.values()), at_left=places[detached] < min(others))
    _shade_flat(axes, response, places)
    for name in ("train", "validation"):
        _draw_part(axes, points, places, name, detached)
    if keep_finite([baseline]):
        axes.axhline(baseline, color=VERMILION, linestyle=":", linewidth=1.6, zorder=2)
    _mark_values(axes, response, places, worst=0.97 if info.direction == "min" else 0.12)
    axes.set_xlabel(f"{swept.name}\n95 % bands {info.coverage}")
    axes.set_ylabel(f"{info.metric} ({info.better})")
    figure.legend(handles=_make_legend(response), loc="outside upper left", ncols=3)
    return figure


def _label_values(axes: Axes, places: Mapping[float, float], first: Sequence[float]) -> None:
    """Label the values themselves; those in ``first`` and the ends before others, without overlap."""
    low, high = axes.get_xlim()
    inches = (WIDTH - 1.0) / (high - low)  # for one unit of the axis
    ends = [min(places, key=places.__getitem__), max(places, key=places.__getitem__)]
    kept: dict[float, str] = {}
    for value in dict.fromkeys([*first, *ends, *places]):
        text = format_strength(value)
        gaps = (
            abs(places[value] - places[other]) * inches - (measure_width(text) + measure_width(label)) / 2
            for other, label in kept.items()
        )
        if all(gap > 0.08 for gap in gaps):
            kept[value] = text
    shown = sorted(kept, key=places.__getitem__)
    axes.xaxis.set_major_locator(FixedLocator([places[value] for value in shown]))
    axes.xaxis.set_major_formatter(FixedFormatter([kept[value] for value in shown]))
    bare = [place for value, place in places.items() if value not in kept]
    axes.xaxis.set_minor_locator(FixedLocator(bare) if bare else NullLocator())


def _draw_part(
    axes: Axes, points: Sequence[ResponsePoint], places: Mapping[float, float], name: str, detached: float | None
) -> None:
    """Draw the means of a part as a line with a band; a detached value has a bar and a dotted line to the others."""
    style, prefix = PARTS[name], "train_" if name == "train" else ""
    rows = [
        (places[p.values[0]], *(getattr(p, prefix + key) for key in ("mean", "low", "high")), p.values[0] == detached)
        for p in points
    ]
    rows = [row for row in rows if not math.isnan(row[1])]
    joined = [row for row in rows if not row[4]]
    x, mean, low, high = ([row[i] for row in joined] for i in range(4))
    axes.fill_between(x, low, high, color=style.color, alpha=0.25, linewidth=0, zorder=2)
    axes.plot(
        x, mean, color=style.color, linestyle=style.line, marker=style.marker, markersize=5, linewidth=1.9, zorder=4
    )
    for place, at, bottom, top, _ in (row for row in rows if row[4]):
        axes.plot([place, place], [bottom, top], color=style.color, linewidth=5, alpha=0.35, zorder=3)
        axes.plot([place], [at], style.marker, color=style.color, markersize=5, zorder=4)
        nearest = min(joined, key=lambda row: abs(row[0] - place), default=None)
        if nearest is not None:
            ends = [place, nearest[0]], [at, nearest[1]]
            axes.plot(*ends, color=style.color, linestyle=":", linewidth=1.1, zorder=3)


def _break_axis(axes: Axes, order: Sequence[float], at_left: bool) -> None:
    """Draw two strokes through the axis, between the detached value and the others."""
    middle = sum(order[:2] if at_left else order[-2:]) / 2
    axes.text(
        middle, 0, "//", transform=axes.get_xaxis_transform(), ha="center", va="center", color=GRAY, zorder=9,
        size=SIZE, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def _shade_flat(axes: Axes, response: StrengthResponse, places: Mapping[float, float]) -> None:
    """Shade the flat values, half way to their neighbors; adjacent ones become one area."""
    order = sorted(places.values())
    low, high = axes.get_xlim()
    edges = [low, *((a + b) / 2 for a, b in itertools.pairwise(order)), high]
    flat = {places[point.values[0]] for point in response.flat}
    for is_flat, group in itertools.groupby(range(len(order)), key=lambda index: order[index] in flat):
        members = list(group)
        if is_flat:
            axes.axvspan(edges[members[0]], edges[members[-1] + 1], color=SHADE, linewidth=0, zorder=0)


def _mark_values(axes: Axes, response: StrengthResponse, places: Mapping[float, float], worst: float) -> None:
    """Mark the best value, its 95 % set as a bar at the bottom, and lost replicates with a cross."""
    assert response.best is not None
    bottom = axes.get_xaxis_transform()
    candidates = [places[point.values[0]] for point in response.candidates]
    if candidates:
        ends = [min(candidates), max(candidates)]
        axes.plot(ends, [0.05, 0.05], transform=bottom, color=BLACK, linewidth=2.2, zorder=5)
        axes.plot(candidates, [0.05] * len(candidates), transform=bottom, **_TICK)
    best = places[response.best.values[0]]
    axes.axvline(best, color=BLACK, linewidth=0.9, zorder=1)
    axes.plot([best], [response.best.mean], **_BEST)
    for point in response.points:
        if point.lost:
            axes.plot([places[point.values[0]]], [worst], transform=bottom, **_LOST)


_TICK: dict[str, Any] = {"marker": "|", "linestyle": "", "color": BLACK, "markersize": 8, "mew": 1.6, "zorder": 5}
_BEST: dict[str, Any] = {
    "marker": "o", "linestyle": "", "markersize": 10, "markerfacecolor": "none", "color": BLACK, "mew": 1.8, "zorder": 6
}  # fmt: skip
_LOST: dict[str, Any] = {"marker": "x", "linestyle": "", "color": GRAY, "markersize": 7, "mew": 1.6, "clip_on": False}


def _make_legend(response: StrengthResponse) -> list[Any]:
    assert response.best is not None
    handles = [
        Line2D([], [], color=style.color, linestyle=style.line, marker=style.marker, markersize=5,
               label=f"{name}, 95 % band")
        for name, style in ((name, PARTS[name]) for name in ("validation", "train"))
    ]  # fmt: skip
    handles.append(Line2D([], [], color=VERMILION, linestyle=":", linewidth=1.6, label="baseline, validation"))
    handles.append(Line2D([], [], label=f"best: {format_point(response.best)}", **_BEST))
    if response.candidates:
        handles.append(Line2D([], [], color=BLACK, linewidth=2.2, label="values that may be the best (95 %)"))
    if any(point.lost for point in response.points):
        handles.append(Line2D([], [], label="diverged or failed", **_LOST))
    return [*handles, Patch(color=SHADE, label="within one standard error")]
