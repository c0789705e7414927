"""Pairs: what the differences between paired runs of two recipes say, and whether they tell the two apart."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np

from regzoo.stats import bootstrap
from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.corrected_t import corrected_interval, corrected_t
from regzoo.stats.power import replicates_needed
from regzoo.stats.rank_tests import wilcoxon_p_value, wilson_interval
from regzoo.stats.scores import Array

Verdict = Literal["conclusive", "equivalent", "inconclusive"]


@dataclass(frozen=True)
class PairSettings:
    """How pairs are judged.

    Attributes:
        seed: of the resampling.
        test_train_ratio: n_test / n_train where the pairs are repeated splits of one data set, which then get the
            corrected variance of `regzoo.stats.corrected_t`; None for independent pairs.
        rope: half the width of the region of practical equivalence, in the metric's units; None for none.
        looks: how often the study may be looked at before it ends; p-values are multiplied by it (Bonferroni), so that
            stopping at the first look that shows something claims no more falsely than one look.
    """

    seed: int = 0
    test_train_ratio: float | None = None
    rope: float | None = None
    looks: int = 1

    def interval(self, values: Iterable[float]) -> tuple[float, float]:
        """The 95 % interval of the mean."""
        if self.test_train_ratio is None:
            return bootstrap.bootstrap_interval(values, self.seed)
        return corrected_interval(values, self.test_train_ratio)

    def p_value(self, values: Iterable[float]) -> float:
        """The two-sided p of a mean of zero."""
        if self.test_train_ratio is None:
            return self._looked(bootstrap.bootstrap_p_value(values, self.seed))
        return self._looked(corrected_t(values, self.test_train_ratio)[1])

    def wilcoxon(self, values: Array) -> float:
        """The two-sided p of signed ranks; NaN for repeated splits."""
        return math.nan if self.test_train_ratio is not None else self._looked(wilcoxon_p_value(values))

    def _looked(self, p: float) -> float:
        return p if math.isnan(p) else min(1.0, self.looks * p)


@dataclass(frozen=True)
class Evidence:
    """What speaks for a difference between two recipes, adjusted over all that were tested together.

    Attributes:
        p: of the mean gain, Holm-adjusted; NaN below two pairs, and for the same gain twice.
        p_wilcoxon: of Wilcoxon's signed ranks, Holm-adjusted; NaN below two pairs and for repeated splits.
        significant: whether the two are told apart.
        tests: how many were adjusted together, times the looks.
    """

    p: float
    p_wilcoxon: float
    significant: bool
    tests: int


@dataclass(frozen=True)
class Contrast:
    """One recipe against another, run by run. Numbers are NaN, words None, where there is nothing to say.

    Attributes:
        recipe, other: their names.
        pairs: how many runs finished on both sides.
        gain: mean improvement of the recipe upon the other; positive is better whatever the direction.
        gain_low, gain_high: its 95 % interval.
        p_holm, p_wilcoxon: Holm-adjusted, see `Evidence`.
        p_better: share of pairs in which the recipe is better, ties count half.
        p_better_low, p_better_high: its 95 % interval.
        verdict: ``equivalent`` if the interval of the gain lies within the region of practical equivalence, else
            ``conclusive`` if the two are told apart, else ``inconclusive``.
        replicates_needed: how many replicates in all would make an inconclusive contrast conclusive; 1,000 stands
            for so many or more.
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


