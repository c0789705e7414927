"""Compare recipes over several data sets: average ranks, Friedman's test and Nemenyi's."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from scipy import stats

from regzoo.core.json_values import replace_nonfinite
from regzoo.stats.bootstrap import LEVEL
from regzoo.stats.scores import Array, Direction


@dataclass(frozen=True)
class AcrossDatasets:
    """Recipes compared over data sets. Every data set counts equally, whatever the scale of its scores.

    Attributes:
        recipes: best first, by average rank.
        datasets: the data sets on which every recipe was run; the others do not count.
        average_ranks: average rank of each recipe, from 1; ties share their ranks.
        friedman: Friedman's chi-squared of the ranks, corrected for ties; NaN with fewer than three recipes.
        iman_davenport: Iman and Davenport's F, a less conservative form of it; infinite if all data sets agree.
        p: p-value of F; NaN with fewer than three recipes.
        critical_difference: average ranks that differ by more differ significantly (Nemenyi, 5 %).
        groups: the largest sets of recipes, next to each other in rank, within one critical difference: the bars of
            the diagram.
        p_nemenyi: Nemenyi's p-value of every pair of recipes, in the order of ``recipes``.
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
        """Return plain values for strict JSON, None for what is unknown or infinite."""
        values: dict[str, Any] = replace_nonfinite(asdict(self))
        return values


def compare_across_datasets(
    scores: Mapping[str, Mapping[str, Sequence[float]]], direction: Direction = "min"
) -> AcrossDatasets | None:
    """Compare recipes over data sets with Friedman's test, followed by Nemenyi's.

    On each data set recipes are ranked by diverged runs, then by mean, as in `rank`. The replicates on one data set
    give one mean: the sample here is the data sets, so a claim about data sets in general needs many of them.

    Args:
        scores: scores of every recipe on every data set; NaN for a diverged run.
        direction: ``min`` if small scores are good, else ``max``.

    Returns:
        None with fewer than two recipes, or fewer than two data sets on which all were run.

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
    ranks = np.array([_rank_recipes([scores[recipe][name] for recipe in recipes], direction) for name in datasets])
    order = np.argsort(ranks.mean(axis=0), kind="stable")
    names, ranks = tuple(recipes[index] for index in order), ranks[:, order]  # (datasets, recipes)
    averages = ranks.mean(axis=0)
    difference = compute_critical_difference(len(names), len(datasets))
    return AcrossDatasets(
        names,
        tuple(datasets),
        tuple(averages.tolist()),
        *compute_friedman(ranks),
        difference,
        _find_groups(names, averages, difference),
        tuple(map(tuple, compute_nemenyi_p(averages, len(datasets)).tolist())),
    )


def compute_critical_difference(recipes: int, datasets: int) -> float:
    """Return the difference of two average ranks from which on it is significant: q sqrt(k (k + 1) / (6 N)).

    q is the 95 % point of the studentized range of k recipes with infinite degrees of freedom, divided by sqrt 2.

    Reference: Nemenyi 1963, "Distribution-free Multiple Comparisons"; Demsar 2006,
    https://jmlr.org/papers/v7/demsar06a.html.

    >>> round(compute_critical_difference(recipes=8, datasets=8), 2)
    3.71
    """
    q = float(stats.studentized_range.ppf(1 - LEVEL, recipes, math.inf)) / math.sqrt(2)
    return q * math.sqrt(recipes * (recipes + 1) / (6 * datasets))


def compute_nemenyi_p(averages: Array, datasets: int) -> Array:
    """Return Nemenyi's p-value of every pair of ``averages``, average ranks over ``datasets`` data sets.

    With q = |difference| / sqrt(k (k + 1) / (12 N)) it is the upper tail of the studentized range of k recipes with
    infinite degrees of freedom at q; 1 on the diagonal. It is below 0.05 where the difference exceeds
    `compute_critical_difference`.

    Args:
        averages: average ranks, (recipes,).
        datasets: number of data sets.

    Returns:
        Symmetric matrix, (recipes, recipes).

    Reference: Nemenyi 1963, "Distribution-free Multiple Comparisons"; Demsar 2006,
    https://jmlr.org/papers/v7/demsar06a.html.

    >>> compute_nemenyi_p(np.array([1.0, 2.0, 3.0]), datasets=6).round(3).tolist()
    [[1.0, 0.193, 0.002], [0.193, 1.0, 0.193], [0.002, 0.193, 1.0]]
    """
    recipes = len(averages)
    p = np.ones((recipes, recipes))
    first, second = np.triu_indices(recipes, 1)
    q = abs(averages[first] - averages[second]) / math.sqrt(recipes * (recipes + 1) / (12 * datasets))
    p[first, second] = p[second, first] = stats.studentized_range.sf(q, recipes, math.inf)
    return p


def compute_friedman(ranks: Array) -> tuple[float, float, float]:
    """Return Friedman's chi-squared, Iman and Davenport's F and its p-value for ``ranks`` (datasets, recipes).

    F = (N - 1) chi2 / (N (k - 1) - chi2), with k - 1 and (k - 1) (N - 1) degrees of freedom. All NaN with fewer than
    three recipes; 0, 0 and 1 if every data set ties all recipes.

    >>> compute_friedman(np.array([[1.0, 2.0, 3.0], [1.0, 2.0, 3.0]]))
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


def _rank_recipes(results: Sequence[Sequence[float]], direction: Direction) -> list[float]:
    """Rank the recipes on one data set, from 1; ties share the mean of their ranks."""
    keys = [_make_sort_key(values, direction) for values in results]
    return [1 + sum(other < own for other in keys) + (keys.count(own) - 1) / 2 for own in keys]


def _make_sort_key(values: Sequence[float], direction: Direction) -> tuple[float, float]:
    """Return a sort key, best first: diverged runs, then the mean to ten digits, so that rounding breaks no tie."""
    finished = [value for value in values if math.isfinite(value)]
    if not finished:
        return math.inf, 0.0
    mean = float(f"{np.mean(finished):.9e}")
    return len(values) - len(finished), mean if direction == "min" else -mean


def _find_groups(names: Sequence[str], averages: Array, difference: float) -> tuple[tuple[str, ...], ...]:
    """Return the longest stretches of ``names`` whose ends lie within one critical difference, in order."""
    ends = [int(np.searchsorted(averages, start + difference, side="right")) for start in averages]
    starts = [index for index, end in enumerate(ends) if index == 0 or end > ends[index - 1]]
    return tuple(tuple(names[start : ends[start]]) for start in starts)
