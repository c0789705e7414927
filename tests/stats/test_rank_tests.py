"""Signs and ranks: Wilson's interval and Wilcoxon's test, against enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.rank_tests import wilcoxon_p_value, wilson_interval


def by_enumeration(gains: list[float]) -> float:
    """Pratt's test from all patterns of signs: how often the positive ranks sum up to a value as extreme."""
    x = np.array(gains)
    ranks = stats.rankdata(abs(x))[x != 0]
    signs = np.array(list(itertools.product([0, 1], repeat=len(ranks))))
    sums, seen = signs @ ranks, stats.rankdata(abs(x))[x > 0].sum()
    return float(min(1.0, 2 * min(np.mean(sums >= seen - 1e-9), np.mean(sums <= seen + 1e-9))))


@pytest.mark.parametrize(
    "gains",
    [
        [1.0, 2.0, 4.0, 3.0, 5.0],
        [1.0, -2.0, 4.0, 3.0, 5.0, 6.0, -0.5],
        [1.0, 1.0, 2.0, -1.0, 3.0, 3.0, 2.0, 2.0],  # ties
        [0.0, 0.0, 2.0, -1.0, 3.0, 4.0, 5.0, 6.0, 7.0],  # zeros keep their ranks and give them to nobody
    ],
)
def test_wilcoxon_is_exact_for_few_pairs_with_ties_and_zeros(gains: list[float]) -> None:
    assert wilcoxon_p_value(np.array(gains)) == pytest.approx(by_enumeration(gains), rel=1e-12)


def test_wilcoxon_by_hand() -> None:
    # Only all positive and all negative are as extreme: 2 of 2^n patterns of signs.
    assert [wilcoxon_p_value(np.arange(1.0, n + 1)) for n in (2, 5, 6, 10)] == [2 / 2**2, 2 / 2**5, 2 / 2**6, 2 / 2**10]


def test_wilcoxon_without_a_difference_or_a_second_pair() -> None:
    assert wilcoxon_p_value(np.zeros(5)) == 1.0
    assert math.isnan(wilcoxon_p_value(np.array([])))
    assert math.isnan(wilcoxon_p_value(np.array([1.0])))


def test_wilcoxon_takes_rounding_for_a_tie() -> None:
    # In floating point .3 - .2 > .4 - .3; in truth both are .1, and -.1 takes the same rank.
    rounded = np.array([0.3 - 0.2, 0.4 - 0.3, 0.2 - 0.3, 0.5])
    assert len(set(abs(rounded))) > 2
    assert wilcoxon_p_value(rounded) == wilcoxon_p_value(np.array([0.1, 0.1, -0.1, 0.5]))


@pytest.mark.parametrize("n", [1, 5, 29])
def test_wilson_is_scipys(n: int) -> None:
    for wins in range(n + 1):
        expected = stats.binomtest(wins, n).proportion_ci(method="wilson")
        assert wilson_interval(wins / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_ends_at_the_ends_and_is_symmetric() -> None:
    assert wilson_interval(0.0, 5)[0] == 0.0
    assert wilson_interval(1.0, 5)[1] == 1.0
    low, high = wilson_interval(0.3, 10)
    assert wilson_interval(0.7, 10) == pytest.approx((1 - high, 1 - low))


def test_wilson_knows_nothing_without_draws() -> None:
    assert all(map(math.isnan, wilson_interval(math.nan, 5)))
    assert all(map(math.isnan, wilson_interval(0.5, 0)))


@pytest.mark.parametrize("n", [5, 10, 20, 30])
def test_wilson_covers_93_to_97_percent(n: int) -> None:
    # Exact: the probability of each count, added up where the interval holds the chance.
    chances = np.linspace(0.005, 0.995, 199)
    low, high = np.array([wilson_interval(wins / n, n) for wins in range(n + 1)]).T[:, :, None]
    covered = (stats.binom.pmf(np.arange(n + 1)[:, None], n, chances) * ((low <= chances) & (chances <= high))).sum(0)
    assert 0.93 <= covered.mean() <= 0.97
    assert covered[(chances > 0.1) & (chances < 0.9)].min() >= 0.89


def test_wilson_covers_more_where_ties_count_half() -> None:
    # One tie in five, P(better) = .6; 4,000 draws: one standard error at 95 % is .34 points.
    counts = np.random.default_rng(0).multinomial(10, [0.5, 0.2, 0.3], size=4000)
    shares = (counts[:, 0] + counts[:, 1] / 2) / 10
    covered = np.mean([low <= 0.6 <= high for low, high in (wilson_interval(share, 10) for share in shares)])
    assert covered >= 0.95
