"""Numbers of the histograms of weights."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report.figures.weights import info


def test_mean_shares_of_the_baseline_and_of_what_acts_on_weights(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    names = ["l1", "dropout", "none", "weight_decay"]
    rows = [make_row(name, rank=i, mean=0.1) for i, name in enumerate(names)]
    spreads = [
        {"edges": [-2, -1, 0], "counts": [1, 3], "small": 0.25},
        {"edges": [-2, -1, 0], "counts": [4, 4], "small": 0.5, "zero": 0.25},
    ]
    records = [make_record(name, 0.1, number=i, spread=spreads[i]) for name in names for i in (0, 1)]
    found = info(make_leaderboard(rows), records, make_comparison()).panels
    assert [panel.name for panel in found] == ["none", "l1", "weight_decay"]
    assert found[0].shares == pytest.approx((0.375, 0.625))
    assert found[0].small == pytest.approx(0.375)
    assert found[0].zero == pytest.approx(0.125)  # an older record counts none
    assert found[0].summary == "37.5 % small, 12.5 % exactly zero"


def test_older_records_have_none(make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any) -> None:
    assert info(
        make_leaderboard([make_row("none", rank=1, mean=0.1)]),
        [make_record("none", 0.1, spread=None)],
        make_comparison(),
    ).missing
