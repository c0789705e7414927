"""Expected best of k trials by hand, and against repeated draws of k trials."""

from __future__ import annotations

import math

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.stats.expected_best import estimate_expected_best, estimate_expected_best_band, rank_by_budget


def test_expected_best_by_hand() -> None:
    # From worst to best 3, 2, 1. k = 2: (3 x 1 + 2 x 3 + 1 x 5) / 9; k = 3: (3 x 1 + 2 x 7 + 1 x 19) / 27.
    assert estimate_expected_best([3.0, 1.0, 2.0]) == pytest.approx([2, 14 / 9, 36 / 27])
    assert estimate_expected_best([3.0, 1.0, 2.0], "max") == pytest.approx([2, 22 / 9, 72 / 27])


def test_it_is_the_mean_of_the_best_of_k_draws() -> None:
    # 40,000 draws of k among these six: the best has an sd below 2, so one standard error is below 0.01.
    scores = np.array([5.0, 1.0, 4.0, 4.0, 2.0, 6.0])
    draws = np.random.default_rng(0).choice(scores, size=(40_000, 6))
    best = np.minimum.accumulate(draws, axis=1).mean(axis=0)
    assert estimate_expected_best(scores) == pytest.approx(best, abs=0.03)


def test_more_trials_never_hurt_and_never_beat_the_best() -> None:
    found = estimate_expected_best(np.random.default_rng(1).normal(size=12), "max")
    assert (np.diff(found) > 0).all()
    assert found[0] < found[-1] < np.random.default_rng(1).normal(size=12).max()


def test_a_diverged_trial_counts_as_the_worst() -> None:
    assert (
        estimate_expected_best([1.0, math.nan, 3.0, math.inf]).tolist()
        == estimate_expected_best([1.0, 3.0, 3.0, 3.0]).tolist()
    )
    assert (
        estimate_expected_best([1.0, math.nan, 3.0], "max").tolist()
        == estimate_expected_best([1.0, 1.0, 3.0], "max").tolist()
    )
    assert np.isnan(estimate_expected_best([math.nan, math.nan])).all()
    assert estimate_expected_best([]).shape == (0,)


def test_band_covers_the_truth_for_few_trials_of_many() -> None:
    # The best of k uniforms is 1 / (k + 1). Measured 93 to 94 % at k = 1..4 of 20; 300 searches, one standard
    # error 1.5 points, three allowed below 92 %.
    rng = np.random.default_rng(0)
    truth = 1 / np.arange(2, 6)
    inside = []
    for scores in rng.random((300, 20)):
        low, high = estimate_expected_best_band(scores)
        assert ((low <= estimate_expected_best(scores)) & (estimate_expected_best(scores) <= high)).all()
        inside.append((low[:4] <= truth) & (truth <= high[:4]))
    assert np.mean(inside, axis=0).min() >= 0.92 - 3 * math.sqrt(0.92 * 0.08 / 300)


def test_the_seed_changes_the_band_and_repeats_it() -> None:
    scores = np.random.default_rng(2).normal(size=10)
    one, again, other = (estimate_expected_best_band(scores, seed=seed)[0].tolist() for seed in (1, 1, 2))
    assert one == again != other
    assert [side.shape for side in estimate_expected_best_band([])] == [(0,), (0,)]


def test_the_order_changes_with_the_budget() -> None:
    # A steady recipe wins with two trials; a wild one with the better best wins with three: its expected best of k
    # is 0.525, 0.369, 0.286 and 0.234, the steady one's between 0.30 and 0.29.
    frame = rank_by_budget({"steady": [0.3, 0.31, 0.29, 0.3], "wild": [0.9, 0.1, 0.5, 0.6]})
    ranks = frame.pivot(index="trials", columns="recipe", values="rank")
    assert ranks["steady"].tolist() == [1, 1, 2, 2]
    assert ranks["wild"].tolist() == [2, 2, 1, 1]
    turned = rank_by_budget({"steady": [-0.3, -0.31, -0.29, -0.3], "wild": [-0.9, -0.1, -0.5, -0.6]}, "max")
    assert turned["rank"].tolist() == frame["rank"].tolist()
    wild = frame[frame["recipe"] == "wild"]
    assert wild["expected"].to_numpy() == pytest.approx(estimate_expected_best([0.9, 0.1, 0.5, 0.6]))


def test_no_rank_where_a_recipe_made_no_more_trials() -> None:
    frame = rank_by_budget({"a": [1.0, 2.0, 3.0], "b": [1.0, 2.0]})
    assert frame["trials"].tolist() == [1, 2, 3, 1, 2]
    assert frame["rank"].isna().tolist() == [False, False, True, False, False]


def test_equal_recipes_share_a_rank_and_a_failed_one_is_last() -> None:
    frame = rank_by_budget({"a": [1.0, 2.0], "b": [2.0, 1.0], "dead": [math.nan, math.nan]})
    assert frame["rank"].tolist() == [1, 1, 1, 1, 3, 3]


def test_no_trials_no_rows() -> None:
    assert list(rank_by_budget({}).columns) == ["recipe", "trials", "expected", "low", "high", "rank"]


@pytest.mark.parametrize("tuner", ["bayesian", "grid", "hyperband"])
def test_only_random_search_is_valid(tuner: str) -> None:
    with pytest.raises(InputError, match=rf"search\.tuner.*random search only.*{tuner}"):
        rank_by_budget({"none": [1.0, 2.0]}, tuner=tuner)
