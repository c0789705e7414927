"""Calibration: how often each model is right when it is so sure; a reliability diagram.

Reference: Guo et al. 2017, https://arxiv.org/abs/1706.04599
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress
from regzoo.report.figures._panels import grid
from regzoo.report.figures._style import BLUE, GREY, SKY, SMALL, canvas, styled
from regzoo.report.formatting import listing
from regzoo.training.metrics import BINS
from regzoo.training.records import Record

ORDER = 5
TITLE = "Calibration"

Bin = tuple[float, float, int]
"""Mean confidence, share right, rows."""


@dataclass(frozen=True)
class Panel:
    """One recipe, all its replicates together; ``ece`` is the mean of theirs, NaN if unknown."""

    name: str
    role: str
    bins: tuple[Bin, ...]
    ece: float


@dataclass(frozen=True)
class Calibration(Info):
    """The baseline, the winner and the runner-up, as far as they left what it takes."""

    panels: tuple[Panel, ...]

    @property
    def missing(self) -> str:
        """No classification, or no replicate that left its confidences."""
        return "" if self.panels else "Only replicates of a classification leave confidences to check; none is here."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            "Validation rows are grouped by how sure the model is of them: a point on the dashed diagonal is right "
            "as often as it claims, one below is too sure of itself, one above not sure enough; the bars at the "
            "bottom show the share of rows in each group, and ECE is the mean distance from the diagonal over all rows."
        )

    @property
    def alternative(self) -> str:
        """The errors in words."""
        return f"Expected calibration error: {listing([f'{p.name} {p.ece:.3f}' for p in self.panels])}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Calibration:
    """Return the pooled bins of baseline, winner and runner-up."""
    rows = boards.measured(board)
    base = [row for row in rows if boards.is_baseline(board, row)]
    best = [row for row in rows if row not in base and not boards.is_placebo(row)][:2]
    panels = []
    for row, role in zip([*base, *best], [*["baseline"] * len(base), "best", "second"], strict=False):
        bins = pool(run.reliability or () for run in boards.replicates(records, row["name"]))
        if bins:
            panels.append(Panel(row["name"], role, bins, boards.metric(row, "validation", "ece")))
    return Calibration(board["rank_by"], board["direction"], tuple(panels))


def pool(runs: Iterable[Sequence[Sequence[float]]]) -> tuple[Bin, ...]:
    """Join the bins of several runs: means weighted by rows, by confidence.

    A bin is known by its confidence, which lies in it.

    >>> pool([[[0.95, 1.0, 3]], [[0.99, 0.5, 1], [0.1, 0.0, 2]]])
    ((0.1, 0.0, 2), (0.96, 0.875, 4))
    """
    found: dict[int, list[Sequence[float]]] = {}
    for bins in runs:
        for each in bins:
            found.setdefault(min(int(each[0] * BINS), BINS - 1), []).append(each)
    return tuple(_join(parts) for _, parts in sorted(found.items()))


def _join(parts: Sequence[Sequence[float]]) -> Bin:
    rows = int(sum(part[2] for part in parts))
    confidence, right = (sum(part[i] * part[2] for part in parts) / rows for i in (0, 1))
    return round(confidence, 12), round(right, 12), rows


@styled
def draw(info: Calibration) -> Figure:
    """Draw a panel for each recipe."""
    titles = [f"{panel.name} ({panel.role})" for panel in info.panels]
    figure, panels = grid(titles, canvas, height=2.2)
    for axes, panel in zip(panels, info.panels, strict=True):
        dress(axes.xaxis, [0.0, 1.0], "linear", ticks=4)
        dress(axes.yaxis, [0.0, 1.0], "linear", ticks=4)
        _panel(axes, panel)
    figure.supxlabel("confidence", size="medium")
    figure.supylabel("share right", size="medium")
    figure.legend(handles=_legend(), loc="outside upper left", ncols=3)
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    total = sum(rows for _, _, rows in panel.bins)
    for confidence, _, rows in panel.bins:
        left = min(int(confidence * BINS), BINS - 1) / BINS
        axes.bar(left, rows / total, 1 / BINS, align="edge", color=SKY, edgecolor="white", linewidth=0.5, zorder=0)
    axes.plot([0, 1], [0, 1], color=GREY, linestyle="--", linewidth=1, zorder=1)
    axes.plot([b[0] for b in panel.bins], [b[1] for b in panel.bins], "o-", color=BLUE, markersize=4, zorder=2)
    if not math.isnan(panel.ece):
        axes.text(0.03, 0.97, f"ECE {panel.ece:.3f}", transform=axes.transAxes, va="top", size=SMALL)


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], color=BLUE, marker="o", markersize=4, label="share right"),
        Line2D([], [], color=GREY, linestyle="--", label="as sure as right"),
        Line2D([], [], color=SKY, linewidth=6, label="share of rows"),
    ]
