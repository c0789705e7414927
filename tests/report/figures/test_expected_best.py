"""Numbers of the figure of the expected best of k trials."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.expected_best import info

SCORES = {"none": (3.0, 1.0, 2.0), "l2": (1.5, 1.5, None), "placebo 1": (0.1, 0.1, 0.1)}


def trials(make_record: Any) -> list[Any]:
    return [
        make_record(name, score, stage="trial", number=i, status="ok" if score else "diverged")
        for name, scores in SCORES.items()
        for i, score in enumerate(scores)
    ]


def test_expected_best_and_places_by_hand(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    found = info(
        make_leaderboard([make_row(name, rank=i, mean=0.1) for i, name in enumerate(SCORES)]),
        trials(make_record),
        make_comparison(),
    ).panels
    assert [panel.name for panel in found] == ["none", "l2"]
    assert found[0].expected == pytest.approx((2, 14 / 9, 36 / 27))  # 3, 2, 1 from worst to best
    assert found[1].expected == pytest.approx((1.5, 1.5, 1.5))  # a diverged trial counts as the worst
    assert [panel.ranks for panel in found] == [(2, 2, 1), (1, 1, 2)]


def test_only_a_random_search_tells(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    found = info(
        make_leaderboard([make_row("none", rank=1, mean=0.1)]), trials(make_record), make_comparison(tuner="bayesian")
    )
    assert found.missing == "Only a random search shows what fewer trials would have found; this one was bayesian."
