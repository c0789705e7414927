"""Response of the score to a swept strength: the best value, its 95 % set, and the values that are as good."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from statistics import fmean
from typing import Any

import numpy as np
import pandas as pd

from regzoo.comparison.replicates import group_replicates
from regzoo.comparison.sweep import Sweep
from regzoo.core import BASELINE
from regzoo.core.json_values import replace_nonfinite
from regzoo.stats.bootstrap import LEVEL, draw_resamples
from regzoo.stats.paired import PairSettings
from regzoo.stats.scores import Direction
from regzoo.training.records import Record

Scores = dict[int, float]
"""Scores of the finished replicates of one recipe, by seed; their means by search, if there were several searches."""


@dataclass(frozen=True)
class ResponsePoint:
    """Results at one value of the strength, or at one combination of two; NaN for what is unknown.

    Attributes:
        values: of the strengths, in the order of the sweep; empty for the baseline.
        name: the recipe as the config writes it.
        mean, sd, low, high: of the ranking metric on validation; low and high are the ends of the mean's 95 % interval.
        train_mean, train_low, train_high: the same on the training part.
        replicates: number of replicates made.
        lost: number of those that diverged or failed.
        p_best: share of the resamples of the seeds in which it is the best.
        candidate: whether it belongs to the 95 % set of the best value.
        flat: whether it lies within one standard error of the best.
    """

    values: tuple[float, ...]
    name: str
    mean: float
    sd: float
    low: float
    high: float
    train_mean: float
    train_low: float
    train_high: float
    replicates: int
    lost: int
    p_best: float = math.nan
    candidate: bool = False
    flat: bool = False


@dataclass(frozen=True)
class StrengthResponse:
    """Result of a sweep.

    Attributes:
        sweep: the strengths that were swept.
        metric: the metric that ranks.
        direction: ``min`` if small is good, else ``max``.
        points: one for each value, or combination, in the order of the sweep.
        baseline: the recipe ``none``.
        best: the point with the best mean, the milder one of equals; None while nothing finished. A point with a lost
            replicate can be best only if every point has one.
        knee: the mildest point of the flat region; None if no value of the strength is neutral.
        searches: number of searches among which the replicates are shared out.
    """

    sweep: Sweep
    metric: str
    direction: Direction
    points: tuple[ResponsePoint, ...]
    baseline: ResponsePoint
    best: ResponsePoint | None
    knee: ResponsePoint | None
    searches: int = 1

    @property
    def flat(self) -> tuple[ResponsePoint, ...]:
        """The points within one standard error of the best, the best included."""
        return tuple(point for point in self.points if point.flat)

    @property
    def candidates(self) -> tuple[ResponsePoint, ...]:
        """The 95 % set of the best value, see `find_likely_best`."""
        return tuple(point for point in self.points if point.candidate)

    @property
    def interval(self) -> tuple[tuple[float, float], ...]:
        """The 95 % interval of the best value of each strength: the ends of the 95 % set."""
        columns = zip(*(point.values for point in self.candidates), strict=True)
        return tuple((min(values), max(values)) for values in columns)

    def to_dict(self) -> dict[str, Any]:
        """Return the content of ``sweep.json``, strict JSON: null for what is unknown and for an infinite limit."""
        over = [swept.name for swept in self.sweep.over]
        chosen = {"best": self.best, "knee": self.knee}
        sets = {"candidates": self.candidates, "flat": self.flat}
        values: dict[str, Any] = replace_nonfinite(
            {"over": over, "rank_by": self.metric, "direction": self.direction, "baseline": asdict(self.baseline)}
            | {key: None if point is None else point.values for key, point in chosen.items()}
            | {"best_interval": self.interval}
            | {key: [point.values for point in points] for key, points in sets.items()}
            | {"points": [asdict(point) for point in self.points]}
        )
        return values

    def to_frame(self) -> pd.DataFrame:
        """Return one row per point, with the strengths as the first columns."""
        names = [swept.name for swept in self.sweep.over]
        rows = []
        for point in self.points:
            row = asdict(point)
            row |= {"best": _is_same_point(point, self.best), "knee": _is_same_point(point, self.knee)}
            rows.append(dict(zip(names, row.pop("values"), strict=True)) | row)
        return pd.DataFrame(rows)


def measure_response(
    sweep: Sweep, records: Sequence[Record], metric: str, direction: Direction, test_train_ratio: float | None = None
) -> StrengthResponse:
    """Return the response to ``sweep`` that the replicates among ``records`` show.

    The flat region follows the one-standard-error rule: it holds all values whose mean is worse than the best by at
    most one standard error. It is the standard error of the paired difference, seed by seed (the sd of the differences
    over the square root of the number of pairs): runs of one seed share their initial weights, so two values may differ
    clearly although their intervals overlap. Breiman et al. take the standard error of the best value's own mean, which
    is usually larger. With fewer than two pairs only the best is flat.

    Where the replicates are shared out among several searches (of the learning rate, or of other strengths), the means
    of the searches take the place of single runs: those of one search share its luck.

    With ``test_train_ratio``, the replicates are repeated splits of the same rows: the intervals, that standard error
    and the spread of the resampled means are corrected as in `regzoo.stats.corrected_t`.

    Reference: Breiman, Friedman, Olshen and Stone 1984, "Classification and Regression Trees", section 3.4.3.
    """
    sign = 1.0 if direction == "min" else -1.0
    replicates = group_replicates(records, (*sweep.recipes, BASELINE))
    searches = max(1, len({record.run.search for group in replicates.values() for record in group}))
    several = searches > 1
    scores = {name: _read_scores(group, metric, several) for name, group in replicates.items()}
    settings, ratio = PairSettings(test_train_ratio=test_train_ratio), test_train_ratio or 0.0
    points = [
        _make_point(name, values, replicates.get(name, []), metric, settings, several)
        for name, values in sweep.combinations().items()
    ]
    baseline = _make_point(BASELINE, (), replicates.get(BASELINE, []), metric, settings, several)
    complete = [p for p in points if p.replicates and not p.lost] or [p for p in points if not math.isnan(p.mean)]
    if not complete:
        return StrengthResponse(sweep, metric, direction, tuple(points), baseline, None, None, searches)
    best = min(complete, key=lambda point: (sign * point.mean, _count_steps(sweep, point) or 0))
    shares = estimate_best_shares({point.name: scores[point.name] for point in complete}, direction, ratio)
    likely = find_likely_best(shares, best.name)
    flat = {
        point.name
        for point in complete
        if _is_same_point(point, best) or is_within_one_error(scores[point.name], scores[best.name], sign, ratio)
    }
    points = [
        replace(p, p_best=shares.get(p.name, math.nan), candidate=p.name in likely, flat=p.name in flat) for p in points
    ]
    best = next(point for point in points if point.name == best.name)
    knee = _find_knee(sweep, points, sign)
    return StrengthResponse(sweep, metric, direction, tuple(points), baseline, best, knee, searches)


def estimate_best_shares(scores: Mapping[str, Scores], direction: Direction, ratio: float = 0.0) -> dict[str, float]:
    """Return the share of resamples of the seeds, drawn with replacement, in which each recipe has the best mean.

    A resample takes the same seeds for all recipes, so their common effects cancel; equal recipes share the resample.
    Up to 6 seeds all resamples are enumerated. Empty with fewer than two common seeds.

    Args:
        scores: scores of each recipe, by seed.
        direction: ``min`` if small is good, else ``max``.
        ratio: validation rows per training row where replicates are repeated splits, else 0.

    >>> estimate_best_shares({"a": {1: 0.1, 2: 0.2}, "b": {1: 0.2, 2: 0.1}}, "min")
    {'a': 0.5, 'b': 0.5}
    """
    seeds = sorted(set.intersection(*map(set, scores.values())))
    if len(seeds) < 2:
        return {}
    sign = 1.0 if direction == "min" else -1.0
    matrix = sign * np.array([[by_seed[seed] for seed in seeds] for by_seed in scores.values()])  # (recipes, seeds)
    drawn, weights = draw_resamples(len(seeds), 0)
    means = drawn @ matrix.T  # (resamples, recipes)
    if ratio:  # of repeated splits: the variance of a mean is (1 / n + ratio) s^2, not s^2 / n
        means = matrix.mean(axis=1) + math.sqrt(1 + len(seeds) * ratio) * (means - matrix.mean(axis=1))
    lowest = means.min(axis=1, keepdims=True)
    won = means <= lowest + 1e-12 * np.abs(lowest)
    shares = weights @ (won / won.sum(axis=1, keepdims=True)) / weights.sum()
    return {name: float(share) for name, share in zip(scores, shares, strict=True)}


def find_likely_best(shares: Mapping[str, float], best: str) -> set[str]:
    """Return the 95 % set: the fewest recipes that are best in 95 % of the resamples; ``best`` always belongs to it.

    The ends of the set are an interval of the best value. Measured with nine values whose means form a parabola, with
    independent normal noise, for 5 and 10 seeds (1,500 simulations each, one standard error at most 0.6): the true best
    lies between the ends in 99.1 and 99.5 % of the simulations if its neighbors are worse by 0.5 sd, and always if by 2
    sd. Where all means are equal, so that no value is the best, the middle value lies between the ends in 94.9 and
    96.5 %, but belongs to the set in only 45 and 52 %: rely on the ends, not on the gaps between them.

    >>> sorted(find_likely_best({"a": 0.6, "b": 0.36, "c": 0.04}, "a"))
    ['a', 'b']
    """
    kept, total = {best} if shares else set(), shares.get(best, 0.0)
    for name, share in sorted(shares.items(), key=lambda item: -item[1]):
        if total >= 1 - LEVEL - 1e-12:
            break
        if name not in kept:
            kept.add(name)
            total += share
    return kept


def is_within_one_error(scores: Scores, best: Scores, sign: float, ratio: float = 0.0) -> bool:
    """Return True if a recipe's mean is worse than the best by at most one standard error of the paired difference."""
    differences = [sign * (scores[seed] - best[seed]) for seed in sorted(set(scores) & set(best))]
    if len(differences) < 2:
        return False
    count = len(differences) / (1 + len(differences) * ratio)  # independent pairs of the same variance
    return bool(np.mean(differences) <= np.std(differences, ddof=1) / math.sqrt(count))


