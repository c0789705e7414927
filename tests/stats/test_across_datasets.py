"""Comparison over data sets: published critical differences, Friedman by hand, and what must not matter."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.across_datasets import (
    AcrossDatasets,
    compare_across_datasets,
    compute_critical_difference,
    compute_friedman,
    compute_nemenyi_p,
)

NAMES = "abcdefgh"


def compared(means: np.ndarray, **options: str) -> AcrossDatasets:
    """Compare recipes (rows) over data sets (columns), one score each."""
    scores = {NAMES[i]: {str(j): [float(x)] for j, x in enumerate(row)} for i, row in enumerate(means)}
    found = compare_across_datasets(scores, **options)  # type: ignore[arg-type]
    assert found is not None
    return found


def test_critical_differences_as_published() -> None:
    # Eight recipes on eight data sets, and Demsar's example: four classifiers on 14.
    assert compute_critical_difference(8, 8) == pytest.approx(3.71, abs=5e-3)
    assert compute_critical_difference(4, 14) == pytest.approx(1.25, abs=5e-3)


def test_q_as_published() -> None:
    # CD = q sqrt(k (k + 1) / (6 N)); the table truncates after three decimals.
    published = [1.960, 2.343, 2.569, 2.728, 2.850, 2.949, 3.031, 3.102, 3.164]
    found = [compute_critical_difference(k, 1) / math.sqrt(k * (k + 1) / 6) for k in range(2, 11)]
    assert found == pytest.approx(published, abs=1.01e-3)


def test_friedman_by_hand() -> None:
    # Average ranks 1, 7/3, 8/3: 12 x 3 / (3 x 4) x (1 + 49/9 + 64/9 - 12) = 14/3, F = 2 x 14/3 / (6 - 14/3) = 7.
    found = compared(np.array([[1, 1, 1], [2, 3, 2], [3, 2, 3]], dtype=float))
    assert found.average_ranks == pytest.approx((1, 7 / 3, 8 / 3))
    assert found.friedman == pytest.approx(14 / 3)
    assert found.iman_davenport == pytest.approx(7)
    assert found.p == pytest.approx(stats.f.sf(7, 2, 4))


def test_ties_are_corrected_for_as_in_scipy() -> None:
    scores = np.random.default_rng(0).integers(0, 3, size=(4, 9)).astype(float)
    assert compared(scores).friedman == pytest.approx(stats.friedmanchisquare(*scores).statistic)


def test_perfect_agreement_and_no_difference() -> None:
    chi2, f, p = compute_friedman(np.tile([1.0, 2.0, 3.0], (5, 1)))
    assert chi2 == pytest.approx(10.0)
    assert (f, p) == (math.inf, 0.0)
    assert compute_friedman(np.full((5, 3), 2.0)) == (0.0, 0.0, 1.0)
    assert all(map(math.isnan, compute_friedman(np.tile([1.0, 2.0], (5, 1)))))


def test_a_false_difference_is_claimed_in_5_percent() -> None:
    # Five equal recipes on ten data sets, 2,000 times: one standard error is 0.49 points.
    ranks = np.random.default_rng(1).random((2000, 10, 5)).argsort(axis=2) + 1.0
    claims = np.mean([compute_friedman(each)[2] < 0.05 for each in ranks])
    assert claims == pytest.approx(0.05, abs=3 * math.sqrt(0.05 * 0.95 / 2000))


def test_groups_are_bars_over_neighbors() -> None:
    # Three recipes, always in this order, on 20 data sets: the critical difference is 2.343 sqrt(12 / 120) = 0.74.
    apart = compared(np.tile([[1.0], [2.0], [3.0]], (1, 20)))
    assert apart.groups == (("a",), ("b",), ("c",))
    # On 6 it is 1.35: neighbors do not differ significantly, the ends do. Bars overlap.
    chain = compared(np.tile([[1.0], [2.0], [3.0]], (1, 6)))
    assert chain.groups == (("a", "b"), ("b", "c"))
    # On 2 it is 2.34: one group.
    assert compared(np.tile([[1.0], [2.0], [3.0]], (1, 2))).groups == (("a", "b", "c"),)


def test_nemenyi_p_agrees_with_the_critical_difference() -> None:
    found = compared(np.random.default_rng(2).normal(size=(6, 12)) + np.arange(6)[:, None] / 2)
    p, ranks = np.array(found.p_nemenyi), np.array(found.average_ranks)
    wide = abs(ranks[:, None] - ranks) > found.critical_difference
    assert wide.any()
    assert ((p < 0.05) == wide).all()


def test_nemenyi_p_as_scikit_posthocs_has_it() -> None:
    # Ranks of four classifiers on 14 data sets: table 6 of Demsar 2006. Expected: scikit-posthocs 0.17.1,
    # posthoc_nemenyi_friedman of these ranks.
    text = "4 3 2 1; 1 2 3 4; 4 1 2 3; 4 1 3 2; 4 2 3 1; 1 2.5 4 2.5; 3 2 4 1; 2.5 2.5 4 1; 4 3 2 1; 2.5 2.5 2.5 2.5; "
    text += "4 2.5 1 2.5; 3 2 4 1; 4 1 2 3; 3 1 4 2"
    averages = np.array([[float(rank) for rank in row.split()] for row in text.split(";")]).mean(axis=0)
    assert averages == pytest.approx([3.143, 2.0, 2.893, 1.964], abs=5e-4)  # as published
    expected = [
        [1.0, 0.08867270928888271, 0.9561771752218107, 0.0741847950687442],
        [0.08867270928888271, 1.0, 0.2592280701547286, 0.999859449385133],
        [0.9561771752218107, 0.2592280701547286, 1.0, 0.22669688602641525],
        [0.0741847950687442, 0.999859449385133, 0.22669688602641525, 1.0],
    ]
    assert compute_nemenyi_p(averages, 14) == pytest.approx(np.array(expected), rel=1e-9)


def test_each_data_set_has_its_own_scale() -> None:
    scores = np.random.default_rng(3).normal(size=(5, 8))
    one, other = compared(scores), compared(np.exp(scores) * 10.0 ** np.arange(8))
    assert one == other


def test_direction_turns_the_order_round() -> None:
    scores = np.random.default_rng(4).normal(size=(5, 8))
    assert compared(scores) == compared(-scores, direction="max")
    assert compared(scores).recipes == compared(scores, direction="max").recipes[::-1]


def test_replicates_give_one_mean_and_diverged_runs_rank_last() -> None:
    found = compare_across_datasets(
        {
            "mean": {"x": [1.0, 3.0], "y": [2.0, 2.0]},
            "lost": {"x": [0.0, math.nan], "y": [0.0, 0.0]},
            "dead": {"x": [math.nan, math.nan], "y": [math.nan]},
            "high": {"x": [2.5, 2.5], "y": [2.5, 2.5]},
        }
    )
    assert found is not None
    # x: mean, high, lost, dead; y: lost, mean, high, dead.
    assert found.recipes == ("mean", "lost", "high", "dead")
    assert found.average_ranks == (1.5, 2.0, 2.5, 4.0)


def test_means_equal_but_for_rounding_tie() -> None:
    found = compare_across_datasets({"a": {"x": [0.1, 0.2], "y": [1.0]}, "b": {"x": [0.3 / 2], "y": [1.0]}})
    assert found is not None
    assert found.average_ranks == (1.5, 1.5)


def test_data_sets_that_a_recipe_lacks_do_not_count() -> None:
    full = {"x": [1.0], "y": [1.0], "z": [1.0]}
    found = compare_across_datasets({"a": full, "b": {"x": [2.0], "z": [2.0]}})
    assert found is not None
    assert found.datasets == ("x", "z")
    assert compare_across_datasets({"a": full, "b": {"x": [2.0]}}) is None
    assert compare_across_datasets({"a": full}) is None


def test_it_is_strict_json() -> None:
    found = compared(np.tile([[1.0], [2.0], [3.0]], (1, 6)))
    read = json.loads(json.dumps(found.to_dict(), allow_nan=False))
    assert (read["iman_davenport"], read["p"]) == (None, 0.0)
    assert read["groups"] == [["a", "b"], ["b", "c"]]
