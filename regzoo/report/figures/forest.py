"""Forest plot: the paired gain of each recipe over the baseline with its interval, tier by tier."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import (
    MISSING,
    choose_decimals,
    float_or_nan,
    format_interval,
    format_list,
    format_number,
    format_percent,
)
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._rows import stack_rows
from regzoo.report.figures._style import BLUE, SMALL, VERMILION, with_style
from regzoo.report.figures._text import wrap_text
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 2
TITLE = "Gains over the baseline"


@dataclass(frozen=True)
class ForestRow:
    """The gain of one recipe, positive is better; ``won`` is the share of pairs won. NaN where unknown.

    ``decided`` is true if the recipe was found better or worse than the baseline.
    """

    name: str
    tier: str
    gain: float
    low: float
    high: float
    won: float
    decided: bool


@dataclass(frozen=True)
class ForestFigure(FigureInfo):
    """The recipes with a gain, from the best down."""

    baseline: str
    rows: tuple[ForestRow, ...]
    coverage: Coverage

    @property
    def missing(self) -> str:
        return "" if self.rows else f"No recipe has a finished replicate to pair with one of {self.baseline} yet."

    @property
    def reading(self) -> str:
        return (
            f"Each row is the mean paired gain in validation {self.metric} over {self.baseline} (the dashed line at "
            f"zero), positive is better: the bar is its 95 % interval {self.coverage}, a filled square marks a recipe "
            "found better or worse after adjustment for all recipes, an open one no such verdict, and the share of "
            "paired runs that the recipe won is on the right."
        )

    @property
    def alternative(self) -> str:
        decimals = _choose_decimals(self.rows)
        gains = [
            f"{row.name} {format_number(row.gain, decimals)} "
            f"({format_interval(row.low, row.high, decimals) or 'no interval'})"
            for row in self.rows
        ]
        intervals = f"with 95 % intervals {self.coverage}"
        return f"Gain in validation {self.metric} over {self.baseline}, {intervals}: {format_list(gains)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> ForestFigure:
    """Return every gain that is known, in the leaderboard's order."""
    rows = [
        ForestRow(
            row.name,
            "" if row.tier is None else str(row.tier),
            float_or_nan(row.gain),
            float_or_nan(row.gain_low),
            float_or_nan(row.gain_high),
            float_or_nan(row.p_better),
            row.verdict == "conclusive",
        )
        for row in leaderboard.measured
        if row.gain is not None and not leaderboard.is_baseline(row)
    ]
    coverage = read_coverage(leaderboard, comparison)
    return ForestFigure(leaderboard.rank_by, leaderboard.direction, leaderboard.baseline, tuple(rows), coverage)


def _choose_decimals(rows: Sequence[ForestRow]) -> int:
    return choose_decimals((row.high - row.low) / 2 for row in rows)


@with_style
def draw(info: ForestFigure) -> Figure:
    """Draw a row for each recipe."""
    rows = stack_rows([wrap_text(row.name, 2.3) for row in info.rows], 1.2)
    axes = rows.axes
    values = keep_finite([0.0, *(value for row in info.rows for value in (row.gain, row.low, row.high))])
    set_up_axis(axes.xaxis, values, choose_scale(values))
    axes.set_xlabel(
        f"gain in validation {info.metric} over {wrap_text(info.baseline, 2.0, most=1)} (positive is better)\n"
        f"95 % intervals {info.coverage}"
    )
    axes.axvline(0, color=VERMILION, linestyle="--", linewidth=1.2, zorder=1)
    rows.shade_tiers([row.tier for row in info.rows], 1.075)
    for row, middle in zip(info.rows, rows.middles, strict=True):
        if len(keep_finite([row.low, row.high])) == 2:
            axes.plot([row.low, row.high], [middle, middle], color=BLUE, linewidth=2.2, zorder=2)
        axes.plot([row.gain], [middle], zorder=3, **(_DECIDED if row.decided else _OPEN))
        won = format_percent(row.won) if keep_finite([row.won]) else MISSING
        axes.text(1.06, middle, won, transform=axes.get_yaxis_transform(), va="center", ha="right", size=SMALL)
    axes.annotate("won", (1.06, 1), (0, 3), "axes fraction", "offset points", ha="right", size=SMALL)
    rows.figure.legend(handles=_make_legend(), loc="outside upper left", ncols=4)
    return rows.figure


_DECIDED: dict[str, Any] = {"marker": "s", "linestyle": "", "color": BLUE, "markersize": 6.5}
_OPEN: dict[str, Any] = {**_DECIDED, "markerfacecolor": "white", "mew": 1.6}


def _make_legend() -> list[Line2D]:
    return [
        Line2D([], [], label="better or worse", **_DECIDED),
        Line2D([], [], label="open", **_OPEN),
        Line2D([], [], color=BLUE, linewidth=2.2, label="95 % interval"),
        Line2D([], [], color=VERMILION, linestyle="--", label="baseline"),
    ]
