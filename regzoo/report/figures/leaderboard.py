"""The leaderboard: every recipe's mean, its interval and every replicate, in rank order."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._rows import stacked
from regzoo.report.figures._style import BLUE, GREY, SKY, VERMILLION, styled
from regzoo.report.figures._text import wrap
from regzoo.report.formatting import listing
from regzoo.training.records import Record

ORDER = 1
TITLE = "Leaderboard with intervals"


@dataclass(frozen=True)
class Row:
    """One recipe. ``mean``, ``low`` and ``high`` are NaN where unknown; ``state`` says what is missing."""

    name: str
    tier: str
    mean: float
    low: float
    high: float
    scores: tuple[float, ...]
    baseline: bool
    state: str


@dataclass(frozen=True)
class Leaderboard(Info):
    """The rows from the best down, then those without a score."""

    rows: tuple[Row, ...]

    @property
    def missing(self) -> str:
        """No recipe has a mean."""
        return "" if finite(row.mean for row in self.rows) else "No recipe has a finished replicate yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Each row is a recipe, the best on top: the ring is its mean validation {self.metric} "
            f"({boards.better(self.direction)} is better), the bar the 95 % interval of that mean, each dot one "
            "replicate, the dashed line the baseline; recipes that share a band (tier) cannot be told from "
            "its first by these data."
        )

    @property
    def alternative(self) -> str:
        """The means in words."""
        shown = [f"{row.name} {row.mean:.4g}" for row in self.rows if finite([row.mean])]
        return f"Mean validation {self.metric} by recipe, best first: {listing(shown)}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Leaderboard:
    """Return every recipe's mean, interval and replicates, from the best down."""
    metric = board["rank_by"]
    rows = [
        Row(
            name=row["name"],
            tier="" if row["tier"] is None else str(row["tier"]),
            mean=boards.number(row["mean"]),
            low=boards.number(row["low"]),
            high=boards.number(row["high"]),
            scores=tuple(finite(r.score(metric) for r in boards.replicates(records, row["name"]))),
            baseline=boards.is_baseline(board, row),
            state=boards.state(row),
        )
        for row in [*boards.measured(board), *boards.unmeasured(board)]
    ]
    return Leaderboard(metric, board["direction"], tuple(rows))


@styled
def draw(info: Leaderboard) -> Figure:
    """Draw a row for each recipe."""
    labels = [wrap(row.name, 2.3, most=3) + (f"\n({row.state})" if row.state else "") for row in info.rows]
    rows = stacked(labels, 1.1)
    axes = rows.axes
    values = [v for row in info.rows for v in (row.mean, row.low, row.high, *row.scores)]
    dress(axes.xaxis, values, scale(finite(values)))
    axes.set_xlabel(f"validation {info.metric} ({boards.better(info.direction)} is better)")
    rows.shade([row.tier for row in info.rows], 1.015)
    for row, middle, height in zip(info.rows, rows.middles, rows.heights, strict=True):
        _row(axes, row, middle, height)
    rows.figure.legend(handles=_legend(), loc="outside upper left", ncols=4)
    return rows.figure


def _row(axes: Axes, row: Row, middle: float, height: float) -> None:
    if row.baseline and finite([row.mean]):
        axes.axvline(row.mean, color=VERMILLION, linestyle="--", linewidth=1.2, zorder=1)
    if finite([row.low, row.high]) == [row.low, row.high]:
        axes.plot([row.low, row.high], [middle, middle], color=BLUE, linewidth=2.4, zorder=3)
    count = len(row.scores)
    shifts = [(i - (count - 1) / 2) * min(0.05, 0.6 * height / max(count, 1)) for i in range(count)]
    axes.plot(
        row.scores, [middle + shift for shift in shifts], "o", color=SKY, markersize=3.6, zorder=2,
        markeredgecolor=GREY, markeredgewidth=0.4,
    )  # fmt: skip
    axes.plot([row.mean], [middle], "o", color=BLUE, markersize=7, markerfacecolor="white", zorder=4, mew=1.8)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, marker="o", linestyle="", markerfacecolor="white", mew=1.8, label="mean"),
        Line2D([], [], color=BLUE, linewidth=2.4, label="95 % interval"),
        Line2D([], [], color=SKY, marker="o", linestyle="", markersize=3.6, mec=GREY, mew=0.4, label="replicate"),
        Line2D([], [], color=VERMILLION, linestyle="--", label="baseline"),
    ]
