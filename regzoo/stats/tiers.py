"""Tiers of recipes: neighbors in the order of the means, separated by significant differences from their first."""

from __future__ import annotations

import itertools
from collections.abc import Collection, Mapping, Sequence

import numpy as np

from regzoo.stats.hierarchical import SearchEstimate, estimate_over_searches
from regzoo.stats.paired import (
    Adjustment,
    Contrast,
    Evidence,
    PairSettings,
    adjust_holm,
    evaluate_pairs,
    forgive_chance,
    make_contrast,
)
from regzoo.stats.scores import Array, Scores, compute_paired_gains
from regzoo.stats.shaffer import adjust_shaffer

PairEvidence = Mapping[tuple[str, str], Evidence]
"""Evidence of each recipe against each one ranked below it."""


PairEstimates = Mapping[tuple[str, str], SearchEstimate]
"""Mean gain over searches of each recipe over each other one."""


def estimate_all_pairs(scores: Mapping[str, Scores], settings: PairSettings, sign: float) -> PairEstimates | None:
    """Return the mean gain over searches of every recipe over every other one; None without several searches.

    The variances of all pairs are moderated together, those with the baseline too: the nearer a prior is to all that
    is known, the better its intervals cover (94.8 % instead of 93.7 % with nine recipes).
    """
    if not settings.search_items:
        return None
    pairs = list(itertools.combinations(scores, 2))
    gains = [compute_paired_gains(scores[a], scores[b], sign, settings.search_items) for a, b in pairs]
    found = estimate_over_searches(gains, len(scores), settings.test_train_ratio, settings.split_by_search)
    forth = dict(zip(pairs, found, strict=True))
    return forth | {(b, a): estimate.negate() for (a, b), estimate in forth.items()}


def evaluate_all_pairs(
    order: Sequence[str],
    scores: Mapping[str, Scores],
    settings: PairSettings,
    baseline: str | None = None,
    sign: float = 1.0,
    estimates: PairEstimates | None = None,
) -> PairEvidence:
    """Test every pair of recipes in ``order``, adjusted over all pairs, because the leader was picked among them all.

    P-values are adjusted by Holm's method, over several searches by Shaffer's, which finds more differences. Pairs with
    the baseline are adjusted over the other recipes by Holm's, as its gains are, so that tiers agree with verdicts; a
    loss that can only be due to chance is not significant.

    Args:
        order: the recipes, best first.
        scores: their scores.
        settings: settings of the tests.
        baseline: the recipe that gains refer to.
        sign: 1 if large scores are good, -1 if small ones are.
        estimates: the mean gains over searches; None without several searches.
    """

    def test(pairs: Sequence[tuple[str, str]], adjust: Adjustment) -> list[Evidence]:
        chosen = None if estimates is None else [estimates[pair] for pair in pairs]
        return evaluate_pairs([gains[pair] for pair in pairs], settings, chosen, adjust)

    pairs = list(itertools.combinations(order, 2))
    gains = {(a, b): compute_paired_gains(scores[a], scores[b], search_items=settings.search_items) for a, b in pairs}
    evidence = dict(zip(pairs, test(pairs, lambda p: adjust_shaffer(p, pairs)), strict=True))
    with_baseline = [pair for pair in pairs if baseline in pair]
    evidence |= dict(zip(with_baseline, test(with_baseline, adjust_holm), strict=True))
    return {
        (a, b): forgive_chance(a, b, _compute_mean(gains[a, b], found, sign), found, settings)
        for (a, b), found in evidence.items()
    }


def _compute_mean(differences: Array, evidence: Evidence, sign: float) -> float:
    """Return the mean gain; zero without pairs."""
    if evidence.estimate is not None:
        return evidence.estimate.mean
    return sign * float(np.mean(differences)) if len(differences) else 0.0


def assign_tiers(
    order: Sequence[str],
    status: Mapping[str, str],
    evidence: PairEvidence,
    nested: Collection[str] = (),
    baseline: str | None = None,
    *,
    means: Mapping[str, float] | None = None,
) -> dict[str, int]:
    """Return the tier of each recipe in ``order``, from 1.

    Going down the ranks, the first recipe that differs significantly from the tier's leader, or has another status,
    leads the next tier. A recipe of ``nested`` cannot truly be worse than the baseline, so while the baseline is in the
    tier it stays there, even if it differs from the leader.

    With several searches a tier may end only where its leader differs significantly from every recipe below of the same
    status, so that a tier order never rests on a difference between two other recipes. Among these places it ends at
    the widest gap between neighboring means: the first of them often lies among recipes that are nearly equal, where
    another search puts it elsewhere. A leader that differs from the baseline does not share its tier, if there is
    such a place.

    Of the tier orders in eight comparisons of the quickstart's recipes that differed in their searches alone, another
    one made 85 % too and reversed 0.2 % with tiers that end at the first place (22.3 of the 36 pairs are ordered), and
    100 % and none at the widest gap (18.0). In simulations with the search noise of real trials (digits, K = 4, R = 16)
    it is 86 % and 0.3 %, and 90 % and 0.1 %.

    Args:
        order: the recipes, best first; those of one status lie together.
        status: their status.
        evidence: evidence of each recipe against each one below.
        nested: recipes whose search space holds the baseline's point.
        baseline: the recipe that gains refer to.
        means: with several searches, the mean of each recipe; None with one.
    """
    tiers: dict[str, int] = {}
    start = 0
    while start < len(order):
        end = _find_end(order, start, status, evidence, nested, baseline, means)
        tiers |= dict.fromkeys(order[start:end], max(tiers.values(), default=0) + 1)
        start = end
    return tiers


def _find_end(
    order: Sequence[str],
    start: int,
    status: Mapping[str, str],
    evidence: PairEvidence,
    nested: Collection[str],
    baseline: str | None,
    means: Mapping[str, float] | None,
) -> int:
    """Return the position behind the tier whose leader is at ``start``; see `assign_tiers`."""
    leader = order[start]
    last = next((k for k in range(start, len(order)) if status[order[k]] != status[leader]), len(order))
    differs = [evidence[leader, each].significant for each in order[start + 1 : last]]  # (recipes below,)
    places = [
        k
        for k in range(start + 1, last)
        if not (order[k] in nested and baseline in order[start:k])
        and (differs[k - start - 1] if means is None else all(differs[k - start - 1 :]))
    ]
    if means is None or not places:
        return places[0] if places else last
    with_baseline = [k for k in places if baseline in order[k:last]]
    return max(with_baseline or places, key=lambda k: abs(means[order[k]] - means[order[k - 1]]))


def contrast_leaders(
    order: Sequence[str], scores: Mapping[str, Scores], sign: float, evidence: PairEvidence, settings: PairSettings
) -> Contrast | None:
    """Return the contrast of the first recipe with the second; None if there is only one."""
    if len(order) < 2:
        return None
    first, second = order[:2]
    gains = compute_paired_gains(scores[first], scores[second], sign, settings.search_items)
    return make_contrast(first, second, gains, evidence[first, second], settings)
