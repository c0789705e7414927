"""Pruning: stop a trial early that is far behind the earlier trials of its own recipe."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median
from typing import Any

from regzoo.core import Objective, Watcher

GRACE_FRACTION = 1 / 3
"""Fraction of the epochs in which no trial is pruned."""

MIN_TRIALS = 3
"""Number of finished trials without which nothing is pruned."""


class Pruner(Watcher):
    """Stops a run whose best score so far is worse than the bar for that epoch.

    The bar, a score for each epoch, comes from trials of the same recipe alone (`compute_median_bar`), so a recipe is
    never pruned for learning more slowly than another one.

    Args:
        bar: the best score required after each epoch; empty for no pruning.
        objective: metric and direction of the scores.

    Reference: Golovin et al. 2017, "Google Vizier", https://doi.org/10.1145/3097983.3098043 (median stopping rule).
    """

    def __init__(self, bar: Sequence[float], objective: Objective) -> None:
        self.bar = bar
        self.objective = objective
        self.best = objective.worst
        self.pruned = False

    def epoch(self, epoch: int, score: float, model: Any) -> bool:
        """Compare the best score so far with the bar; return True to stop."""
        self.best = score if self.objective.is_better(score, self.best) else self.best
        in_range = math.ceil(GRACE_FRACTION * len(self.bar)) <= epoch + 1 < len(self.bar)
        self.pruned = in_range and self.objective.is_better(self.bar[epoch], self.best)
        return self.pruned

    def finish(self, model: Any) -> None:
        """Leave the model as it is."""


def compute_median_bar(curves: Sequence[Sequence[float | None]], objective: Objective) -> tuple[float, ...]:
    """Return the median, over finished trials, of the best score after each epoch; empty below three trials.

    A trial that stopped early keeps its best score.

    Args:
        curves: validation scores of the recipe's finished trials, one number per epoch.
        objective: direction of the scores, and the epochs of a full training.

    >>> compute_median_bar([[3.0, 1.0], [2.0, 2.5], [4.0, 3.0]], Objective("nll", "min", 2))
    (3.0, 2.0)
    """
    if len(curves) < MIN_TRIALS:
        return ()
    better = min if objective.direction == "min" else max
    bests = []
    for curve in curves:
        scores = [objective.worst if score is None else score for score in curve]
        so_far = list(accumulate(scores, better))
        bests.append(so_far + so_far[-1:] * (objective.epochs - len(so_far)))
    return tuple(median(at_epoch) for at_epoch in zip(*bests, strict=True))
