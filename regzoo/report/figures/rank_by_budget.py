"""Rank of the recipes after k random trials each, for every k.

Reference: Dodge et al. 2019, https://arxiv.org/abs/1909.03004
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import format_list
from regzoo.report.figures import FigureInfo, expected_best
from regzoo.report.figures._style import (
    BLACK,
    BLUE,
    GRAY,
    ORANGE,
    SKY,
    SMALL,
    VERMILION,
    WIDTH,
    make_figure,
    with_style,
)
from regzoo.report.figures._text import measure_width, spread_labels, wrap_text
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record

ORDER = 10
TITLE = "Rank after k trials"

_LINE_HEIGHT = 0.145
"""Inches, of a line of small text."""


@dataclass(frozen=True)
class RankLine:
    """One recipe: its rank, from 1, after 1, 2, ... trials; equal recipes share a rank."""

    name: str
    ranks: tuple[int, ...]


@dataclass(frozen=True)
class RankByBudgetFigure(FigureInfo):
    """The searched recipes, in their final order; ``missing_because`` says why there is none."""

    lines: tuple[RankLine, ...]
    missing_because: str

    @property
    def fits(self) -> bool:
        return len(self.lines) > 1

    @property
    def missing(self) -> str:
        return self.missing_because

    @property
    def reading(self) -> str:
        return (
            f"Each line is a recipe's rank by the expected best validation {self.metric} of k random trials, the best "
            "on top, so each column is the order that a search of k trials would give; the previous figure shows how "
            "large the differences are and how certain."
        )

    @property
    def alternative(self) -> str:
        orders = format_list([self._describe_order(k) for k in self._find_lead_changes()])
        return f"Order by expected best validation {self.metric}: {orders}."

    def _find_lead_changes(self) -> list[int]:
        """Return the first and the last number of trials, and those at which another recipe takes the lead."""
        count = len(self.lines[0].ranks)
        leaders = [[line.name for line in self.lines if line.ranks[k] == 1] for k in range(count)]
        changed = [k for k in range(1, count - 1) if leaders[k] != leaders[k - 1]]
        return sorted({0, *changed, count - 1})

    def _describe_order(self, k: int) -> str:
        names = [line.name for line in sorted(self.lines, key=lambda line: line.ranks[k])]
        return f"after {k + 1} {', '.join(names)}"


def info(leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo) -> RankByBudgetFigure:
    """Return the ranks of `regzoo.report.figures.expected_best`, up to the trials that all recipes made."""
    found = expected_best.info(leaderboard, records, comparison)
    lines = [RankLine(p.name, tuple(rank for rank in p.ranks if rank is not None)) for p in found.panels]
    lines.sort(key=lambda line: line.ranks[-1])
    return RankByBudgetFigure(leaderboard.rank_by, leaderboard.direction, tuple(lines), found.missing)


@with_style
def draw(info: RankByBudgetFigure) -> Figure:
    """Draw a line for each recipe, with its rank and name at both ends."""
    labels = [wrap_text(line.name, 1.7) for line in info.lines]
    sizes = [_LINE_HEIGHT * (label.count("\n") + 1) + 0.06 for label in labels]
    figure = make_figure(_measure_height(sizes) + 0.7)
    column = max(map(measure_width, labels)) + 0.6
    left, axes, right = figure.subplots(1, 3, width_ratios=[column, WIDTH - 2 * column, column])
    count, last = len(info.lines[0].ranks), len(info.lines)
    axes.set_ylim(last + 0.5, 0.5)
    axes.set_xlim(0.8, max(count, 2) + 0.2)
    axes.xaxis.set_major_locator(MaxNLocator(min(count, 8), integer=True, min_n_ticks=1))
    axes.yaxis.set_visible(False)
    axes.spines["left"].set_visible(False)
    axes.set_xlabel("random trials of each recipe (rank 1 is best)")
    for line, style in zip(info.lines, _make_styles(), strict=False):
        axes.plot(range(1, count + 1), line.ranks, linewidth=1.6, markersize=6, clip_on=False, **style)
    for names, end in ((left, 0), (right, -1)):
        ends = [(1 if names is left else count, line.ranks[end]) for line in info.lines]
        _write_names(axes, names, ends, labels, sizes, at_left=names is left)
    return figure


def _write_names(
    axes: Axes, names: Axes, ends: Sequence[tuple[int, int]], labels: Sequence[str], sizes: Sequence[float],
    *, at_left: bool,
) -> None:  # fmt: skip
    """Write ranks and names at one end of the lines, as near as there is room, with a stroke to each line."""
    names.set_axis_off()
    height, last = _measure_height(sizes), len(ends)
    wanted = [height * (last + 0.5 - rank) / last for _, rank in ends]
    for (x, rank), label, center in zip(ends, labels, spread_labels(wanted, sizes, 0.0, height), strict=True):
        text = names.annotate(
            f"{label}  {rank}" if at_left else f"{rank}  {label}", (x, rank), xycoords=axes.transData,
            xytext=(0.95 if at_left else 0.05, center / height), textcoords=names.transAxes, va="center",
            ha="right" if at_left else "left", size=SMALL,
            arrowprops={"arrowstyle": "-", "color": GRAY, "linewidth": 0.5, "shrinkB": 6, "shrinkA": 0,
                        "relpos": (1.0 if at_left else 0.0, 0.5)},
        )  # fmt: skip
        text.set_in_layout(False)


def _measure_height(sizes: Sequence[float]) -> float:
    """Return the inches from the highest name to the lowest."""
    return max(1.6, sum(sizes))


def _make_styles() -> Iterator[dict[str, str]]:
    """Yield colors, markers and lines with different periods, so no two of 40 recipes look the same, also in gray."""
    colors = (BLUE, VERMILION, BLACK, SKY, ORANGE)
    markers, styles = ("o", "s", "^", "D", "v", "P", "X", "*"), ("-", "--", ":", "-.")
    for i in itertools.count():
        yield {"color": colors[i % 5], "marker": markers[i % 8], "linestyle": styles[i % 4]}
