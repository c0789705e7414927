"""The tables hold the board's numbers, and dashes where there are none."""

from __future__ import annotations

from typing import Any

from regzoo.report import tables


def cells(table: tables.Table, recipe: str) -> dict[str, str]:
    """The row of ``recipe`` by column."""
    at = table.head.index("recipe")
    line = next(line for line in table.lines if line.cells[at] == recipe)
    return dict(zip(table.head, line.cells, strict=True))


def test_leaderboard_row(quick: Any) -> None:
    row = cells(tables.leaderboard(quick[0]), "batch_norm(0.95)")
    assert row["nll"] == "0.1102"
    assert row["95 % interval of gain"] == "-0.0012 to 0.0262"
    assert row["p (Holm)"] == "0.210"
    assert row["test nll"] == "0.1212"  # 1.1 x 0.1102


def test_the_baseline_has_no_gain_over_itself(board: Any, row: Any) -> None:
    rows = [row("none", rank=1, tier=1, mean=0.1, gain=0.0, gain_low=0.0, gain_high=0.0)]
    assert cells(tables.leaderboard(board(rows)), "none")["gain over none"] == "–"  # noqa: RUF001


def test_marks(quick: Any, row: Any) -> None:
    board = quick[0] | {"recipes": [*quick[0]["recipes"], row("l1")]}
    marks = [line.mark for line in tables.leaderboard(board).lines]
    assert marks == ["winner", *[""] * 7, "baseline", "missing"]


def test_details(quick: Any) -> None:
    row = cells(tables.details(quick[0]), "dropout(0.42)")
    assert row["gap"] == "0.0766"  # 0.8 x 0.0957
    assert row["parameters"] == "85,002"
    assert row["ms per 1,000 predictions"] == "0.41"


def test_slow_predictions_are_no_powers_of_ten(board: Any, row: Any) -> None:
    slow = board([row("none", rank=1, mean=0.1, predict_ms=1534.0)])
    assert cells(tables.details(slow), "none")["ms per 1,000 predictions"] == "1,500"


def test_metrics_of_each_part(quick: Any) -> None:
    assert cells(tables.metrics(quick[0], "validation"), "none")["ece"] == "0.0100"
    test = tables.metrics(quick[0], "test")
    assert "ece" not in test.head
    assert cells(test, "none")["nll"] == "0.1345"  # 1.1 x 0.1223


def test_a_strength_at_the_edge_is_flagged(board: Any, row: Any, record: Any) -> None:
    rows = [
        row("dropout", recipe="dropout(0.7)", rank=1, mean=0.1),
        row("l2", recipe="l2(0.0001)", rank=2, mean=0.2),
        row("ensemble", recipe="ensemble(10)", rank=3, mean=0.3),
    ]
    records = [record(r["name"], 0.1, recipe=r["recipe"], learning_rate=0.0031) for r in rows]
    table = tables.chosen(board(rows), records)
    assert "at the edge" in cells(table, "dropout")["strengths"]
    assert "at the edge" in cells(table, "ensemble")["strengths"]
    assert "at the edge" not in cells(table, "l2")["strengths"]  # the middle of a logarithmic range
    assert cells(table, "l2")["learning rate"] == "0.0031"


def test_failures_say_why(board: Any, row: Any, record: Any) -> None:
    records = [
        record("l2", None, status="failed", error="ValueError: no\nTraceback", stage="trial", number=2),
        record("l2", None, status="diverged", epochs=3),
        record("l2", 0.1),
    ]
    table = tables.failures(board([row("l2")]), records)
    assert table is not None
    assert table.caption == "2 runs of 3 ended without a score."
    assert [line.cells[:4] for line in table.lines] == [
        ("l2", "replicate 1", "diverged", "a loss or weight was not finite after 3 epochs"),
        ("l2", "trial 3", "failed", "ValueError: no"),
    ]


def test_no_failures_no_table(board: Any, row: Any, record: Any) -> None:
    assert tables.failures(board([row("l2")]), [record("l2", 0.1)]) is None
