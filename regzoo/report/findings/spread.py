"""Where the spread of the scores comes from, and what to buy next: replicates, searches, trials or data."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance
from typing import Literal

from regzoo.comparison.coverage import Coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.formatting import float_or_nan, format_code, format_count, format_number, format_percent
from regzoo.report.descriptions import choose_leaderboard_decimals, list_nested_ties
from regzoo.report.runs import select_replicates
from regzoo.stats.power import CAP
from regzoo.stats.variance import VarianceComponents, estimate_variance_components
from regzoo.storage.info import ComparisonInfo
from regzoo.training.choice import get_setting
from regzoo.training.records import Record

LARGE = 0.5
"""Share of the variance above which one of its sources is the thing to change."""

FEWEST = 4
"""Below this number of searches, more replicates of the same ones are never recommended: t has too few degrees."""

MOST = 100
"""The most replicates of the same searches that are recommended in place of more searches."""


@dataclass(frozen=True)
class RecipeSpread:
    """Where the variance of one recipe comes from.

    Attributes:
        name: as the config writes it.
        score: of the ranking metric on validation, one replicate each; None if unknown.
        gain: of the paired gain over the baseline; None if unknown, and for the baseline.
        searched: whether the search can have a part in the gain: False if all replicates, of this recipe and of the
            baseline, have one setting each.
    """

    name: str
    score: VarianceComponents | None
    gain: VarianceComponents | None
    searched: bool = True


@dataclass(frozen=True)
class Purchase:
    """The runs that would settle an open verdict at the least cost.

    Attributes:
        kind: what to buy; ``nothing`` if the verdict is settled, or nothing that can be bought would settle it.
        replicates: number of replicates of every recipe, those made included.
        searches: number of searches of every recipe, those made included.
    """

    kind: Literal["nothing", "replicates", "searches", "data"]
    replicates: int = 0
    searches: int = 0


def measure_spread(
    leaderboard: Leaderboard, records: Sequence[Record], comparison: ComparisonInfo
) -> tuple[RecipeSpread, ...]:
    """Return the spread of every measured recipe, placebos left out; nothing unless there were several searches."""
    if comparison.searches < 2:
        return ()
    metric, sign = leaderboard.rank_by, -1.0 if leaderboard.direction == "min" else 1.0
    rows = [row for row in leaderboard.measured if not row.is_placebo]
    base = leaderboard.find(leaderboard.baseline)
    scores = {row.name: _read_scores(records, row.name, metric) for row in rows}
    reference = {} if base is None else scores.get(base.name, {})
    settings = {row.name: {get_setting(run.run) for run in select_replicates(records, row.name)} for row in rows}
    same = {name for name, chosen in settings.items() if len(chosen) < 2}
    ratio, found = comparison.test_train_ratio or 0.0, []
    for name, own in scores.items():
        gains = {key: sign * (score - reference[key]) for key, score in own.items() if key in reference}
        is_base, searched = base is not None and name == base.name, name not in same
        both = searched or base is None or base.name not in same
        gain = None if is_base else _estimate(gains, ratio, both)
        found.append(RecipeSpread(name, _estimate(own, ratio, searched), gain, both))
    return tuple(found)


def _read_scores(records: Sequence[Record], name: str, metric: str) -> dict[tuple[int, int], float]:
    """Return the finite scores by number of the replicate and of its search."""
    runs = select_replicates(records, name)
    return {(r.run.number, r.run.search): score for r in runs if math.isfinite(score := r.score(metric))}


def _estimate(scores: Mapping[tuple[int, int], float], ratio: float, searched: bool) -> VarianceComponents | None:
    """Return the components of ``scores``; where all have one setting, the search has no part in them."""
    searches = [search for _, search in scores]
    found = estimate_variance_components(list(scores.values()), searches, test_train_ratio=ratio)
    if found is None or searched:
        return found
    return dataclasses.replace(found, search=0.0, rest=variance(scores.values()))


def pool_gains(spreads: Sequence[RecipeSpread]) -> VarianceComponents | None:
    """Return the mean components of the gains: those of one recipe with few searches are little more than a guess."""
    known = [spread.gain for spread in spreads if spread.gain is not None]
    if not known:
        return None
    fewest = min(known, key=lambda each: each.replicates)
    search, rest = fmean(each.search for each in known), fmean(each.rest for each in known)
    return dataclasses.replace(fewest, search=search, rest=rest)


def choose_purchase(
    row: Row, pooled: VarianceComponents | None, coverage: Coverage, comparison: ComparisonInfo
) -> Purchase:
    """Return what would settle the verdict on ``row`` with the fewest runs.

    `replicates_needed` counts replicates in more searches, with as many in each as now. From the variance of the mean
    gain that it reaches follows how many replicates of the same searches would do: the part of the seeds shrinks, that
    of the searches stays. Repeated splits share rows, whose part of the variance no number of runs removes: where it is
    more than half of the variance, only more data helps.

    Args:
        row: of the recipe, other than the baseline.
        pooled: components of the gains, see `pool_gains`.
        coverage: searches and trainings so far.
        comparison: says how many trials a search has.
    """
    needed = row.replicates_needed
    if pooled is not None and pooled.rest * pooled.test_train_ratio > LARGE * pooled.standard_error**2:
        return Purchase("data") if needed is not None else Purchase("nothing")
    if needed is None or needed >= CAP:
        return Purchase("nothing")
    each = max(1, round(coverage.most / coverage.searches))
    searches = max(coverage.searches + 1, math.ceil(needed / each))
    more = Purchase("searches", searches * each, searches)
    if pooled is None or coverage.searches < FEWEST:
        return more
    wanted = (pooled.search + pooled.rest / each) / searches - pooled.search / coverage.searches
    if wanted <= 0:
        return more
    replicates = math.ceil(pooled.rest / wanted / coverage.searches) * coverage.searches
    replicates = max(replicates, coverage.most + coverage.searches)
    price = more.replicates + (searches - coverage.searches) * (comparison.trials + comparison.confirm)
    return Purchase("replicates", replicates, coverage.searches) if replicates <= min(price, MOST) else more


def find_purchase(
    leaderboard: Leaderboard, spreads: Sequence[RecipeSpread], coverage: Coverage, comparison: ComparisonInfo
) -> Purchase | None:
    """Return what would settle whether the best recipe beats the baseline; None unless there were several searches."""
    row = _find_challenger(leaderboard)
    if row is None or coverage.searches < 2:
        return None
    return choose_purchase(row, _choose_components(row, spreads), coverage, comparison)


def _choose_components(row: Row, spreads: Sequence[RecipeSpread]) -> VarianceComponents | None:
    """Return the pooled components of the gains; those of the row's own where the search has no part in its gain."""
    own = next((spread for spread in spreads if spread.name == row.name and not spread.searched), None)
    return pool_gains(spreads) if own is None else own.gain


