"""Rank test of paired gains: Wilcoxon's signed ranks."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from regzoo.stats.scores import Array


def compute_wilcoxon_p(gains: Array) -> float:
    """Return the two-sided p-value of Wilcoxon's signed-rank test that ``gains`` are symmetric about zero.

    Exact up to 50 pairs, with ties or zeros up to 13; beyond, the normal approximation. Zeros are ranked and their
    ranks are dropped (Pratt). NaN below two pairs, 1 if all are zero. Gains that differ by less than a billionth of the
    largest count as equal, because subtraction rounds.

    Reference: Wilcoxon 1945, "Individual Comparisons by Ranking Methods", https://doi.org/10.2307/3001968; Pratt
    1959, "Remarks on Zeros and Ties in the Wilcoxon Signed Rank Procedures",
    https://doi.org/10.1080/01621459.1959.10501526.

    >>> compute_wilcoxon_p(np.array([1.0, 2.0, 4.0, 3.0, 5.0]))  # all five positive: 2 of 2^5 patterns of signs
    0.0625
    """
    if len(gains) < 2:
        return math.nan
    size = float(abs(gains).max())
    return float(stats.wilcoxon(np.round(gains / size, 9), zero_method="pratt").pvalue) if size else 1.0
