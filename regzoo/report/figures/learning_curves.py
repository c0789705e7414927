"""Learning curves: the ranking metric on train and validation, epoch by epoch, a panel for each recipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.curves import Curve, average
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._panels import grid
from regzoo.report.figures._style import GREY, PARTS, SMALL, canvas, styled
from regzoo.report.formatting import listing
from regzoo.training.records import Record

ORDER = 3
TITLE = "Learning curves"


@dataclass(frozen=True)
class Panel:
    """One recipe.

    Attributes:
        runs: by part, the curve of each finished replicate; they may differ in length.
        mean: by part, the mean over the runs, up to the last epoch that half of them reached.
        best_epoch: mean over the replicates of the best epoch, from 1; NaN if unknown.
    """

    name: str
    runs: dict[str, tuple[Curve, ...]]
    mean: dict[str, Curve]
    best_epoch: float


@dataclass(frozen=True)
class LearningCurves(Info):
    """A panel for each recipe with a history, in the board's order."""

    panels: tuple[Panel, ...]

    @property
    def missing(self) -> str:
        """No run left a history."""
        return "" if self.panels else "No replicate has left a learning curve yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Thick lines are the mean {self.metric} over the replicates after each epoch "
            f"({boards.better(self.direction)} is better), thin lines the single runs; a validation line that "
            "turns back while the training line goes on is overfitting, and the vertical line marks the mean best "
            "epoch."
        )

    @property
    def alternative(self) -> str:
        """The best epochs in words."""
        known = [panel for panel in self.panels if not math.isnan(panel.best_epoch)]
        epochs = [f"{panel.name} {panel.best_epoch:.0f}" for panel in known]
        shown = f"{self.metric} by epoch on train and validation, a panel for each recipe"
        return f"{shown}. Mean best epoch: {listing(epochs) or 'unknown'}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> LearningCurves:
    """Return the curves of every recipe's finished replicates."""
    metric = board["rank_by"]
    panels = []
    for row in [*boards.measured(board), *boards.unmeasured(board)]:
        found = boards.replicates(records, row["name"])
        runs = {part: _curves(found, part, metric) for part in ("train", "validation")}
        if any(finite(curve) for curve in runs["validation"]):
            best = [r.best_epoch for r in found if r.best_epoch > 0]
            mean = {part: average(curves) for part, curves in runs.items()}
            panels.append(Panel(row["name"], runs, mean, fmean(best) if best else math.nan))
    return LearningCurves(metric, board["direction"], tuple(panels))


def _curves(records: Sequence[Record], part: str, metric: str) -> tuple[Curve, ...]:
    found = (record.history.get(part, {}).get(metric, []) for record in records)
    return tuple(tuple(boards.number(value) for value in curve) for curve in found if curve)


@styled
def draw(info: LearningCurves) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = grid([panel.name for panel in info.panels], canvas, height=1.75)
    means = [value for panel in info.panels for curve in panel.mean.values() for value in curve]
    lengths = [len(curve) for panel in info.panels for curves in panel.runs.values() for curve in curves]
    ends = [0.0, *lengths, *(panel.best_epoch for panel in info.panels)]
    for axes, panel in zip(panels, info.panels, strict=True):
        dress(axes.yaxis, means, scale(finite(means)), ticks=4)
        dress(axes.xaxis, ends, "linear", ticks=4)
        _panel(axes, panel)
    figure.supxlabel("epoch", size="medium")
    figure.supylabel(f"{info.metric} ({boards.better(info.direction)} is better)", size="medium")
    figure.legend(handles=_legend(), loc="outside upper left", ncols=4)
    return figure


def _panel(axes: Axes, panel: Panel) -> None:
    for name, look in PARTS.items():
        for curve in panel.runs.get(name, ()):
            axes.plot(range(1, len(curve) + 1), curve, color=look.color, linewidth=0.6, alpha=0.35)
        mean = panel.mean.get(name, ())
        axes.plot(range(1, len(mean) + 1), mean, color=look.color, linestyle=look.line, linewidth=1.9)
    if not math.isnan(panel.best_epoch):
        axes.axvline(panel.best_epoch, color=GREY, linestyle=":", linewidth=1.2)
        right = panel.best_epoch > sum(axes.get_xlim()) / 2
        axes.annotate(
            f"best {panel.best_epoch:.0f}", (panel.best_epoch, 0.97), xycoords=axes.get_xaxis_transform(),
            xytext=(-3 if right else 3, 0), textcoords="offset points", va="top", size=SMALL,
            ha="right" if right else "left", color=GREY,
        )  # fmt: skip


def _legend() -> list[Line2D]:
    looks = [(name, PARTS[name]) for name in ("train", "validation")]
    lines = [Line2D([], [], color=look.color, linestyle=look.line, label=name) for name, look in looks]
    single = Line2D([], [], color=GREY, linewidth=0.6, label="single run")
    return [*lines, single, Line2D([], [], color=GREY, linestyle=":", label="best epoch")]
