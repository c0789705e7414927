"""Strengths over several searches, from records made by hand."""

from __future__ import annotations

import math
from dataclasses import replace

from regzoo.comparison.chosen_strengths import read_chosen_strengths
from regzoo.training.records import Record, Run


def replicate(number: int, search: int, text: str, score: float, rate: float = 0.01) -> Record:
    run = Run("replicate", "dropout", text, number, 7, rate, 5, "s", search=search)
    return Record(run, "ok", {"validation": {"nll": score}})


def trial(of: Record) -> Record:
    """Return the trial with which the search of a replicate chose its setting."""
    return replace(of, run=replace(of.run, stage="trial", number=0))


def test_the_best_searchs_values_and_the_range_of_all() -> None:
    records = [replicate(0, 0, "dropout(0.27)", 0.3), replicate(1, 1, "dropout(0.55)", 0.2, 0.02),
               replicate(2, 2, "dropout(0.4)", 0.4)]  # fmt: skip
    found = read_chosen_strengths([*map(trial, records), *records], "dropout", "nll")
    assert (found.values, found.learning_rate, found.searches) == ({"dropout.rate": 0.55}, 0.02, 3)
    assert found.spans == {"dropout.rate": (0.27, 0.55), "learning_rate": (0.01, 0.02)}
    assert found.describe_range("dropout.rate") == "0.27 to 0.55 in 3 searches"


def test_equal_choices_have_no_range() -> None:
    records = [replicate(number, number, "dropout(0.27)", 0.3) for number in range(2)]
    assert read_chosen_strengths(records, "dropout", "nll").describe_range("dropout.rate") == "the same in 2 searches"


def test_nothing_is_chosen_before_the_first_replicate() -> None:
    found = read_chosen_strengths([], "dropout", "nll")
    assert found.searches == 0
    assert math.isnan(found.learning_rate)
