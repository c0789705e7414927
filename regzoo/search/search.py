"""Search for the strengths of a recipe: random, Latin hypercube, grid, Bayesian and Hyperband.

A search works in rounds: `ask` returns all points of a round, and `tell` takes their scores,
all together and in the order of the points. So a search depends on its own scores only, not on which run finished
first, and it can be replayed from the ledger.
"""

from __future__ import annotations

import itertools
import math
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from regzoo.core import InputError, Objective
from regzoo.core.seeds import derive, generator
from regzoo.search.oracle import Oracle
from regzoo.search.space import Axis, make_grid, value_at

ATTEMPTS = 20
"""Draws per requested point, after which a space counts as exhausted."""


@dataclass(frozen=True)
class Point:
    """A proposal: a value for each axis, and the number of epochs to train."""

    values: dict[str, float]
    epochs: int


class Search(ABC):
    """Proposes points in rounds: `ask` for a round and `tell` its scores, until a round is empty."""

    @abstractmethod
    def list_remaining(self) -> list[tuple[int, int]]:
        """Return what remains at most, as pairs (number of points, epochs of each)."""

    @abstractmethod
    def ask(self) -> list[Point]:
        """Return the next round; empty when the search is over."""

    @abstractmethod
    def tell(self, scores: Sequence[float]) -> None:
        """Give the scores of the last round, in its order; NaN for a run that diverged or failed."""


