"""Run -> Record: one training, measured; an ensemble's members are trained one after the other."""

from __future__ import annotations

import dataclasses
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from regzoo.language import AfterTraining, Objective, OnTraining, Recipe, parse
from regzoo.language.seeds import derive
from regzoo.training.assemble import assemble
from regzoo.training.combined import Combined, put_together
from regzoo.training.model import RegularizedModel
from regzoo.training.optimizers import compiled_optimizer
from regzoo.training.parts import Part, Rows, held
from regzoo.training.program import Program, Training
from regzoo.training.record import Record, Run, finite
from regzoo.training.study import Study
from regzoo.training.task import Task

Weights = list[list[np.ndarray]]
"""The weights of each member, in Keras's order."""

K = TypeVar("K")

KEPT = 32
"""Programs that a worker keeps; a comparison rarely has more structures than recipes."""


@dataclass
class Studio:
    """Where runs are made: the data, and the programs traced so far, which share it.

    Attributes:
        study: what all runs share.
        data: the parts ``train``, ``validation`` and ``test``.
        memory: bytes that the data may take; more of it is streamed. None for no limit.
        programs: by the structure of the recipe.
    """

    study: Study
    data: dict[str, Rows]
    memory: int | None = None
    programs: OrderedDict[Any, Program] = field(default_factory=OrderedDict)
    _combined: OrderedDict[Any, Combined] = field(default_factory=OrderedDict)

    @cached_property
    def parts(self) -> list[Part]:
        """The training and the validation part, held once for all programs."""
        return held([self.data["train"], self.data["validation"]], self.study.task, self.memory)

    def program(self, recipe: Recipe) -> Program:
        """The program for the structure of ``recipe``; traced at most once while it is kept."""
        return _kept(self.programs, recipe.structure(), lambda: self._program(recipe))

    def combined(self, recipe: Recipe, count: int) -> Combined:
        """What makes one model of ``count`` trained with ``recipe``; built and traced at most once while it is kept."""
        after = tuple(part for part in recipe if isinstance(part, AfterTraining))
        models = (assemble(self.study.backbone, recipe, self.study.task, self.study.input_shape) for _ in range(count))
        return _kept(self._combined, (recipe.structure(), after, count), lambda: Combined(recipe, list(models)))

    def _program(self, recipe: Recipe) -> Program:
        study = self.study
        train, validation = self.parts
        return Program(build(study, recipe), train, validation, study.batch_size, jit_compile=study.jit_compile)


def _kept(cache: OrderedDict[Any, K], key: Any, make: Callable[[], K]) -> K:
    """Return what ``cache`` holds under ``key``, made now if need be; what was not used for longest makes room."""
    if key not in cache:
        cache[key] = make()
        if len(cache) > KEPT:
            cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]


def build(study: Study, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Assemble and compile the model that ``study`` trains with ``recipe``."""
    model = assemble(study.backbone, recipe, study.task, study.input_shape, seed)
    model.compile(compiled_optimizer(study.optimizer))
    return model


def execute(run: Run, studio: Studio) -> tuple[Record, Weights]:
    """Make one run and measure what came out.

    Test data is looked at for replicates only: their strengths are frozen.
    """
    study = studio.study
    recipe = parse(run.recipe)
    objective = dataclasses.replace(study.task.objective(study.rank_by), epochs=run.epochs)
    program = studio.program(recipe)
    trainings: list[Training] = []
    weights: Weights = []
    for member in range(trainings_of(recipe)):
        training = program.train(
            strengths=recipe.dials(),
            seed=member_seed(run.seed, member),
            learning_rate=run.learning_rate,
            epochs=run.epochs,
            objective=objective,
            watchers=[part.watch(objective) for part in recipe if isinstance(part, OnTraining)],
        )
        trainings.append(training)
        weights += training.members
    predict = _predictor(studio, recipe, program, weights)
    parts = ["train", "validation", *(["test"] if run.stage == "replicate" else [])]
    metrics = {part: _measure(study.task, studio.data[part], predict) for part in parts}
    whole = all(value is not None for values in metrics.values() for value in values.values())
    history = _mean_history(trainings)
    record = Record(
        run=run,
        status="ok" if whole else "diverged",
        metrics=metrics,
        history=history,
        epochs=max(training.epochs for training in trainings),
        best_epoch=_best_epoch(history["validation"][objective.metric], objective),
        steps=program.steps * sum(training.epochs for training in trainings),
        fit_seconds=sum(training.seconds for training in trainings),
        predict_ms=_milliseconds(studio.data["validation"][0], predict),
        parameters=len(weights) * _count(program.model),
        error=None if whole else f"a metric is not finite after epoch {trainings[-1].epochs}",
    )
    return record, weights


def trainings_of(recipe: Recipe) -> int:
    """How many models a run of ``recipe`` trains."""
    return math.prod(part.trainings() for part in recipe if isinstance(part, AfterTraining))


def member_seed(seed: int, member: int) -> int:
    """The seed of a member; the first has the run's own, so it is the baseline's twin."""
    return seed if member == 0 else derive(seed, "member", member)


def finished(study: Study, recipe: Recipe, weights: Weights) -> keras.Model:
    """The model that a run left: its members with their ``weights``, put together as the recipe says."""
    models = [build(study, recipe) for _ in weights]
    for model, values in zip(models, weights, strict=True):
        model.set_weights(values)
    return put_together(recipe, models)


def _predictor(studio: Studio, recipe: Recipe, program: Program, weights: Weights) -> Callable[[np.ndarray], Any]:
    if not any(isinstance(part, AfterTraining) for part in recipe):
        return program.logits
    combined = studio.combined(recipe, len(weights))
    if isinstance(combined.model, RegularizedModel):  # an ensemble of one
        return program.logits
    combined.load(recipe, weights)
    return combined.logits


def _count(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _measure(task: Task, rows: Rows, predict: Any) -> dict[str, float | None]:
    x, y = rows
    values = task.measure(task.encode(tf.constant(y)), predict(x))
    return finite({name: float(value) for name, value in values.items()})


def _mean_history(trainings: Sequence[Training]) -> dict[str, dict[str, list[float | None]]]:
    """Average the members' curves, over the members still training at an epoch."""
    longest = max(trainings, key=lambda training: training.epochs)
    return {
        part: {
            name: finite(
                [
                    float(np.mean([t.history[part][name][epoch] for t in trainings if t.epochs > epoch]))
                    for epoch in range(longest.epochs)
                ]
            )
            for name in curves
        }
        for part, curves in longest.history.items()
    }


def _best_epoch(curve: Sequence[float | None], objective: Objective) -> int:
    best, at = objective.worst, 1
    for epoch, score in enumerate(curve, start=1):
        if score is not None and objective.better(score, best):
            best, at = score, epoch
    return at


def _milliseconds(x: np.ndarray, predict: Any) -> float:
    began = time.perf_counter()
    np.asarray(predict(x))
    return (time.perf_counter() - began) * 1e6 / len(x)
