"""Tiers of recipes: those that do not differ significantly from the best of them share one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from regzoo.stats.paired import Contrast, Evidence, PairSettings, evaluate_pairs, make_contrast
from regzoo.stats.scores import Scores, compute_paired_gains

PairEvidence = Mapping[tuple[str, str], Evidence]
"""Evidence of each recipe against each one ranked below it."""


def evaluate_all_pairs(
    order: Sequence[str], scores: Mapping[str, Scores], settings: PairSettings, baseline: str | None = None
) -> PairEvidence:
    """Test every pair of recipes in ``order``, adjusted over all pairs, because the leader was picked among them all.

    Pairs with the baseline are adjusted over the other recipes, as its gains are, so that tiers agree with verdicts.
    """
    pairs = list(itertools.combinations(order, 2))
    gains = {(one, other): compute_paired_gains(scores[one], scores[other]) for one, other in pairs}
    evidence = dict(zip(pairs, evaluate_pairs(list(gains.values()), settings), strict=True))
    with_baseline = [pair for pair in pairs if baseline in pair]
    adjusted = evaluate_pairs([gains[pair] for pair in with_baseline], settings)
    return evidence | dict(zip(with_baseline, adjusted, strict=True))


def assign_tiers(order: Sequence[str], status: Mapping[str, str], evidence: PairEvidence) -> dict[str, int]:
    """Return the tier of each recipe in ``order``, from 1.

    Going down the ranks, the first recipe that differs significantly from the tier's leader, or has another status,
    leads the next tier.
    """
    tiers: dict[str, int] = {}
    leader = ""
    for recipe in order:
        new = not tiers or status[recipe] != status[leader] or evidence[leader, recipe].significant
        leader = recipe if new else leader
        tiers[recipe] = max(tiers.values(), default=0) + new
    return tiers


def contrast_leaders(
    order: Sequence[str], scores: Mapping[str, Scores], sign: float, evidence: PairEvidence, settings: PairSettings
) -> Contrast | None:
    """Return the contrast of the first recipe with the second; None if there is only one."""
    if len(order) < 2:
        return None
    first, second = order[:2]
    return make_contrast(
        first, second, compute_paired_gains(scores[first], scores[second], sign), evidence[first, second], settings
    )
