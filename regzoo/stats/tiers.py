"""Tiers: recipes that the data cannot tell from the best of them share one."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from regzoo.stats.paired import Contrast, Evidence, PairSettings, evaluate_pairs, make_contrast
from regzoo.stats.scores import Scores, paired_gains

PairEvidence = Mapping[tuple[str, str], Evidence]
"""The evidence of each recipe against each one below it."""


def evaluate_all_pairs(
    order: Sequence[str], scores: Mapping[str, Scores], rules: PairSettings, baseline: str | None = None
) -> PairEvidence:
    """Weigh every two recipes of ``order``, adjusted over all pairs, since the leader was picked among them all.

    Pairs with the baseline are adjusted as its gains are, over the other recipes, so that tiers and verdicts agree.
    """
    pairs = list(itertools.combinations(order, 2))
    gains = {(one, other): paired_gains(scores[one], scores[other]) for one, other in pairs}
    found = dict(zip(pairs, evaluate_pairs(list(gains.values()), rules), strict=True))
    own = [pair for pair in pairs if baseline in pair]
    return found | dict(zip(own, evaluate_pairs([gains[pair] for pair in own], rules), strict=True))


def assign_tiers(order: Sequence[str], status: Mapping[str, str], evidence: PairEvidence) -> dict[str, int]:
    """Return the tier of each recipe in ``order``, from 1; only the leaders open one.

    Going down the ranks, the first recipe that is told apart from the leader, or has another status, leads the next
    tier.
    """
    found: dict[str, int] = {}
    leader = ""
    for recipe in order:
        new = not found or status[recipe] != status[leader] or evidence[leader, recipe].significant
        leader = recipe if new else leader
        found[recipe] = max(found.values(), default=0) + new
    return found


def lead_over_runner_up(
    order: Sequence[str], scores: Mapping[str, Scores], sign: float, evidence: PairEvidence, rules: PairSettings
) -> Contrast | None:
    """Return the first recipe against the second; None if there is but one."""
    if len(order) < 2:
        return None
    first, second = order[:2]
    return make_contrast(
        first, second, paired_gains(scores[first], scores[second], sign), evidence[first, second], rules
    )
