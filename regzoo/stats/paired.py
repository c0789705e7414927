"""Paired comparison of two recipes: tests of their gains run by run, adjusted for their number, and the verdict."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from regzoo.stats.bootstrap import LEVEL, compute_bootstrap_interval, compute_bootstrap_p
from regzoo.stats.corrected_t import compute_corrected_interval, compute_corrected_t
from regzoo.stats.hierarchical import SearchEstimate, count_effective_pairs
from regzoo.stats.intervals import compute_wilson_interval, is_meaningful_share
from regzoo.stats.power import CAP, estimate_replicates_needed, estimate_searches_needed
from regzoo.stats.rank_tests import compute_wilcoxon_p
from regzoo.stats.scores import Array

Verdict = Literal["conclusive", "equivalent", "inconclusive"]

Adjustment = Callable[[Sequence[float]], list[float]]
"""Returns the p-values of differences that are tested together, adjusted for their number; NaN stays NaN."""


@dataclass(frozen=True)
class PairSettings:
    """Settings of the tests and intervals of paired runs.

    Attributes:
        seed: seed of the resampling.
        test_train_ratio: n_test / n_train where the pairs are repeated splits of one data set, which then get the
            corrected variance of `regzoo.stats.corrected_t`; None for independent pairs.
        rope: half the width of the region of practical equivalence, in the metric's units; None for none.
        analyses: number of times that results may be analyzed before the comparison ends; p-values are multiplied by it
            (Bonferroni), so that stopping at the first significant analysis makes no more false claims than a single
            one.
        search_items: positions of the items of a pairing key that name the search; empty unless the runs come from
            several. Gains are then arranged by search, and judged as `regzoo.stats.hierarchical` describes.
        split_by_search: True if all runs of a search have the same split.
        cannot_lose: pairs (recipe, other) in which the recipe cannot truly lose, because its search space holds the
            point of the other.
    """

    seed: int = 0
    test_train_ratio: float | None = None
    rope: float | None = None
    analyses: int = 1
    search_items: tuple[int, ...] = ()
    split_by_search: bool = False
    cannot_lose: frozenset[tuple[str, str]] = frozenset()

    def interval(self, values: Iterable[float]) -> tuple[float, float]:
        """Return the 95 % interval of the mean."""
        if self.test_train_ratio is None:
            return compute_bootstrap_interval(values, self.seed)
        return compute_corrected_interval(values, self.test_train_ratio)

    def p_value(self, values: Iterable[float]) -> float:
        """Return the two-sided p-value of a mean of zero."""
        if self.test_train_ratio is None:
            return self.adjust(compute_bootstrap_p(values, self.seed))
        return self.adjust(compute_corrected_t(values, self.test_train_ratio)[1])

    def wilcoxon(self, values: Array) -> float:
        """Return the two-sided p-value of Wilcoxon's signed ranks; NaN for repeated splits."""
        return math.nan if self.test_train_ratio is not None else self.adjust(compute_wilcoxon_p(values))

    def adjust(self, p: float) -> float:
        """Return a p-value adjusted for the number of analyses."""
        return p if math.isnan(p) else min(1.0, self.analyses * p)

    def is_lost_by_chance(self, recipe: str, other: str, gain: float) -> bool:
        """Return True if one of the two cannot truly lose to the other, but does by this ``gain`` of the first."""
        return (gain < 0 and (recipe, other) in self.cannot_lose) or (gain > 0 and (other, recipe) in self.cannot_lose)


@dataclass(frozen=True)
class Evidence:
    """Evidence for a difference between two recipes, adjusted over all differences that were tested together.

    Attributes:
        p: adjusted p-value of the mean gain; NaN below two pairs and for two equal gains.
        p_wilcoxon: p-value of Wilcoxon's signed ranks, Holm-adjusted; NaN below two pairs, for repeated splits and for
            several searches.
        significant: True if the recipes differ significantly.
        tests: number of tests that were adjusted together, times the number of analyses.
        estimate: mean gain over searches; None without several searches.
        by_chance: True if the difference can only be due to chance, see `PairSettings.cannot_lose`.
    """

    p: float
    p_wilcoxon: float
    significant: bool
    tests: int
    estimate: SearchEstimate | None = None
    by_chance: bool = False


