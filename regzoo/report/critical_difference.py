"""The critical-difference diagram: recipes by their average rank over data sets, joined where nothing tells them apart.

Reference: Demsar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets",
https://jmlr.org/papers/v7/demsar06a.html
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from scikit_posthocs import critical_difference_diagram as diagram

from regzoo.core import InputError
from regzoo.report.figures._style import BLACK, SIZE, SMALL, canvas, save, styled
from regzoo.report.figures._text import wrap
from regzoo.report.formatting import listing, plural
from regzoo.stats.across_datasets import AcrossDatasets
from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.rank import Ranking

TITLE = "Average ranks over data sets"


def critical_difference_diagram(ranking: Ranking, path: str | Path) -> Path:
    """Draw the average ranks of a ranking over several data sets, and return the path.

    The best recipe is at the left; a thick line joins recipes whose average ranks differ by less than the critical
    difference (Nemenyi, 95 %), so that nothing tells them apart.

    Args:
        ranking: of a table with a column ``dataset``, see `regzoo.rank`.
        path: ends in ``.svg``, ``.png`` or ``.pdf``.

    Raises:
        InputError: the ranking is not over several data sets, or no picture ends so.

    Example:
        ranking = regzoo.rank(frame)  # columns recipe, seed, dataset, score
        regzoo.critical_difference_diagram(ranking, "ranks.svg")
    """
    if ranking.several is None:
        raise InputError(
            "ranking: a critical-difference diagram needs two data sets or more on which all recipes were run. "
            "Give regzoo.rank a table with a column 'dataset'."
        )
    save(draw(ranking.several), Path(path), "critical-difference", TITLE, alternative(ranking.several))
    return Path(path)


@styled
def draw(found: AcrossDatasets) -> Figure:
    """Draw the diagram; the best recipe is at the left."""
    labels = {place: wrap(name, 2.0, most=2) for place, name in enumerate(found.recipes)}
    figure = canvas(1.2 + 0.34 * (len(labels) / 2 + len(found.groups)))
    axes = figure.add_subplot()
    drawn = diagram(
        dict(zip(labels, found.average_ranks, strict=True)),
        pd.DataFrame(found.p_nemenyi, index=list(labels), columns=list(labels)),
        ax=axes,
        alpha=LEVEL,
        label_fmt_left="{label} {rank:.2f}",
        label_fmt_right="{label} {rank:.2f}",
        label_props={"size": SMALL},
        elbow_props={"linewidth": 0.8},
        crossbar_props={"linewidth": 3.5},
        color_palette=dict.fromkeys(labels, BLACK),
        text_h_margin=0.02 * (found.average_ranks[-1] - found.average_ranks[0]) or 0.02,
    )
    axes.xaxis.set_major_locator(MaxNLocator(integer=True, min_n_ticks=1))
    for text in drawn["labels"]:  # places kept equal names apart
        place, rank = text.get_text().split()
        name = labels[int(place)]
        text.set_text(f"{name}  {rank}" if text.get_ha() == "right" else f"{rank}  {name}")
    axes.set_title(_title(found), size=SIZE, loc="left")
    return figure


def _title(found: AcrossDatasets) -> str:
    return (
        f"average rank over {plural(len(found.datasets), 'data set')} (1 is best); critical difference "
        f"{found.critical_difference:.2f}"
    )


def alternative(found: AcrossDatasets) -> str:
    """The ranks and the groups in words."""
    ranks = [f"{name} {rank:.2f}" for name, rank in zip(found.recipes, found.average_ranks, strict=True)]
    groups = [f"{group[0]} to {group[-1]}" for group in found.groups if len(group) > 1]
    joined = f" Not told apart: {listing(groups)}." if groups else " All are told apart."
    return f"{_title(found).capitalize()}: {listing(ranks)}.{joined}"
