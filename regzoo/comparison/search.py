"""Search: ranges -> numbers. The only file that knows KerasTuner, and it only asks it for points.

One search per recipe, in rounds: all points of a round are asked before any result is told, and results are told
in the order in which the points were asked. So a search depends on its own results alone, not on who finished
first, and it can be replayed from the ledger.
"""

from __future__ import annotations

import contextlib
import io
import itertools
import math
import warnings
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from regzoo.language import Choice, Float, InputError, Int, Objective, Range, Recipe, Regularizer
from regzoo.language.seeds import derive
from regzoo.training.task import task_for

if TYPE_CHECKING:
    import keras_tuner

LEARNING_RATE = "learning_rate"
RATES = Float(3e-4, 1e-2)
"""Where a search looks for the learning rate unless it is told."""

ATTEMPTS = 20
"""Draws for each point wanted, before a space counts as exhausted."""

DIGITS = 4
"""Significant digits of what a search proposes: enough for any strength, and readable in a recipe."""


@dataclass(frozen=True)
class Axis:
    """One number to find: where to look, and on which scale."""

    name: str
    range: Range
    log: bool


@dataclass(frozen=True)
class Point:
    """A proposal: a number for each axis, and for how many epochs to train it."""

    values: dict[str, float]
    epochs: int


def axes(recipe: Recipe, learning_rate: float | Range) -> list[Axis]:
    """What a search over ``recipe`` has to find; the learning rate comes first, on a logarithmic scale."""
    found = [Axis(name, where, spec.log) for name, (where, spec) in recipe.space().items()]
    if not isinstance(learning_rate, Float | Int | Choice):
        return found
    return [Axis(LEARNING_RATE, learning_rate, log=True), *found]


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


