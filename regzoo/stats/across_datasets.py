"""Several data sets: average ranks, and which recipes differ on data sets in general."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from regzoo.core.json_values import replace_nonfinite
from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.scores import Array, Direction


@dataclass(frozen=True)
class AcrossDatasets:
    """Recipes compared over data sets, each data set one vote however its scores are scaled.

    Attributes:
        recipes: best first, by average rank.
        datasets: those on which every recipe was run; the others do not count.
        average_ranks: of each recipe over the data sets, from 1; ties share their ranks.
        friedman: chi-squared of the average ranks, corrected for ties; NaN below three recipes.
        iman_davenport: F, Iman and Davenport's less cautious form of it; infinite if all data sets agree.
        p: of F: the chance of ranks so unequal if all recipes were equal; NaN below three recipes.
        critical_difference: average ranks that differ by more are told apart (Nemenyi, 95 %).
        groups: the largest sets of neighbours within one critical difference: the bars of the diagram.
        p_nemenyi: of each two recipes, in the order of ``recipes``.
    """

    recipes: tuple[str, ...]
    datasets: tuple[str, ...]
    average_ranks: tuple[float, ...]
    friedman: float
    iman_davenport: float
    p: float
    critical_difference: float
    groups: tuple[tuple[str, ...], ...]
    p_nemenyi: tuple[tuple[float, ...], ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, None for what is not known or infinite: ready for strict JSON."""
        plain: dict[str, Any] = replace_nonfinite(asdict(self))
        return plain


def compare_across_datasets(
    scores: Mapping[str, Mapping[str, Sequence[float]]], direction: Direction = "min"
) -> AcrossDatasets | None:
    """Compare recipes over data sets: Friedman's test, and Nemenyi's after it.

    On each data set recipes are ranked by diverged runs, then by mean, as in `rank`. The replicates on one data set
    give one mean: what varies here is the data set, so a claim about data sets in general needs many of them.

    Args:
        scores: the scores of each recipe on each data set; NaN for a diverged run.
        direction: ``min`` if small scores are good, else ``max``.

    Returns:
        None if there are fewer than two recipes, or than two data sets on which all were run.

    Reference: Demsar 2006, "Statistical Comparisons of Classifiers over Multiple Data Sets",
    https://jmlr.org/papers/v7/demsar06a.html; Iman and Davenport 1980, "Approximations of the Critical Region of the
    Friedman Statistic", https://doi.org/10.1080/03610928008827904.

    >>> found = compare_across_datasets({
    ...     "none": {"digits": [0.3], "iris": [0.2], "wine": [0.4]},
    ...     "l2": {"digits": [0.1], "iris": [0.1], "wine": [0.1]},
    ...     "l1": {"digits": [0.2], "iris": [0.3], "wine": [0.3]},
    ... })
    >>> found.recipes, [round(rank, 2) for rank in found.average_ranks]
    (('l2', 'l1', 'none'), [1.0, 2.33, 2.67])
    >>> round(found.friedman, 2), round(found.iman_davenport, 2), round(found.critical_difference, 2)
    (4.67, 7.0, 1.91)
    >>> found.groups
    (('l2', 'l1', 'none'),)
    """
    recipes = list(scores)
    datasets = [
        name
        for name in dict.fromkeys(n for each in scores.values() for n in each)
        if all(name in each for each in scores.values())
    ]
    if len(recipes) < 2 or len(datasets) < 2:
        return None
    ranks = np.array([_ranks([scores[recipe][name] for recipe in recipes], direction) for name in datasets])
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    names, ranks = tuple(recipes[place] for place in order), ranks[:, order]  # (datasets, recipes)
    average = ranks.mean(axis=0)
    difference = critical_difference(len(names), len(datasets))
    return AcrossDatasets(
        names,
        tuple(datasets),
        tuple(average.tolist()),
        *friedman(ranks),
        difference,
        _groups(names, average, difference),
        _nemenyi(ranks),
    )


def critical_difference(recipes: int, datasets: int) -> float:
    """Return how far two of so many average ranks must lie apart to be told apart: q sqrt(k (k + 1) / (6 N)).

    q is the 95 % point of the studentized range of k recipes with infinite degrees of freedom, over sqrt 2.

    Reference: Nemenyi 1963, "Distribution-free Multiple Comparisons"; Demsar 2006,
    https://jmlr.org/papers/v7/demsar06a.html.

    >>> round(critical_difference(recipes=8, datasets=8), 2)
    3.71
    """
    q = float(stats.studentized_range.ppf(1 - LEVEL, recipes, math.inf)) / math.sqrt(2)
    return q * math.sqrt(recipes * (recipes + 1) / (6 * datasets))


def friedman(ranks: Array) -> tuple[float, float, float]:
    """Return Friedman's chi-squared, Iman and Davenport's F and its p, of ranks (datasets, recipes).

    F = (N - 1) chi2 / (N (k - 1) - chi2), with k - 1 and (k - 1) (N - 1) degrees of freedom. All NaN below three
    recipes; 0, 0 and 1 if every data set ties all recipes.

    >>> friedman(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]))
    (4.0, inf, 0.0)
    """
    n, k = ranks.shape
    if k < 3:
        return math.nan, math.nan, math.nan
    if not np.ptp(ranks, axis=1).any():
        return 0.0, 0.0, 1.0
    chi2 = float(stats.friedmanchisquare(*ranks.T).statistic)
    left = n * (k - 1) - chi2
    f = (n - 1) * chi2 / left if left > 1e-9 else math.inf
    return chi2, f, float(stats.f.sf(f, k - 1, (k - 1) * (n - 1)))


def _ranks(results: Sequence[Sequence[float]], direction: Direction) -> list[float]:
    """Rank the recipes on one data set, from 1; ties share the mean of their ranks."""
    merits = [_merit(values, direction) for values in results]
    return [1 + sum(other < own for other in merits) + (merits.count(own) - 1) / 2 for own in merits]


def _merit(values: Sequence[float], direction: Direction) -> tuple[float, float]:
    """Small is good: diverged runs, then the mean to ten digits, so that rounding breaks no tie."""
    finished = [value for value in values if math.isfinite(value)]
    if not finished:
        return math.inf, 0.0
    mean = float(f"{np.mean(finished):.9e}")
    return len(values) - len(finished), mean if direction == "min" else -mean


def _groups(names: Sequence[str], average: Array, difference: float) -> tuple[tuple[str, ...], ...]:
    """The maximal runs of neighbours, in order, whose ends lie within one critical difference."""
    ends = [int(np.searchsorted(average, start + difference, side="right")) for start in average]
    first = [place for place, end in enumerate(ends) if place == 0 or end > ends[place - 1]]
    return tuple(tuple(names[place : ends[place]]) for place in first)


def _nemenyi(ranks: Array) -> tuple[tuple[float, ...], ...]:
    # Brings matplotlib and seaborn along, half a second that only comparisons over data sets need.
    from scikit_posthocs import posthoc_nemenyi_friedman

    return tuple(tuple(row) for row in posthoc_nemenyi_friedman(pd.DataFrame(ranks)).to_numpy().tolist())
