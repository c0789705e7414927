"""Pruning: a trial that is far behind its own recipe's earlier trials is not trained to the end."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate
from statistics import median
from typing import Any

from regzoo.core import Objective, Watcher

GRACE_SHARE = 1 / 3
"""Share of its epochs that every trial is trained, however it starts."""

MIN_TRIALS = 3
"""Finished trials without which there is no bar."""


class Pruner(Watcher):
    """Stops a run whose best score so far is worse than the bar for that epoch.

    The bar is made of the same recipe's trials alone (`median_bar`), so a recipe that starts slowly is measured by
    its own slow start and never cut for being slower than another.

    Args:
        bar: the best score wanted after each epoch; empty for no pruning.
        objective: what is watched.

    Reference: Golovin et al. 2017, "Google Vizier", https://doi.org/10.1145/3097983.3098043 (median stopping rule).
    """

    def __init__(self, bar: Sequence[float], objective: Objective) -> None:
        self.bar = bar
        self.objective = objective
        self.best = objective.worst
        self.pruned = False

    def epoch(self, epoch: int, score: float, model: Any) -> bool:
        """Compare the best score so far with the bar."""
        self.best = score if self.objective.better(score, self.best) else self.best
        late = epoch + 1 >= math.ceil(GRACE_SHARE * len(self.bar)) and epoch + 1 < len(self.bar)
        self.pruned = late and self.objective.better(self.bar[epoch], self.best)
        return self.pruned

    def finish(self, model: Any) -> None:
        """Nothing: the model stays as it is."""


def median_bar(curves: Sequence[Sequence[float | None]], objective: Objective) -> tuple[float, ...]:
    """The median, over finished trials, of the best score after each epoch; empty below three trials.

    A trial that stopped by itself keeps its best score.

    Args:
        curves: validation scores of the recipe's finished trials, one number an epoch.
        objective: which direction is better, and the epochs of a full training.

    >>> median_bar([[3.0, 1.0], [2.0, 2.5], [4.0, 3.0]], Objective("nll", "min", 2))
    (3.0, 2.0)
    """
    if len(curves) < MIN_TRIALS:
        return ()
    pick = min if objective.direction == "min" else max
    bests = []
    for curve in curves:
        scores = [objective.worst if score is None else score for score in curve]
        so_far = list(accumulate(scores, pick))
        bests.append(so_far + so_far[-1:] * (objective.epochs - len(so_far)))
    return tuple(median(at_epoch) for at_epoch in zip(*bests, strict=True))
