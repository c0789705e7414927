"""Replicates of several searches: their table of scores, and the leaderboard and interim analyses that read it."""

from __future__ import annotations

from dataclasses import replace
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pandas as pd

from regzoo.comparison.interim import find_undecided_recipes
from regzoo.comparison.leaderboard import Leaderboard, build_leaderboard
from regzoo.comparison.plan import Plan
from regzoo.comparison.replicates import group_replicates, make_score_frame
from regzoo.stats.rank import rank
from regzoo.training.records import Record, Run

SEARCHES = 5


def make_records(seed: int = 0, replicates: int = 10, searches: int = SEARCHES, **levels: float) -> list[Record]:
    """Return replicates of each recipe around its level, with noise of the search (sd 1) and of the seed (sd 0.3)."""
    rng = np.random.default_rng(seed)
    records = []
    for name, level in levels.items():
        luck = rng.normal(size=searches)
        for number in range(replicates):
            search = number % searches
            run = Run("replicate", name, name, number, 100 + number, 0.001, 60, "setup", search=search)
            score = level + luck[search] + 0.3 * float(rng.normal())
            records.append(Record(run, "ok", metrics={"validation": {"nll": score}, "train": {}, "test": {}}))
    return records


def forget_searches(records: list[Record]) -> list[Record]:
    """Return the same records from a comparison that searched once."""
    return [replace(record, run=replace(record.run, search=0)) for record in records]


def make_plan(*names: str, analyses: tuple[int, ...]) -> Plan:
    """Return what interim analyses read of a plan."""
    objective = SimpleNamespace(metric="nll", direction="min")
    recipes = tuple(SimpleNamespace(name=name) for name in names)
    return cast(Plan, SimpleNamespace(objective=objective, recipes=recipes, interim_analyses=analyses, rope=None))


def build(records: list[Record], **options: Any) -> Leaderboard:
    names = list(dict.fromkeys(record.run.name for record in records))
    return build_leaderboard(records, "nll", "min", names, **options)


def test_the_table_of_scores_has_a_column_for_the_search_if_there_are_several() -> None:
    records = make_records(none=0.0, l2=0.0, replicates=4, searches=2)
    frame = make_score_frame(group_replicates(records, ["none", "l2"]), "nll")
    assert list(frame.columns) == ["recipe", "search", "seed", "score"]
    assert frame["search"].tolist() == [0, 1, 0, 1] * 2
    once = make_score_frame(group_replicates(forget_searches(records), ["none", "l2"]), "nll")
    pd.testing.assert_frame_equal(once, frame.drop(columns="search"))


def test_a_leaderboard_over_searches_has_the_numbers_of_the_ranking() -> None:
    records = make_records(none=0.0, l2=-1.0, l1=0.5)
    leaderboard = build(records)
    table: Any = rank(make_score_frame(group_replicates(records, ["none", "l2", "l1"]), "nll")).table
    for row in leaderboard.recipes:
        assert row.mean == table.loc[row.name, "mean"]
        if row.name != "none":
            assert (row.gain_low, row.p_holm) == tuple(table.loc[row.name, ["gain_low", "p_holm"]])
            assert row.p_wilcoxon is None
    once, l2 = build(forget_searches(records)).find("l2"), leaderboard.find("l2")
    assert once is not None
    assert l2 is not None
    assert cast(float, once.p_holm) < cast(float, l2.p_holm)
    assert list(leaderboard.to_frame().columns) == list(build(forget_searches(records)).to_frame().columns)


def test_a_nested_recipe_does_not_stand_below_the_baseline() -> None:
    records = make_records(none=0.0, l2=9.0)
    plain, tied = build(records).find("l2"), build(records, nested=("l2",)).find("l2")
    assert plain is not None
    assert tied is not None
    assert (plain.verdict, plain.tier) == ("conclusive", 2)
    assert (tied.verdict, tied.tier, tied.p_holm) == ("inconclusive", 1, plain.p_holm)


def test_a_row_is_meaningful_if_it_wins_three_of_four_pairs_for_sure() -> None:
    leaderboard = build(make_records(none=0.0, l2=-9.0, l1=0.0))
    found = {row.name: row.is_meaningful for row in leaderboard.recipes}
    assert found == {"none": False, "l2": True, "l1": False}


def test_interim_analyses_are_about_searches_too() -> None:
    # The gains of five searches, 1 on average with sd 0.88, have t = 2.5: 0.06 before the correction for two analyses.
    # Twenty pairs that are taken as independent have a t of 5 and more.
    gains = [2.2, 0.1, 1.5, 0.2, 1.0]
    records = make_records(none=0.0, l2=0.0, replicates=20, searches=1)
    records = [replace(each, run=replace(each.run, search=each.run.number % SEARCHES)) for each in records]
    for record in records:
        if record.run.name == "l2":
            record.metrics["validation"]["nll"] = _score(records, record) - gains[record.run.search]
    plan = make_plan("none", "l2", analyses=(20, 500))
    assert find_undecided_recipes(records, plan, 0) == {"none", "l2"}
    assert find_undecided_recipes(forget_searches(records), plan, 0) == set()


def _score(records: list[Record], like: Record) -> float:
    """Return the baseline's score of the same number, with a little noise."""
    twin = next(each for each in records if (each.run.name, each.run.number) == ("none", like.run.number))
    return twin.score("nll") + 0.01 * (like.run.number % 3)


def test_more_replicates_cannot_make_the_loss_of_a_nested_recipe_conclusive() -> None:
    plan = make_plan("none", "dropout", "l2", analyses=(10, 900))
    records = make_records(3, none=0.0, dropout=-40.0, l2=1.5)
    assert find_undecided_recipes(records, plan, 0) == {"none", "l2"}
    assert find_undecided_recipes(records, plan, 0, nested=("l2",)) == set()


def test_a_recipe_of_the_first_tier_that_differs_from_its_first_is_decided() -> None:
    """Nothing is known of `l1`, whose searches chose so differently, and it keeps `l2` in the tier of `dropout`."""
    records = make_records(none=100.0, dropout=0.0, l2=20.0, l1=30.0)
    for record in records:
        if record.run.name == "l1":
            record.metrics["validation"]["nll"] = record.score("nll") + (60, -40, -40, 60, -40)[record.run.search]
    assert [(row.name, row.tier) for row in build(records).recipes] == [
        ("dropout", 1),
        ("l2", 1),
        ("l1", 1),
        ("none", 2),
    ]
    plan = make_plan("none", "dropout", "l2", "l1", analyses=(10, 40))
    assert find_undecided_recipes(records, plan, 0) == {"none", "dropout", "l1"}
