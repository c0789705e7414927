"""Signs and ranks: how often one recipe beats another, whatever the size of the scores."""

from __future__ import annotations

import math

import numpy as np
from scipy import stats

from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.scores import Array


def wilcoxon_p_value(gains: Array) -> float:
    """Return the two-sided p of Wilcoxon's signed ranks: are ``gains`` symmetric about zero?

    Exact up to 50 pairs, with ties or zeros up to 13; beyond, the normal approximation. Zeros take part in the
    ranking and their ranks are dropped (Pratt). NaN below two pairs, 1 if all are zero. Gains that differ by less
    than a billionth of the largest are equal: subtraction rounds.

    Reference: Wilcoxon 1945, "Individual Comparisons by Ranking Methods", https://doi.org/10.2307/3001968; Pratt
    1959, "Remarks on Zeros and Ties in the Wilcoxon Signed Rank Procedures",
    https://doi.org/10.1080/01621459.1959.10501526.

    >>> wilcoxon_p_value(np.array([1.0, 2.0, 4.0, 3.0, 5.0]))  # all five one way: 2 of 2^5 patterns of signs
    0.0625
    """
    if len(gains) < 2:
        return math.nan
    size = float(abs(gains).max())
    return float(stats.wilcoxon(np.round(gains / size, 9), zero_method="pratt").pvalue) if size else 1.0


def wilson_interval(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a chance of which ``share`` was seen in ``n`` draws: Wilson's score interval.

    Averaged over all chances it covers 95.4, 95.3, 95.3 and 95.2 % at 5, 10, 20 and 30 draws; at a chance of one
    half 93.7, 97.9, 95.9 and 95.7 %; at worst, between .1 and .9, 89 to 93 %. Clopper and Pearson's never covers
    less than 95 %, but 99 % on average at 5 draws, and is a fifth wider. Where a tie counts half it covers more:
    98 % with one tie in five. Repeated splits count as 1 / (1/J + n_test/n_train) draws, as in their variance.

    Args:
        share: in 0..1, ties counted half; NaN gives NaN.
        n: above 0; need not be whole.

    Reference: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference",
    https://doi.org/10.1080/01621459.1927.10502953.

    >>> low, high = wilson_interval(1.0, 5)
    >>> round(low, 3), high
    (0.566, 1.0)
    """
    if not n > 0 or math.isnan(share):
        return math.nan, math.nan
    z = float(stats.norm.ppf(1 - LEVEL / 2))
    centre = (share + z * z / (2 * n)) / (1 + z * z / n)
    reach = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if share == 0 else centre - reach), (1.0 if share == 1 else centre + reach)
