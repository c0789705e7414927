"""Trials and replicates of one recipe."""

from __future__ import annotations

from typing import Any

from regzoo.report.runs import select_replicates, select_trials


def test_runs_of_one_recipe_by_number(make_record: Any) -> None:
    replicates = [make_record("l2", 0.1, number=number) for number in (1, 0)]
    lost = make_record("l2", None, number=2, status="diverged")
    trial = make_record("l2", 0.1, stage="trial", number=3)
    records = [*replicates, lost, trial, make_record("l1", 0.1)]
    assert select_replicates(records, "l2") == replicates[::-1]
    assert select_replicates(records, "l2", finished=False) == [*replicates[::-1], lost]
    assert select_trials(records, "l2") == [trial]
