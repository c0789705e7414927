"""Numbers of the learning curves."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.learning_curves import info


def test_runs_of_unequal_length(make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any) -> None:
    records = [
        make_record(
            "l2",
            0.1,
            number=0,
            best_epoch=3,
            history={"train": {"nll": [4.0, 2.0, 1.0]}, "validation": {"nll": [3.0, 2.0, 1.0]}},
        ),
        make_record(
            "l2",
            0.1,
            number=1,
            best_epoch=2,
            history={"train": {"nll": [2.0, None]}, "validation": {"nll": [5.0, 4.0]}},
        ),
        make_record("l2", None, number=2, status="diverged", history={"validation": {"nll": [9.0]}}),
    ]
    (panel,) = info(make_leaderboard([make_row("l2"), make_row("none")]), records, make_comparison()).panels
    assert panel.runs["validation"] == ((3.0, 2.0, 1.0), (5.0, 4.0))  # the diverged run has no part in it
    assert panel.mean == {"train": (3.0, 2.0, 1.0), "validation": (4.0, 3.0, 1.0)}  # None is left out
    assert panel.best_epoch == 2.5


@pytest.mark.parametrize("history", [{}, {"validation": {"error": [0.1]}}, {"validation": {"nll": [None]}}])
def test_no_history_no_panel(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any, history: Any
) -> None:
    found = info(make_leaderboard([make_row("l2")]), [make_record("l2", 0.1, history=history)], make_comparison())
    assert found.panels == ()
    assert found.missing


def test_it_says_whose_curves_are_of_averages(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    history = {"train": {"nll": [2.0, 1.0]}, "validation": {"nll": [3.0, 2.0]}}
    records = [make_record(name, 0.1, number=0, best_epoch=2, history=history) for name in ("ema", "l2")]
    figure = info(make_leaderboard([make_row("ema"), make_row("l2")]), records, make_comparison())
    assert figure.reading.endswith("The curves of ema are those of its averaged weights.")
    assert "averaged" not in info(make_leaderboard([make_row("l2")]), records, make_comparison()).reading
