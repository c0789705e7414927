"""Wilson's score interval of a probability."""

from __future__ import annotations

import math

from scipy import stats

from regzoo.stats.bootstrap import LEVEL


def compute_wilson_interval(share: float, n: float) -> tuple[float, float]:
    """Return the 95 % interval of a probability that was observed as ``share`` in ``n`` draws: Wilson's score interval.

    Averaged over all probabilities it covers 95.4, 95.3, 95.3 and 95.2 % at 5, 10, 20 and 30 draws; at a probability
    of one half 93.7, 97.9, 95.9 and 95.7 %; at worst, between 0.1 and 0.9, 89 to 93 %. Clopper and Pearson's interval
    never covers less than 95 %, but 99 % on average at 5 draws, and is a fifth wider. Where ties count half, coverage
    is higher: 98 % with one tie in five. Repeated splits count as 1 / (1/J + n_test/n_train) draws, as in their
    variance.

    Args:
        share: observed share in 0..1, with ties counted half; NaN returns NaN.
        n: number of draws, above 0; it need not be whole.

    Reference: Wilson 1927, "Probable Inference, the Law of Succession, and Statistical Inference",
    https://doi.org/10.1080/01621459.1927.10502953.

    >>> low, high = compute_wilson_interval(1.0, 5)
    >>> round(low, 3), high
    (0.566, 1.0)
    """
    if not n > 0 or math.isnan(share):
        return math.nan, math.nan
    z = float(stats.norm.ppf(1 - LEVEL / 2))
    center = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * math.sqrt(share * (1 - share) / n + z * z / (4 * n * n))
    return (0.0 if share == 0 else center - half), (1.0 if share == 1 else center + half)
