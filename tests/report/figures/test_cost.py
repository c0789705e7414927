"""Numbers of the cost figure."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.cost import _choose_centers, _count_covered, info

POINTS = {"a": (1.0, 0.5), "b": (2.0, 0.25), "c": (2.0, 0.75), "d": (4.0, 0.125), "e": (1.0, 0.5)}


@pytest.mark.parametrize(("direction", "best"), [("min", "abde"), ("max", "ace")])
def test_pareto_set(make_row: Any, make_leaderboard: Any, make_comparison: Any, direction: str, best: str) -> None:
    rows = [make_row(n, rank=i, mean=score, fit_seconds=time) for i, (n, (time, score)) in enumerate(POINTS.items())]
    rows += [make_row("untimed", rank=9, mean=0.0), make_row("pending")]
    found = info(make_leaderboard(rows, direction), [], make_comparison()).points
    assert {p.name: (p.seconds, p.score) for p in found} == POINTS
    assert "".join(p.name for p in found if p.pareto) == best  # equal points do not beat one another


def test_lines_to_the_names_keep_clear_of_other_points() -> None:
    # Inches: the second point lies just below the first, far to its left; side by side its line would cross the first.
    places = [(0.9, 1.1), (0.2, 1.0)]
    assert _count_covered(places, [1.22, 1.02]) == 0
    assert _count_covered(places, [1.3, 1.1]) == 1
    assert _count_covered(places, _choose_centers(places, [0.2, 0.2], 2.6)) == 0
    assert _count_covered([*places, (0.9, 1.1)], [1.3, 1.1, 1.1]) == 2  # equal points cover no one another
