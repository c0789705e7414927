"""Measure what regularizers cost: times of training steps, epochs and predictions, in those of the baseline."""

from __future__ import annotations

import datetime
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any, Protocol

from regzoo.bench.cost_runner import BATCH, STEPS, TracedRecipe
from regzoo.bench.machine import describe_machine
from regzoo.core import (
    BASELINE,
    AfterTraining,
    InputError,
    Recipe,
    Regularizer,
    did_you_mean,
    parse,
    regularizers,
)
from regzoo.testing.harness import fix_strengths

BACKBONES = ("mlp", "cnn")
"""The backbones on which costs are measured: the rows and the images of scikit-learn's digits."""

REPETITIONS = 9
"""How often the recipe and the baseline are timed, in turn."""

NOTES = [
    "Declared: passes through the model in a training step, counted in the graph, times the models to train.",
    "Step: the time of a training step, in steps of the baseline: median, and middle half of the repetitions. Both "
    "take turns in one process with one thread. The time is the processor's, which other programs do not lengthen, or "
    "with a GPU the clock's. In networks as small as these, random numbers and the like weigh more than in large ones.",
    f"Around: the work around {STEPS} steps, an epoch that is a whole training here, in steps of the baseline: "
    "averages, copies of weights, passes over the training data.",
    "Prediction: its time, in predictions of the baseline.",
    "-: it has no place on this backbone.",
]
"""Notes that explain a report."""

SAME = {"median": 1.0, "low": 1.0, "high": 1.0}
"""The ratios of what does not act in the steps."""

Measured = dict[str, Any]


class Timed(Protocol):
    """A model of one recipe, traced, that can be timed again and again."""

    @property
    def works_around_steps(self) -> bool:
        """True if it does something between the steps and the end of the training."""

    def time_steps(self) -> float:
        """Return the seconds of `STEPS` training steps."""

    def time_epoch(self) -> float:
        """Return the seconds of a whole training of one epoch of `STEPS` steps."""

    def time_prediction(self) -> float:
        """Return the seconds of a prediction by the finished model."""


Trace = Callable[[str, Recipe], Timed]
"""Builds a recipe on a backbone, or raises an InputError if it has no place there."""


def measure_costs(names: Sequence[str], notify: Callable[[str], None], trace: Trace = TracedRecipe) -> dict[str, Any]:
    """Measure the costs of regularizers on this machine; return the report, plain values for JSON.

    Args:
        names: names of regularizers.
        notify: called with a line before each backbone.
        trace: builds what is timed; by default real models, of which the first imports TensorFlow.

    Raises:
        InputError: if there is no regularizer of a name.
    """
    chosen = [_make_regularizer(name) for name in names]
    began, machine = time.monotonic(), describe_machine()
    costs = [_describe(regularizer) for regularizer in chosen]
    for backbone in BACKBONES:
        notify(f"{len(chosen)} on {backbone}")
        bases: dict[str, Timed] = {}
        for cost, regularizer in zip(costs, chosen, strict=True):
            cost[backbone] = _measure(backbone, regularizer, bases, trace)
    return {
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(),
        "machine": machine,
        "threads": 1,
        "steps": STEPS,
        "batch_size": BATCH,
        "repetitions": REPETITIONS,
        "seconds": time.monotonic() - began,
        "notes": NOTES,
        "regularizers": costs,
    }


def time_in_turn(
    first: Callable[[], float], second: Callable[[], float], repetitions: int = REPETITIONS
) -> list[tuple[float, float]]:
    """Return the seconds of both, called in turn; a first call of each, which may still set up something, is dropped.

    >>> ticks = iter([9.0, 9.0, 1.0, 2.0, 1.0, 4.0])
    >>> time_in_turn(lambda: next(ticks), lambda: next(ticks), repetitions=2)
    [(1.0, 2.0), (1.0, 4.0)]
    """
    return [(first(), second()) for _ in range(repetitions + 1)][1:]


def summarize_ratios(pairs: Sequence[tuple[float, float]]) -> Measured:
    """Return median and quartiles of the ratios second / first of pairs of seconds.

    >>> summarize_ratios([(1.0, 2.0), (2.0, 5.0), (1.0, 3.0)])
    {'median': 2.5, 'low': 2.25, 'high': 2.75}
    """
    low, median, high = statistics.quantiles([b / a for a, b in pairs], method="inclusive")
    return {"median": median, "low": low, "high": high}


def _make_regularizer(name: str) -> Regularizer:
    """Return the regularizer at the middle of its ranges."""
    if name not in regularizers():
        raise InputError(f"--costs measures regularizers, and {name!r} is none.{did_you_mean(name, regularizers())}")
    return fix_strengths(regularizers()[name]())


def _describe(regularizer: Regularizer) -> dict[str, Any]:
    models = regularizer.n_models() if isinstance(regularizer, AfterTraining) else 1
    return {
        "name": regularizer.name,
        "recipe": str(regularizer),
        "baseline": regularizer.requires_recipe or BASELINE,
        "passes": round(regularizer.cost, 3),
        "models": models,
    }


def _measure(backbone: str, regularizer: Regularizer, bases: dict[str, Timed], trace: Trace) -> Measured:
    """Return the costs on one backbone; those that do not apply are None, and all are if it has no place there.

    Args:
        backbone: name of the backbone.
        regularizer: with all strengths fixed.
        bases: the baselines that are traced already, by recipe; one that is missing is added.
        trace: builds what is timed.
    """
    costs: Measured = {"step": dict(SAME), "around": None, "prediction": None, "reason": ""}
    base = parse(regularizer.requires_recipe or BASELINE)
    try:
        timed = trace(backbone, base + regularizer)
    except InputError as error:
        return {**costs, "step": None, "reason": str(error)}
    plain = bases.get(str(base)) or bases.setdefault(str(base), trace(backbone, base))
    if regularizer.in_graph:
        costs["step"] = summarize_ratios(time_in_turn(plain.time_steps, timed.time_steps))
    if timed.works_around_steps:
        costs["around"] = _measure_around(plain, timed)
    if isinstance(regularizer, AfterTraining):
        costs["prediction"] = summarize_ratios(time_in_turn(plain.time_prediction, timed.time_prediction))
    return costs


def _measure_around(plain: Timed, timed: Timed) -> float:
    """Return by how much more a training of one epoch is longer than its steps are, in steps of the baseline."""
    pairs = time_in_turn(plain.time_steps, timed.time_steps), time_in_turn(plain.time_epoch, timed.time_epoch)
    (steps, slower_steps), (epoch, slower_epoch) = (
        [*map(statistics.median, zip(*each, strict=True))] for each in pairs
    )
    return max(0.0, (slower_epoch - epoch) - (slower_steps - steps)) / (steps / STEPS)
