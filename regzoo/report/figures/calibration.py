"""Calibration: accuracy against confidence, as a reliability diagram.

Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_fixed, format_list
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import set_up_axis
from regzoo.report.figures._panels import make_panels
from regzoo.report.figures._style import BLUE, GRAY, SKY, SMALL, with_style
from regzoo.report.runs import select_replicates
from regzoo.storage.info import ComparisonInfo
from regzoo.training.metrics import BINS
from regzoo.training.records import Record

ORDER = 5
TITLE = "Calibration"

Bin = tuple[float, float, int]
"""Mean confidence, accuracy, rows."""


@dataclass(frozen=True)
class CalibrationPanel:
    """One recipe, all its replicates together; ``ece`` is the mean of theirs, NaN if unknown."""

    name: str
    role: str
    bins: tuple[Bin, ...]
    ece: float


@dataclass(frozen=True)
class CalibrationFigure(FigureInfo):
    """The baseline, the winner and the runner-up, as far as their replicates recorded confidences."""

    panels: tuple[CalibrationPanel, ...]

    @property
    def missing(self) -> str:
        return "" if self.panels else "Only replicates of a classification record confidences; there are none here."

    @property
    def reading(self) -> str:
        return (
            "Validation rows are grouped by the model's confidence: a group on the dashed diagonal is as accurate as "
            "the model is confident, one below it is overconfident, one above it underconfident; the bars show the "
            "share of rows in each group, and ECE, the expected calibration error, is the mean distance from the "
            "diagonal over all rows."
        )

    @property
    def alternative(self) -> str:
        errors = [f"{panel.name} {format_fixed(panel.ece, 3)}" for panel in self.panels]
        return f"Expected calibration error: {format_list(errors)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> CalibrationFigure:
    """Return the pooled bins of baseline, winner and runner-up."""
    rows = leaderboard.measured
    base = [row for row in rows if leaderboard.is_baseline(row)]
    best = [row for row in rows if row not in base and not row.is_placebo][:2]
    panels = []
    for row, role in zip([*base, *best], [*["baseline"] * len(base), "best", "second"], strict=False):
        bins = pool_bins(run.reliability or () for run in select_replicates(records, row.name))
        if bins:
            panels.append(CalibrationPanel(row.name, role, bins, row.metric("validation", "ece")))
    return CalibrationFigure(leaderboard.rank_by, leaderboard.direction, tuple(panels))


def pool_bins(runs: Iterable[Sequence[Sequence[float]]]) -> tuple[Bin, ...]:
    """Join the bins of several runs, by confidence; means are weighted by rows.

    A bin is identified by its mean confidence, which lies in it.

    >>> pool_bins([[[0.95, 1.0, 3]], [[0.99, 0.5, 1], [0.1, 0.0, 2]]])
    ((0.1, 0.0, 2), (0.96, 0.875, 4))
    """
    found: dict[int, list[Sequence[float]]] = {}
    for bins in runs:
        for each in bins:
            found.setdefault(_find_bin(each[0]), []).append(each)
    return tuple(_join_bins(same) for _, same in sorted(found.items()))


def _find_bin(confidence: float) -> int:
    return min(int(confidence * BINS), BINS - 1)


def _join_bins(bins: Sequence[Sequence[float]]) -> Bin:
    rows = int(sum(each[2] for each in bins))
    confidence, accuracy = (sum(each[i] * each[2] for each in bins) / rows for i in (0, 1))
    return round(confidence, 12), round(accuracy, 12), rows


@with_style
def draw(info: CalibrationFigure) -> Figure:
    """Draw a panel for each recipe."""
    figure, panels = make_panels([f"{panel.name} ({panel.role})" for panel in info.panels], height=2.2)
    for axes, panel in zip(panels, info.panels, strict=True):
        set_up_axis(axes.xaxis, [0.0, 1.0], "linear", ticks=4)
        set_up_axis(axes.yaxis, [0.0, 1.0], "linear", ticks=4)
        _draw_panel(axes, panel)
    figure.supxlabel("confidence")
    figure.supylabel("accuracy")
    figure.legend(handles=_make_legend(), loc="outside upper left", ncols=3)
    return figure


def _draw_panel(axes: Axes, panel: CalibrationPanel) -> None:
    total = sum(rows for _, _, rows in panel.bins)
    for confidence, _, rows in panel.bins:
        left = _find_bin(confidence) / BINS
        axes.bar(left, rows / total, 1 / BINS, align="edge", color=SKY, edgecolor="white", linewidth=0.5, zorder=0)
    axes.plot([0, 1], [0, 1], color=GRAY, linestyle="--", linewidth=1, zorder=1)
    axes.plot([b[0] for b in panel.bins], [b[1] for b in panel.bins], "o-", color=BLUE, markersize=4, zorder=2)
    if not math.isnan(panel.ece):
        axes.text(0.03, 0.97, f"ECE {format_fixed(panel.ece, 3)}", transform=axes.transAxes, va="top", size=SMALL)


def _make_legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, marker="o", markersize=4, label="accuracy"),
        Line2D([], [], color=GRAY, linestyle="--", label="perfect calibration"),
        Line2D([], [], color=SKY, linewidth=6, label="share of rows"),
    ]
