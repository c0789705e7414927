"""rank: numbers worked by hand, simulations with known truth, and everything that must not matter."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.multitest import multipletests

from regzoo.core.errors import InputError
from regzoo.stats.bootstrap import compute_bootstrap_p
from regzoo.stats.corrected_t import compute_corrected_interval, compute_corrected_t
from regzoo.stats.intervals import compute_wilson_interval
from regzoo.stats.power import estimate_replicates_needed
from regzoo.stats.rank import AGAINST_BASELINE, COLUMNS, Ranking, rank
from regzoo.stats.winners_curse import estimate_shrunk_gain

NAN = math.nan


def frame_of(**scores: list[float]) -> pd.DataFrame:
    """Return one row per run; seeds count from 0."""
    rows = [(name, seed, value) for name, values in scores.items() for seed, value in enumerate(values)]
    return pd.DataFrame(rows, columns=["recipe", "seed", "score"])


def simulated(rng: np.random.Generator, recipes: int, pairs: int, lead: float = 0.0) -> pd.DataFrame:
    """Return scores of sd 1 around a common effect of each seed; the second recipe is better by ``lead``."""
    scores = rng.normal(size=(recipes, pairs)) + rng.normal(size=pairs)
    scores[1] -= lead
    return frame_of(none=scores[0].tolist(), **{f"r{i}": scores[i].tolist() for i in range(1, recipes)})


# Worked by hand. Gains of l2 are 0.09, 0.11, 0.10: mean 0.1, sd 0.01, t = 0.1 / (0.01 / sqrt 3) = sqrt 300 with two
# degrees of freedom, for which p = 1 - t / sqrt(2 + t^2) = 1 - sqrt(300 / 302).
HAND = frame_of(none=[0.30, 0.34, 0.32], l2=[0.21, 0.23, 0.22])
P_HAND = 1 - math.sqrt(300 / 302)


def test_gain_interval_and_p_by_hand() -> None:
    table: Any = rank(HAND).table
    row = table.loc["l2"]
    assert list(table.index) == ["l2", "none"]
    assert list(table.columns) == list(COLUMNS)
    assert row["mean"] == pytest.approx(0.22)
    assert row["sd"] == pytest.approx(0.01)
    assert row["gain"] == pytest.approx(0.1)
    assert row["p_holm"] == pytest.approx(P_HAND)
    assert (row["p_better"], row["p_better_low"], row["p_better_high"]) == (1.0, *compute_wilson_interval(1.0, 3))
    assert row["p_wilcoxon"] == 2 / 2**3
    assert row["verdict"] == "conclusive"
    assert pd.isna(row["replicates_needed"])
    # The t interval (below four pairs): the 97.5 % point of t with 2 degrees of freedom is 4.302653.
    assert row["gain_high"] - row["gain"] == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)
    assert row["gain"] - row["gain_low"] == pytest.approx(4.302653 * 0.01 / math.sqrt(3), rel=1e-6)
    assert table["tier"].tolist() == [1, 2]
    assert (row["replicates"], row["diverged"], row["status"]) == (3, 0, "ok")


def test_the_baseline_is_not_compared_with_itself() -> None:
    row = rank(HAND).table.loc["none"]
    assert row[list(AGAINST_BASELINE)].isna().all()


def test_holm_over_all_recipes_but_the_baseline() -> None:
    rng = np.random.default_rng(5)
    frame = simulated(rng, recipes=5, pairs=8, lead=1.0)
    wide = frame.pivot(index="seed", columns="recipe", values="score")
    others = ["r1", "r2", "r3", "r4"]
    raw = [stats.ttest_rel(wide[name], wide["none"]).pvalue for name in others]
    found = rank(frame).table.loc[others, "p_holm"].to_numpy(dtype=float)
    np.testing.assert_allclose(found, multipletests(raw, method="holm")[1], rtol=1e-9)


def test_wilcoxon_is_adjusted_by_holm_too() -> None:
    frame = simulated(np.random.default_rng(5), recipes=5, pairs=8, lead=1.0)
    wide = frame.pivot(index="seed", columns="recipe", values="score")
    others = ["r1", "r2", "r3", "r4"]
    raw = [stats.wilcoxon(wide[name], wide["none"]).pvalue for name in others]
    found = rank(frame).table.loc[others, "p_wilcoxon"].to_numpy(dtype=float)
    np.testing.assert_allclose(found, multipletests(raw, method="holm")[1], rtol=1e-9)


def test_interquartile_mean_leaves_out_a_quarter_on_both_sides() -> None:
    assert rank(frame_of(none=[9.0, 1.0, 2.0, 3.0, -9.0])).table.loc["none", "iqm"] == 2.0


def test_ties_count_half_in_p_better() -> None:
    frame = frame_of(none=[3.0, 3.0, 3.0, 3.0], l2=[2.0, 3.0, 4.0, 1.0])
    assert rank(frame).table.loc["l2", "p_better"] == 2.5 / 4


def test_differences_of_zero_give_p_of_one_and_a_constant_one_gives_zero() -> None:
    # In floating point 0.3 - 0.2, 0.4 - 0.3 and 0.5 - 0.4 differ from one another by rounding.
    frame = frame_of(none=[0.3, 0.4, 0.5], same=[0.3, 0.4, 0.5], better=[0.2, 0.3, 0.4])
    table: Any = rank(frame).table
    assert table.loc["same", "p_holm"] == 1.0
    assert table.loc["same", "p_better"] == 0.5
    assert table.loc["same", ["gain", "gain_low", "gain_high"]].tolist() == [0.0, 0.0, 0.0]
    assert table.loc["better", "p_holm"] == 0.0
    assert table.loc["better", "gain_low"] == table.loc["better", "gain_high"] == pytest.approx(0.1)


def test_equal_means_keep_the_order_of_appearance() -> None:
    frame = frame_of(b=[1.0, 2.0], none=[2.0, 1.0], a=[1.0, 2.0])
    assert list(rank(frame).table.index) == ["b", "none", "a"]


def test_tiers_are_led_by_the_first_recipe_that_differs_from_the_leader() -> None:
    # Every recipe wobbles by 0.1 in a pattern of its own. a and b differ by 0.05 on average, which is noise;
    # c and d lie 1 below, e 2: t of the order of 1 / (0.15 / sqrt 8) = 19, far beyond Holm at 7 degrees.
    rng = np.random.default_rng(0)
    noise = {name: rng.permutation([-0.1, 0.1] * 4) for name in "abcde"}
    level = {"a": 0.0, "b": 0.05, "c": 1.0, "d": 1.05, "e": 2.0}
    ranking = rank(frame_of(**{name: list(noise[name] + level[name]) for name in "dbeca"}), baseline="c")
    assert ranking.table["tier"].to_dict() == {"a": 1, "b": 1, "c": 2, "d": 2, "e": 3}
    assert list(ranking.table.index) == ["a", "b", "c", "d", "e"]


def test_a_tier_never_contradicts_the_verdict_on_its_leader() -> None:
    # Gains of a: p = 64 / 3125 = 0.0205, of b far above: 0.041 over two gains, but 0.061 over all three pairs.
    base = np.array([0.5, 0.9, 0.6, 0.8, 0.7])
    a, b = base - np.array([0.1, 0.2, 0.3, 0.4, 0.5]), base + np.array([0.6, -0.6, 0.5, -0.5, 0.05])
    ranking = rank(frame_of(none=base.tolist(), a=a.tolist(), b=b.tolist()))
    assert ranking.winner == "a"
    assert ranking.table.loc["a", "p_holm"] == pytest.approx(2 * 64 / 5**5)
    assert ranking.table.loc["a", "verdict"] == "conclusive"
    assert ranking.table.loc["none", "tier"] == 2
    assert ranking.lead is not None
    assert (ranking.lead.other, ranking.lead.p_holm) == ("none", ranking.table.loc["a", "p_holm"])


def test_only_pairs_on_both_sides_count() -> None:
    frame = pd.DataFrame(
        {
            "recipe": ["none"] * 3 + ["l2"] * 3,
            "seed": [0, 1, 2, 1, 2, 3],
            "score": [5.0, 2.0, 4.0, 1.0, 2.0, 100.0],
        }
    )
    row = rank(frame).table.loc["l2"]
    assert row["gain"] == 1.5  # (2 - 1, 4 - 2)
    assert row["replicates"] == 3


def test_without_a_common_pair_there_is_no_gain() -> None:
    frame = pd.DataFrame({"recipe": ["none", "none", "l2"], "seed": [0, 1, 2], "score": [1.0, 2.0, 0.0]})
    row = rank(frame).table.loc["l2"]
    assert row[[*AGAINST_BASELINE, "sd", "low", "high"]].isna().all()
    assert (row["mean"], row["rank"]) == (0.0, 1)


def test_folds_and_datasets_are_part_of_the_pair() -> None:
    rows = [
        (recipe, seed, fold, data, base - (recipe == "l2") * gain)
        for recipe in ("none", "l2")
        for seed, fold, data, base, gain in [
            (0, 0, "a", 1.0, 0.1),
            (0, 1, "a", 5.0, 0.3),
            (0, 0, "b", 9.0, 0.5),
        ]
    ]
    frame = pd.DataFrame(rows, columns=["recipe", "seed", "fold", "dataset", "score"])
    row = rank(frame).table.loc["l2"]
    assert row["gain"] == pytest.approx(0.3)
    assert row["replicates"] == 3


def test_the_baseline_alone_and_no_baseline() -> None:
    alone = rank(frame_of(none=[1.0, 2.0]))
    assert alone.winner == "none"
    table: Any = alone.table
    assert table.loc["none", ["rank", "tier"]].tolist() == [1, 1]
    free = rank(frame_of(a=[1.0, 2.0], b=[3.0, 3.5]), baseline=None)
    assert free.baseline is None
    assert free.table["gain"].isna().all()


# The lead, selection bias, practical equivalence


def test_the_lead_is_the_winner_against_the_runner_up() -> None:
    frame = frame_of(none=[0.9, 0.8, 0.7, 0.9], l2=[0.5, 0.6, 0.4, 0.5], l1=[0.52, 0.57, 0.45, 0.5], dead=[NAN] * 4)
    lead = rank(frame).lead
    assert lead is not None
    assert (lead.recipe, lead.other, lead.pairs) == ("l2", "l1", 4)
    assert lead.gain == pytest.approx(0.01)
    # Adjusted over the three pairs of finished recipes, the least clear of which it is.
    assert lead.p_holm == pytest.approx(compute_bootstrap_p([0.02, -0.03, 0.05, 0.0]))
    assert lead.verdict == "inconclusive"
    assert lead.replicates_needed == estimate_replicates_needed(np.array([0.02, -0.03, 0.05, 0.0]), tests=3)
    higher = rank(frame.assign(score=-frame["score"]), direction="max").lead
    assert higher is not None
    assert higher.gain == pytest.approx(0.01)


def test_without_a_second_finished_recipe_there_is_no_lead() -> None:
    assert rank(frame_of(none=[1.0, 2.0])).lead is None
    assert rank(frame_of(none=[1.0, 2.0], l2=[NAN, NAN])).lead is None


def test_the_winners_gain_is_shrunk_by_those_that_could_have_won() -> None:
    scores = np.random.default_rng(3).normal(size=(4, 6))
    scores[1] -= 1.0
    a, b, c = scores[0] - scores[1:]  # gains
    frame = frame_of(none=scores[0].tolist(), a=scores[1].tolist(), b=scores[2].tolist(), c=scores[3].tolist())
    ranking = rank(frame)
    table: Any = ranking.table
    assert ranking.winner == "a"
    assert ranking.shrunk_gain is not None
    assert ranking.shrunk_gain == pytest.approx(estimate_shrunk_gain(np.array([a, b, c, 0 * a])))
    assert ranking.shrunk_gain < table.loc["a", "gain"]
    # With a diverged run b could not have won; its lost pair still counts for the others.
    lost = frame.assign(score=frame["score"].where((frame["recipe"] != "b") | (frame["seed"] != 2)))
    assert rank(lost).shrunk_gain == pytest.approx(estimate_shrunk_gain(np.array([a, c, 0 * a])))


def test_nothing_is_shrunk_where_nothing_was_gained() -> None:
    assert rank(frame_of(none=[1.0, 2.0, 3.0], l2=[2.0, 3.0, 4.0])).shrunk_gain is None
    assert rank(frame_of(a=[1.0, 2.0, 3.0], b=[2.0, 3.0, 4.0]), baseline=None).shrunk_gain is None
    assert rank(frame_of(none=[NAN, NAN])).shrunk_gain is None


def test_gains_within_the_rope_are_equivalent() -> None:
    # The interval of l2 is 0.1 +- 0.0248 (see above).
    assert rank(HAND, rope=0.13).table.loc["l2", "verdict"] == "equivalent"
    assert rank(HAND, rope=0.12).table.loc["l2", "verdict"] == "conclusive"
    assert rank(HAND, rope=0.13).table["tier"].tolist() == [1, 2]  # still a significant difference, just a small one


def test_inconclusive_recipes_say_how_many_replicates_they_need() -> None:
    frame = frame_of(none=[0.30, 0.34, 0.32, 0.31], l2=[0.31, 0.30, 0.31, 0.31], l1=[0.1, 0.14, 0.12, 0.11])
    table = rank(frame).table
    assert table["verdict"].dropna().to_dict() == {"l1": "conclusive", "l2": "inconclusive"}
    assert table.loc["l2", "replicates_needed"] == estimate_replicates_needed(
        np.array([-0.01, 0.04, 0.01, 0.0]), tests=2
    )
    assert table["replicates_needed"].isna().tolist() == [True, False, True]


def test_the_same_gain_twice_is_inconclusive() -> None:
    # Two of 30 rows fewer are wrong, on both seeds.
    row = rank(frame_of(none=[5 / 30, 4 / 30], l2=[3 / 30, 2 / 30]), rope=0.1).table.loc["l2"]
    assert row["gain"] == pytest.approx(2 / 30)
    assert row[["gain_low", "gain_high", "p_holm"]].isna().all()
    # Normal gains all of one sign: P(better) is 1, ((1.959964 + 1.644854) / (sqrt6 / 2))^2 = 8.66.
    assert (row["verdict"], row["replicates_needed"]) == ("inconclusive", 9)


# Folds and data sets


def test_repeated_splits_get_the_corrected_variance() -> None:
    rng = np.random.default_rng(4)
    rows = [(name, seed, fold) for name in ("none", "l2") for seed in range(4) for fold in range(5)]
    frame = pd.DataFrame(rows, columns=["recipe", "seed", "fold"])
    frame["score"] = rng.normal(size=40) - (frame["recipe"] == "l2")
    wide = frame.pivot(index=["seed", "fold"], columns="recipe", values="score")
    gains = wide["none"] - wide["l2"]
    ranking = rank(frame, test_train_ratio=1 / 4)
    row: Any = ranking.table.loc["l2"]
    assert (row["gain_low"], row["gain_high"]) == pytest.approx(compute_corrected_interval(gains, 1 / 4))
    assert row["p_holm"] == pytest.approx(compute_corrected_t(gains, 1 / 4)[1])
    assert (row["low"], row["high"]) == pytest.approx(compute_corrected_interval(wide["l2"], 1 / 4))
    assert math.isnan(row["p_wilcoxon"])
    plain = rank(frame).table.loc["l2"]
    assert plain["gain_high"] - plain["gain_low"] < 0.6 * (row["gain_high"] - row["gain_low"])


def test_several_data_sets_are_compared_by_average_ranks() -> None:
    rows = [
        (recipe, seed, data, scale * score)
        for data, scale in (("digits", 1.0), ("iris", 100.0), ("wine", 0.01))
        for recipe, score in (("none", 3.0), ("l1", 2.0), ("l2", 1.0))
        for seed in range(2)
    ]
    ranking = rank(pd.DataFrame(rows, columns=["recipe", "seed", "dataset", "score"]))
    assert ranking.several is not None
    assert ranking.several.recipes == ("l2", "l1", "none")
    assert ranking.several.datasets == ("digits", "iris", "wine")
    assert ranking.several.average_ranks == (1.0, 2.0, 3.0)
    assert rank(HAND).several is None
    assert rank(HAND.assign(dataset="digits")).several is None


# Diverged runs


def test_recipes_with_diverged_runs_rank_last_and_are_counted() -> None:
    frame = frame_of(
        dead=[NAN, NAN, math.inf],
        twice=[0.1, NAN, -math.inf],
        once=[0.2, 0.2, NAN],
        none=[0.9, 0.8, 0.7],
        good=[0.5, 0.6, 0.4],
    )
    table: Any = rank(frame).table
    assert list(table.index) == ["good", "none", "once", "twice", "dead"]
    assert table["diverged"].tolist() == [0, 0, 1, 2, 3]
    assert table["replicates"].tolist() == [3] * 5
    assert table["status"].tolist() == ["ok", "ok", "diverged", "diverged", "failed"]
    assert table.loc["once", "mean"] == pytest.approx(0.2)
    assert table.loc["once", "gain"] == pytest.approx((0.7 + 0.6) / 2)
    assert math.isnan(table.loc["dead", "mean"])
    assert table["tier"].isna().tolist() == [False] * 4 + [True]


def test_a_recipe_with_diverged_runs_shares_no_tier_with_one_without() -> None:
    table = rank(frame_of(none=[1.0, 2.0, 3.0], l2=[1.1, NAN, 2.9], l1=[NAN, 2.1, 3.1])).table
    assert table["tier"].to_dict() == {"none": 1, "l2": 2, "l1": 2}


def test_nothing_finished_means_no_winner() -> None:
    ranking = rank(frame_of(none=[NAN, NAN], l2=[NAN, NAN]))
    assert ranking.winner is None
    assert ranking.table["rank"].tolist() == [1, 2]


def test_a_baseline_that_diverged_takes_its_pairs_with_it() -> None:
    row = rank(frame_of(none=[1.0, NAN, 3.0], l2=[0.0, 0.0, 0.0])).table.loc["l2"]
    assert row["gain"] == 2.0
    assert row["p_better"] == 1.0


# What must not matter


def same(one: Ranking, other: Ranking) -> None:
    pd.testing.assert_index_equal(one.table.index, other.table.index)
    pd.testing.assert_frame_equal(one.table, other.table, rtol=1e-9, atol=1e-12)


@pytest.mark.parametrize("pairs", [3, 5, 9])
def test_the_order_of_the_rows_does_not_matter(pairs: int) -> None:
    rng = np.random.default_rng(pairs)
    frame = simulated(rng, recipes=4, pairs=pairs, lead=1.0)
    same(rank(frame), rank(frame.sample(frac=1.0, random_state=1)))


@pytest.mark.parametrize("pairs", [3, 5, 9])
def test_negated_scores_with_the_other_direction_rank_equally(pairs: int) -> None:
    frame = simulated(np.random.default_rng(pairs), recipes=4, pairs=pairs, lead=1.0)
    low, high = rank(frame).table, rank(frame.assign(score=-frame["score"]), direction="max").table
    high = high.rename(columns={"low": "high", "high": "low"})
    flipped = high.assign(**{name: -high[name] for name in ("mean", "iqm", "low", "high")})
    pd.testing.assert_frame_equal(low, flipped[low.columns], rtol=1e-9)


@pytest.mark.parametrize("pairs", [3, 5, 9])
def test_the_unit_of_the_score_does_not_matter(pairs: int) -> None:
    frame = simulated(np.random.default_rng(pairs), recipes=4, pairs=pairs, lead=1.0)
    one, other = rank(frame).table, rank(frame.assign(score=100 * frame["score"] + 7)).table
    for name in ("rank", "tier", "p_holm", "p_wilcoxon", "p_better", "p_better_low", "replicates_needed"):
        np.testing.assert_allclose(other[name].astype(float), one[name].astype(float), rtol=1e-9)
    for name in ("sd", "gain", "gain_low", "gain_high"):
        np.testing.assert_allclose(other[name], 100 * one[name], rtol=1e-9)
    for name in ("mean", "iqm", "low", "high"):
        np.testing.assert_allclose(other[name], 100 * one[name] + 7, rtol=1e-9)


def test_the_frame_is_left_alone() -> None:
    before = HAND.copy(deep=True)
    rank(HAND)
    pd.testing.assert_frame_equal(HAND, before)


# What users get wrong


@pytest.mark.parametrize(
    ("frame", "options", "parts"),
    [
        (HAND.rename(columns={"score": "scores"}), {}, ["'score' is missing", "Did you mean 'scores'?"]),
        (HAND[["recipe", "score"]], {}, ["'seed' is missing"]),
        (pd.concat([HAND, HAND["score"]], axis=1), {}, ["'score' comes twice"]),
        (HAND.iloc[:0], {}, ["no rows"]),
        (HAND, {"direction": "up"}, ["direction", "'min' or 'max'", "'up'"]),
        (HAND, {"baseline": "nnoe"}, ["baseline", "'nnoe'", "Did you mean 'none'?"]),
        (pd.concat([HAND, HAND.tail(1)]), {}, ["row 5", "'l2'", "seed 2", "second row"]),
        (HAND.assign(score="good"), {}, ["row 0", "'score'", "'good'"]),
        (HAND.assign(score=True), {}, ["row 0", "'score'", "True"]),
        (HAND.assign(seed=[0, 1, NAN, 0, 1, 2]), {}, ["row 2", "'seed' is empty"]),
        (HAND.to_dict(), {}, ["DataFrame", "dict"]),
        (HAND.to_dict(), {"test_train_ratio": 0.25}, ["DataFrame", "dict"]),
        (HAND, {"test_train_ratio": 0}, ["test_train_ratio", "above 0", "received 0", "1 / 9"]),
        (HAND, {"test_train_ratio": True}, ["test_train_ratio", "received True"]),
        (HAND, {"rope": -0.1}, ["rope", "above 0", "received -0.1"]),
        (HAND, {"rope": "0.1"}, ["rope", "received '0.1'"]),
        (HAND, {"rope": NAN}, ["rope", "received nan"]),
        (HAND.assign(dataset=["a", "b", "c"] * 2), {"test_train_ratio": 0.25}, ["test_train_ratio", "'dataset' has 3"]),
    ],
)
def test_wrong_input_is_named(frame: pd.DataFrame, options: dict[str, object], parts: list[str]) -> None:
    with pytest.raises(InputError) as caught:
        rank(frame, **options)  # type: ignore[arg-type]
    for part in parts:
        assert part in str(caught.value)


def test_none_and_na_are_diverged_runs() -> None:
    frame = HAND.assign(score=pd.Series([0.3, None, pd.NA, 0.21, 0.23, 0.22], dtype=object))
    assert rank(frame).table.loc["none", "diverged"] == 2
