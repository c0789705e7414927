"""Wilcoxon's signed-rank test, against enumeration."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.rank_tests import compute_wilcoxon_p


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
    assert compute_wilcoxon_p(np.array(gains)) == pytest.approx(by_enumeration(gains), rel=1e-12)


def test_wilcoxon_by_hand() -> None:
    # Only all positive and all negative are as extreme: 2 of 2^n patterns of signs.
    assert [compute_wilcoxon_p(np.arange(1.0, n + 1)) for n in (2, 5, 6, 10)] == [
        2 / 2**2,
        2 / 2**5,
        2 / 2**6,
        2 / 2**10,
    ]


def test_wilcoxon_without_a_difference_or_a_second_pair() -> None:
    assert compute_wilcoxon_p(np.zeros(5)) == 1.0
    assert math.isnan(compute_wilcoxon_p(np.array([])))
    assert math.isnan(compute_wilcoxon_p(np.array([1.0])))


def test_wilcoxon_takes_rounding_for_a_tie() -> None:
    # In floating point 0.3 - 0.2 > 0.4 - 0.3; in truth both are 0.1, and -0.1 takes the same rank.
    rounded = np.array([0.3 - 0.2, 0.4 - 0.3, 0.2 - 0.3, 0.5])
    assert len(set(abs(rounded))) > 2
    assert compute_wilcoxon_p(rounded) == compute_wilcoxon_p(np.array([0.1, 0.1, -0.1, 0.5]))
