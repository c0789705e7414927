"""Strength response: the score of every trial of the search against each strength that varied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.best_search import find_best_search, list_chosen_points
from regzoo.comparison.chosen_strengths import read_strengths
from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_strength
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, set_up_axis
from regzoo.report.figures._panels import make_panels
from regzoo.report.figures._style import BLUE, GRAY, VERMILION, with_style
from regzoo.report.findings.strengths import find_log_strengths
from regzoo.report.runs import select_trials
from regzoo.search.space import LEARNING_RATE
from regzoo.storage.info import ComparisonInfo
from regzoo.training.choice import MeasuredChoice
from regzoo.training.records import Record

ORDER = 4
TITLE = "Strength and score of all trials"


@dataclass(frozen=True)
class StrengthPanel:
    """One strength of one recipe.

    Attributes:
        points: (value, score) of each finished trial.
        lost: values of the trials that diverged or failed.
        chosen: the value that the best search chose for the replicates; NaN if none was chosen yet.
        others: the values that the other searches chose.
        log: whether the strength has a logarithmic scale.
    """

    recipe: str
    strength: str
    points: tuple[tuple[float, float], ...]
    lost: tuple[float, ...]
    chosen: float
    log: bool
    others: tuple[float, ...] = ()


@dataclass(frozen=True)
class StrengthResponseFigure(FigureInfo):
    """A panel for each strength that varied, recipe by recipe, the learning rate last."""

    panels: tuple[StrengthPanel, ...]
    searches: int

    @property
    def missing(self) -> str:
        return "" if self.panels else "No strength and no learning rate varied between the trials."

    @property
    def reading(self) -> str:
        return (
            f"Each dot is one trial of {self._name_searches()}: its validation {self.metric} ({self.better}) against "
            f"one strength, while the others vary too; the dashed line marks the chosen value{self._name_others()}, "
            "a cross at the edge a trial without a score, and each recipe has its own vertical scale."
        )

    def _name_searches(self) -> str:
        return f"the {self.searches} searches" if self.searches > 1 else "the search"

    def _name_others(self) -> str:
        return " of the best search and dotted lines those of the others" if self.searches > 1 else ""

    @property
    def alternative(self) -> str:
        chosen = [p for p in self.panels if not math.isnan(p.chosen)]
        values = "; ".join(f"{p.recipe}: {p.strength} {format_strength(p.chosen)}" for p in chosen)
        return f"Validation {self.metric} of every trial against each strength. Chosen: {values or 'nothing yet'}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> StrengthResponseFigure:
    """Return the trials of each recipe, once for each strength that varied."""
    panels = []
    for row in [*leaderboard.measured, *leaderboard.unmeasured]:
        found = select_trials(records, row.name, finished=False)
        values = [_read_values(record) for record in found]
        points = list_chosen_points(records, row.name, leaderboard.rank_by)
        best = find_best_search(records, row.name, leaderboard.rank_by, leaderboard.direction)
        chosen = {} if best is None else _read_point(best)
        others = [_read_point(point) for point in points if point != best]
        logs = find_log_strengths(row.name) | {LEARNING_RATE}
        for key in dict.fromkeys(key for value in values for key in value):
            tried = [(v[key], r.score(leaderboard.rank_by)) for v, r in zip(values, found, strict=True) if key in v]
            if len({value for value, _ in tried}) > 1:
                dots = tuple(sorted(dot for dot in tried if not math.isnan(dot[1])))
                lost = tuple(sorted(value for value, score in tried if math.isnan(score)))
                elsewhere = tuple(sorted({other[key] for other in others if key in other}))
                panels.append(
                    StrengthPanel(row.name, key, dots, lost, chosen.get(key, math.nan), key in logs, elsewhere)
                )
    return StrengthResponseFigure(leaderboard.rank_by, leaderboard.direction, tuple(panels), comparison.searches)


def _read_point(point: MeasuredChoice) -> dict[str, float]:
    return read_strengths(point.recipe_text) | {LEARNING_RATE: point.learning_rate}


def _read_values(record: Record) -> dict[str, float]:
    return read_strengths(record.run.recipe_text) | {LEARNING_RATE: record.run.learning_rate}


@with_style
def draw(info: StrengthResponseFigure) -> Figure:
    """Draw a panel for each strength of each recipe."""
    figure, panels = make_panels(
        [panel.recipe for panel in info.panels], height=1.7, columns=3 if len(info.panels) <= 12 else 4
    )
    for axes, panel in zip(panels, info.panels, strict=True):
        own = [score for p in info.panels if p.recipe == panel.recipe for _, score in p.points]
        set_up_axis(axes.yaxis, own, choose_scale(own), ticks=4, margin=0.16)
        values = [*(value for value, _ in panel.points), *panel.lost, panel.chosen, *panel.others]
        set_up_axis(axes.xaxis, values, choose_scale(values, log=panel.log), ticks=3 if len(panels) > 12 else 4)
        axes.set_xlabel(panel.strength.replace(LEARNING_RATE, "learning rate"))
        _draw_panel(axes, panel, worst=0.95 if info.direction == "min" else 0.05)
        if not own:
            axes.set_yticks([])
    figure.supylabel(f"validation {info.metric} ({info.better})")
    figure.legend(handles=_make_legend(info.searches > 1), loc="outside upper left", ncols=4)
    return figure


def _draw_panel(axes: Axes, panel: StrengthPanel, worst: float) -> None:
    for value in panel.others:
        axes.axvline(value, color=VERMILION, linestyle=":", linewidth=1.0)
    if not math.isnan(panel.chosen):
        axes.axvline(panel.chosen, color=VERMILION, linestyle="--", linewidth=1.2)
    for value, score in panel.points:
        axes.plot([value], [score], **_DOT)
    for value in panel.lost:
        axes.plot([value], [worst], transform=axes.get_xaxis_transform(), **_CROSS)


_DOT: dict[str, Any] = {
    "marker": "o", "linestyle": "", "color": BLUE, "markersize": 5, "markeredgecolor": "white", "mew": 0.5
}  # fmt: skip
_CROSS: dict[str, Any] = {"marker": "x", "linestyle": "", "color": GRAY, "markersize": 6, "clip_on": False}


def _make_legend(several: bool) -> list[Line2D]:
    chosen = [Line2D([], [], color=VERMILION, linestyle="--", label="chosen value")]
    if several:
        chosen = [
            Line2D([], [], color=VERMILION, linestyle="--", label="chosen by the best search"),
            Line2D([], [], color=VERMILION, linestyle=":", linewidth=1.0, label="by the others"),
        ]
    return [
        Line2D([], [], label="trial", **_DOT),
        *chosen,
        Line2D([], [], label="trial without a score", **_CROSS),
    ]
