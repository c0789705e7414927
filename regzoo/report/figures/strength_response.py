"""Strength response: every trial of the search, its score against each strength that varied."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, scale
from regzoo.report.figures._panels import grid
from regzoo.report.figures._style import BLUE, GREY, VERMILLION, canvas, styled
from regzoo.report.findings import strengths
from regzoo.report.formatting import strength
from regzoo.search.space import LEARNING_RATE
from regzoo.training.records import Record

ORDER = 4
TITLE = "Strength and score, all trials"


@dataclass(frozen=True)
class Panel:
    """One strength of one recipe.

    Attributes:
        points: (value, score) of each finished trial.
        lost: values of the trials that diverged or failed.
        chosen: the value that the replicates use; NaN if none was chosen yet.
        log: whether the strength lives on a logarithmic scale.
    """

    recipe: str
    strength: str
    points: tuple[tuple[float, float], ...]
    lost: tuple[float, ...]
    chosen: float
    log: bool


@dataclass(frozen=True)
class StrengthResponse(Info):
    """A panel for each strength that varied, recipe by recipe, the learning rate last."""

    panels: tuple[Panel, ...]

    @property
    def missing(self) -> str:
        """Nothing was searched."""
        return "" if self.panels else "No strength and no learning rate varied between the trials."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Each dot is one trial of the search, its validation {self.metric} "
            f"({boards.better(self.direction)} is better) against one strength while the others vary too; the "
            "vertical line marks the chosen value, a cross at the edge a trial without a score, and the vertical "
            "scale is each recipe's own."
        )

    @property
    def alternative(self) -> str:
        """The chosen values in words."""
        chosen = [p for p in self.panels if not math.isnan(p.chosen)]
        said = "; ".join(f"{p.recipe}: {p.strength} {strength(p.chosen)}" for p in chosen)
        return f"Validation {self.metric} of every trial against each strength. Chosen: {said or 'nothing yet'}."


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> StrengthResponse:
    """Return the trials of each recipe, once for each strength that varied."""
    panels = []
    for row in [*boards.measured(board), *boards.unmeasured(board)]:
        found = boards.trials(records, row["name"], finished=False)
        values = [_values(record) for record in found]
        chosen = next(map(_values, boards.replicates(records, row["name"], finished=False)), {})
        logs = strengths.logarithmic(row["name"]) | {LEARNING_RATE}
        for key in dict.fromkeys(key for value in values for key in value):
            tried = [(v[key], r.score(board["rank_by"])) for v, r in zip(values, found, strict=True) if key in v]
            if len({value for value, _ in tried}) > 1:
                points = tuple(sorted(point for point in tried if not math.isnan(point[1])))
                lost = tuple(sorted(value for value, score in tried if math.isnan(score)))
                panels.append(Panel(row["name"], key, points, lost, chosen.get(key, math.nan), key in logs))
    return StrengthResponse(board["rank_by"], board["direction"], tuple(panels))


def _values(record: Record) -> dict[str, float]:
    return strengths.read(record.run.recipe_text) | {LEARNING_RATE: record.run.learning_rate}


@styled
def draw(info: StrengthResponse) -> Figure:
    """Draw a panel for each strength of each recipe."""
    figure, panels = grid(
        [panel.recipe for panel in info.panels], canvas, height=1.7, columns=3 if len(info.panels) <= 12 else 4
    )
    for axes, panel in zip(panels, info.panels, strict=True):
        own = [score for p in info.panels if p.recipe == panel.recipe for _, score in p.points]
        dress(axes.yaxis, own, scale(own), ticks=4, margin=0.16)
        values = [*(value for value, _ in panel.points), *panel.lost, panel.chosen]
        dress(axes.xaxis, values, scale(values, log=panel.log), ticks=3 if len(panels) > 12 else 4)
        axes.set_xlabel(panel.strength.replace(LEARNING_RATE, "learning rate"))
        _panel(axes, panel, worst=0.95 if info.direction == "min" else 0.05)
        if not own:
            axes.set_yticks([])
    figure.supylabel(f"validation {info.metric} ({boards.better(info.direction)} is better)", size="medium")
    figure.legend(handles=_legend(), loc="outside upper left", ncols=3)
    return figure


def _panel(axes: Axes, panel: Panel, worst: float) -> None:
    if not math.isnan(panel.chosen):
        axes.axvline(panel.chosen, color=VERMILLION, linestyle="--", linewidth=1.2)
    for value, score in panel.points:
        axes.plot([value], [score], **_DOT)
    for value in panel.lost:
        axes.plot([value], [worst], transform=axes.get_xaxis_transform(), **_CROSS)


_DOT: dict[str, Any] = {
    "marker": "o", "linestyle": "", "color": BLUE, "markersize": 5, "markeredgecolor": "white", "mew": 0.5
}  # fmt: skip
_CROSS: dict[str, Any] = {"marker": "x", "linestyle": "", "color": GREY, "markersize": 6, "clip_on": False}


def _legend() -> list[Line2D]:
    return [
        Line2D([], [], label="trial", **_DOT),
        Line2D([], [], color=VERMILLION, linestyle="--", label="chosen value"),
        Line2D([], [], label="trial without a score", **_CROSS),
    ]
