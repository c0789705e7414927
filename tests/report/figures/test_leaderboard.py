"""The leaderboard's numbers."""

from __future__ import annotations

import math
from typing import Any

from regzoo.report.figures.leaderboard import info


def test_rows_in_rank_order_with_every_replicate(row: Any, board: Any, record: Any, comparison: Any) -> None:
    rows = [
        row("none", rank=2, tier=2, mean=0.2, low=0.15, high=0.25),
        row("l2"),
        row("dropout", recipe="dropout(0.5)", rank=1, tier=1, mean=0.1, diverged=1, status="diverged"),
    ]
    records = [
        record("dropout", 0.12, number=1),
        record("dropout", 0.08, number=0),
        record("dropout", None, number=2, status="diverged"),
        record("dropout", 0.5, stage="trial"),
        record("none", 0.2),
    ]
    found = info(board(rows), records, comparison()).rows
    assert [r.name for r in found] == ["dropout", "none", "l2"]
    assert found[0].scores == (0.08, 0.12)  # replicates only, finished only, by number
    assert found[0].state == "1 of 5 diverged"
    assert math.isnan(found[0].low)
    assert (found[1].mean, found[1].low, found[1].high, found[1].tier) == (0.2, 0.15, 0.25, "2")
    assert [r.baseline for r in found] == [False, True, False]
    assert found[2].state == "not measured yet"
    assert math.isnan(found[2].mean)