def _find_challenger(leaderboard: Leaderboard) -> Row | None:
    """Return the best recipe other than the baseline."""
    rows = (row for row in leaderboard.measured if not row.is_placebo)
    return next((row for row in rows if not leaderboard.is_baseline(row)), None)


def describe_spread(
    leaderboard: Leaderboard, spreads: Sequence[RecipeSpread], coverage: Coverage, comparison: ComparisonInfo
) -> str:
    """Say where the spread of the gains comes from, and what to buy next, in one sentence; empty if unknown."""
    row, purchase = _find_challenger(leaderboard), find_purchase(leaderboard, spreads, coverage, comparison)
    if row is None or purchase is None:
        return ""
    pooled, others = _choose_components(row, spreads), name_other_sources(comparison)
    if pooled is None:
        runs = 2 * comparison.searches
        return (
            f"With one training for each search, the parts of the search and of the {others} are not known; "
            f"`repeats: {comparison.searches}` with `replicates: {runs}` would show them."
        )
    if not pooled.total:
        return "The gains do not vary, so there is nothing to buy."
    share = pooled.search / pooled.total
    whose = "a gain" if any(each.searched for each in spreads if each.name == row.name) else "this gain"
    parts = f"{format_percent(share)} of the variance of {whose} comes from the search, the rest from the {others}"
    advice = _advise(purchase, share, comparison)
    settled = f"whether {format_code(row.name)} differs from {format_code(leaderboard.baseline)}"
    if not advice:
        if row in list_nested_ties(leaderboard, comparison):
            tie = f"{format_code(row.name)} counts as a tie with {format_code(leaderboard.baseline)}"
            return f"{parts}; {tie}, so nothing needs to be bought to rule out that it is worse."
        if row.verdict in ("conclusive", "equivalent"):
            return f"{parts}; {settled} is settled, so nothing needs to be bought for it."
        return f"{parts}; nothing that can be bought would settle {settled}."
    decimals = choose_leaderboard_decimals(leaderboard) + 1
    errors = [format_number(value, decimals) for value in (
        pooled.standard_error, pooled.standard_error_twice_searches, pooled.standard_error_twice_replicates
    )]  # fmt: skip
    return (
        f"{parts}; {advice} (the standard error of a gain, now {errors[0]}, would be {errors[1]} with twice as many "
        f"searches, and {errors[2]} with twice as many replicates of the same searches)."
    )


def _advise(purchase: Purchase, share: float, comparison: ComparisonInfo) -> str:
    """Name what to buy; empty for nothing."""
    if purchase.kind == "data":
        return "buy more data next: most of what is left is common to all splits of these rows"
    if purchase.kind == "replicates":
        return f"buy more seeds next, `replicates: {purchase.replicates}` of the same searches"
    if purchase.kind == "nothing":
        return ""
    more = f"more searches next, `repeats: {purchase.searches}` with `replicates: {purchase.replicates}`"
    if share > LARGE:
        trials = format_count(2 * comparison.trials, "trial")
        return f"buy {more}, or more trials, such as {trials} a search, which bring the searches closer together"
    return f"buy {more}"


def name_other_sources(comparison: ComparisonInfo) -> str:
    """Name what varies between the replicates of one search: the seed, and the split if each has its own."""
    if comparison.folds > 1:
        return "seed and the fold"
    return "seed and the split" if "split" in comparison.vary else "seed"


def get_share(components: VarianceComponents | None, name: str) -> float:
    """Return the share of ``search`` or ``rest``; NaN if unknown."""
    return math.nan if components is None else float_or_nan(components.shares.get(name))
