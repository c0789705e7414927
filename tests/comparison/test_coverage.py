"""What an interval covers, in words, and the recipes that cannot lose."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.comparison.coverage import Coverage, read_coverage
from regzoo.comparison.leaderboard import Leaderboard, build_leaderboard
from regzoo.comparison.nested_recipes import find_nested_recipes
from regzoo.storage.info import ComparisonInfo, DataInfo, ModelInfo, SplitInfo
from regzoo.training.records import Record, Run

MODEL = ModelInfo("mlp", 5, 32, "adam", "0.0003..0.01")


def info(**given: Any) -> ComparisonInfo:
    data = DataInfo("iris", "0", 150, 90, 30, 30, "4 columns", "classification", SplitInfo("stratified"))
    known: dict[str, Any] = {
        "name": "iris",
        "rank_by": "nll",
        "direction": "min",
        "config": "",
        "versions": {},
        "command": "",
    }
    known |= {"trials": 5, "tuner": "latin_hypercube", "replicates": 10, "model": MODEL}
    return ComparisonInfo(data=data, **(known | given))


def board(replicates: int = 10, name: str = "l2", searches: int = 1) -> Leaderboard:
    records = [
        Record(Run("replicate", each, each, number, number, 0.1, 5, "s", search=number % searches), "ok",
               {"validation": {"nll": number + shift}})
        for shift, each in enumerate(("none", name)) for number in range(replicates)
    ]  # fmt: skip
    return build_leaderboard(records, "nll", "min", ["none", name])


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, "over 10 trainings of one search's choice"),
        ({"vary": ("seed", "search"), "searches": 5}, "over 5 searches of 5 trials, 10 trainings"),
        (
            {"vary": ("seed", "split", "search"), "searches": 5},
            "over 5 searches of 5 trials, 10 trainings, each on new training and validation rows",
        ),
        (
            {"vary": ("seed", "split")},
            "over 10 trainings of one search's choice, each on new training and validation rows",
        ),
        ({"folds": 5}, "over 10 trainings of one search's choice, on 5 folds"),
        (
            {"folds": 5, "vary": ("seed", "search"), "searches": 2},
            "over 2 searches of 5 trials, 10 trainings on 5 folds",
        ),
        (
            {"vary": ("seed", "search"), "searches": 2, "tuner": "hyperband"},
            "over 2 searches with the epochs of 5 trials, 10 trainings",
        ),
        ({"vary": ("seed", "search"), "searches": 40}, "over 10 searches of 5 trials, 10 trainings"),  # time was up
    ],
)
def test_an_interval_says_what_it_covers(given: dict[str, Any], expected: str) -> None:
    assert str(read_coverage(board(), info(**given))) == expected


def test_without_a_search_there_is_none_to_cover() -> None:
    fixed = info(model=ModelInfo("mlp", 5, 32, "adam", "0.001"), vary=("seed", "search"), searches=5)
    found = read_coverage(board(name="dropout(0.5)"), fixed)
    assert (str(found), found.explain_limits()) == ("over 10 trainings", "")
    assert read_coverage(board(name="dropout"), fixed).searches == 5


@pytest.mark.parametrize(("recipe", "now"), [("ensemble", 0), ("dropout(0.5) + mc_dropout", 0), ("ema", 5)])
def test_earlier_versions_searched_budgets(recipe: str, now: int) -> None:
    """Those of `ensemble` and `mc_dropout` are numbers now; `ema` is searched by every version."""
    fixed = info(model=ModelInfo("mlp", 5, 32, "adam", "0.001"), vary=("seed", "search"), searches=5)
    assert read_coverage(board(name=recipe), fixed).searches == 5
    assert read_coverage(board(name=recipe), replace(fixed, steps=640)).searches == now


def test_recipes_with_different_numbers_of_trainings() -> None:
    assert str(Coverage(1, 5, True, 5, 40)) == "over 5 to 40 trainings of one search's choice"


def test_only_one_search_has_limits_to_explain() -> None:
    assert "leave out the search" in read_coverage(board(), info()).explain_limits()
    assert read_coverage(board(), info(vary=("seed", "search"), searches=5)).explain_limits() == ""


def test_only_several_searches_forgive_a_loss() -> None:
    names = ["none", "l2", "dropout", "placebo 1", "mystery(0.1)"]
    assert find_nested_recipes(names, 2) == ("l2",)
    assert find_nested_recipes(names, 1) == ()


def test_an_unfinished_comparison_is_not_called_one_search() -> None:
    found = read_coverage(board(replicates=1), info(vary=("seed", "search"), searches=5))
    assert str(found) == "over 1 training of one search's choice"
    assert found.explain_limits().endswith("so far: of the 5 searches of each recipe, one is measured.")


def test_a_recipe_with_lost_runs_is_not_said_to_differ_significantly() -> None:
    whole, searches = board(searches=5), info(vary=("seed", "search"), searches=5)
    first, second = whole.recipes
    lost = replace(whole, recipes=(first, replace(second, diverged=1)))
    assert read_coverage(whole, searches).explain_tiers().endswith("from the first of the tier above.")
    assert read_coverage(lost, searches).explain_tiers().endswith("from the first of the tier above or has lost runs.")
