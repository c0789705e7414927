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


def test_the_best_mean_over_confirmations_and_replicates_wins() -> None:
    records = [
        record(0.1, "l2(0.1)", "trial"),  # a lucky trial does not count
        record(0.4, "l2(0.1)", "confirmation"),
        record(0.6, "l2(0.1)", number=0),
        record(0.3, "l2(0.2)", "confirmation", search=1),
        record(0.0, "l2(0.7)", "confirmation", search=1, number=1),  # another point of the same search
        record(0.5, "l2(0.2)", search=1, number=1),
        record(0.0, "l2(0.9)", name="dropout"),
    ]
    points = list_chosen_points(records, "l2", "nll")
    assert [(p.search, p.recipe_text, p.runs) for p in points] == [(0, "l2(0.1)", 2), (1, "l2(0.2)", 2)]
    assert [round(point.mean, 6) for point in points] == [0.5, 0.4]
    assert find_best_search(records, "l2", "nll") == points[1]
    assert find_best_search(records, "l2", "nll", "max") == points[0]


def test_a_search_that_lost_runs_comes_after_one_that_did_not() -> None:
    records = [record(0.1), record(math.nan, number=2), record(0.9, "l2(0.2)", search=1, number=1)]
    best = find_best_search(records, "l2", "nll")
    assert best is not None
    assert (best.search, best.lost) == (1, 0)


def test_equal_points_of_two_searches_differ_by_their_runs_and_the_earlier_of_equals_wins() -> None:
    records = [record(0.2, search=1, number=1), record(0.2)]
    best = find_best_search(records, "l2", "nll")
    assert best is not None
    assert best.search == 0


def test_the_learning_rate_belongs_to_the_point() -> None:
    records = [record(0.2), record(0.0, stage="confirmation", rate=0.5)]
    best = find_best_search(records, "l2", "nll")
    assert best is not None
    assert (best.mean, best.runs) == (0.2, 1)


def test_a_run_made_again_counts_once() -> None:
    records = [record(math.nan), record(0.3)]
    best = find_best_search(records, "l2", "nll")
    assert best is not None
    assert (best.runs, best.lost, best.mean) == (1, 0, 0.3)


def test_there_is_none_before_the_first_replicate() -> None:
    assert find_best_search([record(0.3, stage="trial"), record(0.2, stage="confirmation")], "l2", "nll") is None
    all_lost = find_best_search([record(math.nan)], "l2", "nll")
    assert all_lost is not None
    assert math.isnan(all_lost.mean)