def evaluate_pairs(gains: Sequence[Array], rules: PairSettings) -> list[Evidence]:
    """Return the evidence in each array of ``gains``, adjusted over them all.

    Two recipes are told apart if the bootstrap-t finds their mean gain, because means are what is ranked, and if
    Wilcoxon's signed ranks agree as soon as they can: once the smallest p that so many pairs can give, times the
    number of tests, is at most .025 (7 pairs for one test, 8 for three, 11 for fifteen). Below, the
    bootstrap decides alone: with 5 pairs Wilcoxon's smallest two-sided p is .0625.

    Why both: with heavy tails a mean of 15 and more is told from zero too often, and Wilcoxon, which looks at
    ranks, calls a difference of the same mean but another shape a gain. Simulated studies, in %, one standard
    error at most 2 points (means told apart wrongly, then a lead of 2 sd found; `outliers`: one score in ten has
    six times the sd; `exponential`: differences of mean 0 and skewness 2):

    ==========================  ===========  ===========  ===========
    recipes, pairs, scores      bootstrap-t  Wilcoxon     both
    ==========================  ===========  ===========  ===========
    3 recipes, 10, normal       5.8, 80      4.1, 87      3.7, 79
    3 recipes, 10, outliers     6.0, 74      3.2, 79      2.9, 71
    3 recipes, 29, normal       4.7, 100     3.9, 100     3.2, 100
    3 recipes, 29, outliers     10.2, 98     4.3, 100     3.3, 98
    2 recipes, 29, exponential  5.3          15.4         3.7
    ==========================  ===========  ===========  ===========

    Repeated splits are not independent, so there Wilcoxon says nothing and the corrected t decides alone.
    """
    correct = rules.test_train_ratio is not None
    means = holm([rules.p_value(each) for each in gains])
    ranks = holm([rules.wilcoxon(each) for each in gains])
    tests = max(1, sum(not math.isnan(p) for p in means)) * rules.looks
    return [
        Evidence(p, q, p < LEVEL and (correct or q < LEVEL or _too_few_pairs(len(each), tests)), tests)
        for each, p, q in zip(gains, means, ranks, strict=True)
    ]


def _too_few_pairs(pairs: int, tests: int) -> bool:
    """True while even pairs that all point one way, or all but the smallest, are too few for Wilcoxon."""
    return tests * 2.0 ** (1 - pairs) > LEVEL / 2


def make_contrasts(gains: Mapping[tuple[str, str], Array], rules: PairSettings) -> dict[tuple[str, str], Contrast]:
    """Return what each pair of recipes in ``gains`` shows, adjusted over them all."""
    found = zip(gains, evaluate_pairs(list(gains.values()), rules), strict=True)
    return {names: make_contrast(*names, gains[names], evidence, rules) for names, evidence in found}


def make_contrast(recipe: str, other: str, gains: Array, evidence: Evidence, rules: PairSettings) -> Contrast:
    """Return what ``gains``, the improvements of ``recipe`` upon ``other``, show."""
    low, high = rules.interval(gains)
    ratio = rules.test_train_ratio or 0.0
    verdict = _verdict(low, high, evidence, rules.rope) if len(gains) else None
    needed = replicates_needed(gains, evidence.tests, ratio) if verdict == "inconclusive" else None
    better = float(np.mean((np.sign(gains) + 1) / 2)) if len(gains) else math.nan
    return Contrast(
        recipe,
        other,
        len(gains),
        float(gains.mean()) if len(gains) else math.nan,
        low,
        high,
        evidence.p,
        evidence.p_wilcoxon,
        better,
        *wilson_interval(better, 1 / (1 / len(gains) + ratio) if len(gains) else 0.0),
        verdict,
        needed,
    )


def _verdict(low: float, high: float, evidence: Evidence, rope: float | None) -> Verdict:
    if rope is not None and -rope <= low <= high <= rope:
        return "equivalent"
    return "conclusive" if evidence.significant else "inconclusive"


def holm(p_values: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values; NaN stays NaN and is not counted as a test.

    Those of statsmodels' `multipletests`, which collects garbage at each call: a tenth of a second beside
    TensorFlow.

    Reference: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure",
    https://www.jstor.org/stable/4615733.

    >>> [round(p, 3) for p in holm([0.01, 0.04, 0.03])]
    [0.03, 0.06, 0.06]
    """
    order = [int(place) for place in np.argsort(p_values, kind="stable") if not math.isnan(p_values[place])]
    adjusted, highest = [math.nan] * len(p_values), 0.0
    for step, place in enumerate(order):
        highest = max(highest, min(1.0, (len(order) - step) * p_values[place]))
        adjusted[place] = highest
    return adjusted
