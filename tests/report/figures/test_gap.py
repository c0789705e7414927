"""Numbers of the figure of the gap."""

from __future__ import annotations

import math
from typing import Any

import pytest

from regzoo.report.figures.gap import info


def test_gap_is_validation_minus_train(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> None:
    metrics = {"train": {"nll": 0.25}, "validation": {"nll": 1.0}, "test": {"nll": 1.5}}
    rows = [
        make_row("none", rank=2, mean=1.0, metrics=metrics),
        make_row(
            "l2", rank=1, mean=0.5, metrics={"train": {"nll": 0.5}, "validation": {"nll": 0.5}, "test": {"nll": None}}
        ),
        make_row("l1", rank=3, mean=0.5, metrics={"train": {}, "validation": {"nll": 0.5}, "test": {}}),
    ]
    found = info(make_leaderboard(rows), [], make_comparison()).rows
    assert [(r.name, r.gap) for r in found] == [("l2", 0.0), ("none", pytest.approx(0.75))]
    assert math.isnan(found[0].test)
    assert found[1].test == 1.5
