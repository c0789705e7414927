"""Power: Noether's numbers, and comparisons planned with them."""

from __future__ import annotations

import math

import numpy as np

from regzoo.stats.bootstrap import compute_bootstrap_p
from regzoo.stats.power import CAP, compute_noether_size, estimate_replicates_needed


def gains_of(effect: float, pairs: int = 8) -> np.ndarray:
    """Return gains whose mean is exactly ``effect`` sample standard deviations."""
    x = np.arange(pairs, dtype=float)
    return (x - x.mean()) / x.std(ddof=1) + effect


def test_29_pairs_show_a_p_better_of_three_quarters() -> None:
    # By hand: 2 x 1.644854 / (2.449490 x 0.25) = 5.3721, squared 28.86.
    assert compute_noether_size(0.75) == 29
    assert compute_noether_size(0.25) == 29


def test_smaller_effects_need_more_runs() -> None:
    assert compute_noether_size(0.5) == math.inf
    assert compute_noether_size(0.6) > compute_noether_size(0.75) > compute_noether_size(0.9)
    assert compute_noether_size(0.75, alpha=0.01) > 29
    assert compute_noether_size(0.75, beta=0.2) < 29


def test_a_comparison_of_that_size_is_conclusive() -> None:
    # A true gain of 0.67 sd, P(better) 0.75. Noether promises 95 %; 400 comparisons: one standard error is 1.1 points.
    pairs = estimate_replicates_needed(gains_of(0.6745))
    assert pairs == 35  # (1.959964 + 1.644854)^2 / (6 x 0.25^2) = 34.65
    sample = np.random.default_rng(0).normal(0.6745, size=(400, pairs))
    assert np.mean([compute_bootstrap_p(row) < 0.05 for row in sample]) >= 0.95 - 3 * math.sqrt(0.95 * 0.05 / 400)


def test_more_tests_need_more_replicates() -> None:
    # Holm's first step over 8: one-sided 0.05 / 16, z = 2.734369: (2.734369 + 1.644854)^2 / 0.375 = 51.14.
    assert estimate_replicates_needed(gains_of(0.6745), tests=8) == 52


def test_neither_sign_nor_unit_matters() -> None:
    x = gains_of(0.4)
    assert estimate_replicates_needed(x) == estimate_replicates_needed(-x) == estimate_replicates_needed(1000 * x)


def test_the_number_exceeds_the_pairs_and_is_capped() -> None:
    assert estimate_replicates_needed(gains_of(0.6745, pairs=40)) == 41
    assert estimate_replicates_needed(gains_of(0.01)) == CAP
    assert estimate_replicates_needed(np.zeros(5)) == CAP
    assert estimate_replicates_needed(np.array([0.1])) is None


def test_repeated_splits_limit_the_power() -> None:
    # 34.65 independent pairs round to 35; with a ratio of 1/100, J solves 1/J + 1/100 = 1/35: 53.8.
    assert estimate_replicates_needed(gains_of(0.6745), ratio=0.01) == 54
    assert estimate_replicates_needed(gains_of(0.6745), ratio=1 / 9) == CAP
