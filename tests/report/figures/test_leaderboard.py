"""Numbers of the leaderboard figure."""

from __future__ import annotations

import math
from typing import Any

from regzoo.report.figures.leaderboard import info


def test_rows_in_rank_order_with_every_replicate(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    rows = [
        make_row("none", rank=2, tier=2, mean=0.2, low=0.15, high=0.25),
        make_row("l2"),
        make_row("dropout", recipe="dropout(0.5)", rank=1, tier=1, mean=0.1, diverged=1, status="diverged"),
    ]
    records = [
        make_record("dropout", 0.12, number=1),
        make_record("dropout", 0.08, number=0),
        make_record("dropout", None, number=2, status="diverged"),
        make_record("dropout", 0.5, stage="trial"),
        make_record("none", 0.2),
    ]
    found = info(make_leaderboard(rows), records, make_comparison()).rows
    assert [r.name for r in found] == ["dropout", "none", "l2"]
    assert found[0].scores == (0.08, 0.12)  # replicates only, finished only, by number
    assert found[0].losses == "1 of 5 diverged"
    assert math.isnan(found[0].low)
    assert (found[1].mean, found[1].low, found[1].high, found[1].tier) == (0.2, 0.15, 0.25, "2")
    assert [r.baseline for r in found] == [False, True, False]
    assert found[2].losses == "not measured yet"
    assert math.isnan(found[2].mean)