def make_search(tuner: str, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> Search:
    """Return a fresh search.

    Args:
        tuner: ``random``, ``latin_hypercube``, ``grid``, ``bayesian`` or ``hyperband``.
        space: the axes to find values for; an empty space gives one point.
        trials: number of points; hyperband spends the epochs of this many full runs on more, shorter ones.
        epochs: epochs of a full run.
        objective: metric and direction of the scores.
        seed: seed of the proposals.

    Raises:
        InputError: if hyperband cannot finish a bracket within ``trials``.
    """
    if not space:
        return _ListedSearch([Point({}, epochs)])
    if tuner == "grid":
        return _ListedSearch([Point(values, epochs) for values in make_grid(space, trials)])
    if tuner == "hyperband":
        return _HyperbandSearch(space, trials, epochs, objective, seed)
    if tuner == "latin_hypercube":
        return _ListedSearch([Point(values, epochs) for values in sample_latin_hypercube(space, trials, seed)])
    if tuner == "random":
        return _ListedSearch([Point(values, epochs) for values in sample_random(space, trials, objective, seed)])
    return _BayesianSearch(space, trials, epochs, objective, seed)


class _ListedSearch(Search):
    """A search that knows all its points from the start, in one round."""

    def __init__(self, points: list[Point]) -> None:
        self.points = points

    def list_remaining(self) -> list[tuple[int, int]]:
        return [(1, point.epochs) for point in self.points]

    def ask(self) -> list[Point]:
        points, self.points = self.points, []
        return points

    def tell(self, scores: Sequence[float]) -> None:
        """Learn nothing."""


def sample_random(space: Sequence[Axis], trials: int, objective: Objective, seed: int) -> list[dict[str, float]]:
    """Return ``trials`` different random points; fewer only if the space has no more.

    Each axis draws from a stream of its own name, so recipes that share an axis get the same values in the same order.
    All recipes, the baseline included, try the same learning rates: none gains by a lucky draw.
    """
    streams = [_sample_axis(axis, trials, objective, seed) for axis in space]
    points: dict[tuple[float, ...], None] = {}
    for _ in range(trials * ATTEMPTS):
        points[tuple(next(stream) for stream in streams)] = None
        if len(points) == trials:
            break
    return [dict(zip([axis.name for axis in space], point, strict=True)) for point in points]


def _sample_axis(axis: Axis, trials: int, objective: Objective, seed: int) -> Iterator[float]:
    """Yield random values forever; start a fresh oracle when one is exhausted."""
    options = {"max_trials": trials * ATTEMPTS}
    for cycle in itertools.count():
        oracle = Oracle("RandomSearch", [axis], objective, derive(seed, axis.name, cycle), options)
        while (trial := oracle.ask()) is not None:
            yield oracle.read_values(trial)[axis.name]


def sample_latin_hypercube(space: Sequence[Axis], trials: int, seed: int) -> list[dict[str, float]]:
    """Return ``trials`` different points of a Latin hypercube; fewer only if the space has no more.

    Each axis is cut into ``trials`` parts of equal size, and each part holds one point at a random place, so no search
    misses an end of an axis. Between searches with different seeds, what is chosen differs less than with independent
    points: where the learning rate alone was searched, a third to a quarter as much (eight trials on breast_cancer and
    digits). Each axis draws from a stream of its own name, as in `sample_random`.

    Reference: McKay, Beckman and Conover 1979, "A Comparison of Three Methods for Selecting Values of Input Variables",
    https://doi.org/10.2307/1268522.

    >>> from regzoo.core import Float
    >>> points = sample_latin_hypercube([Axis("dropout.rate", Float(0.0, 0.8), log=False)], 4, seed=0)
    >>> sorted(int(point["dropout.rate"] / 0.2) for point in points)
    [0, 1, 2, 3]
    """
    streams = {axis.name: generator(seed, "latin_hypercube", axis.name) for axis in space}
    points: dict[tuple[float, ...], None] = {}
    for _ in range(ATTEMPTS):
        columns = [_draw_column(axis, trials, streams[axis.name]) for axis in space]
        for point in zip(*columns, strict=True):
            if len(points) < trials:
                points[point] = None
        if len(points) == trials:
            break
    return [dict(zip([axis.name for axis in space], point, strict=True)) for point in points]


def _draw_column(axis: Axis, trials: int, stream: np.random.Generator) -> list[float]:
    """Return one value from each of ``trials`` equal parts of ``axis``, in random order."""
    shares = (stream.permutation(trials) + stream.random(trials)) / trials
    return [value_at(axis, float(share)) for share in shares]


class _BayesianSearch(Search):
    """Bayesian optimization: a third of the points at random, then two at a time, so that two workers keep busy."""

    ROUND = 2

    def __init__(self, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> None:
        self.remaining, self.epochs = trials, epochs
        self.size = max(2, math.ceil(trials / 3))
        options = {"max_trials": trials, "num_initial_points": self.size}
        self.oracle = Oracle("BayesianOptimization", space, objective, seed, options)
        self.round: list[Any] = []

    def list_remaining(self) -> list[tuple[int, int]]:
        return [(self.remaining, self.epochs)]

    def ask(self) -> list[Point]:
        self.round = []
        while self.remaining and len(self.round) < self.size:
            trial = self.oracle.ask()
            if trial is None:  # a space of few points is exhausted
                self.remaining = 0
                break
            self.round.append(trial)
            self.remaining -= 1
        self.size = self.ROUND
        return [Point(self.oracle.read_values(trial), self.epochs) for trial in self.round]

    def tell(self, scores: Sequence[float]) -> None:
        for trial, score in zip(self.round, scores, strict=True):
            self.oracle.tell(trial, score)


class _HyperbandSearch(Search):
    """Hyperband: many short runs, of which the better ones are trained again for longer, each from the start.

    One rung is one round. It runs whole brackets, the most aggressive first, while the epochs of ``trials`` full runs
    last, so every recipe spends the same epochs.

    Reference: Li et al. 2018, https://arxiv.org/abs/1603.06560
    """

    FACTOR = 3

    def __init__(self, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> None:
        options = {"max_epochs": epochs, "factor": self.FACTOR}
        self.oracle = Oracle("Hyperband", space, objective, seed, options)
        brackets = self.oracle.list_brackets()
        self.rungs = _choose_rungs(brackets, trials * epochs)
        if not self.rungs:
            needed = math.ceil(_count_epochs(brackets[0]) / epochs)
            raise InputError(
                f"hyperband over {epochs} epochs needs search.trials of {needed} or more, received {trials}"
            )
        self.worst = math.copysign(1e30, 1 if objective.direction == "min" else -1)
        self.round: list[Any] = []

    def list_remaining(self) -> list[tuple[int, int]]:
        return list(self.rungs)

    def ask(self) -> list[Point]:
        if not self.rungs:
            return []
        count, epochs = self.rungs.pop(0)
        self.round = [trial for trial in (self.oracle.ask() for _ in range(count)) if trial is not None]
        return [Point(self.oracle.read_values(trial), epochs) for trial in self.round]

    def tell(self, scores: Sequence[float]) -> None:
        for trial, score in zip(self.round, scores, strict=True):
            self.oracle.tell(trial, score if math.isfinite(score) else self.worst)


def _choose_rungs(brackets: list[list[tuple[int, int]]], epochs: int) -> list[tuple[int, int]]:
    """Return the rungs of the first brackets, as many whole brackets as fit into ``epochs``."""
    spent = itertools.accumulate(map(_count_epochs, brackets))
    whole = itertools.takewhile(lambda pair: pair[1] <= epochs, zip(brackets, spent, strict=True))
    return [rung for rungs, _ in whole for rung in rungs]


def _count_epochs(rungs: list[tuple[int, int]]) -> int:
    return sum(count * epochs for count, epochs in rungs)
