"""Pruning: trials far behind stop, slow starters do not."""

from __future__ import annotations

import math

import pytest

from regzoo.core import Objective
from regzoo.training.engine.pruning import Pruner, compute_median_bar

NLL = Objective("nll", "min", 6)
ACCURACY = Objective("accuracy", "max", 3)


def find_stop(scores: list[float], bar: tuple[float, ...], objective: Objective = NLL) -> int | None:
    """Return the epoch, from 1, after which the pruner stops these scores, or None."""
    pruner = Pruner(bar, objective)
    for epoch, score in enumerate(scores):
        if pruner.epoch(epoch, score, None):
            assert pruner.pruned
            return epoch + 1
    assert not pruner.pruned
    return None


def test_the_bar_is_the_median_of_the_best_scores_so_far() -> None:
    curves = [[0.9, 0.5, 0.6], [0.8, 0.7, 0.3], [0.7, 0.9, 0.9]]
    assert compute_median_bar(curves, Objective("nll", "min", 3)) == (0.8, 0.7, 0.5)
    assert compute_median_bar(curves, ACCURACY) == (0.8, 0.9, 0.9)


def test_a_trial_that_stopped_early_keeps_its_best_score() -> None:
    assert compute_median_bar([[0.5, 0.6], [0.9, 0.8, 0.7], [0.4]], Objective("nll", "min", 3)) == (0.5, 0.5, 0.5)


def test_fewer_than_three_trials_make_no_bar() -> None:
    assert compute_median_bar([[0.5], [0.6]], NLL) == ()
    assert find_stop([9.0] * 6, ()) is None


def test_a_trial_behind_the_bar_stops_after_a_third_of_the_epochs() -> None:
    bar = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
    assert find_stop([1.0, 0.9, 0.9, 0.9, 0.9, 0.9], bar) == 2
    assert find_stop([1.0, 0.8, 0.9, 0.9, 0.9, 0.9], bar) == 3  # equal to the bar is not behind it
    assert find_stop([1.0, 0.7, 0.7, 0.6, 0.5, 0.9], bar) is None
    assert find_stop([1.0, 0.7, 0.7, 0.6, 0.5, 0.5], bar) is None  # the last epoch saves nothing
    assert find_stop([math.nan] * 6, bar) == 2


def test_a_slow_start_among_slow_starts_is_not_pruned() -> None:
    slow = [5.0, 4.0, 3.0, 2.0, 1.0, 0.2]
    bar = compute_median_bar([slow, [value + 0.1 for value in slow], [value + 0.2 for value in slow]], NLL)
    assert find_stop([value + 0.1 for value in slow], bar) is None


@pytest.mark.parametrize(("scores", "epoch"), [([0.1, 0.2, 0.9], 1), ([0.6, 0.6, 0.6], 2), ([0.9, 0.1, 0.1], None)])
def test_larger_scores_may_be_better(scores: list[float], epoch: int | None) -> None:
    assert find_stop(scores, (0.5, 0.7, 0.8), ACCURACY) == epoch
