"""Numbers of the forest plot."""

from __future__ import annotations

from typing import Any

from regzoo.report.figures.forest import ForestRow, info


def test_gains_in_the_boards_order_without_the_baseline(
    make_row: Any, make_leaderboard: Any, make_comparison: Any
) -> None:
    gain = {"gain": 0.5, "gain_low": 0.25, "gain_high": 0.75, "p_better": 0.8, "verdict": "conclusive"}
    rows = [
        make_row("l2", rank=1, tier=1, mean=0.5, **gain),
        make_row("dropout", rank=2, tier=1, mean=0.6, **gain | {"verdict": "inconclusive"}),
        make_row("none", rank=3, tier=2, mean=1.0, gain=0.0),
        make_row("l1", rank=4, tier=2, mean=2.0),  # no pair
    ]
    found = info(make_leaderboard(rows), [], make_comparison()).rows
    assert found == (
        ForestRow("l2", "1", 0.5, 0.25, 0.75, 0.8, True),
        ForestRow("dropout", "1", 0.5, 0.25, 0.75, 0.8, False),
    )
