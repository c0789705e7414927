"""Sweep: train and validation score against one strength, with bands, the best value and what is as good."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse
from regzoo.comparison.sweep import SweptStrength
from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._style import BLACK, GREY, PARTS, SIZE, VERMILLION, WIDTH, canvas, styled
from regzoo.report.figures._text import inches
from regzoo.report.findings import sweep as words
from regzoo.report.formatting import show, strength
from regzoo.training.records import Record

ORDER = 0
TITLE = "Score against strength"

SHADE = "#e2e5e9"
SLOT = 0.11
"""How far beyond the others a neutral value stands that the axis cannot hold, as a share of their span."""


@dataclass(frozen=True)
class SweepCurve(Info):
    """The response to one strength; None if the comparison sweeps none, or two."""

    response: StrengthResponse | None

    @property
    def fits(self) -> bool:
        """Only a sweep of one strength has this figure."""
        return self.response is not None

    @property
    def missing(self) -> str:
        """No value has a score."""
        done = self.response is not None and self.response.best is not None
        return "" if done else "No value of the strength has a finished replicate yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Mean {self.metric} over the replicates ({boards.better(self.direction)} is better) at each value, with "
            "95 % bands; the bar below joins the values that may be the best (95 % of the resamples of the seeds), "
            "the grey field holds those within one standard error of the best, and a dotted line leads to a neutral "
            "value that the axis has no room for."
        )

    @property
    def alternative(self) -> str:
        """The best value in words, and every mean."""
        if self.response is None or self.response.best is None:
            return self.missing
        means = [f"{words.at(p)}: {show(p.mean, words.places(self.response))}" for p in self.response.points]
        return f"{words.headline(self.response).replace('`', '')} Means: {', '.join(means)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> SweepCurve:
    """Return the response, if the comparison is a sweep of one strength."""
    found = words.response_of(records, comparison)
    single = found is not None and len(found.sweep.over) == 1
    return SweepCurve(board["rank_by"], board["direction"], found if single else None)


def positions(swept: SweptStrength) -> tuple[dict[float, float], bool]:
    """Return where each value stands on the axis, and whether the neutral one stands apart.

    A neutral value stands apart if the axis cannot hold it (zero where values are logarithmic, infinity), or if it
    is farther from the others than they are from one another.

    >>> positions(Swept("l2.strength", (0.0, 0.001, 0.01, 0.1), 0.0, True))
    ({0.001: -3.0, 0.01: -2.0, 0.1: -1.0, 0.0: -3.22}, True)
    """
    inner = [value for value in swept.values if value != swept.neutral and math.isfinite(value)]
    if not inner:
        return {value: float(index) for index, value in enumerate(swept.values)}, False
    log = swept.log and min(inner) > 0
    held = {value: math.log10(value) if log else float(value) for value in inner}
    low, high = min(held.values()), max(held.values())
    neutral = swept.neutral
    if neutral is None or neutral not in swept.values:
        return held, False
    if math.isfinite(neutral) and (neutral > 0 or not log):
        place = math.log10(neutral) if log else float(neutral)
        if low == high or min(abs(place - other) for other in held.values()) <= high - low:
            return held | {neutral: place}, False
    reach = SLOT * ((high - low) or abs(high) or 1.0)
    return held | {neutral: round(low - reach if neutral < min(inner) else high + reach, 12)}, True


@styled
def draw(info: SweepCurve) -> Figure:
    """Draw both parts against the strength."""
    found = info.response
    assert found is not None
    assert found.best is not None
    swept = found.sweep.over[0]
    places, apart = positions(swept)
    figure = canvas(3.9)
    axes = figure.add_subplot()
    points = sorted(found.points, key=lambda point: places[point.values[0]])
    ends = [v for p in points for v in (p.mean, p.low, p.high, p.train_mean, p.train_low, p.train_high)]
    dress(axes.yaxis, finite([*ends, found.baseline.mean]), scale(finite(ends)), margin=0.12)
    dress(axes.xaxis, list(places.values()), "linear")
    _ticks(axes, places, [found.best.values[0], *([swept.neutral] if apart and swept.neutral is not None else [])])
    alone = swept.neutral if apart else None
    if alone is not None:
        _break(axes, sorted(places.values()), at_left=places[alone] < min(v for k, v in places.items() if k != alone))
    _shade(axes, found, places)
    for name in PARTS:
        if name != "test":
            _part(axes, points, places, name, alone)
    if finite([found.baseline.mean]):
        axes.axhline(found.baseline.mean, color=VERMILLION, linestyle=":", linewidth=1.6, zorder=2)
    _mark(axes, found, places, worst=0.97 if info.direction == "min" else 0.12)
    axes.set_xlabel(swept.name)
    axes.set_ylabel(f"{info.metric} ({boards.better(info.direction)} is better)")
    figure.legend(handles=_legend(found), loc="outside upper left", ncols=3)
    return figure


def _ticks(axes: Axes, places: dict[float, float], first: Sequence[float]) -> None:
    """Label the values themselves; those in ``first`` and the ends before others, none over another."""
    low, high = axes.get_xlim()
    scale_ = (WIDTH - 1.0) / (high - low)  # inches
    ends = [min(places, key=places.__getitem__), max(places, key=places.__getitem__)]
    kept: dict[float, str] = {}
    for value in dict.fromkeys([*first, *ends, *places]):
        text = strength(value)
        room = (abs(places[value] - places[v]) * scale_ - (inches(text) + inches(t)) / 2 for v, t in kept.items())
        if all(space > 0.08 for space in room):
            kept[value] = text
    shown = sorted(kept, key=places.__getitem__)
    axes.xaxis.set_major_locator(FixedLocator([places[value] for value in shown]))
    axes.xaxis.set_major_formatter(FixedFormatter([kept[value] for value in shown]))
    bare = [place for value, place in places.items() if value not in kept]
    axes.xaxis.set_minor_locator(FixedLocator(bare) if bare else NullLocator())


def _part(
    axes: Axes, points: Sequence[ResponsePoint], places: dict[float, float], name: str, alone: float | None
) -> None:
    """One part: its means joined, its band; a value that stands apart has a bar and a dotted line."""
    look, prefix = PARTS[name], "train_" if name == "train" else ""
    rows = [
        (places[p.values[0]], *(getattr(p, prefix + key) for key in ("mean", "low", "high")), p.values[0] == alone)
        for p in points
    ]
    rows = [row for row in rows if not math.isnan(row[1])]
    joined = [row for row in rows if not row[4]]
    x, mean, low, high = ([row[i] for row in joined] for i in range(4))
    axes.fill_between(x, low, high, color=look.color, alpha=0.25, linewidth=0, zorder=2)
    axes.plot(x, mean, color=look.color, linestyle=look.line, marker=look.marker, markersize=5, linewidth=1.9, zorder=4)
    for place, at, bottom, top, _ in (row for row in rows if row[4]):
        axes.plot([place, place], [bottom, top], color=look.color, linewidth=5, alpha=0.35, zorder=3)
        axes.plot([place], [at], look.marker, color=look.color, markersize=5, zorder=4)
        near = min(joined, key=lambda row: abs(row[0] - place), default=None)
        if near is not None:
            axes.plot([place, near[0]], [at, near[1]], color=look.color, linestyle=":", linewidth=1.1, zorder=3)


def _break(axes: Axes, order: Sequence[float], at_left: bool) -> None:
    """Two strokes through the axis, between the others and the value that stands apart."""
    middle = sum(order[:2] if at_left else order[-2:]) / 2
    axes.text(
        middle, 0, "//", transform=axes.get_xaxis_transform(), ha="center", va="center", color=GREY, zorder=9,
        size=SIZE, bbox={"facecolor": "white", "edgecolor": "none", "pad": 0.5},
    )  # fmt: skip


def _shade(axes: Axes, found: StrengthResponse, places: dict[float, float]) -> None:
    """Shade around the flat values, half way to their neighbours; what touches is one field."""
    order = sorted(places.values())
    low, high = axes.get_xlim()
    edges = [low, *((a + b) / 2 for a, b in itertools.pairwise(order)), high]
    flat = {places[point.values[0]] for point in found.flat}
    for kind, group in itertools.groupby(range(len(order)), key=lambda index: order[index] in flat):
        members = list(group)
        if kind:
            axes.axvspan(edges[members[0]], edges[members[-1] + 1], color=SHADE, linewidth=0, zorder=0)


def _mark(axes: Axes, found: StrengthResponse, places: dict[float, float], worst: float) -> None:
    """The best value, the bar of its 95 % set at the foot, and a cross where replicates were lost."""
    assert found.best is not None
    foot = axes.get_xaxis_transform()
    may = [places[point.values[0]] for point in found.candidates]
    if may:
        axes.plot([min(may), max(may)], [0.05, 0.05], transform=foot, color=BLACK, linewidth=2.2, zorder=5)
        axes.plot(may, [0.05] * len(may), transform=foot, **_TICK)
    best = places[found.best.values[0]]
    axes.axvline(best, color=BLACK, linewidth=0.9, zorder=1)
    axes.plot([best], [found.best.mean], **_BEST)
    for point in found.points:
        if point.lost:
            axes.plot([places[point.values[0]]], [worst], transform=foot, **_LOST)


_TICK: dict[str, Any] = {"marker": "|", "linestyle": "", "color": BLACK, "markersize": 8, "mew": 1.6, "zorder": 5}
_BEST: dict[str, Any] = {
    "marker": "o", "linestyle": "", "markersize": 10, "markerfacecolor": "none", "color": BLACK, "mew": 1.8, "zorder": 6
}  # fmt: skip
_LOST: dict[str, Any] = {"marker": "x", "linestyle": "", "color": GREY, "markersize": 7, "mew": 1.6, "clip_on": False}


def _legend(found: StrengthResponse) -> list[Any]:
    assert found.best is not None
    parts = [
        Line2D([], [], color=PARTS[name].color, linestyle=PARTS[name].line, marker=PARTS[name].marker, markersize=5,
               label=f"{name}, 95 % band")
        for name in ("validation", "train")
    ]  # fmt: skip
    handles = [*parts, Line2D([], [], color=VERMILLION, linestyle=":", linewidth=1.6, label="baseline, validation")]
    handles.append(Line2D([], [], label=f"best: {words.at(found.best)}", **_BEST))
    if found.candidates:
        handles.append(Line2D([], [], color=BLACK, linewidth=2.2, label="values that may be the best (95 %)"))
    if any(point.lost for point in found.points):
        handles.append(Line2D([], [], label="diverged or failed", **_LOST))
    return [*handles, Patch(color=SHADE, label="within one standard error")]
