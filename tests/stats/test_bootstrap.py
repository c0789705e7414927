"""Bootstrap-t intervals and p-values: brute-force enumeration, edge cases and coverage in simulations."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import pytest

from regzoo.stats.bootstrap import compute_bootstrap_interval, compute_bootstrap_p


def test_the_seed_changes_the_resampling_and_repeats_it() -> None:
    values = np.random.default_rng(2).normal(size=9).tolist()
    assert compute_bootstrap_interval(values, seed=0) == compute_bootstrap_interval(values, seed=0)
    assert compute_bootstrap_interval(values, seed=0) != compute_bootstrap_interval(values, seed=1)
    few = values[:5]
    assert compute_bootstrap_interval(few, seed=0) == compute_bootstrap_interval(few, seed=1)  # enumerated


def test_interval_needs_two_values_and_has_no_width_for_equal_ones() -> None:
    assert all(map(math.isnan, compute_bootstrap_interval([])))
    assert all(map(math.isnan, compute_bootstrap_interval([1.0])))
    assert all(
        map(math.isnan, (*compute_bootstrap_interval([0.1] * 2), compute_bootstrap_p([0.1] * 2)))
    )  # two happen to be equal
    assert compute_bootstrap_interval([0.1] * 5) == (0.1, 0.1)


def test_interval_of_four_values_enumerated_by_brute_force() -> None:
    x = np.array([0.0, 1.0, 3.0, 7.0])
    picks = x[np.indices((4, 4, 4, 4)).reshape(4, -1).T]  # all 256 resamples, (256, 4)
    error = x.std(ddof=1) / 2
    errors = np.maximum(picks.std(axis=1, ddof=1) / 2, error / 4)
    ts = np.sort((picks.mean(axis=1) - x.mean()) / errors)
    # 2.5 % of 256 is 6.4: the seventh from either end.
    assert compute_bootstrap_interval(x) == pytest.approx((x.mean() - ts[-7] * error, x.mean() - ts[6] * error))


def test_steps_in_the_scores_do_not_make_the_interval_endless() -> None:
    # Four equal values: a third of all resamples have no spread. |t*| <= max|mean* - mean| / (se / 4).
    low, high = compute_bootstrap_interval([0.0, 0.0, 0.0, 0.0, 1.0])
    reach = (1 - 0.2) * 4
    assert 0.2 - reach <= low < 0.2 < high <= 0.2 + reach


Draw = Callable[[np.random.Generator, tuple[int, int]], np.ndarray]
# Seeds share nothing here: a skewed minus a symmetric score is itself skewed (2.404 / 2.645^1.5 = 0.56).
DRAWS: dict[str, Draw] = {
    "normal": lambda rng, shape: rng.normal(size=shape),
    "skewed": lambda rng, shape: rng.gumbel(-np.euler_gamma, size=shape) - rng.normal(size=shape),
}


@pytest.mark.parametrize("pairs", [5, 10, pytest.param(29, marks=pytest.mark.slow)])
@pytest.mark.parametrize("draw", sorted(DRAWS))
def test_95_percent_intervals_cover_93_to_97_percent(pairs: int, draw: str) -> None:
    # 2,500 simulations around a true mean of 0: one standard error of a coverage of 95 % is 0.44 points, so
    # 93..97 % is the nominal one and 4.6 standard errors; the true ones, 94.3 to 95.1 %, lie 2.8 inside.
    sample = DRAWS[draw](np.random.default_rng(pairs), (2500, pairs))
    covered = np.mean([low <= 0.0 <= high for low, high in map(compute_bootstrap_interval, sample)])
    assert 0.93 <= covered <= 0.97
