"""rank over several searches: claims are about the recipe tuned again, not only trained again."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from regzoo.core.errors import InputError
from regzoo.stats.corrected_t import compute_corrected_interval
from regzoo.stats.hierarchical import estimate_over_searches
from regzoo.stats.intervals import compute_wilson_interval
from regzoo.stats.paired import adjust_holm
from regzoo.stats.power import CAP, estimate_searches_needed
from regzoo.stats.rank import rank
from regzoo.stats.scores import Array
from regzoo.stats.winners_curse import estimate_shrunk_gain

NAN = math.nan


def frame_of(runs: int, searches: int, **scores: Array) -> pd.DataFrame:
    """Return one row per run; run i belongs to search i mod ``searches``."""
    rows = [
        (name, number % searches, number, float(value))
        for name, values in scores.items()
        for number, value in enumerate(values[:runs])
    ]
    return pd.DataFrame(rows, columns=["recipe", "search", "seed", "score"])


def simulated(seed: int, recipes: int = 4, searches: int = 5, runs: int = 10, lead: float = 1.0) -> pd.DataFrame:
    """Return scores with search noise of sd 1 and seed noise of sd 0.3; the second recipe is better by ``lead``."""
    rng = np.random.default_rng(seed)
    scores = rng.normal(size=(recipes, searches))[:, np.arange(runs) % searches] + 0.3 * rng.normal(
        size=(recipes, runs)
    )
    scores[1] -= lead
    return frame_of(runs, searches, **{f"r{i}" if i else "none": each for i, each in enumerate(scores)})


def by_search(frame: pd.DataFrame, recipe: str) -> Array:
    """Return the scores of a recipe, (searches, runs)."""
    own = frame[frame["recipe"] == recipe]
    return np.array([group["score"].to_numpy() for _, group in own.groupby("search")])


def test_two_recipes_get_the_t_test_of_their_search_means() -> None:
    frame = simulated(0, recipes=2)
    gains = by_search(frame, "none") - by_search(frame, "r1")
    row: Any = rank(frame).table.loc["r1"]
    test = stats.ttest_1samp(gains.mean(axis=1), 0)
    assert row["p_holm"] == pytest.approx(test.pvalue)
    assert (row["gain_low"], row["gain_high"]) == pytest.approx(tuple(test.confidence_interval()))
    assert math.isnan(row["p_wilcoxon"])
    # As if every run had been tuned by itself, half of the p-value and less:
    assert rank(frame.drop(columns="search")).table.loc["r1", "p_holm"] < row["p_holm"] / 2


def test_variances_are_moderated_over_all_pairs_and_holm_over_the_gains() -> None:
    frame = simulated(1)
    names = ["none", "r1", "r2", "r3"]
    matrices = {name: by_search(frame, name) for name in names}
    pairs = [(a, b) for n, a in enumerate(names) for b in names[n + 1 :]]
    found = dict(zip(pairs, estimate_over_searches([matrices[a] - matrices[b] for a, b in pairs], 4), strict=True))
    table: Any = rank(frame).table
    against = [found["none", name] for name in names[1:]]
    assert table.loc[names[1:], "p_holm"].tolist() == pytest.approx(adjust_holm([each.p for each in against]))
    assert table.loc[names[1:], "gain"].tolist() == pytest.approx([each.mean for each in against])
    assert table.loc[names[1:], "gain_low"].tolist() == pytest.approx([each.low for each in against])
    assert table.loc[names[1:], "gain_high"].tolist() == pytest.approx([each.high for each in against])
    means = estimate_over_searches(list(matrices.values()), 4)
    assert table.loc[names, "mean"].tolist() == pytest.approx([each.mean for each in means])
    assert table.loc[names, "low"].tolist() == pytest.approx([each.low for each in means])
    assert table.loc[names, "high"].tolist() == pytest.approx([each.high for each in means])


def test_the_lead_has_the_evidence_of_its_gain_or_of_its_pair() -> None:
    beaten = rank(simulated(2, recipes=3, lead=3.0))
    lead: Any = beaten.lead
    row: Any = beaten.table.loc["r1"]
    assert lead.recipe == "r1"
    if lead.other == "none":
        assert (lead.gain_low, lead.gain_high, lead.p_holm) == (row["gain_low"], row["gain_high"], row["p_holm"])
    for seed in range(5):
        lead = rank(simulated(seed, recipes=2)).lead
        assert (lead.p_holm < 0.05) == (lead.gain_low > 0)
        assert lead.gain > 0
        negative = simulated(seed, recipes=2).assign(score=lambda frame: -frame["score"])
        assert rank(negative, direction="max").lead == lead


def test_one_search_changes_nothing() -> None:
    frame = simulated(3)
    plain = rank(frame.drop(columns="search"))
    for search in (0, "only", NAN):
        ranking = rank(frame.assign(search=search))
        pd.testing.assert_frame_equal(ranking.table, plain.table, check_exact=True)
        assert (ranking.lead, ranking.shrunk_gain, ranking.pairs) == (plain.lead, plain.shrunk_gain, plain.pairs)


def test_searches_are_part_of_the_pair() -> None:
    rows = [
        (recipe, search, seed, base - (recipe == "l2") * gain)
        for recipe in ("none", "l2")
        for search, seed, base, gain in [(0, 0, 1.0, 0.1), (1, 0, 5.0, 0.3), (1, 1, 9.0, 0.4)]
    ]
    frame = pd.DataFrame(rows, columns=["recipe", "search", "seed", "score"])
    row = rank(frame).table.loc["l2"]
    assert row["gain"] == pytest.approx((0.1 + 0.35) / 2)
    assert row["replicates"] == 3
    assert row["mean"] == pytest.approx((0.9 + (4.7 + 8.6) / 2) / 2)
    with pytest.raises(InputError, match="second row for search 1, seed 1"):
        rank(pd.concat([frame, frame.tail(1)]))
    with pytest.raises(InputError, match="'search' is empty"):
        rank(frame.assign(search=[0, 1, NAN, 0, 1, 1]))
    with pytest.raises(InputError, match="'search' comes twice"):
        rank(pd.concat([frame, frame["search"]], axis=1))


def test_each_data_set_has_searches_of_its_own() -> None:
    frame = pd.concat([simulated(seed, recipes=2, searches=3, runs=6).assign(dataset=seed) for seed in range(2)])
    gains = np.vstack([by_search(own, "none") - by_search(own, "r1") for _, own in frame.groupby("dataset")])
    assert rank(frame).table.loc["r1", "p_holm"] == pytest.approx(stats.ttest_1samp(gains.mean(axis=1), 0).pvalue)


def test_diverged_runs_take_their_pair_and_a_lost_search_is_missing() -> None:
    frame = simulated(4, recipes=2)
    lost = frame["recipe"].eq("r1") & (frame["search"].eq(2) | frame["seed"].eq(8))
    row: Any = rank(frame.assign(score=frame["score"].where(~lost))).table.loc["r1"]
    gains = by_search(frame, "none") - by_search(frame, "r1")
    means = [gains[0].mean(), gains[1].mean(), gains[3, 0], gains[4].mean()]
    assert row["p_holm"] == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    assert (row["diverged"], row["status"]) == (3, "diverged")
    one_left = rank(frame.assign(score=frame["score"].where(frame["search"].eq(0) | frame["recipe"].eq("none"))))
    row = one_left.table.loc["r1"]
    assert row["gain"] == pytest.approx(gains[0].mean())
    assert row[["gain_low", "gain_high", "p_holm"]].isna().all()
    assert (row["verdict"], row["replicates_needed"]) == ("inconclusive", pd.NA) or pd.isna(row["replicates_needed"])


def test_p_better_knows_that_pairs_share_a_search() -> None:
    rng = np.random.default_rng(5)
    luck = np.array([1.0, 1.0, -1.0, 1.0, -1.0])[np.arange(20) % 5]
    frame = frame_of(20, 5, none=rng.normal(size=20) * 0.01 + luck, l2=rng.normal(size=20) * 0.01)
    row: Any = rank(frame).table.loc["l2"]
    assert row["p_better"] == 0.6
    # The five searches speak with one voice each: 0.24 over (0.3 / 5) is 4, and there are at least as many as searches.
    assert (row["p_better_low"], row["p_better_high"]) == pytest.approx(compute_wilson_interval(0.6, 5))


def test_the_winners_gain_is_shrunk_by_whole_searches() -> None:
    frame = simulated(6, recipes=3, lead=0.5)
    ranking = rank(frame)
    order = [name for name in ranking.table.index if name != "none"]
    means = {name: by_search(frame, name).mean(axis=1) for name in ("none", *order)}
    recipes = [str(name) for name in ranking.table.index]
    assert ranking.winner != "none"
    assert ranking.shrunk_gain == pytest.approx(
        estimate_shrunk_gain(np.array([means["none"] - means[name] for name in recipes]))
    )


def test_replicates_needed_are_searches_times_their_runs() -> None:
    frame = simulated(7, recipes=2, lead=0.6)
    row = rank(frame).table.loc["r1"]
    found = estimate_over_searches([by_search(frame, "none") - by_search(frame, "r1")], 2)[0]
    searches = estimate_searches_needed(found)
    assert row["verdict"] == "inconclusive"
    assert searches is not None
    assert row["replicates_needed"] == min(CAP, 2 * searches)
    assert row["replicates_needed"] > 10


def test_repeated_splits_over_searches_are_corrected() -> None:
    frame = simulated(8, recipes=2)
    found = estimate_over_searches([by_search(frame, "none") - by_search(frame, "r1")], 2, ratio=0.25)[0]
    row: Any = rank(frame, test_train_ratio=0.25).table.loc["r1"]
    assert (row["gain_low"], row["gain_high"]) == pytest.approx((found.low, found.high))
    plain: Any = rank(frame).table
    assert row["gain_high"] > plain.loc["r1", "gain_high"]
    own = estimate_over_searches([by_search(frame, name) for name in ("none", "r1")], 2, ratio=0.25)[1]
    assert (row["low"], row["high"]) == pytest.approx((own.low, own.high))
    # Where search k has split k, the variance of the splits is in that of the search means.
    by_fold: Any = rank(frame.assign(fold=frame["search"]), test_train_ratio=0.25).table
    means = (by_search(frame, "none") - by_search(frame, "r1")).mean(axis=1)
    assert (by_fold.loc["r1", "gain_low"], by_fold.loc["r1", "gain_high"]) == pytest.approx(
        compute_corrected_interval(means, 0.25)
    )
    shared = estimate_over_searches([by_search(frame, name) for name in ("none", "r1")], 2, 0.25, True)[1]
    assert (by_fold.loc["r1", "low"], by_fold.loc["r1", "high"]) == pytest.approx((shared.low, shared.high))
    folds = rank(frame.assign(fold=frame["seed"]), test_train_ratio=0.25).table
    pd.testing.assert_frame_equal(folds, rank(frame, test_train_ratio=0.25).table)


def test_the_order_of_the_rows_and_the_unit_do_not_matter() -> None:
    frame = simulated(9)
    table = rank(frame).table
    pd.testing.assert_frame_equal(rank(frame.sample(frac=1.0, random_state=1)).table, table, rtol=1e-9, atol=1e-12)
    other = rank(frame.assign(score=100 * frame["score"] + 7)).table
    for name in ("tier", "p_holm", "p_better_low", "replicates_needed"):
        np.testing.assert_allclose(other[name].astype(float), table[name].astype(float), rtol=1e-7)
    np.testing.assert_allclose(other["gain_low"], 100 * table["gain_low"], rtol=1e-7)


def test_equal_recipes_are_tied_and_lend_no_certainty() -> None:
    frame = simulated(10, recipes=2)
    twin = frame[frame["recipe"] == "none"].assign(recipe="twin")
    table: Any = rank(pd.concat([frame, twin])).table
    assert table.loc["twin", ["gain", "gain_low", "gain_high", "p_holm"]].tolist() == [0, 0, 0, 1]
    assert table.loc["twin", "tier"] == table.loc["none", "tier"]


def only(frame: pd.DataFrame, *recipes: str) -> pd.DataFrame:
    return frame[frame["recipe"].isin(recipes)]


# Recipes whose search space holds the baseline's point


def losing(better: float = 0.0) -> pd.DataFrame:
    """Return scores in which l2 is worse than none by 1, l1 by 1.1 and dropout better by ``better``."""
    rng = np.random.default_rng(11)
    noise = {name: 0.05 * rng.normal(size=10) for name in ("none", "l2", "l1", "dropout")}
    level = {"none": 0.0, "l2": 1.0, "l1": 1.1, "dropout": -better}
    return frame_of(10, 5, **{name: noise[name] + level[name] for name in noise})


@pytest.mark.parametrize("frame", [losing(), losing().drop(columns="search")])
def test_a_nested_recipe_cannot_lose_to_the_baseline(frame: pd.DataFrame) -> None:
    plain: Any = rank(frame).table
    assert plain.loc["l2", "verdict"] == "conclusive"
    assert plain.loc["l2", "tier"] > plain.loc["none", "tier"]
    ranking = rank(frame, nested=["l2"])
    table: Any = ranking.table
    assert table.loc["l2", ["verdict", "tier"]].tolist() == ["inconclusive", table.loc["none", "tier"]]
    assert pd.isna(table.loc["l2", "replicates_needed"])
    # The numbers stay, and so do other losses.
    assert table.loc["l2", ["gain", "p_holm"]].tolist() == plain.loc["l2", ["gain", "p_holm"]].tolist()
    assert table.loc["l1", "verdict"] == "conclusive"
    assert table.loc["l1", "tier"] == table.loc["none", "tier"] + 1
    pair = next(pair for pair in ranking.pairs if {pair.recipe, pair.other} == {"none", "l2"})
    assert not pair.significant
    both = rank(frame, nested=("l2", "l1")).table
    assert both["tier"].nunique() == 1


def test_a_nested_recipe_can_win_and_can_lose_to_others() -> None:
    frame = losing(better=1.0)
    table: Any = rank(frame, nested=("dropout", "l2")).table
    assert table.loc["dropout", ["verdict", "tier"]].tolist() == ["conclusive", 1]
    assert table.loc[["none", "l2"], "tier"].tolist() == [2, 2]


def test_a_nested_recipe_shares_the_baselines_tier_although_the_leader_beats_it() -> None:
    # The leader's gain over the baseline is uncertain, that over l2 is not: without nesting l2 opens a tier.
    wave = np.array([1.0, -1.0, 1.0, -1.0, 0.0])[np.arange(10) % 5]
    rng = np.random.default_rng(12)
    noise = 0.1 * rng.normal(size=(3, 10))
    frame = frame_of(10, 5, none=noise[0] + 3 * wave + 0.5, first=noise[1], l2=noise[2] + 2.0)
    assert rank(frame).table["tier"].to_dict() == {"first": 1, "none": 1, "l2": 2}
    table = rank(frame, nested=("l2",)).table
    assert table["tier"].to_dict() == {"first": 1, "none": 1, "l2": 1}


def test_the_lead_of_the_baseline_over_a_nested_recipe_is_inconclusive() -> None:
    frame = only(losing(), "none", "l2")
    for nested, verdict in (((), "conclusive"), (("l2",), "inconclusive")):
        lead = rank(frame, nested=nested).lead
        assert lead is not None
        assert (lead.recipe, lead.verdict) == ("none", verdict)
    higher = rank(frame.assign(score=-frame["score"]), direction="max", nested=("l2",)).table
    assert higher["tier"].tolist() == [1, 1]


def test_a_loss_within_the_rope_is_still_equivalent() -> None:
    assert rank(losing(), rope=2.0, nested=("l2",)).table.loc["l2", "verdict"] == "equivalent"


def test_without_a_baseline_nothing_is_nested() -> None:
    pd.testing.assert_frame_equal(
        rank(losing(), baseline=None, nested=("l2",)).table, rank(losing(), baseline=None).table
    )


def test_a_meaningful_lead_wins_three_of_four_pairs_for_sure() -> None:
    # All of 10 pairs, but 5 searches: the lower end is 0.566. Of two searches it would be 0.34.
    frame = only(losing(), "none", "l2")
    lead: Any = rank(frame).lead
    assert lead.p_better == 1
    assert lead.is_meaningful
    lead = rank(frame[frame["search"] < 2]).lead
    assert (lead.p_better, lead.is_meaningful) == (1, False)


def test_a_nested_recipe_that_is_no_recipe_is_refused_and_a_text_is_one_name() -> None:
    frame = pd.DataFrame({"recipe": ["none"] * 3 + ["l2"] * 3, "seed": [0, 1, 2] * 2, "score": np.arange(6.0)})
    with pytest.raises(InputError, match=r"nested: no row has the recipe 'l22'\. Did you mean 'l2'"):
        rank(frame, nested=["l22"])
    assert rank(frame, nested="l2").table.equals(rank(frame, nested=["l2"]).table)
