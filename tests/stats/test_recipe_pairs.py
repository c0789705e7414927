"""The pairs of a ranking: which recipe is better, by how much, and whether the data tell them apart."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd
import pytest

from regzoo.stats.rank import rank


def make_frame(scores: dict[str, list[float]]) -> pd.DataFrame:
    """One row for each score; runs are paired by their position."""
    rows = [(recipe, seed, score) for recipe, values in scores.items() for seed, score in enumerate(values)]
    return pd.DataFrame(rows, columns=["recipe", "seed", "score"])


SCORES = {
    "none": [0.50, 0.52, 0.51, 0.50, 0.49],
    "l2": [0.30, 0.33, 0.30, 0.31, 0.28],
    "l1": [0.31, 0.30, 0.33, 0.29, 0.31],
}


@pytest.mark.parametrize("direction", ["min", "max"])
def test_each_pair_has_the_gain_of_the_recipe_that_ranks_higher(direction: Any) -> None:
    pairs = {(pair.recipe, pair.other): pair for pair in rank(make_frame(SCORES), direction).pairs}
    order = ["l2", "l1", "none"] if direction == "min" else ["none", "l1", "l2"]
    assert list(pairs) == [(order[0], order[1]), (order[0], order[2]), (order[1], order[2])]
    assert pairs[order[0], order[2]].gain == pytest.approx(0.2)  # means 0.304 and 0.504
    assert {names for names, pair in pairs.items() if not pair.significant} == {
        (order[0], order[1]) if direction == "min" else (order[1], order[2])
    }


def test_pairs_agree_with_the_table() -> None:
    ranking = rank(make_frame(SCORES))
    for pair in ranking.pairs:
        if pair.other == "none":
            row = ranking.table.loc[pair.recipe]
            assert pair.significant == (row["verdict"] == "conclusive")
            assert pair.p_adjusted == row["p_holm"]
            assert pair.gain == pytest.approx(row["gain"])


def test_a_recipe_that_never_finished_has_no_pair_and_runs_without_a_partner_have_no_gain() -> None:
    nan = math.nan
    ranking = rank(make_frame({"none": [0.5, 0.6, nan, nan], "l2": [nan, nan, 0.3, 0.4], "l1": [nan] * 4}))
    (pair,) = ranking.pairs
    assert {pair.recipe, pair.other} == {"none", "l2"}
    assert math.isnan(pair.gain)
    assert not pair.significant
