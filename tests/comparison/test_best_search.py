"""The best search of a recipe, from records made by hand."""

from __future__ import annotations

import math
from typing import Any

from regzoo.comparison.best_search import find_best_search, list_chosen_points
from regzoo.training.records import Record, Run


def record(score: float, text: str = "l2(0.1)", stage: str = "replicate", rate: float = 0.01, **given: Any) -> Record:
    run = {"name": "l2", "recipe_text": text, "number": 0, "seed": 1, "epochs": 4, "setup": "s"} | given
    status = "ok" if math.isfinite(score) else "diverged"
    return Record(Run(stage=stage, learning_rate=rate, **run), status, {"validation": {"nll": score}})  # type: ignore[arg-type]


RECORDS = [
    record(0.1, "l2(0.1)", "trial"),  # lucky
    record(0.4, "l2(0.2)", "trial", number=1),
    record(0.7, "l2(0.1)", "confirmation"),
    record(0.5, "l2(0.2)", "confirmation", number=1),
    record(0.52, "l2(0.3)", "trial", search=1),
    record(0.3, "l2(0.3)", "confirmation", search=1),
    record(0.1, "l2(0.1)", number=0),  # a lucky replicate, which does not count
    record(0.9, "l2(0.3)", search=1, number=1),
    record(0.0, "l2(0.9)", "trial", name="dropout"),
]


def test_the_best_mean_of_trial_and_confirmations_wins() -> None:
    points = list_chosen_points(RECORDS, "l2", "nll")
    assert [(p.search, p.recipe_text, round(p.score, 6)) for p in points] == [(0, "l2(0.1)", 0.4), (1, "l2(0.3)", 0.41)]
    assert find_best_search(RECORDS, "l2", "nll") == points[0]  # 0.4, of 0.1 and 0.7
    again = [*RECORDS[:2], record(0.9, "l2(0.1)", "confirmation"), *RECORDS[3:]]
    assert find_best_search(again, "l2", "nll") == list_chosen_points(again, "l2", "nll")[1]


def test_a_run_made_again_counts_once() -> None:
    trials = [record(math.nan, stage="trial"), record(0.3, stage="trial")]
    [point] = list_chosen_points([*trials, record(math.nan), record(0.3)], "l2", "nll")
    assert (point.score, point.finished) == (0.3, True)


def test_there_is_none_before_the_first_replicate() -> None:
    assert find_best_search(RECORDS[:6], "l2", "nll") is None
    only = find_best_search([record(math.nan)], "l2", "nll")
    assert only is not None
    assert math.isnan(only.score)
    assert not only.finished


def test_only_searches_that_are_measured_are_the_best() -> None:
    """Search 2 is the best, and has no replicate yet; of those that have, search 1 is better than search 0."""
    unmeasured = record(0.01, "l2(0.4)", "trial", search=2)
    made = [*RECORDS[:2], record(0.9, "l2(0.1)", "confirmation"), *RECORDS[3:], unmeasured]
    best = find_best_search(made, "l2", "nll")
    assert best is not None
    assert best.recipe_text == "l2(0.3)"


def test_a_trial_made_again_does_not_hide_what_replicates_measured() -> None:
    """Search 1 would choose l2(0.5) now, but its replicates measure l2(0.3), whose mean of 0.2 is the best."""
    made = [
        record(0.3, "l2(0.1)", "trial"),
        record(0.2, "l2(0.3)", "trial", search=1),
        record(0.3, "l2(0.1)"),
        record(0.2, "l2(0.3)", search=1, number=1),
        record(0.1, "l2(0.5)", "trial", search=1, number=1),  # failed at first
    ]
    best = find_best_search(made, "l2", "nll")
    assert best is not None
    assert (best.search, best.recipe_text) == (1, "l2(0.3)")
