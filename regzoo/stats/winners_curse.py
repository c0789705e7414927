"""Winner's curse: the best of several scores overstates its recipe, because it was selected for being high."""

from __future__ import annotations

import numpy as np
from scipy import integrate, stats

from regzoo.stats.bootstrap import draw_resamples
from regzoo.stats.scores import Array


def compute_expected_maximum(m: int) -> float:
    """Return the expected maximum of ``m`` standard normals: the integral of x m phi(x) Phi(x)^(m-1).

    It is how many standard errors the best of ``m`` equal recipes looks better than it is, on average.

    Reference: Tippett 1925, "On the Extreme Individuals and the Range of Samples Taken from a Normal Population",
    https://doi.org/10.1093/biomet/17.3-4.364 (link unverified).

    >>> [round(compute_expected_maximum(m), 2) for m in (1, 2, 5, 10, 20)]
    [0.0, 0.56, 1.16, 1.54, 1.87]
    """

    def integrand(x: float) -> float:
        return float(x * m * stats.norm.pdf(x) * stats.norm.cdf(x) ** (m - 1))

    return float(integrate.quad(integrand, -12, 12)[0])


def estimate_shrunk_gain(gains: Array, seed: int = 0) -> float | None:
    """Return the winner's expected gain on fresh seeds: its mean gain without the selection bias.

    Resample the pairs, pick the recipe that is best among those drawn, and score it on the pairs left out; the average
    of these scores is free of selection. The result is at most the winner's own mean gain. Up to 6 pairs all resamples
    are enumerated. None below two pairs, where none can be left out.

    Mean error as a share of one run's sd, with 5 pairs and 6 recipes (600 simulations, one standard error 0.03): +0.56
    before and +0.00 after for equal recipes, +0.52 and -0.02 if five are better than the baseline by the same amount,
    +0.22 and -0.15 if one leads by 1 sd, +0.01 and -0.08 if one leads by 2. The last two are conservative, because
    fewer pairs pick the true winner less often. Subtracting the bootstrapped optimism instead leaves +0.25, +0.21,
    +0.01 and -0.04.

    Args:
        gains: improvements over the baseline, (recipes, pairs), best first: one row for each recipe that could have
            won, the baseline included if it could.
        seed: seed of the resampling.

    Reference: Tsamardinos, Greasidou and Borboudakis 2018, "Bootstrapping the Out-of-sample Predictions for
    Efficient and Accurate Cross-validation", https://arxiv.org/abs/1708.07180.

    >>> clear, noise = [1.0, 1.1, 0.9, 1.0], [0.1, -0.2, 0.1, 0.0]
    >>> estimate_shrunk_gain(np.array([clear, noise]))
    1.0
    >>> estimate_shrunk_gain(np.array([[0.0, 0.0, 0.3], [0.0, 0.2, 0.0]])) < 0.1
    True
    """
    if gains.shape[1] < 2:
        return None
    shares, weights = draw_resamples(gains.shape[1], seed)  # (resamples, pairs), (resamples,)
    picked = gains[(shares @ gains.T).argmax(axis=1)]  # (resamples, pairs)
    left_out = shares == 0
    count = left_out.sum(axis=1)
    usable = count > 0
    scores = (picked * left_out).sum(axis=1)[usable] / count[usable]
    return min(float(np.average(scores, weights=weights[usable])), float(gains.mean(axis=1).max()))