def _is_same_point(point: ResponsePoint, other: ResponsePoint | None) -> bool:
    return other is not None and point.name == other.name


def _find_knee(sweep: Sweep, points: Sequence[ResponsePoint], sign: float) -> ResponsePoint | None:
    """Return the flat point that is fewest steps from neutral; the better one of equals."""
    steps = {point.name: _count_steps(sweep, point) for point in points if point.flat}
    flat = [(count, sign * point.mean, point) for point in points if (count := steps.get(point.name)) is not None]
    return min(flat, key=lambda item: item[:2])[2] if flat else None


def _count_steps(sweep: Sweep, point: ResponsePoint) -> int | None:
    """Return the number of steps from the neutral point, summed over strengths; None if no value is neutral."""
    steps = [swept.steps(value) for swept, value in zip(sweep.over, point.values, strict=True)]
    known = [count for count in steps if count is not None]
    return sum(known) if len(known) == len(steps) else None


def _read_scores(records: Sequence[Record], metric: str, several: bool, part: str = "validation") -> Scores:
    """Return the finite scores by seed, or with ``several`` searches their means by number of the search."""
    found: dict[int, list[float]] = {}
    for record in records:
        if math.isfinite(score := record.score(metric, part)):
            found.setdefault(record.run.search if several else record.run.seed, []).append(score)
    return {key: fmean(scores) for key, scores in found.items()}


def _make_point(
    name: str,
    values: tuple[float, ...],
    records: Sequence[Record],
    metric: str,
    settings: PairSettings,
    several: bool,
) -> ResponsePoint:
    scores = [score for record in records if math.isfinite(score := record.score(metric))]
    train = [score for record in records if math.isfinite(score := record.score(metric, "train"))]
    low, high = settings.interval(_read_scores(records, metric, several).values() if several else scores)
    by_search = _read_scores(records, metric, several, "train").values()
    train_low, train_high = settings.interval(by_search if several else train)
    return ResponsePoint(
        values=values,
        name=name,
        mean=float(np.mean(scores)) if scores else math.nan,
        sd=float(np.std(scores, ddof=1)) if len(scores) > 1 else math.nan,
        low=low,
        high=high,
        train_mean=float(np.mean(train)) if train else math.nan,
        train_low=train_low,
        train_high=train_high,
        replicates=len(records),
        lost=len(records) - len(scores),
    )
