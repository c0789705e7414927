"""Expected best of k trials: what a search of another length would have found, and the order of recipes there.

Reference: Dodge et al. 2019, https://arxiv.org/abs/1909.03004
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.report import board as boards
from regzoo.report.figures import Info
from regzoo.report.figures._axis import dress, finite, scale
from regzoo.report.figures._panels import grid
from regzoo.report.figures._style import BLUE, SKY, SMALL, VERMILLION, canvas, styled
from regzoo.report.formatting import listing
from regzoo.stats.expected_best import rank_by_budget
from regzoo.training.records import Record

ORDER = 9
TITLE = "Expected best of so many trials"


@dataclass(frozen=True)
class Panel:
    """One recipe: for k = 1, 2, ... trials the expected best score, its band, and its rank (None where unknown)."""

    name: str
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    ranks: tuple[int | None, ...]


@dataclass(frozen=True)
class ExpectedBest(Info):
    """The searched recipes, in the board's order; ``tuner`` proposed the trials."""

    baseline: str
    tuner: str
    panels: tuple[Panel, ...]

    @property
    def missing(self) -> str:
        """Another search than a random one, or too few trials."""
        if self.tuner != "random":
            return f"Only a random search tells what fewer trials would have found; this one was {self.tuner}."
        return "" if self.panels else "No recipe has two trials yet."

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Each line is the best validation {self.metric} ({_better(self)}) to expect of so many random trials, the "
            f"band its 95 % interval and the dashed line {self.baseline}: where lines cross, the order depends on how "
            "long one searches, and each panel says the recipe's place after one trial and after as many as all have."
        )

    @property
    def alternative(self) -> str:
        """The ends of the lines in words."""
        ends = [f"{p.name} {p.expected[0]:.4g} after 1 and {p.expected[-1]:.4g} after {len(p.expected)}"
                for p in self.panels]  # fmt: skip
        return f"Expected best validation {self.metric} of k trials: {listing(ends)}."


def _better(info: Info) -> str:
    return f"{boards.better(info.direction)} is better"


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> ExpectedBest:
    """Return the expected best of k trials of each recipe with two trials or more; placebos are left out."""
    metric, tuner = board["rank_by"], comparison["tuner"]
    rows = [*boards.measured(board), *boards.unmeasured(board)]
    scores = {row["name"]: [trial.score(metric) for trial in boards.trials(records, row["name"], finished=False)]
              for row in rows if not boards.is_placebo(row)}  # fmt: skip
    scores = {name: found for name, found in scores.items() if len(found) > 1 and finite(found)}
    panels: tuple[Panel, ...] = ()
    if scores and tuner == "random":
        frame = rank_by_budget(scores, board["direction"])
        panels = tuple(_panel_of(name, frame[frame["recipe"] == name]) for name in scores)
    return ExpectedBest(metric, board["direction"], board["baseline"], tuner, panels)


def _panel_of(name: str, frame: pd.DataFrame) -> Panel:
    expected, low, high = (tuple(map(float, frame[column])) for column in ("expected", "low", "high"))
    return Panel(name, expected, low, high, tuple(None if pd.isna(rank) else int(rank) for rank in frame["rank"]))


@styled
def draw(info: ExpectedBest) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = grid([panel.name for panel in info.panels], canvas, height=1.6)
    values = [value for panel in info.panels for line in (panel.low, panel.high) for value in line]
    base = next((panel for panel in info.panels if panel.name == info.baseline), None)
    for axes, panel in zip(panels, info.panels, strict=True):
        dress(axes.yaxis, values, scale(finite(values)), ticks=4, margin=0.2)
        dress(axes.xaxis, [1.0, *(float(len(p.expected)) for p in info.panels)], "linear", ticks=4)
        _panel(axes, panel, base, top=info.direction == "min")
    figure.supxlabel("trials", size="medium")
    figure.supylabel(f"validation {info.metric} ({_better(info)})", size="medium")
    figure.legend(handles=_legend(info.baseline if base else ""), loc="outside upper left", ncols=3)
    return figure


def _panel(axes: Axes, panel: Panel, base: Panel | None, top: bool) -> None:
    """``top``: lines fall, so there is room for the ranks above their ends."""
    counts = range(1, len(panel.expected) + 1)
    axes.fill_between(counts, panel.low, panel.high, color=SKY, alpha=0.4, linewidth=0)
    axes.plot(counts, panel.expected, color=BLUE, linewidth=1.8)
    if base is not None and base is not panel:
        axes.plot(range(1, len(base.expected) + 1), base.expected, color=VERMILLION, linestyle="--", linewidth=1.2)
    ranks = [rank for rank in panel.ranks if rank is not None]
    if ranks:
        axes.text(
            0.97, 0.96 if top else 0.04, f"place {ranks[0]}, then {ranks[-1]}", transform=axes.transAxes, ha="right",
            va="top" if top else "bottom", size=SMALL,
        )  # fmt: skip


def _legend(baseline: str) -> list[Line2D]:
    lines = [
        Line2D([], [], color=BLUE, linewidth=1.8, label="expected best"),
        Line2D([], [], color=SKY, linewidth=6, alpha=0.4, label="95 % interval"),
    ]
    return [*lines, Line2D([], [], color=VERMILLION, linestyle="--", label=baseline)] if baseline else lines
