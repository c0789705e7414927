"""Search: ranges -> numbers. How many points are asked at a time, and who is trained longer.

One search per recipe, in rounds: all points of a round are asked before any result is told, and results are told
in the order in which the points were asked. So a search depends on its own results alone, not on who finished
first, and it can be replayed from the ledger.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.core import InputError, Objective
from regzoo.core.seeds import derive
from regzoo.search.grid import make_grid
from regzoo.search.oracle import Oracle
from regzoo.search.space import Axis

ATTEMPTS = 20
"""Draws for each point wanted, before a space counts as exhausted."""


@dataclass(frozen=True)
class Point:
    """A proposal: a number for each axis, and for how many epochs to train it."""

    values: dict[str, float]
    epochs: int


class Search(ABC):
    """Proposes points in rounds; `ask` until it is empty, telling every round before the next."""

    @abstractmethod
    def ahead(self) -> list[tuple[int, int]]:
        """What is still to come at most: pairs of a number of points and their epochs."""

    @abstractmethod
    def ask(self) -> list[Point]:
        """Return the next round; empty when the search is over."""

    @abstractmethod
    def tell(self, scores: Sequence[float]) -> None:
        """Give the scores of the last round, in its order; NaN for a run that diverged or failed."""


def start_search(tuner: str, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> Search:
    """Return a fresh search.

    Args:
        tuner: ``random``, ``make_grid``, ``bayesian`` or ``hyperband``.
        space: what to find; an empty space gives one point.
        trials: how many points; hyperband spends the epochs of so many full trainings on more, shorter ones.
        epochs: of a full training.
        objective: what is told, and which direction is better.
        seed: of the proposals.

    Raises:
        InputError: if hyperband cannot finish a bracket within ``trials``.
    """
    if not space:
        return _Listed([Point({}, epochs)])
    if tuner == "grid":
        return _Listed([Point(values, epochs) for values in make_grid(space, trials)])
    if tuner == "hyperband":
        return _Hyperband(space, trials, epochs, objective, seed)
    if tuner == "random":
        return _Listed([Point(values, epochs) for values in sample_random(space, trials, objective, seed)])
    return _Bayesian(space, trials, epochs, objective, seed)


class _Listed(Search):
    """All points in one round."""

    def __init__(self, points: list[Point]) -> None:
        self.points = points

    def ahead(self) -> list[tuple[int, int]]:
        return [(1, point.epochs) for point in self.points]

    def ask(self) -> list[Point]:
        points, self.points = self.points, []
        return points

    def tell(self, scores: Sequence[float]) -> None:
        """Nothing to learn."""


def sample_random(space: Sequence[Axis], trials: int, objective: Objective, seed: int) -> list[dict[str, float]]:
    """Return ``trials`` different random points; fewer only if the space has no more.

    Each axis draws from a stream of its own name, so recipes that share an axis are given the same values in the same
    order. All recipes, the baseline included, try the very same learning rates: none is ahead by a lucky draw.
    """
    streams = [_axis_stream(axis, trials, objective, seed) for axis in space]
    points: dict[tuple[float, ...], None] = {}
    for _ in range(trials * ATTEMPTS):
        points[tuple(next(stream) for stream in streams)] = None
        if len(points) == trials:
            break
    return [dict(zip([axis.name for axis in space], point, strict=True)) for point in points]


def _axis_stream(axis: Axis, trials: int, objective: Objective, seed: int) -> Iterator[float]:
    """Random values of one axis without end; an oracle never repeats itself, so a few values make several rounds."""
    options = {"max_trials": trials * ATTEMPTS}
    for lap in itertools.count():
        oracle = Oracle("RandomSearch", [axis], objective, derive(seed, axis.name, lap), options)
        while (trial := oracle.next()) is not None:
            yield oracle.values(trial)[axis.name]


class _Bayesian(Search):
    """A third at random, then two at a time, so that two workers keep busy."""

    ROUND = 2

    def __init__(self, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> None:
        self.left, self.epochs = trials, epochs
        self.size = max(2, math.ceil(trials / 3))
        options = {"max_trials": trials, "num_initial_points": self.size}
        self.oracle = Oracle("BayesianOptimization", space, objective, seed, options)
        self.round: list[Any] = []

    def ahead(self) -> list[tuple[int, int]]:
        return [(self.left, self.epochs)]

    def ask(self) -> list[Point]:
        self.round = []
        while self.left and len(self.round) < self.size:
            trial = self.oracle.next()
            if trial is None:  # a space of few points is exhausted
                self.left = 0
                break
            self.round.append(trial)
            self.left -= 1
        self.size = self.ROUND
        return [Point(self.oracle.values(trial), self.epochs) for trial in self.round]

    def tell(self, scores: Sequence[float]) -> None:
        for trial, score in zip(self.round, scores, strict=True):
            self.oracle.end(trial, score)


class _Hyperband(Search):
    """Many short trainings, the better of them again and longer, each time from the start.

    One rung is one round. Whole brackets, the most aggressive first, while the epochs of ``trials`` full
    trainings last; every recipe therefore spends the same epochs.

    Reference: Li et al. 2018, https://arxiv.org/abs/1603.06560
    """

    FACTOR = 3

    def __init__(self, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> None:
        options = {"max_epochs": epochs, "factor": self.FACTOR}
        self.oracle = Oracle("Hyperband", space, objective, seed, options)
        brackets = self.oracle.brackets()
        self.rungs = _affordable(brackets, trials * epochs)
        if not self.rungs:
            need = math.ceil(_spent(brackets[0]) / epochs)
            raise InputError(f"hyperband over {epochs} epochs needs search.trials of {need} or more, received {trials}")
        self.worst = math.copysign(1e30, 1 if objective.direction == "min" else -1)
        self.round: list[Any] = []

    def ahead(self) -> list[tuple[int, int]]:
        return list(self.rungs)

    def ask(self) -> list[Point]:
        if not self.rungs:
            return []
        count, epochs = self.rungs.pop(0)
        self.round = [trial for trial in (self.oracle.next() for _ in range(count)) if trial is not None]
        return [Point(self.oracle.values(trial), epochs) for trial in self.round]

    def tell(self, scores: Sequence[float]) -> None:
        for trial, score in zip(self.round, scores, strict=True):
            self.oracle.end(trial, score if math.isfinite(score) else self.worst)


def _affordable(brackets: list[list[tuple[int, int]]], epochs: int) -> list[tuple[int, int]]:
    """The rungs of the first brackets, as many whole ones as ``epochs`` last for."""
    spent = itertools.accumulate(_spent(rungs) for rungs in brackets)
    whole = itertools.takewhile(lambda pair: pair[1] <= epochs, zip(brackets, spent, strict=True))
    return [rung for rungs, _ in whole for rung in rungs]


def _spent(rungs: list[tuple[int, int]]) -> int:
    return sum(count * epochs for count, epochs in rungs)
