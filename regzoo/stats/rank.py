"""Ranking of recipes by their scores: paired gains over a baseline, intervals, p-values and tiers.

It reads only a tidy table of scores, so it can rank any experiment.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from regzoo.core.errors import InputError, did_you_mean
from regzoo.stats.across_datasets import AcrossDatasets, compare_across_datasets
from regzoo.stats.hierarchical import compute_search_means, estimate_over_searches
from regzoo.stats.paired import Contrast, PairSettings, make_contrasts
from regzoo.stats.rank_options import read_settings
from regzoo.stats.recipe_pairs import RecipePair, list_pairs
from regzoo.stats.scores import Array, Direction, Scores, arrange_by_search, compute_paired_gains, read_scores
from regzoo.stats.tiers import assign_tiers, contrast_leaders, estimate_all_pairs, evaluate_all_pairs
from regzoo.stats.winners_curse import estimate_shrunk_gain

AGAINST_BASELINE = (
    *("gain", "gain_low", "gain_high", "p_holm", "p_wilcoxon", "p_better", "p_better_low", "p_better_high"),
    *("verdict", "replicates_needed"),
)
COLUMNS = (
    *("rank", "tier", "mean", "sd", "iqm", "low", "high", *AGAINST_BASELINE),
    *("replicates", "diverged", "status"),
)
RowsByRecipe = dict[str, dict[str, Any]]


@dataclass(frozen=True, eq=False)
class Ranking:
    """Recipes ranked by their scores.

    Attributes:
        table: one row per recipe, in rank order, indexed by recipe. Columns:
            ``rank`` from 1; ``tier`` from 1: recipes that do not differ significantly from the tier's first one (with
            several searches see below), missing if ``failed``;
            ``mean``, ``sd``, ``iqm`` (interquartile mean) of the finished scores, in the metric's units; over several
            searches ``mean`` is the mean of their means;
            ``low``, ``high``: 95 % interval of the mean;
            ``gain``: mean paired improvement over the baseline; positive is better, whatever the direction;
            ``gain_low``, ``gain_high``: its 95 % interval;
            ``p_holm``: two-sided p-value of the gain, Holm-adjusted over the other recipes;
            ``p_wilcoxon``: p-value of Wilcoxon's signed ranks, Holm-adjusted too; missing for repeated splits and for
            several searches;
            ``p_better``: share of pairs in which it beats the baseline; ties count half;
            ``p_better_low``, ``p_better_high``: its 95 % interval;
            ``verdict`` on the gain: ``equivalent`` if its interval lies within ``rope``, else ``conclusive`` if
            the recipe differs significantly from the baseline, else ``inconclusive``; a loss of a recipe of
            ``nested`` is never conclusive;
            ``replicates_needed``: number of replicates, those made included, that would make it conclusive; 1,000
            stands for 1,000 or more; missing unless inconclusive, and where a recipe of ``nested`` loses;
            ``replicates``: runs made, of which ``diverged`` have no finite score;
            ``status``: ``ok``, ``diverged`` (some runs did) or ``failed`` (all runs did).
        direction: ``min`` if small scores are good, else ``max``.
        baseline: the recipe that the others are compared with, or None.
        lead: the winner against the recipe of rank 2, adjusted as tiers are; None unless both finished.
        shrunk_gain: the winner's expected gain on fresh seeds, without its selection bias, see
            `regzoo.stats.winners_curse`; None if the baseline won, there is no baseline, or there are fewer than two
            pairs.
        several: the comparison over data sets, which `regzoo.critical_difference_diagram` draws; None if the table
            holds fewer than two.
        pairs: every pair of recipes of which runs finished, and whether they differ significantly.
    """

    table: pd.DataFrame
    direction: Direction
    baseline: str | None
    lead: Contrast | None = None
    shrunk_gain: float | None = None
    several: AcrossDatasets | None = None
    pairs: tuple[RecipePair, ...] = ()

    @property
    def winner(self) -> str | None:
        """The recipe of rank 1, or None if no run finished."""
        best = self.table.iloc[0]
        return None if best["status"] == "failed" else str(best.name)


def rank(
    frame: pd.DataFrame,
    direction: Direction = "min",
    baseline: str | None = "none",
    seed: int = 0,
    *,
    test_train_ratio: float | None = None,
    rope: float | None = None,
    looks: int = 1,
    nested: Collection[str] = (),
) -> Ranking:
    """Rank recipes by the mean of their scores, with paired gains over a baseline, intervals and tiers.

    Recipes are paired by seed (and search, fold and dataset, where these columns exist); only pairs in which both runs
    finished count. Scores that are not finite are diverged runs: a recipe with diverged runs ranks after all those
    without, the more the lower. Recipes with equal means keep their order of appearance.

    Interval and p-value of a gain come from one paired bootstrap-t, see `regzoo.stats.bootstrap`. Holm's adjustment
    keeps the probability of any false claim about a gain, among all recipes, near 5 %. With enough pairs to reach
    significance, Wilcoxon's signed ranks must agree; `regzoo.stats.paired.evaluate_pairs` has the rule and the
    measurements behind it.

    Tiers: the best recipe leads tier 1; going down the ranks, the first recipe that differs significantly from the
    leader leads the next tier. These differences are adjusted over all pairs of recipes, because the leader was picked
    among them all; differences from the baseline over the other recipes, as gains are, so that a tier never contradicts
    a verdict on its leader. With 5 replicates, 2, 3 and 9 equal recipes share one tier in 94, 93 and 91 % of 1,000
    simulated comparisons. A recipe with diverged runs never shares a tier with one without: no test is needed to see
    that they differ.

    With a column ``search`` that holds two or more searches, the claims are about the mean over searches: the recipe
    tuned again, not only trained again. A mean is that of the search means, and the interval and p-value of a gain come
    from one t with a moderated variance between search means (measured in `regzoo.stats.hierarchical`), adjusted
    over all pairs by Shaffer's method (`regzoo.stats.shaffer`). A tier then ends only where its first recipe differs
    significantly from every one below, see `regzoo.stats.tiers`. A search without a finished run of a recipe does not
    count for it. With several data sets each has searches of its own.

    With a column ``dataset`` the table pools all data sets, which is meaningful where the metric has the same scale on
    each; `Ranking.several` compares average ranks and needs no common scale.

    Args:
        frame: one row per run, with columns ``recipe``, ``seed`` and ``score``, optionally ``search``, ``fold`` and
            ``dataset``.
        direction: ``min`` if small scores are good, ``max`` if large ones are.
        baseline: the recipe to compare with; None for no comparison.
        seed: seed of the resampling (used from 7 pairs on; with fewer, all resamples are enumerated).
        test_train_ratio: test rows per training row, if the runs are repeated splits of the same rows: 1/9 for 10-fold
            cross-validation, 0.25 for hold-outs of one fifth. Their training sets overlap, so intervals and p-values
            use Nadeau and Bengio's corrected variance, see `regzoo.stats.corrected_t`. Without it every row of
            ``frame`` counts as independent, which overstates the evidence of folds.
        rope: the largest gain or loss, in the metric's units, that makes no difference in practice.
        looks: number of interim analyses, the last included: how many times results may be analyzed before the
            comparison ends. P-values are multiplied by it, see `regzoo.stats.paired.PairSettings`.
        nested: recipes whose search space holds the baseline's point: all strengths neutral. With enough trials they
            would find it, so they can lose to the baseline by the noise of the search only. Such a loss is
            ``inconclusive``, however small its p-value, and opens no tier below the baseline's. A text is one name.

    Raises:
        InputError: if a column, value, option or baseline is missing or wrong, or a run is listed twice.

    Reference: Holm 1979, "A Simple Sequentially Rejective Multiple Test Procedure",
    https://www.jstor.org/stable/4615733.

    >>> frame = pd.DataFrame({"recipe": ["none"] * 3 + ["l2"] * 3, "seed": [0, 1, 2] * 2})
    >>> frame["score"] = [0.30, 0.34, 0.32, 0.21, 0.23, 0.22]
    >>> ranking = rank(frame)
    >>> print(ranking.winner, ranking.table.loc["l2", ["gain", "p_holm"]].astype(float).round(4).to_list())
    l2 [0.1, 0.0033]
    >>> print(ranking.lead.verdict, round(ranking.shrunk_gain, 2))
    conclusive 0.1

    With 0.2 as the smallest difference that matters, the same gain is equivalent, although it is significant:

    >>> rank(frame, rope=0.2).table.loc["l2", "verdict"]
    'equivalent'

    A second search finds another gain, 0.3: within each search the seeds agree, but two searches are few.

    >>> second = frame.assign(search=1, score=frame["score"] - 0.2 * (frame["recipe"] == "l2"))
    >>> both = rank(pd.concat([frame.assign(search=0), second]))
    >>> print(both.table.loc["l2", ["gain", "p_holm"]].astype(float).round(4).to_list())
    [0.2, 0.2952]

    The same three scores from 3-fold cross-validation, which has one test row for two training rows:

    >>> folds = frame.rename(columns={"seed": "fold"}).assign(seed=0)
    >>> print(rank(folds, test_train_ratio=1 / 2).table.loc["l2", "p_holm"].round(4))
    0.0082

    Data sets whose scores differ in scale:

    >>> several = rank(pd.concat([frame.assign(dataset=name) for name in ("digits", "iris")])).several
    >>> several.recipes, several.average_ranks, round(several.critical_difference, 2)
    (('l2', 'none'), (1.0, 2.0), 1.39)
    """
    scores = read_scores(frame)
    if baseline is not None and baseline not in scores:
        raise InputError(f"baseline: no row has the recipe {baseline!r}.{did_you_mean(str(baseline), scores)}")
    settings = read_settings(frame, direction, seed, test_train_ratio, rope, looks)
    names = _read_nested(nested, scores)
    settings = replace(settings, cannot_lose=frozenset((name, baseline) for name in names if baseline is not None))
    sign, items = -1.0 if direction == "min" else 1.0, settings.search_items
    rows = {recipe: _describe(values, settings) for recipe, values in scores.items()}
    if items:
        _describe_over_searches(rows, scores, settings)
    estimates = estimate_all_pairs(scores, settings, sign)
    if baseline is not None:
        others = [name for name in rows if name != baseline]
        gains = {(name, baseline): compute_paired_gains(scores[name], scores[baseline], sign, items) for name in others}
        for (recipe, _), contrast in make_contrasts(gains, settings, estimates).items():
            rows[recipe] |= {column: getattr(contrast, column) for column in AGAINST_BASELINE}
    order = sorted(rows, key=lambda recipe: _sort_key(rows[recipe], sign))
    finished = [recipe for recipe in order if rows[recipe]["status"] != "failed"]
    evidence = evaluate_all_pairs(finished, scores, settings, baseline, sign, estimates)
    status = {recipe: str(rows[recipe]["status"]) for recipe in finished}
    means = None if estimates is None else {recipe: float(rows[recipe]["mean"]) for recipe in finished}
    tiers = assign_tiers(finished, status, evidence, nested, baseline, means=means)
    for number, recipe in enumerate(order, start=1):
        rows[recipe] |= {"rank": number, "tier": tiers.get(recipe, pd.NA)}
    return Ranking(
        _make_table(order, rows),
        direction,
        baseline,
        contrast_leaders(finished, scores, sign, evidence, settings),
        _shrink_gain(finished, rows, scores, baseline, sign, settings),
        compare_across_datasets(_split_by_dataset(scores), direction) if "dataset" in frame.columns else None,
        list_pairs(evidence, scores, sign),
    )


def _read_nested(nested: Collection[str], recipes: Collection[str]) -> Collection[str]:
    names = [nested] if isinstance(nested, str) else nested
    for name in names:
        if name not in recipes:
            raise InputError(f"nested: no row has the recipe {name!r}.{did_you_mean(str(name), recipes)}")
    return names


def _describe(scores: Scores, settings: PairSettings) -> dict[str, Any]:
    """Return the columns of a recipe that need no other recipe."""
    values = np.array([scores[pair] for pair in sorted(scores)])  # (replicates,)
    finished = values[np.isfinite(values)]
    diverged = len(values) - len(finished)
    low, high = (math.nan, math.nan) if settings.search_items else settings.interval(finished)
    return {
        "mean": float(finished.mean()) if len(finished) else math.nan,
        "sd": float(finished.std(ddof=1)) if len(finished) > 1 else math.nan,
        "iqm": float(stats.trim_mean(finished, 0.25)) if len(finished) else math.nan,
        "low": low,
        "high": high,
        "replicates": len(values),
        "diverged": diverged,
        **dict.fromkeys(AGAINST_BASELINE, math.nan),
        **dict.fromkeys(("verdict", "replicates_needed")),
        "status": "failed" if not len(finished) else "diverged" if diverged else "ok",
    }


def _describe_over_searches(rows: RowsByRecipe, scores: Mapping[str, Scores], settings: PairSettings) -> None:
    """Replace mean and interval by those over searches, which are moderated over the recipes."""
    samples = [_arrange(values, settings) for values in scores.values()]
    estimates = estimate_over_searches(samples, len(scores), settings.test_train_ratio, settings.split_by_search)
    for recipe, found in zip(scores, estimates, strict=True):
        rows[recipe] |= {"mean": found.mean, "low": found.low, "high": found.high}


def _arrange(scores: Scores, settings: PairSettings) -> Array:
    pairs = sorted(scores)
    return arrange_by_search(np.array([scores[pair] for pair in pairs]), pairs, settings.search_items)


def _sort_key(row: Mapping[str, Any], sign: float) -> tuple[bool, int, float]:
    """Return the sort key of a recipe: finished before failed, fewer diverged runs first, then the mean."""
    failed = row["status"] == "failed"
    return failed, row["diverged"], 0.0 if failed else -sign * row["mean"]


def _make_table(order: Sequence[str], rows: RowsByRecipe) -> pd.DataFrame:
    table = pd.DataFrame([rows[recipe] for recipe in order], columns=list(COLUMNS))
    table.index = pd.Index(order, name="recipe", dtype=object)
    return table.astype({"tier": "Int64", "replicates_needed": "Int64", "verdict": object})


def _shrink_gain(
    order: Sequence[str],
    rows: RowsByRecipe,
    scores: Mapping[str, Scores],
    baseline: str | None,
    sign: float,
    settings: PairSettings,
) -> float | None:
    """Return the winner's gain without selection bias; only recipes with as few diverged runs could have won."""
    if baseline is None or not order or order[0] == baseline:
        return None
    rivals = [recipe for recipe in order if rows[recipe]["diverged"] == rows[order[0]]["diverged"]]
    recipes = [*rivals, baseline]
    pairs = [
        pair for pair in sorted(scores[baseline]) if all(math.isfinite(scores[r].get(pair, math.nan)) for r in recipes)
    ]
    values = np.array([[scores[recipe][pair] for pair in pairs] for recipe in recipes])  # (recipes, pairs)
    gains = sign * (values[:-1] - values[-1])
    if settings.search_items:  # whole searches are resampled
        gains = np.array([compute_search_means(arrange_by_search(row, pairs, settings.search_items)) for row in gains])
    return estimate_shrunk_gain(gains, settings.seed)


def _split_by_dataset(scores: Mapping[str, Scores]) -> dict[str, dict[str, list[float]]]:
    """Return the scores of each recipe on each data set, which is the last item of their pairing key."""
    split: dict[str, dict[str, list[float]]] = {}
    for recipe, values in scores.items():
        for (*_, dataset), score in values.items():
            split.setdefault(recipe, {}).setdefault(dataset, []).append(score)
    return split