@dataclass(frozen=True)
class Contrast:
    """One recipe against another, run by run. Unknown numbers are NaN, unknown words None.

    Attributes:
        recipe, other: names of the two recipes.
        pairs: number of pairs in which both runs finished.
        gain: mean improvement of the recipe over the other; positive is better, whatever the direction.
        gain_low, gain_high: its 95 % interval.
        p_holm, p_wilcoxon: adjusted p-values, see `Evidence`.
        p_better: share of pairs in which the recipe is better; ties count half.
        p_better_low, p_better_high: its 95 % interval.
        verdict: ``equivalent`` if the interval of the gain lies within the region of practical equivalence, else
            ``conclusive`` if the recipes differ significantly, else ``inconclusive``.
        replicates_needed: number of replicates, those made included, that would make an inconclusive contrast
            conclusive; 1,000 stands for 1,000 or more. None if no number would, because the recipe that loses cannot
            truly lose, see `PairSettings.cannot_lose`.
    """

    recipe: str
    other: str
    pairs: int
    gain: float
    gain_low: float
    gain_high: float
    p_holm: float
    p_wilcoxon: float
    p_better: float
    p_better_low: float
    p_better_high: float
    verdict: Verdict | None
    replicates_needed: int | None

    @property
    def is_meaningful(self) -> bool:
        """Whether the recipe is better in at least three of four pairs, and surely in more than half of them.

        See `regzoo.stats.intervals.is_meaningful_share`.
        """
        return is_meaningful_share(self.p_better, self.p_better_low)


def name_verdict(verdict: str | None, gain: float | None) -> str:
    """Write a verdict as a person reads it: a conclusive one says which of the two is better.

    >>> name_verdict("conclusive", 0.1), name_verdict("conclusive", -0.1), name_verdict("inconclusive", 0.1)
    ('better', 'worse', 'inconclusive')
    """
    if verdict != "conclusive" or gain is None:
        return verdict or ""
    return "better" if gain > 0 else "worse"


def evaluate_pairs(
    gains: Sequence[Array],
    settings: PairSettings,
    estimates: Sequence[SearchEstimate] | None = None,
    adjust: Adjustment | None = None,
) -> list[Evidence]:
    """Return the evidence in each array of ``gains``, adjusted over them all.

    Two recipes differ significantly if the bootstrap-t says so of their mean gain, because recipes are ranked by means,
    and if Wilcoxon's signed ranks agree as soon as they can: once the smallest p-value possible with this number of
    pairs, times the number of tests, is at most 0.025 (7 pairs for one test, 8 for three, 11 for fifteen). With fewer
    pairs the bootstrap decides alone: with 5 pairs Wilcoxon's smallest two-sided p-value is 0.0625.

    Both are needed: with heavy tails a mean of 15 and more pairs is found to differ from zero too often, and
    Wilcoxon's test, which sees ranks only, takes a difference in shape at equal means for a gain. Simulated
    comparisons, in %, one standard error at most 2 points (false differences, then the power for a lead of 2 sd;
    `outliers`: one score in ten has six times the sd; `exponential`: differences of mean 0 and skewness 2):

    ==========================  ===========  ===========  ===========
    recipes, pairs, scores      bootstrap-t  Wilcoxon     both
    ==========================  ===========  ===========  ===========
    3 recipes, 10, normal       5.8, 80      4.1, 87      3.7, 79
    3 recipes, 10, outliers     6.0, 74      3.2, 79      2.9, 71
    3 recipes, 29, normal       4.7, 100     3.9, 100     3.2, 100
    3 recipes, 29, outliers     10.2, 98     4.3, 100     3.3, 98
    2 recipes, 29, exponential  5.3          15.4         3.7
    ==========================  ===========  ===========  ===========

    Repeated splits are not independent, so for them Wilcoxon's test does not hold and the corrected t decides alone.
    Nor are the runs of one search, so over several searches the moderated t of `regzoo.stats.hierarchical` decides
    alone.

    Args:
        gains: improvements, (pairs,), or (searches, pairs) with NaN where there is none.
        settings: settings of the tests.
        estimates: the mean gains over searches; None without several searches.
        adjust: how the p-values of several searches are adjusted; None for Holm's method.
    """
    if estimates is not None:
        return _evaluate_estimates(estimates, settings, adjust or adjust_holm)
    corrected = settings.test_train_ratio is not None
    means = adjust_holm([settings.p_value(each) for each in gains])
    ranks = adjust_holm([settings.wilcoxon(each) for each in gains])
    tests = max(1, sum(not math.isnan(p) for p in means)) * settings.analyses
    return [
        Evidence(p, q, p < LEVEL and (corrected or q < LEVEL or _has_too_few_pairs(len(each), tests)), tests)
        for each, p, q in zip(gains, means, ranks, strict=True)
    ]


