"""Corrected t-test and interval for repeated splits, whose overlapping training sets make scores dependent."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import stats

from regzoo.stats.bootstrap import LEVEL, is_constant


def compute_corrected_t(differences: Iterable[float], ratio: float) -> tuple[float, float]:
    """Return t and the two-sided p-value of the mean difference over J repeated splits, with the corrected variance.

    Splits of one data set share training rows, so the J differences are correlated and s^2 / J underestimates the
    variance of their mean. Nadeau and Bengio's variance is (1/J + n_test / n_train) s^2; t has J - 1 degrees of
    freedom. More splits reduce 1/J but not the second term: only more rows do.

    Args:
        differences: one per split, (J,).
        ratio: n_test / n_train, 1/9 for 10-fold cross-validation.

    Returns:
        NaN, NaN with fewer than two splits and for two equal differences; t = 0, p = 1 if all differences are zero; an
        infinite t, p = 0 if all equal another number.

    Reference: Nadeau and Bengio 2003, "Inference for the Generalization Error",
    https://doi.org/10.1023/A:1024068626366.

    >>> t, p = compute_corrected_t([0.02, 0.01, 0.04, 0.0, 0.03], ratio=1 / 4)
    >>> round(t, 3), round(p, 3)
    (1.886, 0.132)
    """
    x = np.asarray(list(differences), dtype=float)  # (J,)
    if is_constant(x):
        return math.nan, math.nan
    mean, error = float(x.mean()), _compute_standard_error(x, ratio)
    if error == 0:
        return (math.copysign(math.inf, mean), 0.0) if mean else (0.0, 1.0)
    t = mean / error
    return t, float(2 * stats.t.sf(abs(t), len(x) - 1))


def compute_corrected_interval(values: Iterable[float], ratio: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean over repeated splits, with the corrected variance.

    It excludes zero exactly where `compute_corrected_t` has p < 0.05. NaN for fewer than two values and for two equal
    ones; zero width if more are equal.

    >>> low, high = compute_corrected_interval([0.02, 0.01, 0.04, 0.0, 0.03], ratio=1 / 4)
    >>> round(low, 3), round(high, 3)
    (-0.009, 0.049)
    """
    x = np.asarray(list(values), dtype=float)  # (J,)
    if is_constant(x):
        return math.nan, math.nan
    half = float(stats.t.ppf(1 - LEVEL / 2, len(x) - 1)) * _compute_standard_error(x, ratio)
    return float(x.mean()) - half, float(x.mean()) + half


def _compute_standard_error(x: np.ndarray, ratio: float) -> float:
    """Return the standard error of the mean of ``x``; zero if all values are equal, whatever their mean rounds to."""
    return 0.0 if np.ptp(x) == 0 else math.sqrt((1 / len(x) + ratio) * float(x.var(ddof=1)))
