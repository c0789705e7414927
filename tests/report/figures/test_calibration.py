"""Numbers of the reliability diagram."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.calibration import info


def test_baseline_winner_and_second_with_pooled_runs(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    names = ["dropout", "placebo 1", "none", "l2", "l1"]
    rows = [make_row(n, rank=i, mean=0.1 * i, metrics={"validation": {"ece": 0.1 * i}}) for i, n in enumerate(names, 1)]
    bins = [[[0.5, 0.25, 1], [0.97, 1.0, 3]], [[0.51, 0.75, 1]]]
    records = [make_record(n, 0.1, number=i, reliability=bins[i]) for n in names for i in (0, 1)]
    found = info(make_leaderboard(rows), records, make_comparison()).panels
    assert [(panel.name, panel.role) for panel in found] == [
        ("none", "baseline"),
        ("dropout", "best"),
        ("l2", "second"),
    ]
    assert found[0].bins == ((0.505, 0.5, 2), (0.97, 1.0, 3))
    assert found[1].ece == pytest.approx(0.1)


def test_without_confidences_it_says_why(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    found = info(
        make_leaderboard([make_row("none", rank=1, mean=0.1)]),
        [make_record("none", 0.1, reliability=None)],
        make_comparison(),
    )
    assert found.missing.startswith("Only replicates of a classification")
