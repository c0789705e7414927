"""Power: the number of replicates that would make an inconclusive difference conclusive."""

from __future__ import annotations

import math

from scipy import stats

from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.hierarchical import SearchEstimate
from regzoo.stats.scores import Array

CAP = 1000
"""Largest number of replicates that is returned; it stands for "this many or more"."""


def compute_noether_size(better: float, alpha: float = 0.05, beta: float = 0.05) -> float:
    """Return the number of runs of each recipe with which a one-sided test shows that one beats the other.

    N >= [(z_{1-alpha} - z_beta) / (sqrt6 (1/2 - better))]^2, rounded up; infinite if neither is better.

    Args:
        better: true probability that a run of one recipe beats a run of the other.
        alpha: probability of claiming a difference where there is none.
        beta: probability of missing this difference.

    Reference: Noether 1987, "Sample Size Determination for Some Common Nonparametric Tests",
    https://doi.org/10.1080/01621459.1987.10478478; Bouthillier et al. 2021, "Accounting for Variance in Machine
    Learning Benchmarks", https://arxiv.org/abs/2103.03098.

    >>> compute_noether_size(0.75)
    29
    """
    if better == 0.5:
        return math.inf
    z = float(stats.norm.ppf(1 - alpha) - stats.norm.ppf(beta))
    return math.ceil((z / (math.sqrt(6) * (0.5 - better))) ** 2)


def estimate_replicates_needed(gains: Array, tests: int = 1, ratio: float = 0.0) -> int | None:
    """Return the number of replicates that would be conclusive if ``gains`` show the true difference.

    It is Noether's number for the P(better) of normal gains with this mean and sd, Phi(|mean| / sd), two-sided, at the
    level that Holm's method sets for the first of ``tests`` tests, with a power of 95 %. The observed P(better) would
    be too coarse: with 5 pairs it takes six values, so the result would be 9, 25 or 217 and nothing in between.

    It is a rough guide: from 5 inconclusive pairs it is typically off by a factor of 3 to 4, from 20 by a factor of 3.
    Of new comparisons planned with it, for a true gain of 0.67 sd, 93 % are conclusive if it came from 5 pairs, 99 % if
    from 10 (20,000 simulations).

    The replicates made are included, so it is more than the number of pairs; it is at most `CAP`. None below two pairs.

    Args:
        gains: one per pair, (n,).
        tests: number of tests that are adjusted together.
        ratio: n_test / n_train of repeated splits, 0 for independent pairs. Repeated splits cannot reduce the variance
            below it, so the result may be `CAP` however clear the gain looks.

    >>> import numpy as np
    >>> estimate_replicates_needed(np.array([1.0, 3.0, -1.0, 2.0, 0.0]))
    39
    """
    if len(gains) < 2:
        return None
    return _find_size(abs(float(gains.mean())), float(gains.std(ddof=1)), len(gains), tests, ratio)


def estimate_searches_needed(estimate: SearchEstimate, tests: int = 1) -> int | None:
    """Return the number of searches, each with as many runs as now, that would be conclusive.

    It is `estimate_replicates_needed` for the means of searches, with their moderated variance.

    Args:
        estimate: mean gain over searches.
        tests: number of tests that are adjusted together.

    Returns:
        More than the searches made, at most `CAP`; None where the variance is unknown.

    >>> from regzoo.stats.hierarchical import SearchEstimate
    >>> estimate_searches_needed(SearchEstimate(5, mean=1.0, variance=2.5))
    39
    """
    if math.isnan(estimate.variance):
        return None
    sd = math.sqrt(estimate.variance)
    ratio = estimate.common_variance / estimate.variance if sd else 0.0
    return _find_size(abs(estimate.mean), sd, estimate.searches, tests, ratio)


def _find_size(mean: float, sd: float, made: int, tests: int, ratio: float) -> int:
    effect = mean / sd if sd > 0 else math.inf if mean else 0.0
    independent = compute_noether_size(float(stats.norm.cdf(effect)), LEVEL / 2 / tests)
    inverse = 1 / independent - ratio
    return CAP if inverse <= 1 / CAP else max(made + 1, math.ceil(1 / inverse))
