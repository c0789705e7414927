"""Learning curves: the ranking metric on training and validation rows by epoch, a panel for each recipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.errors import InputError
from regzoo.core.formatting import float_or_nan, format_fixed, format_list
from regzoo.report.curves import Curve, average_curves
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._panels import make_panels
from regzoo.report.figures._style import GRAY, PARTS, SMALL, with_style
from regzoo.report.runs import select_replicates
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 3
TITLE = "Learning curves"


@dataclass(frozen=True)
class LearningCurvesPanel:
    """One recipe.

    Attributes:
        runs: by part, the curve of each finished replicate; they may differ in length.
        mean: by part, the mean over the runs, up to the last epoch that half of them reached.
        best_epoch: mean over the replicates of the best epoch, from 1; NaN if unknown.
        averaged: whether its recipe averages weights, so that averages were judged.
    """

    name: str
    runs: dict[str, tuple[Curve, ...]]
    mean: dict[str, Curve]
    best_epoch: float
    averaged: bool = False


@dataclass(frozen=True)
class LearningCurvesFigure(FigureInfo):
    """A panel for each recipe with a history, in the leaderboard's order."""

    panels: tuple[LearningCurvesPanel, ...]

    @property
    def missing(self) -> str:
        return "" if self.panels else "No replicate has a learning curve yet."

    @property
    def reading(self) -> str:
        averaged = [panel.name for panel in self.panels if panel.averaged]
        of_averages = f" The curves of {format_list(averaged)} are those of its averaged weights." if averaged else ""
        return (
            f"Thick lines are the mean {self.metric} over the replicates after each epoch "
            f"({self.better}), thin lines the individual runs; where the validation line gets worse while the training "
            "line still improves, the model overfits, and the vertical line marks the mean best epoch." + of_averages
        )

    @property
    def alternative(self) -> str:
        known = [panel for panel in self.panels if not math.isnan(panel.best_epoch)]
        epochs = [f"{panel.name} {format_fixed(panel.best_epoch, 0)}" for panel in known]
        shown = f"{self.metric} by epoch on train and validation, a panel for each recipe"
        return f"{shown}. Mean best epoch: {format_list(epochs) or 'unknown'}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> LearningCurvesFigure:
    """Return the curves of every recipe's finished replicates."""
    metric = leaderboard.rank_by
    panels = []
    for row in [*leaderboard.measured, *leaderboard.unmeasured]:
        found = select_replicates(records, row.name)
        runs = {part: _read_curves(found, part, metric) for part in ("train", "validation")}
        if any(keep_finite(curve) for curve in runs["validation"]):
            best = [r.best_epoch for r in found if r.best_epoch > 0]
            mean = {part: average_curves(curves) for part, curves in runs.items()}
            averaged = any(_is_averaged(record) for record in found[:1])
            panels.append(LearningCurvesPanel(row.name, runs, mean, fmean(best) if best else math.nan, averaged))
    return LearningCurvesFigure(metric, leaderboard.direction, tuple(panels))


def _is_averaged(record: Record) -> bool:
    """Return True if the weights that were judged are averages; False if a regularizer is unknown here."""
    try:
        return any(each.averages for each in record.run.recipe)
    except InputError:
        return False


def _read_curves(records: Sequence[Record], part: str, metric: str) -> tuple[Curve, ...]:
    found = (record.history.get(part, {}).get(metric, []) for record in records)
    return tuple(tuple(float_or_nan(value) for value in curve) for curve in found if curve)


@with_style
def draw(info: LearningCurvesFigure) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = make_panels([panel.name for panel in info.panels], height=1.75)
    means = [value for panel in info.panels for curve in panel.mean.values() for value in curve]
    lengths = [len(curve) for panel in info.panels for curves in panel.runs.values() for curve in curves]
    ends = [0.0, *lengths, *(panel.best_epoch for panel in info.panels)]
    for axes, panel in zip(panels, info.panels, strict=True):
        set_up_axis(axes.yaxis, means, choose_scale(keep_finite(means)), ticks=4)
        set_up_axis(axes.xaxis, ends, "linear", ticks=4)
        _draw_panel(axes, panel)
    figure.supxlabel("epoch")
    figure.supylabel(f"{info.metric} ({info.better})")
    figure.legend(handles=_make_legend(), loc="outside upper left", ncols=4)
    return figure


def _draw_panel(axes: Axes, panel: LearningCurvesPanel) -> None:
    for name, style in PARTS.items():
        for curve in panel.runs.get(name, ()):
            axes.plot(range(1, len(curve) + 1), curve, color=style.color, linewidth=0.6, alpha=0.35)
        mean = panel.mean.get(name, ())
        axes.plot(range(1, len(mean) + 1), mean, color=style.color, linestyle=style.line, linewidth=1.9)
    if not math.isnan(panel.best_epoch):
        axes.axvline(panel.best_epoch, color=GRAY, linestyle=":", linewidth=1.2)
        right = panel.best_epoch > sum(axes.get_xlim()) / 2
        axes.annotate(
            f"best {format_fixed(panel.best_epoch, 0)}", (panel.best_epoch, 0.97), xycoords=axes.get_xaxis_transform(),
            xytext=(-3 if right else 3, 0), textcoords="offset points", va="top", size=SMALL,
            ha="right" if right else "left", color=GRAY,
        )  # fmt: skip


def _make_legend() -> list[Line2D]:
    styles = [(name, PARTS[name]) for name in ("train", "validation")]
    lines = [Line2D([], [], color=style.color, linestyle=style.line, label=name) for name, style in styles]
    single = Line2D([], [], color=GRAY, linewidth=0.6, label="individual run")
    return [*lines, single, Line2D([], [], color=GRAY, linestyle=":", label="best epoch")]
