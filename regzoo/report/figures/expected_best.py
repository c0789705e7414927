"""Expected best of k trials: what a search of another length would have found, and how recipes would rank there.

Reference: Dodge et al. 2019, https://arxiv.org/abs/1909.03004
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_list, format_significant
from regzoo.report.figures import FigureInfo
from regzoo.report.figures._axis import choose_scale, keep_finite, set_up_axis
from regzoo.report.figures._panels import make_panels
from regzoo.report.figures._style import BLUE, SKY, SMALL, VERMILION, with_style
from regzoo.report.runs import select_trials
from regzoo.stats.expected_best import INDEPENDENT, rank_by_budget
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 9
TITLE = "Expected best score after k trials"


@dataclass(frozen=True)
class ExpectedBestPanel:
    """One recipe: the expected best score of k = 1, 2, ... trials, its band, and its rank (None if unknown)."""

    name: str
    expected: tuple[float, ...]
    low: tuple[float, ...]
    high: tuple[float, ...]
    ranks: tuple[int | None, ...]


@dataclass(frozen=True)
class ExpectedBestFigure(FigureInfo):
    """The searched recipes, in the leaderboard's order; ``tuner`` proposed the trials of ``searches`` searches."""

    baseline: str
    tuner: str
    searches: int
    panels: tuple[ExpectedBestPanel, ...]

    @property
    def missing(self) -> str:
        if self.tuner not in INDEPENDENT:
            return f"Only a random search shows what fewer trials would have found; this one was {self.tuner}."
        return "" if self.panels else "No recipe has two trials yet."

    @property
    def reading(self) -> str:
        return (
            f"Each line is the expected best validation {self.metric} ({self.better}) of k random trials, the band "
            f"its 95 % interval {self._name_trials()}, and the dashed line that of {self.baseline}: where lines "
            "cross, the order depends on the length of the search, and each panel gives the recipe's rank after one "
            "trial and after as many as all recipes have."
        )

    def _name_trials(self) -> str:
        """Say which trials the band covers: it resamples these, not the replicates."""
        trials = "over the trials of the search"
        if self.searches > 1:
            trials = f"over the trials of all {self.searches} searches"
        if self.tuner == "latin_hypercube":
            trials += " (points of Latin hypercubes, more even than random ones, so it is wide rather than narrow)"
        return trials

    @property
    def alternative(self) -> str:
        ends = [
            f"{panel.name} {format_significant(panel.expected[0], 4)} after 1 and "
            f"{format_significant(panel.expected[-1], 4)} after {len(panel.expected)}"
            for panel in self.panels
        ]
        return f"Expected best validation {self.metric} of k trials: {format_list(ends)}."


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> ExpectedBestFigure:
    """Return the expected best of k trials of each recipe with two trials or more; placebos are left out."""
    metric, tuner = leaderboard.rank_by, comparison.tuner
    rows = [*leaderboard.measured, *leaderboard.unmeasured]
    scores = {row.name: [trial.score(metric) for trial in select_trials(records, row.name, finished=False)]
              for row in rows if not row.is_placebo}  # fmt: skip
    scores = {name: found for name, found in scores.items() if len(found) > 1 and keep_finite(found)}
    panels: tuple[ExpectedBestPanel, ...] = ()
    if scores and tuner in INDEPENDENT:
        frame = rank_by_budget(scores, leaderboard.direction)
        panels = tuple(_make_panel(name, frame[frame["recipe"] == name]) for name in scores)
    return ExpectedBestFigure(metric, leaderboard.direction, leaderboard.baseline, tuner, comparison.searches, panels)


def _make_panel(name: str, frame: pd.DataFrame) -> ExpectedBestPanel:
    expected, low, high = (tuple(map(float, frame[column])) for column in ("expected", "low", "high"))
    ranks = tuple(None if pd.isna(rank) else int(rank) for rank in frame["rank"])
    return ExpectedBestPanel(name, expected, low, high, ranks)


@with_style
def draw(info: ExpectedBestFigure) -> Figure:
    """Draw small multiples with common axes."""
    figure, panels = make_panels([panel.name for panel in info.panels], height=1.6)
    values = [value for panel in info.panels for line in (panel.low, panel.high) for value in line]
    base = next((panel for panel in info.panels if panel.name == info.baseline), None)
    for axes, panel in zip(panels, info.panels, strict=True):
        set_up_axis(axes.yaxis, values, choose_scale(keep_finite(values)), ticks=4, margin=0.2)
        set_up_axis(axes.xaxis, [1.0, *(float(len(p.expected)) for p in info.panels)], "linear", ticks=4)
        _draw_panel(axes, panel, base, top=info.direction == "min")
    figure.supxlabel("trials")
    figure.supylabel(f"validation {info.metric} ({info.better})")
    figure.legend(handles=_make_legend(info.baseline if base else ""), loc="outside upper left", ncols=3)
    return figure


def _draw_panel(axes: Axes, panel: ExpectedBestPanel, base: ExpectedBestPanel | None, top: bool) -> None:
    """Draw a line and its band; with ``top`` lines fall, so the ranks have room above their ends."""
    counts = range(1, len(panel.expected) + 1)
    axes.fill_between(counts, panel.low, panel.high, color=SKY, alpha=0.4, linewidth=0)
    axes.plot(counts, panel.expected, color=BLUE, linewidth=1.8)
    if base is not None and base is not panel:
        axes.plot(range(1, len(base.expected) + 1), base.expected, color=VERMILION, linestyle="--", linewidth=1.2)
    ranks = [rank for rank in panel.ranks if rank is not None]
    if ranks:
        axes.text(
            0.97, 0.96 if top else 0.04, f"rank {ranks[0]}, then {ranks[-1]}", transform=axes.transAxes, ha="right",
            va="top" if top else "bottom", size=SMALL,
        )  # fmt: skip


def _make_legend(baseline: str) -> list[Line2D]:
    lines = [
        Line2D([], [], color=BLUE, linewidth=1.8, label="expected best"),
        Line2D([], [], color=SKY, linewidth=6, alpha=0.4, label="95 % interval over the trials"),
    ]
    return [*lines, Line2D([], [], color=VERMILION, linestyle="--", label=baseline)] if baseline else lines