def begin(tuner: str, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> Search:
    """Return a fresh search.

    Args:
        tuner: ``random``, ``grid``, ``bayesian`` or ``hyperband``.
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
        return _Listed([Point(values, epochs) for values in grid(space, trials)])
    if tuner == "hyperband":
        return _Hyperband(space, trials, epochs, objective, seed)
    if tuner == "random":
        return _Listed([Point(values, epochs) for values in at_random(space, trials, objective, seed)])
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


def grid(space: Sequence[Axis], trials: int) -> list[dict[str, float]]:
    """Return at most ``trials`` points spread evenly over the full grid; exactly so many where an axis is continuous.

    >>> [point["rate"] for point in grid([Axis("rate", Float(0.0, 0.6), log=False)], 4)]
    [0.0, 0.2, 0.4, 0.6]
    """
    levels = {axis.name: 1 for axis in space}
    most = {axis.name: _most_levels(axis) for axis in space}
    while math.prod(levels.values()) < trials:
        growing = [name for name in levels if levels[name] < most[name]]
        if not growing:
            break
        levels[min(growing, key=lambda name: levels[name])] += 1
    full = list(itertools.product(*(_levels(axis, levels[axis.name]) for axis in space)))
    count = min(trials, len(full))
    kept = [full[round(i * (len(full) - 1) / max(count - 1, 1))] for i in range(count)]
    return [dict(zip(levels, point, strict=True)) for point in kept]


def _most_levels(axis: Axis) -> float:
    if isinstance(axis.range, Choice):
        return len(axis.range.options)
    return axis.range.high - axis.range.low + 1 if isinstance(axis.range, Int) else math.inf


def _levels(axis: Axis, count: int) -> list[float]:
    if isinstance(axis.range, Choice):
        options = axis.range.options
        return [options[round(i * (len(options) - 1) / max(count - 1, 1))] for i in range(count)]
    low, high = axis.range.values()
    shares = [i / (count - 1) for i in range(count)] if count > 1 else [0.5]
    if axis.log:
        return [rounded(low * (high / low) ** share) for share in shares]
    values = [rounded(low + (high - low) * share) for share in shares]
    return [round(value) for value in values] if isinstance(axis.range, Int) else values


def rounded(value: float) -> float:
    """Return ``value`` with four significant digits.

    >>> rounded(0.30000000000000004), rounded(0.000123456)
    (0.3, 0.0001235)
    """
    return float(f"{value:.{DIGITS}g}")


class _Oracle:
    """A KerasTuner oracle: quiet, without files, its seed never 0 (which it takes for none)."""

    def __init__(self, make: Callable[..., Any], space: Sequence[Axis], objective: Objective, seed: int) -> None:
        with _quiet():
            import keras_tuner

            parameters = keras_tuner.HyperParameters()
            for axis in space:
                declare(parameters, axis)
            self.oracle = make(
                keras_tuner.oracles,
                objective=keras_tuner.Objective(objective.metric, objective.direction),
                hyperparameters=parameters,
                allow_new_entries=False,
                tune_new_entries=False,
                seed=derive(seed, "oracle") + 1,
                max_consecutive_failed_trials=10**9,
            )
            self.oracle.verbose = 0
            self.oracle.save = self.oracle._save_trial = _kept_in_the_ledger
        self.space = list(space)
        self.metric = objective.metric
        self.asked = 0

    def next(self) -> Any:
        """The next trial, or None if it has none now."""
        self.asked += 1
        with _quiet():
            trial = self.oracle.create_trial(f"asker-{self.asked}")
        return trial if trial.status == "RUNNING" else None

    def values(self, trial: Any) -> dict[str, float]:
        """A trial's proposal, as the recipe's own numbers."""
        given = trial.hyperparameters.values
        return {
            axis.name: int(given[axis.name]) if isinstance(axis.range, Int) else _inside(axis, given[axis.name])
            for axis in self.space
        }

    def end(self, trial: Any, score: float) -> None:
        """Tell a trial's score."""
        with _quiet():
            if math.isfinite(score):
                self.oracle.update_trial(trial.trial_id, {self.metric: score})
                trial.status = "COMPLETED"
            else:
                trial.status = "INVALID"
            self.oracle.end_trial(trial)


def _kept_in_the_ledger(*_: Any) -> None:
    """What an oracle would write after each trial; a search that is resumed is replayed from the ledger."""


def _inside(axis: Axis, value: float) -> float:
    if isinstance(axis.range, Choice):
        return value
    low, high = axis.range.values()
    return min(max(rounded(value), low), high)


def at_random(space: Sequence[Axis], trials: int, objective: Objective, seed: int) -> list[dict[str, float]]:
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

    def make(oracles: Any, **options: Any) -> Any:
        return oracles.RandomSearchOracle(max_trials=trials * ATTEMPTS, **options)

    for lap in itertools.count():
        oracle = _Oracle(make, [axis], objective, derive(seed, axis.name, lap))
        while (trial := oracle.next()) is not None:
            yield oracle.values(trial)[axis.name]


class _Bayesian(Search):
    """A third at random, then two at a time, so that two workers keep busy."""

    ROUND = 2

    def __init__(self, space: list[Axis], trials: int, epochs: int, objective: Objective, seed: int) -> None:
        self.left, self.epochs = trials, epochs
        self.size = first = max(2, math.ceil(trials / 3))

        def make(oracles: Any, **options: Any) -> Any:
            return oracles.BayesianOptimizationOracle(max_trials=trials, num_initial_points=first, **options)

        self.oracle = _Oracle(make, space, objective, seed)
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
        def make(oracles: Any, **options: Any) -> Any:
            return oracles.HyperbandOracle(max_epochs=epochs, factor=self.FACTOR, **options)

        self.oracle = _Oracle(make, space, objective, seed)
        self.rungs = _rungs(self.oracle.oracle, trials * epochs)
        if not self.rungs:
            need = math.ceil(sum(n * e for n, e in _bracket(self.oracle.oracle, None)) / epochs)
            raise InputError(f"hyperband over {epochs} epochs needs search.trials of {need} or more, received {trials}")
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
            self.oracle.end(trial, score if math.isfinite(score) else self._worst())

    def _worst(self) -> float:
        return 1e30 if self.oracle.oracle.objective.direction == "min" else -1e30


def _bracket(oracle: Any, number: int | None) -> list[tuple[int, int]]:
    """The rungs of a bracket as (trainings, epochs); by default those of the first."""
    number = oracle._get_num_brackets() - 1 if number is None else number
    return [(oracle._get_size(number, rung), oracle._get_epochs(number, rung)) for rung in range(number + 1)]


def _rungs(oracle: Any, budget: int) -> list[tuple[int, int]]:
    found: list[tuple[int, int]] = []
    for number in reversed(range(oracle._get_num_brackets())):
        rungs = _bracket(oracle, number)
        budget -= sum(count * epochs for count, epochs in rungs)
        if budget < 0:
            break
        found += rungs
    return found


def declare(parameters: keras_tuner.HyperParameters, axis: Axis) -> Any:
    """Declare ``axis`` in a KerasTuner space and return the value that the space holds for it."""
    sampling = "log" if axis.log else "linear"
    if isinstance(axis.range, Choice):
        return parameters.Choice(axis.name, list(axis.range.options))
    low, high = axis.range.values()
    if isinstance(axis.range, Int):
        return parameters.Int(axis.name, int(low), int(high))
    return parameters.Float(axis.name, low, high, sampling=sampling)


def hypermodel(
    backbone: str,
    recipe: Recipe | Regularizer | str,
    input_shape: tuple[int, ...],
    classes: int | None = None,
    outputs: int | None = None,
    *,
    labels: int | None = None,
    task: str | None = None,
    learning_rate: float | Range = RATES,
    seed: int = 0,
) -> keras_tuner.HyperModel:
    """Return a `keras_tuner.HyperModel` for a search of your own: every range of the recipe becomes a parameter.

    KerasTuner's own search needs ``pip install 'regzoo[tensorboard]'``: it imports tensorboard unconditionally.

    Args:
        backbone: as in a config.
        recipe: its ranges, and that of the learning rate, make the space.
        input_shape: of one example, without the batch axis.
        classes: for classification, how many.
        outputs: for regression, how many.
        labels: for several labels at once, each true or false, how many.
        task: ``"reconstruction"`` for an autoencoder.
        learning_rate: Adam's: a number, or a range to search on a logarithmic scale.
        seed: of initial weights and every random stream.

    Example:
        tuner = keras_tuner.RandomSearch(
            regzoo.hypermodel("mlp", "dropout", (64,), classes=10),
            keras_tuner.Objective("val_loss", "min"), max_trials=8)
        tuner.search(x, y, validation_data=(xv, yv), epochs=20)
    """
    with _quiet():
        import keras_tuner
    from regzoo.training.assemble import assemble
    from regzoo.training.optimizers import compiled_optimizer

    mixture = Recipe.of(recipe)
    asked = task_for(classes, outputs, labels, task, tuple(input_shape))

    class Hypermodel(keras_tuner.HyperModel):
        """Builds the backbone with the recipe at the values that a tuner proposes."""

        def build(self, hp: keras_tuner.HyperParameters) -> Any:
            """Declare the space in ``hp`` and return the compiled model at its values."""
            values = {axis.name: declare(hp, axis) for axis in axes(mixture, learning_rate)}
            rate = values.pop(LEARNING_RATE, learning_rate)
            model = assemble(backbone, mixture.fixed(values), asked, tuple(input_shape), seed)
            model.compile(compiled_optimizer("adam", rate))
            return model

    return Hypermodel()


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """KerasTuner prints, and scikit-learn warns of its Gaussian process's fit; neither is for the user."""
    with contextlib.redirect_stdout(io.StringIO()), warnings.catch_warnings():
        warnings.simplefilter("ignore")
        yield
