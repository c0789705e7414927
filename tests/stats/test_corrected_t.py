"""Corrected t-test of repeated splits: scikit-learn's published example, and coverage with a known truth."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats
from sklearn.datasets import make_moons
from sklearn.model_selection import RepeatedStratifiedKFold, cross_val_score
from sklearn.svm import SVC

from regzoo.stats.bootstrap import compute_bootstrap_interval
from regzoo.stats.corrected_t import compute_corrected_interval, compute_corrected_t


def test_published_example_of_scikit_learn() -> None:
    # https://scikit-learn.org/stable/auto_examples/model_selection/plot_grid_search_stats.html: the best two
    # of its four models, "Corrected t-value: 0.750, Corrected p-value: 0.227" (one-sided).
    x, y = make_moons(noise=0.352, random_state=1, n_samples=100)
    splits = RepeatedStratifiedKFold(n_splits=10, n_repeats=10, random_state=0)
    scores = [cross_val_score(SVC(kernel=k), x, y, scoring="roc_auc", cv=splits) for k in ("rbf", "linear")]
    t, p = compute_corrected_t(scores[0] - scores[1], ratio=10 / 90)
    assert t == pytest.approx(0.7503, abs=5e-5)
    assert p / 2 == pytest.approx(0.2274, abs=5e-5)


def test_by_hand() -> None:
    # Mean 2, s^2 = 1, J = 3, ratio 1/2: standard error sqrt(1/3 + 1/2) = 0.91287.
    t, p = compute_corrected_t([1.0, 2.0, 3.0], ratio=0.5)
    assert t == pytest.approx(2 / math.sqrt(5 / 6))
    assert p == pytest.approx(1 - t / math.sqrt(2 + t * t))  # two degrees of freedom
    reach = 4.302653 * math.sqrt(5 / 6)
    assert compute_corrected_interval([1.0, 2.0, 3.0], ratio=0.5) == pytest.approx((2 - reach, 2 + reach), rel=1e-6)


def test_without_overlap_it_is_the_t_test() -> None:
    x = np.random.default_rng(0).normal(0.3, size=12)
    expected = stats.ttest_1samp(x, 0.0)
    assert compute_corrected_t(x, 0.0) == pytest.approx((expected.statistic, expected.pvalue))


def test_interval_and_p_never_contradict_each_other() -> None:
    rng = np.random.default_rng(1)
    for _ in range(200):
        x = rng.normal(0.8, size=8)
        low, high = compute_corrected_interval(x, 0.25)
        assert (compute_corrected_t(x, 0.25)[1] < 0.05) == (not low <= 0 <= high)


def test_degenerate_differences() -> None:
    assert compute_corrected_t([0.0, 0.0, 0.0], 0.1) == (0.0, 1.0)
    assert compute_corrected_t([-0.1] * 3, 0.1) == (-math.inf, 0.0)
    assert compute_corrected_interval([0.1] * 3, 0.1) == pytest.approx((0.1, 0.1))
    assert all(map(math.isnan, (*compute_corrected_t([0.3], 0.1), *compute_corrected_interval([0.3], 0.1))))
    assert all(map(math.isnan, (*compute_corrected_t([0.3, 0.3], 0.1), *compute_corrected_interval([0.3, 0.3], 0.1))))


def test_it_covers_95_percent_of_correlated_splits_where_the_bootstrap_does_not() -> None:
    # Differences that share a part: correlation r = ratio / (1 + ratio) is what the correction assumes, and then
    # its t is exact. 2,000 simulations: one standard error is 0.49 points at 95 %.
    ratio, splits, runs = 0.25, 10, 2000
    rng = np.random.default_rng(2)
    shared = math.sqrt(ratio / (1 + ratio)) * rng.normal(size=(runs, 1))
    x = shared + math.sqrt(1 / (1 + ratio)) * rng.normal(size=(runs, splits))
    covered = np.mean([low <= 0 <= high for low, high in (compute_corrected_interval(row, ratio) for row in x)])
    naive = np.mean([low <= 0 <= high for low, high in map(compute_bootstrap_interval, x[:400])])
    assert abs(covered - 0.95) < 3 * math.sqrt(0.95 * 0.05 / runs)
    # The plain interval is narrower by sqrt(1 + 10 / 4) = 1.87, so it covers 1 - 2 P(t9 > 2.26 / 1.87) = 74 %.
    assert naive < 0.80
