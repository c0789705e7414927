"""Ranks of the recipes after any number of trials."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.rank_by_budget import info

SCORES = {"none": (3.0, 1.0, 2.0), "l2": (1.5, 1.5, None), "l1": (9.0, 9.0, 9.0, 9.0), "placebo 1": (0.1, 0.1, 0.1)}


@pytest.fixture
def found(make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any) -> Any:
    """Return the function that gives the figure's numbers for the recipes named, or for all."""

    def ranked(*names: str, **given: Any) -> Any:
        trials = [
            make_record(name, score, stage="trial", number=i, status="ok" if score else "diverged")
            for name in names or SCORES
            for i, score in enumerate(SCORES[name])
        ]
        return info(
            make_leaderboard([make_row(name, rank=i, mean=0.1) for i, name in enumerate(SCORES)]),
            trials,
            make_comparison(**given),
        )

    return ranked


def test_ranks_by_hand_as_far_as_all_recipes_go(found: Any) -> None:
    # Expected best: none 2, 14/9, 4/3, l2 1.5 throughout, l1 9; the fourth trial is of l1 alone.
    lines = {line.name: line.ranks for line in found().lines}
    assert lines == {"none": (2, 2, 1), "l2": (1, 1, 2), "l1": (3, 3, 3)}
    assert found().alternative == (
        "Order by expected best validation nll: after 1 l2, none, l1 and after 3 none, l2, l1."
    )


def test_it_is_left_off_where_there_is_no_order(found: Any) -> None:
    assert found().fits
    assert not found("none").fits
    assert not found(tuner="bayesian").fits
