"""Wilson's interval, against SciPy's, and its coverage."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from regzoo.stats.intervals import compute_wilson_interval


@pytest.mark.parametrize("n", [1, 5, 29])
def test_wilson_is_scipys(n: int) -> None:
    for wins in range(n + 1):
        expected = stats.binomtest(wins, n).proportion_ci(method="wilson")
        assert compute_wilson_interval(wins / n, n) == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_wilson_ends_at_the_ends_and_is_symmetric() -> None:
    assert compute_wilson_interval(0.0, 5)[0] == 0.0
    assert compute_wilson_interval(1.0, 5)[1] == 1.0
    low, high = compute_wilson_interval(0.3, 10)
    assert compute_wilson_interval(0.7, 10) == pytest.approx((1 - high, 1 - low))


def test_wilson_knows_nothing_without_draws() -> None:
    assert all(map(math.isnan, compute_wilson_interval(math.nan, 5)))
    assert all(map(math.isnan, compute_wilson_interval(0.5, 0)))


@pytest.mark.parametrize("n", [5, 10, 20, 30])
def test_wilson_covers_93_to_97_percent(n: int) -> None:
    # Exact: the probability of each count, added up where the interval holds the chance.
    chances = np.linspace(0.005, 0.995, 199)
    low, high = np.array([compute_wilson_interval(wins / n, n) for wins in range(n + 1)]).T[:, :, None]
    covered = (stats.binom.pmf(np.arange(n + 1)[:, None], n, chances) * ((low <= chances) & (chances <= high))).sum(0)
    assert 0.93 <= covered.mean() <= 0.97
    assert covered[(chances > 0.1) & (chances < 0.9)].min() >= 0.89


def test_wilson_covers_more_where_ties_count_half() -> None:
    # One tie in five, P(better) = 0.6; 4,000 draws: one standard error at 95 % is 0.34 points.
    counts = np.random.default_rng(0).multinomial(10, [0.5, 0.2, 0.3], size=4000)
    shares = (counts[:, 0] + counts[:, 1] / 2) / 10
    covered = np.mean([low <= 0.6 <= high for low, high in (compute_wilson_interval(share, 10) for share in shares)])
    assert covered >= 0.95