def _evaluate_estimates(
    estimates: Sequence[SearchEstimate], settings: PairSettings, adjust: Adjustment
) -> list[Evidence]:
    adjusted = adjust([settings.adjust(estimate.p) for estimate in estimates])
    tests = max(1, sum(not math.isnan(p) for p in adjusted)) * settings.analyses
    return [
        Evidence(p, math.nan, p < LEVEL and not estimate.holds_zero, tests, estimate)
        for p, estimate in zip(adjusted, estimates, strict=True)
    ]


def _has_too_few_pairs(pairs: int, tests: int) -> bool:
    """Return True if Wilcoxon's test stays insignificant even if all gains, or all but the smallest, are positive."""
    return tests * 2.0 ** (1 - pairs) > LEVEL / 2


def make_contrasts(
    gains: Mapping[tuple[str, str], Array],
    settings: PairSettings,
    estimates: Mapping[tuple[str, str], SearchEstimate] | None = None,
) -> dict[tuple[str, str], Contrast]:
    """Return the contrast of each pair of recipes in ``gains``, adjusted over them all; see `evaluate_pairs`."""
    chosen = None if estimates is None else [estimates[pair] for pair in gains]
    found = zip(gains, evaluate_pairs(list(gains.values()), settings, chosen), strict=True)
    return {names: make_contrast(*names, gains[names], evidence, settings) for names, evidence in found}


def make_contrast(recipe: str, other: str, gains: Array, evidence: Evidence, settings: PairSettings) -> Contrast:
    """Return the contrast that ``gains``, the improvements of ``recipe`` over ``other``, show."""
    finished = gains[np.isfinite(gains)]  # (pairs,)
    pairs, found, ratio = len(finished), evidence.estimate, settings.test_train_ratio or 0.0
    gain = found.mean if found else float(finished.mean()) if pairs else math.nan
    low, high = (found.low, found.high) if found else settings.interval(finished)
    draws = count_effective_pairs(gains) if found else pairs
    better = float(np.mean((np.sign(finished) + 1) / 2)) if pairs else math.nan
    evidence = forgive_chance(recipe, other, gain, evidence, settings)
    verdict = _decide_verdict(low, high, evidence, settings.rope) if pairs else None
    open_ended = verdict == "inconclusive" and not evidence.by_chance
    return Contrast(
        recipe,
        other,
        pairs,
        gain,
        low,
        high,
        evidence.p,
        evidence.p_wilcoxon,
        better,
        *compute_wilson_interval(better, 1 / (1 / draws + ratio) if pairs else 0.0),
        verdict,
        _estimate_needed(finished, evidence, ratio) if open_ended else None,
    )


def _estimate_needed(gains: Array, evidence: Evidence, ratio: float) -> int | None:
    if evidence.estimate is None:
        return estimate_replicates_needed(gains, evidence.tests, ratio)
    searches = estimate_searches_needed(evidence.estimate, evidence.tests)
    return None if searches is None else min(CAP, searches * math.ceil(len(gains) / evidence.estimate.searches))


def forgive_chance(recipe: str, other: str, gain: float, evidence: Evidence, settings: PairSettings) -> Evidence:
    """Return the evidence; a loss that can only be due to chance is not significant, whatever its p-value."""
    if settings.is_lost_by_chance(recipe, other, gain):
        return replace(evidence, significant=False, by_chance=True)
    return evidence


def _decide_verdict(low: float, high: float, evidence: Evidence, rope: float | None) -> Verdict:
    if rope is not None and -rope <= low <= high <= rope:
        return "equivalent"
    return "conclusive" if evidence.significant else "inconclusive"


def adjust_holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values; NaN stays NaN and is not counted as a test.

    They equal those of statsmodels' `multipletests`, which collects garbage at each call: a tenth of a second when
    TensorFlow is loaded.

    Reference: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure",
    https://www.jstor.org/stable/4615733.

    >>> [round(p, 3) for p in adjust_holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = [int(index) for index in np.argsort(p_values, kind="stable") if not math.isnan(p_values[index])]
    adjusted, highest = [math.nan] * len(p_values), 0.0
    for step, index in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - step) * p_values[index]))
        adjusted[index] = highest
    return adjusted
