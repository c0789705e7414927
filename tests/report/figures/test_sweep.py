"""The curve of a sweep: its numbers, and where values lie on the axis."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from matplotlib.figure import Figure

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.comparison.sweep import SweptStrength
from regzoo.core import InputError
from regzoo.report.figures._output import save_figure
from regzoo.report.figures.sweep import TITLE, draw, info, place_values
from regzoo.stats.bootstrap import compute_bootstrap_interval
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""


def test_numbers_are_those_of_the_records(swept: Any) -> None:
    leaderboard, records, comparison = swept(["dropout.rate"], lambda rate: 1 + rate, values=[[0, 0.2, 0.4]])
    found = info(leaderboard, records, comparison).response
    assert found is not None
    assert [point.values for point in found.points] == [(0.0,), (0.2,), (0.4,)]
    scores = [r.metrics["validation"]["nll"] for r in records if r.run.name == "dropout(0.2)"]
    assert (found.points[1].low, found.points[1].high) == compute_bootstrap_interval(scores)
    assert found.points[1].mean == pytest.approx(sum(scores) / 5)
    assert found.baseline.mean == pytest.approx(1.02)


def test_alternative_text_names_the_best_and_every_mean(swept: Any) -> None:
    text = info(*swept(["dropout.rate"], lambda rate: 1 + 9 * rate, values=[[0.1, 0.9]])).alternative
    assert text.startswith("Best dropout.rate: 0.1, with a mean validation nll ")
    assert re.search(r"Means: 0\.1: 1\.[89]\d+, 0\.9: 9\.\d+\.$", text)


def test_other_comparisons_leave_it_off_and_an_unfinished_sweep_says_so(
    swept: Any, quick: Ranked, make_comparison: Any
) -> None:
    assert not info(*quick, make_comparison()).fits
    assert not info(*swept(["dropout.rate", "l2.strength"], lambda r, s: 1 + r + s)).fits
    begun = info(*swept(["dropout.rate"], lambda rate: 1.0, pending=9))
    assert begun.fits
    assert begun.missing == "No value of the strength has a finished replicate yet."


@pytest.mark.parametrize(
    ("values", "neutral", "log", "places", "apart"),
    [
        ((0.0, 0.1, 0.5), 0.0, False, {0.0: 0.0, 0.1: 0.1, 0.5: 0.5}, False),
        ((0.0, 0.5), 0.0, False, {0.0: 0.0, 0.5: 0.5}, False),
        ((0.01, 1.0), 0.0, True, {0.01: -2.0, 1.0: 0.0}, False),
        ((0.0, 0.01, 1.0), 0.0, True, {0.0: -2.22, 0.01: -2.0, 1.0: 0.0}, True),
        ((1.0, 3.0, math.inf), math.inf, False, {1.0: 1.0, 3.0: 3.0, math.inf: 3.22}, True),
        ((0.0, 0.9, 0.99), 0.0, False, {0.9: 0.9, 0.99: 0.99, 0.0: 0.9 - 0.11 * 0.09}, True),
        ((0.01, 0.1, 1.0), 1.0, True, {0.01: -2.0, 0.1: -1.0, 1.0: 0.0}, False),
        ((1, 2, 3), None, False, {1: 1.0, 2: 2.0, 3: 3.0}, False),
    ],
)
def test_places_of_values(values: Any, neutral: float | None, log: bool, places: Any, apart: bool) -> None:
    found, detached = place_values(SweptStrength("a.b", values, neutral, log))
    assert found == pytest.approx(places)
    assert detached is apart


def test_it_draws_the_best_the_interval_the_flat_field_and_the_baseline(swept: Any) -> None:
    score = {0.0: 2.0, 0.2: 1.0, 0.4: 1.0001, 0.6: 3.0}
    found = info(*swept(["dropout.rate"], score.__getitem__, values=[list(score)]))
    assert found.response is not None
    assert [point.values[0] for point in found.response.flat] == [0.2, 0.4]
    axes = draw(found).axes[0]
    fields = [patch.get_extents() for patch in axes.patches]
    (left, _), (right, _) = axes.transData.inverted().transform([fields[0].min, fields[0].max])
    assert (left, right) == pytest.approx((0.1, 0.5))  # half way to the neighbors, in one piece
    lines = {line.get_linestyle(): line for line in axes.lines if line.get_color() == "#D55E00"}
    assert np.asarray(lines[":"].get_ydata()) == pytest.approx([1.02, 1.02])
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "0.2", "0.4", "0.6"]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf"])
def test_it_can_be_saved(swept: Any, tmp_path: Path, ending: str) -> None:
    found = info(*swept(["dropout.rate"], lambda rate: 1 + rate, values=[[0, 0.2]]))
    path = tmp_path / "new" / f"curve.{ending}"
    for _ in range(2):
        save_figure(draw(found), path, "sweep", TITLE, found.alternative)
    assert [each.name for each in path.parent.iterdir()] == [path.name]
    assert path.read_bytes()[:5] == {"svg": b"<?xml", "png": b"\x89PNG\r", "pdf": b"%PDF-"}[ending]


@pytest.mark.parametrize("ending", ["svg", "png", "pdf", "jpg"])
def test_another_picture_is_not_replaced(swept: Any, tmp_path: Path, ending: str) -> None:
    found = info(*swept(["dropout.rate"], lambda rate: 1 + rate, values=[[0, 0.2]]))
    path = tmp_path / f"mine.{ending}"
    Figure().savefig(path)
    before = path.read_bytes()
    with pytest.raises(InputError, match=rf"mine\.{ending} exists and is not a figure as regzoo writes it"):
        save_figure(draw(found), path, "sweep", TITLE, found.alternative)
    assert path.read_bytes() == before


def test_an_unknown_ending_is_refused(swept: Any, tmp_path: Path) -> None:
    found = info(*swept(["dropout.rate"], lambda rate: 1 + rate, values=[[0, 0.2]]))
    with pytest.raises(InputError, match=r"a picture ends in \.svg, \.png or \.pdf, received '\.txt'"):
        save_figure(draw(found), tmp_path / "curve.txt", "sweep", TITLE, "")
