"""Repeated splits: scores whose training sets overlap are not independent, and their variance says so."""

from __future__ import annotations

import math
from collections.abc import Iterable

import numpy as np
from scipy import stats

from regzoo.stats.bootstrap import LEVEL, is_constant


def corrected_t(differences: Iterable[float], ratio: float) -> tuple[float, float]:
    """Return t and the two-sided p of the mean difference over J repeated splits, with the corrected variance.

    The splits of one data set share training rows, so the J differences are correlated and s^2 / J is too small
    a variance for their mean. Nadeau and Bengio's is (1/J + n_test / n_train) s^2; t has J - 1 degrees of freedom.
    More splits make 1/J small, never the second term: certainty beyond it needs more rows.

    Args:
        differences: one a split, (J,).
        ratio: n_test / n_train, 1/9 for 10-fold cross-validation.

    Returns:
        NaN, NaN below two splits, and for two equal differences; t = 0, p = 1 if all differences are zero; an
        infinite t, p = 0 if all are one other number.

    Reference: Nadeau and Bengio 2003, "Inference for the Generalization Error",
    https://doi.org/10.1023/A:1024068626366.

    >>> t, p = corrected_t([0.02, 0.01, 0.04, 0.0, 0.03], ratio=1 / 4)
    >>> round(t, 3), round(p, 3)
    (1.886, 0.132)
    """
    x = np.asarray(list(differences), dtype=float)  # (J,)
    if is_constant(x):
        return math.nan, math.nan
    mean, error = float(x.mean()), _error(x, ratio)
    if error == 0:
        return (math.copysign(math.inf, mean), 0.0) if mean else (0.0, 1.0)
    t = mean / error
    return t, float(2 * stats.t.sf(abs(t), len(x) - 1))


def corrected_interval(values: Iterable[float], ratio: float) -> tuple[float, float]:
    """Return the 95 % interval of the mean over repeated splits; it leaves out zero where `corrected_t` has p < .05.

    NaN below two values, and for two equal ones; no width if more are equal.

    >>> low, high = corrected_interval([0.02, 0.01, 0.04, 0.0, 0.03], ratio=1 / 4)
    >>> round(low, 3), round(high, 3)
    (-0.009, 0.049)
    """
    x = np.asarray(list(values), dtype=float)  # (J,)
    if is_constant(x):
        return math.nan, math.nan
    reach = float(stats.t.ppf(1 - LEVEL / 2, len(x) - 1)) * _error(x, ratio)
    return float(x.mean()) - reach, float(x.mean()) + reach


def _error(x: np.ndarray, ratio: float) -> float:
    """The standard error of the mean of ``x``; zero if all values are equal, whatever their mean rounds to."""
    return 0.0 if np.ptp(x) == 0 else math.sqrt((1 / len(x) + ratio) * float(x.var(ddof=1)))
