"""Means over independent searches: interval and test where replicates are shared out among several searches.

The claim is about a recipe that is tuned again, not about the strengths that one search happened to find. Intervals
over the seeds of one search miss that: the strengths that it chose are luck that all its replicates share.

Measured with the search noise of real trials (30 points of nine recipes on four data sets, five seeds each, smoothed;
``tests/stats/search_noise.py``). A search draws a Latin hypercube of 5 trials, repeats the best two on another seed and
chooses one. 600 comparisons of nine recipes each; one standard error at most 0.5 points of coverage. `Covered` is the
share of 95 % intervals of gains, and of the recipes' own means, that hold the mean over searches; `distinguished`
is the number of the 36 pairs that differ significantly after Shaffer's adjustment; `both ways` the number of pairs
that a second comparison, with other searches and seeds, finds to differ the other way round:

=======================================  ======  ======  =============  ========
K searches, R replicates                 digits  wine    breast_cancer  diabetes
=======================================  ======  ======  =============  ========
gains covered, K = 4, R = 16             95.1    94.7    94.5           95.0
gains covered, K = 5, R = 10             94.8    94.2    95.2           94.8
gains covered, K = 5, R = 20             95.0    93.5    94.8           95.1
gains covered, K = 10, R = 20            94.8    92.7    94.5           95.5
means covered, K = 5, R = 10             94.7    94.0    94.1           95.1
by the variance of the test, K = 5       93.2    92.5    93.7           94.3
distinguished, K = 3, R = 9              8.4     2.1     1.4            9.5
distinguished, K = 4, R = 16             13.7    4.0     3.3            14.6
distinguished, K = 5, R = 10             13.9    3.0     4.5            15.1
distinguished, K = 10, R = 20            20.4    9.8     13.7           22.3
both ways, K = 3 to 10                   0       0       0              0
plain t, K = 5, R = 10: gains covered    94.0    93.3    94.9           95.6
plain t, K = 5, R = 10, Holm             5.6     0.7     1.3            6.8
runs as if independent: gains covered    91.0    88.9    88.0           92.2
one search, R = 10: gains covered        66.1    65.3    43.5           67.6
one search, R = 10: distinguished        19.2    10.2    20.4           23.3
one search, R = 10: both ways            0.18    0.19    1.63           0.32
=======================================  ======  ======  =============  ========

The scores of wine are skew: few searches are much worse than the others, so five searches often hold none of them. Ten
searches with two runs each cover 92.7 % there, the least of all: they borrow less from the other pairs.

Equal recipes, each with searches and seeds of its own, K = 5 and R = 10, in %, mean over the nine recipes' noise (900
comparisons of 2 and 3 recipes, 450 of 9; one standard error at most 1 point, of the power 2): all in one tier, a false
gain or loss, and the power for a gain of 2 sd of the whole procedure (one run of a new search):

=============  ===========  ===========  ===========
data set       2 recipes    3 recipes    9 recipes
=============  ===========  ===========  ===========
digits         96, 4.1, 83  94, 5.6, 85  96, 3.1, 75
wine           95, 4.7, 82  95, 4.4, 87  98, 1.8, 78
breast_cancer  94, 5.7, 78  95, 4.3, 77  96, 3.3, 70
diabetes       96, 4.4, 85  94, 4.4, 84  97, 2.4, 77
=============  ===========  ===========  ===========

So 10 replicates in 5 searches find it with power 0.8 among two or three recipes, as 16 in 4 do (82 to 85 %,
breast_cancer 71 to 73); among nine it takes 12 in 6 (79 to 89 %) or 14 in 7 (85 to 95 %). Recipes that share searches
and seeds, as those of a comparison do, need less.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np
from scipy import stats

from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.moderated_t import average_with_mean_prior, moderate_variances
from regzoo.stats.scores import Array

NAN = math.nan

PRIOR_SHARE = 0.25
"""The prior of a moderated variance has at most this share of the degrees of freedom of the other recipes together."""


@dataclass(frozen=True)
class SearchEstimate:
    """A mean over searches with its 95 % interval and test; NaN for what is unknown.

    Attributes:
        searches: number of searches with a finished run.
        mean: mean of the means of the searches; each search counts equally.
        low, high: its 95 % interval.
        p: two-sided p-value of equal procedures, from the moderated variance; where the interval is wider, below 0.05
            although it holds zero.
        variance: moderated variance of the mean of one search.
        common_variance: the part of the variance of ``mean`` that no further search reduces: that of repeated splits.
        degrees: degrees of freedom of t.
    """

    searches: int
    mean: float = NAN
    low: float = NAN
    high: float = NAN
    p: float = NAN
    variance: float = NAN
    common_variance: float = 0.0
    degrees: float = NAN

    @property
    def holds_zero(self) -> bool:
        """True if zero is inside the interval."""
        return self.low <= 0 <= self.high

    def negate(self) -> SearchEstimate:
        """Return the estimate of the negated sample."""
        return replace(self, mean=-self.mean, low=-self.high, high=-self.low)


@dataclass(frozen=True)
class _Moments:
    """Moments of one sample: the means of its searches, and the variance of runs around them with its degrees."""

    runs: Array  # (runs,)
    means: Array  # (searches,)
    within: float
    within_degrees: int

    @property
    def is_constant(self) -> bool:
        return bool(np.ptp(self.runs) == 0)


@dataclass(frozen=True)
class _Spread:
    """Error of one mean: variance and common variance, the standard errors of test and interval, their degrees."""

    variance: float
    common_variance: float
    error: float
    wide_error: float
    degrees: float


def estimate_over_searches(
    samples: Sequence[Array], recipes: int, ratio: float | None = None, split_by_search: bool = False
) -> list[SearchEstimate]:
    """Return the mean over searches of each sample, with a moderated t interval and test.

    With K searches the variance of the mean is that of the K search means over K. It holds the variance of the seeds
    too, because each search mean has it. It has K - 1 degrees of freedom, so few that a plain t distinguishes hardly
    anything; so the variances of all samples are moderated together, see `regzoo.stats.moderated_t`. Pairs of recipes
    share recipes, and few variances say little about how variances vary, so the prior has at most
    (recipes - 1) (K - 1) / 4 degrees of freedom: without this limit the intervals of three recipes cover 92.4 to 93.2 %
    instead of 93.7 to 94.2, with wine 90.1 instead of 91.9, and with nine recipes as many pairs are distinguished.

    The test is of equal procedures, whose differences are as often positive as negative, and keeps its level. Where
    procedures differ, the means of their searches are skew, and a few searches seldom hold those that are much worse:
    intervals from the variance of the test cover 92 to 94 % (K = 5, R = 10). So an interval has the larger of that
    variance and its average with one that is drawn toward the mean variance of all samples. It is never narrower than
    the test, so p is below 0.05 wherever it excludes zero.

    Splits of the same rows share training rows, so the runs' errors correlate however many searches there are, and the
    variance between search means misses it. As in `regzoo.stats.corrected_t`, the variance of the mean then grows by
    ``ratio`` times the variance that the splits cause: that of the runs within a search, moderated too, or, with one
    run for each search, that of the search means, which holds it. So it does where all runs of a search have the same
    split. The sum has Satterthwaite's degrees of freedom,
    but no more than the variance between searches, so that the correction never narrows an interval.

    Runs that are all equal show no variance: they stay out of the moderation, their interval has zero width and p is 1
    if they are zero, else 0; NaN if there are only two. NaN with fewer than two searches, and if only the search means
    are equal and no other sample has a variance to borrow.

    Args:
        samples: runs by search, each (searches, replicates), NaN where there is none: scores of each recipe, or gains
            of each pair.
        recipes: number of recipes that the samples come from.
        ratio: n_test / n_train if the runs are repeated splits of the same rows.
        split_by_search: True if all runs of a search have the same split.

    Reference: Smyth 2004, "Linear Models and Empirical Bayes Methods for Assessing Differential Expression in
    Microarray Experiments", https://doi.org/10.2202/1544-6115.1027; Nadeau and Bengio 2003, "Inference for the
    Generalization Error", https://doi.org/10.1023/A:1024068626366; Satterthwaite 1946, "An Approximate Distribution of
    Estimates of Variance Components", https://doi.org/10.2307/3002019.

    >>> found = estimate_over_searches([np.array([[1.0, 2.0], [2.0, 3.0], [4.0, 4.0]])], recipes=1)[0]
    >>> found.searches, round(found.mean, 3), round(found.low, 3), round(found.high, 3), round(found.p, 4)
    (3, 2.667, -0.459, 5.792, 0.0669)
    """
    moments = [_compute_moments(np.asarray(sample, dtype=float)) for sample in samples]
    estimates = [_describe_constant(each) for each in moments]
    varying = [n for n, each in enumerate(moments) if len(each.means) > 1 and not each.is_constant]
    if not varying:
        return estimates
    chosen = [moments[n] for n in varying]
    counts = np.array([len(each.means) for each in chosen], dtype=float)  # (varying,)
    share = PRIOR_SHARE * (recipes - 1)
    variances = np.array([_compute_variance(each.means) for each in chosen])
    between, degrees = moderate_variances(variances, counts - 1, share * float((counts - 1).mean()))
    wide = np.maximum(between, average_with_mean_prior(variances, counts - 1, between, degrees))
    common, common_degrees = _compute_common_variances(chosen, between, degrees, ratio or 0.0, share, split_by_search)
    wide_common, _ = _compute_common_variances(chosen, wide, degrees, ratio or 0.0, share, split_by_search)
    own = between / counts
    # Where both parts are the same variance, its degrees are those of the sum.
    single = np.array([split_by_search or each.within_degrees == 0 for each in chosen])
    with np.errstate(divide="ignore", invalid="ignore"):
        both = (own + common) ** 2 / (own**2 / degrees + common**2 / common_degrees)
    degrees = np.where(single | (common == 0), degrees, np.minimum(both, degrees))
    errors, wide_errors = np.sqrt(own + common), np.sqrt(wide / counts + wide_common)
    for k, n in enumerate(varying):
        spread = _Spread(*(float(each[k]) for each in (between, common, errors, wide_errors, degrees)))
        estimates[n] = _make_estimate(moments[n].means, spread)
    return estimates


def count_effective_pairs(gains: Array) -> float:
    """Return how many independent pairs the pairs of several searches are worth for the share that is won.

    Pairs of one search share its luck. With the share s of pairs won it is s (1 - s) over the variance of the mean of
    the searches' own shares, but at least the number of searches and at most that of pairs. It is the number of
    searches if all pairs are won, or all are lost, because then nothing tells how much the pairs of a search share.

    Args:
        gains: improvements by search, (searches, pairs), NaN where there is none.

    Reference: Kish 1965, "Survey Sampling", section 5.4 (the design effect).

    >>> count_effective_pairs(np.array([[1.0, 1.0], [1.0, 1.0], [-1.0, -1.0]]))  # each search speaks with one voice
    3.0
    >>> count_effective_pairs(np.array([[1.0, -1.0], [-1.0, 1.0], [1.0, -1.0]]))
    6.0
    """
    gains = gains[np.isfinite(gains).any(axis=1)]  # (searches, pairs)
    pairs, searches = int(np.isfinite(gains).sum()), len(gains)
    if searches < 2:
        return float(searches)
    wins = (np.sign(gains) + 1) / 2
    share = float(np.nanmean(wins))
    spread = float(np.nanmean(wins, axis=1).var(ddof=1)) / searches
    if share in (0.0, 1.0):
        return float(searches)
    return float(pairs) if spread == 0 else min(max(share * (1 - share) / spread, float(searches)), float(pairs))


def compute_search_means(sample: Array) -> Array:
    """Return the mean of each search that has a finished run, (searches,), of a sample (searches, replicates)."""
    finished = sample[np.isfinite(sample).any(axis=1)]
    return np.array([row[np.isfinite(row)].mean() for row in finished])


def _compute_moments(sample: Array) -> _Moments:
    means = compute_search_means(sample)
    rows = sample[np.isfinite(sample).any(axis=1)]
    runs = rows[np.isfinite(rows)]
    degrees = len(runs) - len(means)
    squares = float(np.nansum((rows - means[:, None]) ** 2)) if len(means) else 0.0
    return _Moments(runs, means, squares / degrees if degrees else NAN, degrees)


def _compute_variance(means: Array) -> float:
    """Return the variance of search means; zero if they differ by float64 rounding only."""
    rounding = 8 * np.finfo(float).eps * float(abs(means).max())
    return 0.0 if np.ptp(means) <= rounding else float(means.var(ddof=1))


def _compute_common_variances(
    moments: Sequence[_Moments], between: Array, degrees: Array, ratio: float, share: float, split_by_search: bool
) -> tuple[Array, Array]:
    """Return ``ratio`` times the variance that the splits cause, and its degrees of freedom, both (samples,)."""
    common, common_degrees = ratio * between, degrees.copy()
    repeated = [n for n, each in enumerate(moments) if each.within_degrees and not split_by_search]
    if ratio and repeated:
        within = np.array([moments[n].within for n in repeated])
        own_degrees = np.array([moments[n].within_degrees for n in repeated], dtype=float)
        within, common_degrees[repeated] = moderate_variances(within, own_degrees, share * float(own_degrees.mean()))
        common[repeated] = ratio * within
    return common, common_degrees


def _describe_constant(moments: _Moments) -> SearchEstimate:
    """Return the estimate of a sample without any spread, or of one with too few searches."""
    searches = len(moments.means)
    mean = float(moments.means.mean()) if searches else NAN
    if searches < 2 or not moments.is_constant or len(moments.runs) == 2:
        return SearchEstimate(searches, mean)
    mean = float(moments.runs[0])
    return SearchEstimate(searches, mean, mean, mean, 0.0 if mean else 1.0, 0.0)


def _make_estimate(means: Array, spread: _Spread) -> SearchEstimate:
    mean = float(means.mean())
    if spread.variance == 0:
        return SearchEstimate(len(means), mean)
    half = float(stats.t.ppf(1 - LEVEL / 2, spread.degrees)) * spread.wide_error
    p = float(2 * stats.t.sf(abs(mean) / spread.error, spread.degrees))
    return SearchEstimate(
        len(means), mean, mean - half, mean + half, p, spread.variance, spread.common_variance, spread.degrees
    )
