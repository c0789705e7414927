"""The forest plot's numbers."""

from __future__ import annotations

from typing import Any

from regzoo.report.figures.forest import Row, info


def test_gains_in_the_boards_order_without_the_baseline(row: Any, board: Any, comparison: Any) -> None:
    gain = {"gain": 0.5, "gain_low": 0.25, "gain_high": 0.75, "p_better": 0.8, "verdict": "conclusive"}
    rows = [
        row("l2", rank=1, tier=1, mean=0.5, **gain),
        row("dropout", rank=2, tier=1, mean=0.6, **gain | {"verdict": "inconclusive"}),
        row("none", rank=3, tier=2, mean=1.0, gain=0.0),
        row("l1", rank=4, tier=2, mean=2.0),  # no pair
    ]
    found = info(board(rows), [], comparison()).rows
    assert found == (Row("l2", "1", 0.5, 0.25, 0.75, 0.8, True), Row("dropout", "1", 0.5, 0.25, 0.75, 0.8, False))
