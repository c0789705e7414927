"""Critical-difference diagram: recipes by average rank over data sets, with bars that join indistinguishable ones.

Reference: Demsar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets",
https://jmlr.org/papers/v7/demsar06a.html
"""

from __future__ import annotations

import math
from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from regzoo.core import InputError
from regzoo.core.formatting import format_count, format_fixed, format_list
from regzoo.report.figures._output import save_figure
from regzoo.report.figures._style import BLACK, SIZE, SMALL, make_figure, with_style
from regzoo.report.figures._text import wrap_text
from regzoo.stats.across_datasets import AcrossDatasets
from regzoo.stats.rank import Ranking

TITLE = "Average ranks over data sets"

ROW = 0.34
"""Inches between two labels, and between two bars."""


def critical_difference_diagram(ranking: Ranking, path: str | Path) -> Path:
    """Draw the average ranks of a ranking over several data sets, and return the path.

    The best recipe is on the left; a thick bar joins recipes whose average ranks differ by less than the critical
    difference (Nemenyi, 95 %), so that the data cannot tell them apart.

    Args:
        ranking: of a table with a column ``dataset``, see `regzoo.rank`.
        path: ends in ``.svg``, ``.png`` or ``.pdf``.

    Raises:
        InputError: if the ranking is not over several data sets, or ``path`` has another suffix.

    Example:
        ranking = regzoo.rank(frame)  # columns recipe, seed, dataset, score
        regzoo.critical_difference_diagram(ranking, "ranks.svg")
    """
    if ranking.several is None:
        raise InputError(
            "ranking: a critical-difference diagram needs two data sets or more on which all recipes were run. "
            "Give regzoo.rank a table with a column 'dataset'."
        )
    alternative = describe_ranks(ranking.several)
    save_figure(draw(ranking.several), Path(path), "critical-difference", TITLE, alternative)
    return Path(path)


@with_style
def draw(found: AcrossDatasets) -> Figure:
    """Draw the diagram: the axis of ranks on top, the bars, then the labels, half of them on either side."""
    bars = [group for group in found.groups if len(group) > 1]
    half = math.ceil(len(found.recipes) / 2)
    figure = make_figure(0.9 + ROW * (len(bars) + half))
    axes = figure.add_subplot()
    low, high = found.average_ranks[0], found.average_ranks[-1]
    margin = 0.03 * (high - low) or 0.5
    axes.set_xlim(low - margin, high + margin)
    axes.set_ylim(len(bars) + half + 0.5, 0)
    axes.yaxis.set_visible(False)
    axes.xaxis.tick_top()
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    axes.spines[["left", "bottom"]].set_visible(False)
    axes.spines["top"].set_visible(True)
    ranks = dict(zip(found.recipes, found.average_ranks, strict=True))
    for row, group in enumerate(bars, start=1):
        axes.plot([ranks[group[0]], ranks[group[-1]]], [row, row], color=BLACK, linewidth=3.5)
    for row, name in enumerate(found.recipes[:half], start=len(bars) + 1):
        _draw_label(axes, name, ranks[name], row, low - margin)
    for row, name in enumerate(reversed(found.recipes[half:]), start=len(bars) + 1):
        _draw_label(axes, name, ranks[name], row, high + margin)
    figure.suptitle(_make_title(found), x=0.01, ha="left", size=SIZE)
    return figure


def _draw_label(axes: Axes, name: str, rank: float, row: int, end: float) -> None:
    """Lead a line from a rank on the axis down to ``row`` and to ``end``, and write rank and name there."""
    axes.plot([rank, rank, end], [0, row, row], color=BLACK, linewidth=0.8)
    axes.plot([rank], [0], "o", color=BLACK, markersize=5, zorder=3, clip_on=False)
    label, shown, at_left = wrap_text(name, 2.0, most=2), format_fixed(rank, 2), end < rank
    axes.annotate(
        f"{label}  {shown}" if at_left else f"{shown}  {label}", (end, row), (-3 if at_left else 3, 0),
        textcoords="offset points", ha="right" if at_left else "left", va="center", size=SMALL, annotation_clip=False,
    )  # fmt: skip


def _make_title(found: AcrossDatasets) -> str:
    datasets = format_count(len(found.datasets), "data set")
    difference = format_fixed(found.critical_difference, 2)
    return f"average rank over {datasets} (1 is best); critical difference {difference}"


def describe_ranks(found: AcrossDatasets) -> str:
    """Return the ranks and the bars in words."""
    ranks = [f"{name} {format_fixed(rank, 2)}" for name, rank in zip(found.recipes, found.average_ranks, strict=True)]
    groups = [f"{group[0]} to {group[-1]}" for group in found.groups if len(group) > 1]
    joined = f"No significant difference: {format_list(groups)}." if groups else "All differences are significant."
    return f"{_make_title(found).capitalize()}: {format_list(ranks)}. {joined}"
