"""Every pair of recipes of a ranking: the gain of one over the other, and whether the data tell them apart."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass

from regzoo.stats.scores import Scores, compute_paired_gains
from regzoo.stats.tiers import PairEvidence


@dataclass(frozen=True)
class RecipePair:
    """Two recipes.

    Attributes:
        recipe: the one that ranks higher.
        other: the other.
        gain: mean paired improvement of ``recipe`` over ``other``, in the metric's units; NaN without pairs. Where runs
            diverged, the recipe that ranks higher may have the worse scores.
        p_adjusted: two-sided p-value of the gain, adjusted as `regzoo.stats.tiers.evaluate_all_pairs` describes.
        significant: whether the recipes differ significantly; a loss that can only be due to chance is not significant,
            whatever its p-value, see `regzoo.stats.paired.PairSettings`.
    """

    recipe: str
    other: str
    gain: float
    p_adjusted: float
    significant: bool


def list_pairs(evidence: PairEvidence, scores: Mapping[str, Scores], sign: float) -> tuple[RecipePair, ...]:
    """Return every pair in ``evidence``.

    Args:
        evidence: of each recipe against each one ranked below it.
        scores: scores by recipe.
        sign: 1 if large scores are good, -1 if small ones are.
    """
    pairs = []
    for (recipe, other), found in evidence.items():
        if found.estimate is not None:
            gain = found.estimate.mean
        else:
            gains = compute_paired_gains(scores[recipe], scores[other], sign)
            gain = float(gains.mean()) if len(gains) else math.nan
        pairs.append(RecipePair(recipe, other, gain, found.p, found.significant))
    return tuple(pairs)
