"""Training histories: the mean of an ensemble's curves, and the best epoch of a curve."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import numpy as np

from regzoo.core import Objective
from regzoo.training.records import PartCurves


def average_histories(histories: Sequence[PartCurves]) -> PartCurves:
    """Return the mean of the members' curves, over the members still training at an epoch.

    It is None at an epoch where a member's value is not finite.
    """
    longest = max(histories, key=lambda history: len(next(iter(history["train"].values()))))
    return {
        part: {name: _average_curves([history[part][name] for history in histories]) for name in curves}
        for part, curves in longest.items()
    }


def _average_curves(curves: Sequence[Sequence[float | None]]) -> list[float | None]:
    epochs = itertools.zip_longest(*curves, fillvalue=())  # an empty tuple: no longer training
    at_each = ([value for value in values if value != ()] for values in epochs)
    return [None if None in values else float(np.mean(values)) for values in at_each]  # type: ignore[arg-type]


def find_best_epoch(curve: Sequence[float | None], objective: Objective) -> int:
    """Return the epoch, from 1, of the best score; the first of equals, and 1 if no score is finite."""
    best, best_epoch = objective.worst, 1
    for epoch, score in enumerate(curve, start=1):
        if score is not None and objective.is_better(score, best):
            best, best_epoch = score, epoch
    return best_epoch
