"""The tables of the report: the leaderboard's numbers, and dashes where there are none."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.comparison.leaderboard import Leaderboard
from regzoo.core.formatting import MISSING
from regzoo.report import tables
from regzoo.training.records import Record

Ranked = tuple[Leaderboard, list[Record]]
"""A leaderboard and its records."""


def cells(table: tables.ReportTable, recipe: str) -> dict[str, str]:
    """Return the row of ``recipe`` by column."""
    at = table.headers.index("recipe")
    row = next(row for row in table.rows if row.cells[at] == recipe)
    return dict(zip(table.headers, row.cells, strict=True))


def test_leaderboard_row(quick: Ranked, make_comparison: Any) -> None:
    row = cells(tables.build_leaderboard_table(quick[0], make_comparison()), "batch_norm(0.95)")
    assert row["nll"] == "0.1102"
    assert row["95 % interval of gain"] == "-0.0012 to 0.0262"
    assert row["p (Holm)"] == "0.210"
    assert row["test nll"] == "0.1212"  # 1.1 x 0.1102


def test_the_baseline_has_no_gain_over_itself(make_leaderboard: Any, make_row: Any, make_comparison: Any) -> None:
    rows = [make_row("none", rank=1, tier=1, mean=0.1, gain=0.0, gain_low=0.0, gain_high=0.0)]
    table = tables.build_leaderboard_table(make_leaderboard(rows), make_comparison())
    assert cells(table, "none")["gain over none"] == MISSING


def test_marks(quick: Ranked, make_row: Any, make_comparison: Any) -> None:
    leaderboard = replace(quick[0], recipes=(*quick[0].recipes, make_row("l1")))
    marks = [row.mark for row in tables.build_leaderboard_table(leaderboard, make_comparison()).rows]
    assert marks == ["winner", *[""] * 7, "baseline", "missing"]


def test_details(quick: Ranked, make_comparison: Any) -> None:
    row = cells(tables.build_details_table(quick[0], make_comparison()), "dropout(0.42)")
    assert row["gap"] == "0.0766"  # 0.8 x 0.0957
    assert row["parameters"] == "85,002"
    assert row["ms per 1,000 predictions"] == "0.41"


def test_slow_predictions_are_no_powers_of_ten(make_leaderboard: Any, make_row: Any, make_comparison: Any) -> None:
    slow = make_leaderboard([make_row("none", rank=1, mean=0.1, predict_ms=1534.0)])
    assert cells(tables.build_details_table(slow, make_comparison()), "none")["ms per 1,000 predictions"] == "1,500"


def test_metrics_of_each_part(quick: Ranked) -> None:
    assert cells(tables.build_metrics_table(quick[0], "validation"), "none")["ece"] == "0.0100"
    test = tables.build_metrics_table(quick[0], "test")
    assert "ece" not in test.headers
    assert cells(test, "none")["nll"] == "0.1345"  # 1.1 x 0.1223


def test_a_strength_at_the_edge_is_flagged(make_leaderboard: Any, make_row: Any, make_record: Any) -> None:
    rows = [
        make_row("dropout", recipe="dropout(0.7)", rank=1, mean=0.1),
        make_row("l2", recipe="l2(0.0001)", rank=2, mean=0.2),
        make_row("ensemble(2..10)", recipe="ensemble(10)", rank=3, mean=0.3),
    ]
    records = [make_record(row.name, 0.1, recipe=row.recipe, learning_rate=0.0031) for row in rows]
    table = tables.build_strengths_table(make_leaderboard(rows), records)
    assert "at the edge" in cells(table, "dropout")["strengths"]
    assert "at the edge" in cells(table, "ensemble(2..10)")["strengths"]
    assert "at the edge" not in cells(table, "l2")["strengths"]  # the middle of a logarithmic range
    assert cells(table, "l2")["learning rate"] == "0.0031"


@pytest.mark.parametrize(("steps", "edge"), [(1000, True), (500, False)])
def test_a_strength_at_the_edge_of_what_it_does_in_a_run_is_flagged(
    steps: int, edge: bool, make_leaderboard: Any, make_row: Any, make_record: Any
) -> None:
    row = make_row("weight_decay", recipe="weight_decay(0.225)", rank=1, mean=0.1)  # 0.225 x 0.0031 x 1000 = 0.7
    records = [make_record(row.name, 0.1, recipe=row.recipe, learning_rate=0.0031)]
    table = tables.build_strengths_table(make_leaderboard([row]), records, steps)
    assert ("at the edge" in cells(table, "weight_decay")["strengths"]) is edge


def test_failures_say_why(make_leaderboard: Any, make_row: Any, make_record: Any) -> None:
    records = [
        make_record("l2", None, status="failed", error="ValueError: no\nTraceback", stage="trial", number=2),
        make_record("l2", None, status="diverged", epochs=3),
        make_record("l2", 0.1),
    ]
    table = tables.build_failures_table(make_leaderboard([make_row("l2")]), records)
    assert table is not None
    assert table.caption == "2 runs of 3 ended without a score."
    assert [row.cells[:4] for row in table.rows] == [
        ("l2", "replicate 1", "diverged", "a loss or weight was not finite after 3 epochs"),
        ("l2", "trial 3", "failed", "ValueError: no"),
    ]


def test_no_failures_no_table(make_leaderboard: Any, make_row: Any, make_record: Any) -> None:
    assert tables.build_failures_table(make_leaderboard([make_row("l2")]), [make_record("l2", 0.1)]) is None
