"""Rows of the leaderboard and tasks in words."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.report import descriptions


@pytest.mark.parametrize(
    ("given", "text"),
    [
        ({}, "not measured yet"),
        ({"status": "failed"}, "failed"),
        ({"mean": 0.1}, ""),
        ({"mean": 0.1, "status": "diverged", "diverged": 1}, "1 of 5 diverged"),
        ({"status": "failed", "replicates": 5, "diverged": 2, "failed": 3}, "2 of 5 diverged, 3 of 5 failed"),
    ],
)
def test_losses_are_described(make_row: Any, given: dict[str, Any], text: str) -> None:
    assert descriptions.describe_losses(make_row("l2", **given)) == text


def test_a_placebo_is_called_by_its_name(make_row: Any) -> None:
    assert descriptions.format_recipe(make_row("placebo 1", recipe="none")) == "`placebo 1`"
    assert descriptions.format_recipe(make_row("l2", recipe="l2(0.00031234)")) == "`l2(0.000312)`"


def test_gains_may_need_more_decimals_than_scores(make_row: Any, make_leaderboard: Any) -> None:
    scores = {"mean": 1.0, "low": 0.5, "high": 1.5}  # half a width of 0.5: two decimals
    rows = [make_row("l2", **scores, gain=0.025, gain_low=-0.013, gain_high=0.063), make_row("none", **scores)]
    assert descriptions.choose_leaderboard_decimals(make_leaderboard(rows[1:])) == 2
    assert descriptions.choose_leaderboard_decimals(make_leaderboard(rows)) == 3
    assert descriptions.choose_leaderboard_decimals(make_leaderboard([make_row("none")])) == 4


def test_labels_are_counted_if_they_are_many_or_long() -> None:
    assert descriptions.describe_task("classification", range(6)) == "classification into 6 labels"
    assert descriptions.describe_task("classification", ["a", "b" * 31]) == "classification into 2 labels"
    assert descriptions.describe_task("regression", ()) == "regression"
