"""The heat map of two strengths: its numbers and its frames."""

from __future__ import annotations

import math
from typing import Any

import pytest
from matplotlib.patches import Rectangle

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.report.figures.sweep_grid import draw, info
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""


def test_every_mean_stands_in_its_cell_and_the_best_is_framed(swept: Any) -> None:
    score = {(0.0, 0.0): 4.0, (0.0, 0.1): 3.0, (0.5, 0.0): 2.0, (0.5, 0.1): 1.0}
    found = info(*swept(["dropout.rate", "l2.strength"], lambda r, s: score[r, s], values=[[0, 0.5], [0, 0.1]]))
    assert found.response is not None
    assert found.response.best is not None
    assert found.response.best.values == (0.5, 0.1)
    figure = draw(found)
    axes = figure.axes[0]
    shown = {text.get_position(): float(text.get_text()) for text in axes.texts}
    places = {(x, y): score[r, s] for x, r in enumerate((0.0, 0.5)) for y, s in enumerate((0.0, 0.1))}
    assert shown == pytest.approx(places, rel=0.05)
    frames = {patch.get_xy() for patch in axes.patches if isinstance(patch, Rectangle)}
    assert len(axes.patches) == 2 * len(frames)  # a wide one in white below each
    assert frames == {(1 - 0.46, 1 - 0.46)}
    assert (axes.get_xlabel(), axes.get_ylabel()) == ("dropout.rate", "l2.strength")


def test_cells_without_a_score_stay_empty_and_lost_ones_are_marked(swept: Any) -> None:
    found = info(
        *swept(["dropout.rate", "l2.strength"], lambda r, s: 1 + r + s, values=[[0, 0.5], [0, 0.1]], lost=(0.5,),
               pending=1)
    )  # fmt: skip
    assert found.response is not None
    assert [math.isnan(point.mean) for point in found.response.points] == [False, False, False, True]
    texts = [text.get_text() for text in draw(found).axes[0].texts]
    assert texts[2].endswith(" ×")  # noqa: RUF001
    assert texts[3] == "–"  # noqa: RUF001


def test_other_comparisons_leave_it_off(swept: Any, quick: Ranked, make_comparison: Any) -> None:
    assert not info(*quick, make_comparison()).fits
    assert not info(*swept(["dropout.rate"], lambda rate: 1.0)).fits
    begun = info(*swept(["dropout.rate", "l2.strength"], lambda r, s: 1.0, pending=25))
    assert begun.fits
    assert begun.missing.endswith(".")
