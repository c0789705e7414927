"""Leaderboard as a figure: mean, interval and replicates of every recipe, in rank order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import float_or_nan, format_list, format_significant
from regzoo.report.descriptions import describe_losses
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._rows import stack_rows
from regzoo.report.figures._style import BLUE, GRAY, SKY, VERMILION, with_style
from regzoo.report.figures._text import wrap_text
from regzoo.report.runs import select_replicates
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 1
TITLE = "Leaderboard with intervals"


@dataclass(frozen=True)
class LeaderboardRow:
    """One recipe; ``mean``, ``low`` and ``high`` are NaN where unknown, ``losses`` says what is missing."""

    name: str
    tier: str
    mean: float
    low: float
    high: float
    scores: tuple[float, ...]
    baseline: bool
    losses: str


@dataclass(frozen=True)
class LeaderboardFigure(FigureInfo):
    """The rows from the best down, then those without a score."""

    rows: tuple[LeaderboardRow, ...]
    coverage: Coverage

    @property
    def missing(self) -> str:
        return "" if keep_finite(row.mean for row in self.rows) else "No recipe has a finished replicate yet."

    @property
    def reading(self) -> str:
        tiers = self.coverage.explain_tiers()
        return (
            f"Each row is a recipe, the best on top: the ring is its mean validation {self.metric} ({self.better}), "
            f"the bar the 95 % interval of that mean {self.coverage}, each dot one replicate, the dashed line the "
            f"baseline, each band a tier: {tiers[0].lower()}{tiers[1:]}"
        )

    @property
    def alternative(self) -> str:
        shown = [f"{row.name} {format_significant(row.mean, 4)}" for row in self.rows if keep_finite([row.mean])]
        intervals = f"95 % intervals {self.coverage}"
        return f"Mean validation {self.metric} by recipe with {intervals}, best first: {format_list(shown)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> LeaderboardFigure:
    """Return every recipe's mean, interval and replicates, from the best down."""
    metric = leaderboard.rank_by
    rows = [
        LeaderboardRow(
            name=row.name,
            tier="" if row.tier is None else str(row.tier),
            mean=float_or_nan(row.mean),
            low=float_or_nan(row.low),
            high=float_or_nan(row.high),
            scores=tuple(keep_finite(r.score(metric) for r in select_replicates(records, row.name))),
            baseline=leaderboard.is_baseline(row),
            losses=describe_losses(row),
        )
        for row in [*leaderboard.measured, *leaderboard.unmeasured]
    ]
    return LeaderboardFigure(metric, leaderboard.direction, tuple(rows), read_coverage(leaderboard, comparison))


@with_style
def draw(info: LeaderboardFigure) -> Figure:
    """Draw a row for each recipe."""
    labels = [wrap_text(row.name, 2.3, most=3) + (f"\n({row.losses})" if row.losses else "") for row in info.rows]
    rows = stack_rows(labels, 1.1)
    axes = rows.axes
    values = [v for row in info.rows for v in (row.mean, row.low, row.high, *row.scores)]
    set_up_axis(axes.xaxis, values, choose_scale(keep_finite(values)))
    axes.set_xlabel(f"validation {info.metric} ({info.better})\n95 % intervals {info.coverage}")
    rows.shade_tiers([row.tier for row in info.rows], 1.015)
    for row, middle, height in zip(info.rows, rows.middles, rows.heights, strict=True):
        _draw_row(axes, row, middle, height)
    rows.figure.legend(handles=_make_legend(), loc="outside upper left", ncols=4)
    return rows.figure


def _draw_row(axes: Axes, row: LeaderboardRow, middle: float, height: float) -> None:
    if row.baseline and keep_finite([row.mean]):
        axes.axvline(row.mean, color=VERMILION, linestyle="--", linewidth=1.2, zorder=1)
    if keep_finite([row.low, row.high]) == [row.low, row.high]:
        axes.plot([row.low, row.high], [middle, middle], color=BLUE, linewidth=2.4, zorder=3)
    count = len(row.scores)
    shifts = [(i - (count - 1) / 2) * min(0.05, 0.6 * height / max(count, 1)) for i in range(count)]
    axes.plot(
        row.scores, [middle + shift for shift in shifts], "o", color=SKY, markersize=3.6, zorder=2,
        markeredgecolor=GRAY, markeredgewidth=0.4,
    )  # fmt: skip
    axes.plot([row.mean], [middle], "o", color=BLUE, markersize=7, markerfacecolor="white", zorder=4, mew=1.8)


def _make_legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, marker="o", linestyle="", markerfacecolor="white", mew=1.8, label="mean"),
        Line2D([], [], color=BLUE, linewidth=2.4, label="95 % interval"),
        Line2D([], [], color=SKY, marker="o", linestyle="", markersize=3.6, mec=GRAY, mew=0.4, label="replicate"),
        Line2D([], [], color=VERMILION, linestyle="--", label="baseline"),
    ]
