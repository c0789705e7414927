"""Rank against budget: the order of the recipes if each search had made k random trials, for every k.

Reference: Dodge et al. 2019, https://arxiv.org/abs/1909.03004
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from regzoo.report.figures import Info, expected_best
from regzoo.report.figures._style import BLACK, BLUE, GREY, ORANGE, SKY, SMALL, VERMILLION, WIDTH, canvas, styled
from regzoo.report.figures._text import inches, spread, wrap
from regzoo.report.formatting import listing
from regzoo.training.records import Record

ORDER = 10
TITLE = "Rank at any number of trials"

LINE = 0.145
"""Inches that a line of small text is high."""


@dataclass(frozen=True)
class Line:
    """One recipe: its rank after 1, 2, ... trials, from 1; equal recipes share a rank."""

    name: str
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class RankByBudget(Info):
    """The searched recipes, in the order that they end in; ``absent`` says why there is none."""

    lines: tuple[Line, ...]
    absent: str

    @property
    def fits(self) -> bool:
        """Only several recipes have an order; why there is none says the figure of the expected best."""
        return len(self.lines) > 1

    @property
    def missing(self) -> str:
        """As the expected best of k trials, whose order it is."""
        return self.absent

    @property
    def reading(self) -> str:
        """How to read it."""
        return (
            f"Each line is a recipe's rank by the expected best validation {self.metric} of so many random trials, the "
            "best on top, so each column is the order that a search of this length would give; how far neighbours lie "
            "apart, and how sure that is, show the bands of the figure before."
        )

    @property
    def alternative(self) -> str:
        """The order at the ends and wherever the first place changes hands."""
        return f"Order by expected best validation {self.metric}: {listing([self._order(k) for k in self._turns()])}."

    def _turns(self) -> list[int]:
        """The first and the last number of trials, and those at which another recipe takes the lead."""
        count = len(self.lines[0].ranks)
        leaders = [[line.name for line in self.lines if line.ranks[k] == 1] for k in range(count)]
        changed = [k for k in range(1, count - 1) if leaders[k] != leaders[k - 1]]
        return sorted({0, *changed, count - 1})

    def _order(self, k: int) -> str:
        names = [line.name for line in sorted(self.lines, key=lambda line: line.ranks[k])]
        return f"after {k + 1} {', '.join(names)}"


def info(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> RankByBudget:
    """Return the ranks of `regzoo.report.figures.expected_best`, up to the trials that all recipes made."""
    found = expected_best.info(board, records, comparison)
    lines = [Line(p.name, tuple(rank for rank in p.ranks if rank is not None)) for p in found.panels]
    lines.sort(key=lambda line: line.ranks[-1])
    return RankByBudget(board["rank_by"], board["direction"], tuple(lines), found.missing)


@styled
def draw(info: RankByBudget) -> Figure:
    """Draw a line for each recipe, with its rank and name at both ends."""
    labels = [wrap(line.name, 1.7) for line in info.lines]
    sizes = [LINE * (label.count("\n") + 1) + 0.06 for label in labels]
    figure = canvas(_height(sizes) + 0.7)
    column = max(map(inches, labels)) + 0.6
    left, axes, right = figure.subplots(1, 3, width_ratios=[column, WIDTH - 2 * column, column])
    count, last = len(info.lines[0].ranks), len(info.lines)
    axes.set_ylim(last + 0.5, 0.5)
    axes.set_xlim(0.8, max(count, 2) + 0.2)
    axes.xaxis.set_major_locator(MaxNLocator(min(count, 8), integer=True, min_n_ticks=1))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("random trials of each recipe (rank 1 is best)")
    for line, look in zip(info.lines, _looks(), strict=False):
        axes.plot(range(1, count + 1), line.ranks, linewidth=1.6, markersize=6, clip_on=False, **look)
    for beside, end in ((left, 0), (right, -1)):
        ends = [(1 if beside is left else count, line.ranks[end]) for line in info.lines]
        _names(axes, beside, ends, labels, sizes, at_left=beside is left)
    return figure


def _names(
    axes: Axes, beside: Axes, ends: Sequence[tuple[int, int]], labels: Sequence[str], sizes: Sequence[float],
    *, at_left: bool,
) -> None:  # fmt: skip
    """Write ranks and names at one end of the lines, as near as there is room, with a stroke to each line."""
    beside.set_axis_off()
    height, last = _height(sizes), len(ends)
    wanted = [height * (last + 0.5 - rank) / last for _, rank in ends]
    for (x, rank), label, centre in zip(ends, labels, spread(wanted, sizes, 0.0, height), strict=True):
        name = beside.annotate(
            f"{label}  {rank}" if at_left else f"{rank}  {label}", (x, rank), xycoords=axes.transData,
            xytext=(0.95 if at_left else 0.05, centre / height), textcoords=beside.transAxes, va="center",
            ha="right" if at_left else "left", size=SMALL,
            arrowprops={"arrowstyle": "-", "color": GREY, "linewidth": 0.5, "shrinkB": 6, "shrinkA": 0,
                        "relpos": (1.0 if at_left else 0.0, 0.5)},
        )  # fmt: skip
        name.set_in_layout(False)


def _height(sizes: Sequence[float]) -> float:
    """Inches from the highest name to the lowest."""
    return max(1.6, sum(sizes))


def _looks() -> itertools.chain[dict[str, Any]]:
    """Colours and markers of different periods, so that no two of 40 recipes look alike, and no colour is needed."""
    colors = (BLUE, VERMILLION, BLACK, SKY, ORANGE)
    markers, styles = ("o", "s", "^", "D", "v", "P", "X", "*"), ("-", "--", ":", "-.")
    return itertools.chain(
        {"color": colors[i % 5], "marker": markers[i % 8], "linestyle": styles[i % 4]} for i in itertools.count()
    )
