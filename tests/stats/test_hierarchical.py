"""Means over searches: worked by hand, moderated, and what must hold for any sample."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.corrected_t import compute_corrected_interval, compute_corrected_t
from regzoo.stats.hierarchical import PRIOR_SHARE, count_effective_pairs, estimate_over_searches
from regzoo.stats.moderated_t import moderate_variances
from regzoo.stats.scores import Array

NAN = math.nan


def draw(seed: int, samples: int, searches: int = 5, runs: int = 2) -> list[Array]:
    """Return samples whose searches vary more than their runs."""
    rng = np.random.default_rng(seed)
    return [0.5 + rng.normal(size=(searches, 1)) + 0.3 * rng.normal(size=(searches, runs)) for _ in range(samples)]


def test_one_sample_has_the_t_interval_and_test_of_its_search_means() -> None:
    sample = draw(0, 1)[0]
    found = estimate_over_searches([sample], 2)[0]
    means = sample.mean(axis=1)
    half = stats.t.ppf(0.975, 4) * means.std(ddof=1) / math.sqrt(5)
    assert found.searches == 5
    assert found.mean == pytest.approx(sample.mean())
    assert (found.low, found.high) == pytest.approx((means.mean() - half, means.mean() + half))
    assert found.p == pytest.approx(stats.ttest_1samp(means, 0).pvalue)
    # Runs as if each were its own search would claim far more.
    assert found.p > 2 * stats.ttest_1samp(sample.ravel(), 0).pvalue


@pytest.mark.parametrize("recipes", [3, 9])
def test_several_samples_lend_one_another_their_variance(recipes: int) -> None:
    samples = draw(recipes, recipes * (recipes - 1) // 2)
    means = np.array([sample.mean(axis=1) for sample in samples])
    degrees = np.full(len(samples), 4.0)
    moderated, total = moderate_variances(means.var(axis=1, ddof=1), degrees, PRIOR_SHARE * (recipes - 1) * 4)
    assert total[0] > 4
    for found, each, variance, d in zip(estimate_over_searches(samples, recipes), means, moderated, total, strict=True):
        error = math.sqrt(variance / 5)
        assert found.p == pytest.approx(2 * stats.t.sf(abs(each.mean()) / error, d))
        wide = widen(means.var(axis=1, ddof=1).mean(), each.var(ddof=1), variance, 4, d)
        assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, d) * math.sqrt(wide / 5))
        assert found.mean - found.low == pytest.approx(found.high - found.mean)


def widen(mean_variance: float, variance: float, moderated: float, degrees: float, total: float) -> float:
    """Return the variance of an interval: half moderated, half drawn as strongly toward the mean variance, or more."""
    prior = total - degrees
    return max(moderated, moderated / 2 + (prior * mean_variance + degrees * variance) / (prior + degrees) / 2)


@pytest.mark.parametrize("ratio", [None, 0.25])
@pytest.mark.parametrize("samples", [1, 3, 36])
def test_an_interval_is_never_narrower_than_its_test(samples: int, ratio: float | None) -> None:
    wider = 0
    for seed in range(10):
        for found in estimate_over_searches(draw(seed, samples, searches=4), 3, ratio):
            assert found.p < 0.05 or found.holds_zero
            at_zero = stats.t.isf(found.p / 2, found.degrees)  # abs(mean) over the standard error of the test
            half, of_test = found.high - found.mean, stats.t.ppf(0.975, found.degrees) * abs(found.mean) / at_zero
            assert half >= of_test * (1 - 1e-9)
            wider += half > 1.001 * of_test
    assert (wider > 0) == (samples > 1)


def test_an_interval_of_many_equal_samples_is_as_wide_as_its_test() -> None:
    # The prior is the mean variance, and nothing suggests that the samples differ in it.
    found = estimate_over_searches([draw(0, 1)[0] + shift for shift in (0, 1, 2)], 3)[1]
    error = abs(found.mean) / stats.t.isf(found.p / 2, found.degrees)
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, found.degrees) * error)


def test_each_search_counts_equally() -> None:
    sample = np.array([[1.0, 1.0, 1.0], [3.0, NAN, NAN], [5.0, 6.0, NAN]])
    found = estimate_over_searches([sample], 1)[0]
    assert found.mean == pytest.approx((1 + 3 + 5.5) / 3)
    assert found.p == pytest.approx(stats.ttest_1samp([1, 3, 5.5], 0).pvalue)


def test_a_search_without_a_finished_run_is_missing() -> None:
    sample = draw(1, 1, searches=4)[0]
    lost = np.vstack([sample, [[NAN, NAN]]])
    assert estimate_over_searches([lost], 1) == estimate_over_searches([sample], 1)
    for few in (sample[:1], np.full((2, 2), NAN), np.zeros((0, 0))):
        found = estimate_over_searches([few], 1)[0]
        assert math.isnan(found.p)
        assert math.isnan(found.low)


def test_samples_with_missing_searches_have_fewer_degrees() -> None:
    samples = draw(2, 3)
    samples[1] = samples[1][:3]
    variances = [sample.mean(axis=1).var(ddof=1) for sample in samples]
    moderated, total = moderate_variances(
        np.array(variances), np.array([4.0, 2.0, 4.0]), PRIOR_SHARE * 2 * (4 + 2 + 4) / 3
    )
    assert total[1] == pytest.approx(total[0] - 2)
    found = estimate_over_searches(samples, 3)[1]
    assert found.degrees == pytest.approx(total[1])
    assert found.variance == pytest.approx(moderated[1])
    wide = widen(float(np.mean(variances)), variances[1], moderated[1], 2, total[1])
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, total[1]) * math.sqrt(wide / 3))


def test_repeated_splits_with_one_run_for_each_search_are_corrected_as_without_searches() -> None:
    # One run holds the variance of its search and of its split, so this is Nadeau and Bengio's test of the runs.
    sample = draw(3, 1, searches=6, runs=1)[0]
    found = estimate_over_searches([sample], 1, ratio=0.25)[0]
    assert (found.low, found.high) == pytest.approx(compute_corrected_interval(sample.ravel(), 0.25))
    assert found.p == pytest.approx(compute_corrected_t(sample.ravel(), 0.25)[1])


def test_repeated_splits_add_the_variance_within_searches() -> None:
    sample = draw(4, 1, searches=4, runs=3)[0]
    found = estimate_over_searches([sample], 1, ratio=0.25)[0]
    own, common = sample.mean(axis=1).var(ddof=1) / 4, 0.25 * sample.var(axis=1, ddof=1).mean()
    # Satterthwaite's degrees, but not more than the 3 between searches.
    assert (own + common) ** 2 / (own**2 / 3 + common**2 / 8) > 3
    assert found.high - found.mean == pytest.approx(stats.t.ppf(0.975, 3) * math.sqrt(own + common))
    assert found.common_variance == pytest.approx(common)
    # Ten searches of which one has two runs: the variance within has a single degree and is most of the sum.
    sample = np.full((10, 2), NAN)
    sample[:, 0] = 0.01 * np.arange(10)
    sample[0, 1] = 9.0
    found = estimate_over_searches([sample], 1, ratio=9.0)[0]
    own, common = np.nanmean(sample, axis=1).var(ddof=1) / 10, 9.0 * 9.0**2 / 2
    degrees = (own + common) ** 2 / (own**2 / 9 + common**2 / 1)
    assert found.degrees == pytest.approx(degrees)
    assert degrees < 1.1


def test_the_correction_for_splits_never_narrows_an_interval() -> None:
    for seed in range(20):
        samples = draw(seed, 3, searches=4)
        for plain, corrected in zip(
            estimate_over_searches(samples, 3), estimate_over_searches(samples, 3, ratio=0.1), strict=True
        ):
            assert corrected.low < plain.low
            assert corrected.high > plain.high


def test_runs_that_are_all_equal_show_no_variance_and_lend_none() -> None:
    varied, zero, one = draw(5, 1)[0], np.zeros((5, 2)), np.full((5, 2), 0.1)
    found = estimate_over_searches([varied, zero, one], 3)
    assert found[0] == estimate_over_searches([varied], 3)[0]
    assert (found[1].low, found[1].high, found[1].p) == (0, 0, 1)
    assert (found[2].low, found[2].high, found[2].p) == (0.1, 0.1, 0)
    twice = estimate_over_searches([np.full((2, 1), 0.1)], 1)[0]
    assert math.isnan(twice.p)


def test_search_means_that_happen_to_be_equal_borrow_a_variance() -> None:
    # In floating point 0.1 + 0.2 is more than 0.3.
    equal = np.array([[0.1, 0.2], [0.3, 0.0], [0.15, 0.15]])
    alone = estimate_over_searches([equal], 2)[0]
    assert alone.mean == pytest.approx(0.15)
    assert math.isnan(alone.p)
    both = estimate_over_searches([equal, draw(6, 1, searches=3)[0]], 3)[0]
    assert 0 < both.p < 1
    assert both.high > both.low


def test_pairs_of_one_search_are_worth_less_than_independent_ones() -> None:
    rng = np.random.default_rng(0)
    together = np.repeat(rng.normal(size=(200, 1)), 4, axis=1)
    apart = rng.normal(size=(200, 4))
    assert count_effective_pairs(together) == pytest.approx(200, rel=0.01)
    # 800, if the variance of the 200 shares is what it should be: its standard error is sqrt(2 / 199) = 10 %.
    assert 0.7 * 800 < count_effective_pairs(apart) <= 800
    # Never fewer than the searches, nor more than the pairs.
    assert count_effective_pairs(np.array([[1.0, 1.0], [-1.0, -1.0]])) == 2
    assert count_effective_pairs(np.array([[1.0, -1.0], [-1.0, 1.0]])) == 4
    # If all are won nothing tells how much a search shares.
    assert count_effective_pairs(np.ones((5, 2))) == 5
    assert count_effective_pairs(np.array([[1.0, NAN], [NAN, NAN]])) == 1
