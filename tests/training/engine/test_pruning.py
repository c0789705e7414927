"""Pruning: hopeless trials stop, slow starters do not."""

from __future__ import annotations

import math

import pytest

from regzoo.core import Objective
from regzoo.training.engine.pruning import Pruner, median_bar

NLL = Objective("nll", "min", 6)
ACCURACY = Objective("accuracy", "max", 3)


def stopped_after(scores: list[float], wanted: tuple[float, ...], objective: Objective = NLL) -> int | None:
    """The epoch, from 1, after which the pruner stops these scores."""
    pruner = Pruner(wanted, objective)
    for epoch, score in enumerate(scores):
        if pruner.epoch(epoch, score, None):
            assert pruner.pruned
            return epoch + 1
    assert not pruner.pruned
    return None


def test_the_bar_is_the_median_of_the_best_so_far() -> None:
    curves = [[0.9, 0.5, 0.6], [0.8, 0.7, 0.3], [0.7, 0.9, 0.9]]
    assert median_bar(curves, Objective("nll", "min", 3)) == (0.8, 0.7, 0.5)
    assert median_bar(curves, ACCURACY) == (0.8, 0.9, 0.9)


def test_a_trial_that_stopped_by_itself_keeps_its_best() -> None:
    assert median_bar([[0.5, 0.6], [0.9, 0.8, 0.7], [0.4]], Objective("nll", "min", 3)) == (0.5, 0.5, 0.5)


def test_below_three_trials_there_is_no_bar() -> None:
    assert median_bar([[0.5], [0.6]], NLL) == ()
    assert stopped_after([9.0] * 6, ()) is None


def test_it_stops_what_is_behind_after_a_third_of_the_epochs() -> None:
    wanted = (0.9, 0.8, 0.7, 0.6, 0.5, 0.4)
    assert stopped_after([1.0, 0.9, 0.9, 0.9, 0.9, 0.9], wanted) == 2
    assert stopped_after([1.0, 0.8, 0.9, 0.9, 0.9, 0.9], wanted) == 3  # level with the bar is not behind it
    assert stopped_after([1.0, 0.7, 0.7, 0.6, 0.5, 0.9], wanted) is None
    assert stopped_after([1.0, 0.7, 0.7, 0.6, 0.5, 0.5], wanted) is None  # the last epoch saves nothing
    assert stopped_after([math.nan] * 6, wanted) == 2


def test_a_slow_start_among_slow_starts_is_not_cut() -> None:
    slow = [5.0, 4.0, 3.0, 2.0, 1.0, 0.2]
    wanted = median_bar([slow, [value + 0.1 for value in slow], [value + 0.2 for value in slow]], NLL)
    assert stopped_after([value + 0.1 for value in slow], wanted) is None


@pytest.mark.parametrize(("scores", "epoch"), [([0.1, 0.2, 0.9], 1), ([0.6, 0.6, 0.6], 2), ([0.9, 0.1, 0.1], None)])
def test_larger_may_be_better(scores: list[float], epoch: int | None) -> None:
    assert stopped_after(scores, (0.5, 0.7, 0.8), ACCURACY) == epoch
