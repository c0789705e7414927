"""Moderated variances: few degrees of freedom each, so variances that are tested together lend one another strength."""

from __future__ import annotations

import math

import numpy as np
from scipy import special

from regzoo.stats.scores import Array

SMALLEST_SHARE = 1e-5
"""A variance is at least this share of the median of those above zero, so that its logarithm is no outlier."""


def moderate_variances(variances: Array, degrees: Array, most_prior_degrees: float = math.inf) -> tuple[Array, Array]:
    """Return each variance drawn toward the others, and the degrees of freedom that it then has, both (n,).

    The true variances are taken as draws from a scaled inverse chi-squared distribution with d0 degrees of freedom
    around s0^2, both estimated by the mean and variance of log s^2. The moderated variance is
    (d0 s0^2 + d s^2) / (d0 + d), with d0 + d degrees of freedom, but at most the sum of ``degrees``. Where the
    variances differ no more than chance alone makes them differ, d0 is infinite and each becomes their mean. A t
    statistic with a moderated variance has a t distribution with the moderated degrees, so intervals and tests are as
    usual. A single variance, or none above zero, stays as it is.

    Args:
        variances: sample variances, from 0, (n,).
        degrees: their degrees of freedom, above 0, (n,).
        most_prior_degrees: d0 is at most this. The estimate of d0 is itself uncertain, and often infinite, if the
            variances are few or depend on one another.

    Reference: Smyth 2004, "Linear Models and Empirical Bayes Methods for Assessing Differential Expression in
    Microarray Experiments", https://doi.org/10.2202/1544-6115.1027, section 6.2.

    >>> moderated, degrees = moderate_variances(np.array([1.0, 30.0, 900.0]), np.array([4.0, 4.0, 4.0]))
    >>> moderated.round(1).tolist(), degrees.round(2).tolist()
    ([1.5, 26.5, 776.8], [4.64, 4.64, 4.64])
    """
    variances, degrees = np.asarray(variances, dtype=float), np.asarray(degrees, dtype=float)
    positive = variances[variances > 0]
    if len(variances) < 2 or not len(positive):
        return variances, degrees
    floored = np.maximum(variances, SMALLEST_SHARE * np.median(positive))
    logs = np.log(floored) + _compute_log_bias(degrees)
    excess = float(logs.var(ddof=1) - special.polygamma(1, degrees / 2).mean())
    prior_degrees = 2 * invert_trigamma(excess) if excess > 0 else math.inf
    prior = float(floored.mean())
    if excess > 0:
        prior = math.exp(float(logs.mean()) - float(_compute_log_bias(np.array(prior_degrees))))
    prior_degrees = min(prior_degrees, most_prior_degrees)
    if math.isinf(prior_degrees):
        return np.full_like(floored, prior), np.full_like(degrees, degrees.sum())
    moderated = (prior_degrees * prior + degrees * floored) / (prior_degrees + degrees)
    return moderated, np.minimum(prior_degrees + degrees, degrees.sum())


def average_with_mean_prior(variances: Array, degrees: Array, moderated: Array, total: Array) -> Array:
    """Return the mean of the moderated variances and of those drawn as strongly toward the mean variance, (n,).

    `moderate_variances` estimates its prior from logarithms, which is best if the variances are scaled inverse
    chi-squared. Where a few of them are much larger than that, because skew samples seldom hold what makes them vary,
    its prior lies below their mean, which is unbiased whatever their distribution.

    Args:
        variances: sample variances, from 0, (n,).
        degrees: their degrees of freedom, above 0, (n,).
        moderated: what `moderate_variances` returns for them, (n,).
        total: the degrees of freedom that it returns, (n,).

    >>> variances, degrees = np.array([1.0, 30.0, 900.0]), np.array([4.0, 4.0, 4.0])
    >>> average_with_mean_prior(variances, degrees, *moderate_variances(variances, degrees)).round(1).tolist()
    [22.5, 47.5, 797.8]
    """
    drawn = ((total - degrees) * variances.mean() + degrees * variances) / total
    return (moderated + drawn) / 2


def invert_trigamma(value: float) -> float:
    """Return the x with trigamma(x) = ``value``, above 0, by Newton's method, which converges from any start here.

    Reference: Smyth 2004, https://doi.org/10.2202/1544-6115.1027, appendix.

    >>> round(invert_trigamma(3.141592653589793**2 / 6), 9)
    1.0
    """
    if value > 1e7:
        return 1 / math.sqrt(value)
    if value < 1e-6:
        return 1 / value
    x = 0.5 + 1 / value
    for _ in range(50):
        trigamma = float(special.polygamma(1, x))
        step = trigamma * (1 - trigamma / value) / float(special.polygamma(2, x))
        x += step
        if -step / x < 1e-10:
            break
    return x


def _compute_log_bias(degrees: Array) -> Array:
    """Return how far log s^2 lies below log sigma^2 on average."""
    return np.asarray(np.log(degrees / 2) - special.digamma(degrees / 2))
