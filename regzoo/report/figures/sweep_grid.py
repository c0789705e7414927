"""Sweep of two strengths: the validation score of every combination, as a heat map with numbers."""

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

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse
from regzoo.core.formatting import format_number, format_strength
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import PlainFormatter, choose_scale, keep_finite
from regzoo.report.figures._style import BLACK, PALE, SMALL, WIDTH, make_figure, with_style
from regzoo.report.figures._text import measure_width
from regzoo.report.findings.sweep import choose_point_decimals, describe_means, format_point, read_response
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 0
TITLE = "Score against two strengths"

COLORS = "cividis"
"""A colormap with even steps from dark to light, for the colorblind and for gray printers."""


@dataclass(frozen=True)
class SweepGridFigure(FigureInfo):
    """The response to two strengths; None if the comparison sweeps none, or one."""

    response: StrengthResponse | None

    @property
    def fits(self) -> bool:
        return self.response is not None

    @property
    def missing(self) -> str:
        done = self.response is not None and self.response.best is not None
        return "" if done else "No combination of the strengths has a finished replicate yet."

    @property
    def reading(self) -> str:
        return (
            f"Mean validation {self.metric} ({self.better}) of each combination; the thick frame marks the best one, "
            "dashed frames those within one standard error of it, and crosses those that lost a replicate."
        )

    @property
    def alternative(self) -> str:
        return self.missing or ("" if self.response is None else describe_means(self.response))


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> SweepGridFigure:
    """Return the response, if the comparison is a sweep of two strengths."""
    response = read_response(records, comparison)
    double = response is not None and len(response.sweep.over) == 2
    return SweepGridFigure(leaderboard.rank_by, leaderboard.direction, response if double else None)


@with_style
def draw(info: SweepGridFigure) -> Figure:
    """Draw the first strength to the right, the second upward."""
    response = info.response
    assert response is not None
    first, second = response.sweep.over
    columns, rows = len(first.values), len(second.values)
    figure = make_figure(1.5 + max(0.42, min(0.62, 4.5 / rows)) * rows)
    axes = figure.add_subplot()
    means = np.array([point.mean for point in response.points]).reshape(columns, rows).T  # (rows, columns)
    norm = _choose_norm([point.mean for point in response.points])
    colors = mpl.colormaps[COLORS].with_extremes(bad=PALE)
    image = axes.imshow(np.ma.masked_invalid(means), origin="lower", aspect="auto", cmap=colors, norm=norm)
    axes.set_xticks(range(columns), _label_columns(first.values, (WIDTH - 1.8) / columns))
    axes.set_yticks(range(rows), [format_strength(value) for value in second.values])
    axes.tick_params(length=0)
    axes.spines[:].set_visible(False)
    axes.set(xlabel=first.name, ylabel=second.name)
    _draw_cells(axes, response, image, (WIDTH - 1.8) / columns)
    bar = figure.colorbar(image, ax=axes, format=PlainFormatter(), pad=0.015, fraction=0.035, aspect=30)
    bar.ax.minorticks_off()
    bar.outline.set_visible(False)
    bar.set_label(f"validation {info.metric} ({info.better})")
    figure.legend(handles=_make_legend(response), loc="outside upper left", ncols=4)
    return figure


def _choose_norm(values: Sequence[float]) -> Normalize:
    """Return a color scale on which the means can be distinguished."""
    shown = keep_finite(values)
    low, high = min(shown), max(shown)
    if low == high:
        return Normalize(low - 0.5, high + 0.5)
    kind = choose_scale(shown)
    if kind == "symlog":
        return SymLogNorm(float(np.median(np.abs(shown))), vmin=low, vmax=high)
    return LogNorm(low, high) if kind == "log" else Normalize(low, high)


def _label_columns(values: Sequence[float], room: float) -> list[str]:
    """Return the labels of the columns; one that would overlap the label before it is left empty."""
    texts: list[str] = []
    free = -math.inf
    for index, value in enumerate(values):
        text, middle = format_strength(value), index * room
        fits = middle - measure_width(text) / 2 > free
        texts.append(text if fits else "")
        free = middle + measure_width(text) / 2 + 0.05 if fits else free
    return texts


def _draw_cells(axes: Axes, response: StrengthResponse, image: Any, room: float) -> None:
    """Write the numbers into the cells, and frame the best and the flat ones."""
    assert response.best is not None
    decimals, rows = choose_point_decimals(response), len(response.sweep.over[1].values)
    texts = [format_number(point.mean, decimals) + (" ×" if point.lost else "") for point in response.points]  # noqa: RUF001
    size = min(SMALL, SMALL * (room - 0.12) / max(measure_width(text) for text in texts))
    for index, (point, text) in enumerate(zip(response.points, texts, strict=True)):
        x, y = divmod(index, rows)
        best = point.name == response.best.name
        color = _choose_text_color(image, point)
        axes.text(x, y, text, ha="center", va="center", size=size, color=color, weight="bold" if best else "normal")
        if best:
            axes.add_patch(_make_frame(x, y, 0.46, color="white", linewidth=4.5))
            axes.add_patch(_make_frame(x, y, 0.46, color=BLACK, linewidth=2.4))
        elif point.flat:
            axes.add_patch(_make_frame(x, y, 0.44, color=color, linewidth=1.3, linestyle=(0, (4, 2))))


def _make_frame(x: float, y: float, size: float, **style: Any) -> Rectangle:
    return Rectangle((x - size, y - size), 2 * size, 2 * size, fill=False, zorder=3, **style)


def _choose_text_color(image: Any, point: ResponsePoint) -> str:
    """Return black or white, whichever stands out."""
    if math.isnan(point.mean):
        return BLACK
    red, green, blue, _ = image.cmap(image.norm(point.mean))
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 0.5 else "white"


def _make_legend(response: StrengthResponse) -> list[Any]:
    assert response.best is not None
    handles: list[Any] = [
        Patch(facecolor="none", edgecolor=BLACK, linewidth=2.2, label=f"best: {format_point(response.best)}")
    ]
    if len(response.flat) > 1:
        handles.append(
            Patch(facecolor="none", edgecolor=BLACK, linestyle=(0, (3, 1.5)), label="within one standard error")
        )
    base = response.baseline.mean
    if not math.isnan(base):
        handles.append(
            Line2D([], [], linestyle="", label=f"baseline: {format_number(base, choose_point_decimals(response))}")
        )
    if any(point.lost for point in response.points):
        handles.append(Line2D([], [], linestyle="", marker="x", color=BLACK, label="diverged or failed"))
    return handles
