"""Run -> Record: one training, measured; or an ensemble, put together from its members' trainings."""

from __future__ import annotations

import itertools
import math
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.language import AfterTraining, Objective, OnTraining, Recipe, parse
from regzoo.training.assemble import assemble
from regzoo.training.members import members_of
from regzoo.training.model import RegularizedModel
from regzoo.training.portrait import reliability, spread
from regzoo.training.program import CHUNK, Program, Rows
from regzoo.training.pruning import Pruner
from regzoo.training.record import Curves, Parts, Record, Run, finite
from regzoo.training.study import OPTIMIZERS, Study
from regzoo.training.task import Task

Weights = list[list[np.ndarray]]
"""The weights of each member, in Keras's order."""

Outcome = tuple[Record, Weights]
"""What a run leaves."""

KEPT = 32
"""Programs that a worker keeps; a comparison rarely has more structures than recipes."""


@dataclass
class Studio:
    """Where runs are made: the data, and the programs traced so far."""

    study: Study
    data: dict[str, Rows]
    programs: OrderedDict[Any, Program] = field(default_factory=OrderedDict)

    def program(self, recipe: Recipe) -> Program:
        """The program for the structure of ``recipe``; traced at most once while it is kept."""
        key = recipe.structure()
        if key not in self.programs:
            model = build(self.study, recipe)
            followed = self.study.task.followed(self.study.rank_by)
            train, validation = self.data["train"], self.data["validation"]
            self.programs[key] = Program(model, train, validation, self.study.batch_size, followed)
            if len(self.programs) > KEPT:
                self.programs.popitem(last=False)
        self.programs.move_to_end(key)
        return self.programs[key]


def build(study: Study, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Assemble and compile the model that ``study`` trains with ``recipe``."""
    model = assemble(study.backbone, recipe, study.task, study.input_shape, seed)
    model.compile(compiled_optimizer(study.optimizer))
    return model


def compiled_optimizer(name: str, learning_rate: float = 1e-3) -> keras.optimizers.Optimizer:
    """Keras's optimizer called ``name``; sgd has momentum 0.9."""
    options = {"momentum": 0.9} if name == "sgd" else {}
    kinds = {"adam": keras.optimizers.Adam, "sgd": keras.optimizers.SGD, "rmsprop": keras.optimizers.RMSprop}
    assert set(kinds) == set(OPTIMIZERS)
    return kinds[name](learning_rate=learning_rate, **options)


def execute(run: Run, studio: Studio, members: Sequence[Outcome] | None = None) -> Outcome:
    """Make one run and measure what came out.

    Test data is looked at for replicates only: their strengths are frozen.

    Args:
        run: with numbers for all strengths.
        studio: where it is made.
        members: what its trainings left, one for each of `members_of`, if they have been made already.
    """
    if members is None:
        needed = members_of(run)
        if needed == [run]:
            return _trained(run, studio)
        members = [execute(one, studio) for one in needed]
    return _put_together(run, studio, members)


def _trained(run: Run, studio: Studio) -> Outcome:
    study, recipe = studio.study, parse(run.recipe)
    objective = replace(study.task.objective(study.rank_by), epochs=run.epochs)
    program = studio.program(recipe)
    pruner = Pruner(run.bar, objective)
    training = program.train(
        strengths=recipe.dials(),
        seed=run.seed,
        learning_rate=run.learning_rate,
        epochs=run.epochs,
        objective=objective,
        watchers=[*(part.watch(objective) for part in recipe if isinstance(part, OnTraining)), pruner],
    )
    history: Any = finite(training.history)
    made = Record(
        run=run,
        status="pruned" if pruner.pruned else "ok",
        history=history,
        epochs=training.epochs,
        best_epoch=_best_epoch(history["validation"][objective.metric], objective),
        steps=program.steps * training.epochs,
        fit_seconds=training.seconds,
        error=f"behind the median of its recipe's trials after epoch {training.epochs}" if pruner.pruned else None,
    )
    return _measured(made, studio, program, training.members)


def _put_together(run: Run, studio: Studio, members: Sequence[Outcome]) -> Outcome:
    """The run of an ensemble, or of one model by another name, from what its ``members`` left."""
    records = [record for record, _ in members]
    history = _mean_history([record.history for record in records])
    objective = studio.study.task.objective(studio.study.rank_by)
    made = Record(
        run=run,
        status="ok",
        history=history,
        epochs=max(record.epochs for record in records),
        best_epoch=_best_epoch(history["validation"][objective.metric], objective),
        steps=sum(record.steps for record in records),
        fit_seconds=sum(record.fit_seconds for record in records),
    )
    weights = [values for _, left in members for values in left]
    program = studio.program(parse(run.recipe).trained())
    program.model.set_weights(weights[0])
    return _measured(made, studio, program, weights)


def _measured(made: Record, studio: Studio, program: Program, weights: Weights) -> Outcome:
    """Add to what is known of a training what its model achieves."""
    study, data = studio.study, studio.data
    predict = _predictor(study, parse(made.run.recipe), program, weights)
    parts = ["train", "validation", *(["test"] if made.run.stage == "replicate" else [])]
    logits = {part: predict(data[part][0]) for part in parts}
    targets = {part: study.task.encode(tf.constant(data[part][1])) for part in parts}
    metrics = _measure(study.task, targets, logits)
    broken = _broken(metrics, weights)
    record = replace(
        made,
        status="diverged" if broken else made.status,
        metrics=metrics,
        predict_ms=_milliseconds(data["validation"][0], predict),
        parameters=len(weights) * _count(program.model),
        error=f"{broken} is not finite after epoch {made.epochs}" if broken else made.error,
    )
    if made.run.stage != "replicate" or broken:
        return record, weights
    kernels = [values for values in weights[0] if values.ndim > 1]
    seen = reliability(study.task, targets["validation"], logits["validation"])
    return replace(record, reliability=seen, spread=spread(kernels)), weights


def _broken(metrics: Parts, weights: Weights) -> str | None:
    """What is not finite, if anything; a ReLU hides weights that are not a number, and metrics look fine."""
    if any(value is None for values in metrics.values() for value in values.values()):
        return "a metric"
    return None if all(np.isfinite(array).all() for arrays in weights for array in arrays) else "a weight"


def finished(study: Study, recipe: Recipe, weights: Weights) -> keras.Model:
    """The model that a run left: its members with their ``weights``, put together as the recipe says."""
    models: list[Any] = [build(study, recipe) for _ in weights]
    for model, values in zip(models, weights, strict=True):
        model.set_weights(values)
    for part in recipe:
        if isinstance(part, AfterTraining):
            models = [part.finish(models)]
    return models[0]


def _predictor(study: Study, recipe: Recipe, program: Program, weights: Weights) -> Any:
    if not any(isinstance(part, AfterTraining) for part in recipe):
        return program.logits
    model = finished(study, recipe, weights)
    if isinstance(model, RegularizedModel):  # an ensemble of one
        return program.logits

    def predict(x: np.ndarray) -> Any:
        chunks = [model(x[start : start + CHUNK], training=False) for start in range(0, len(x), CHUNK)]
        return study.task.combined_logits(tf.concat(chunks, 0))

    return predict


def _count(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _measure(task: Task, targets: dict[str, Any], logits: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    variance = task.residual_variance(targets["train"], logits["train"])
    return {
        part: finite({name: float(value) for name, value in task.measure(y, logits[part], variance=variance).items()})
        for part, y in targets.items()
    }


def _mean_history(histories: Sequence[Curves]) -> Curves:
    """Average the members' curves, over the members still training at an epoch; None where one is not finite."""
    longest = max(histories, key=lambda history: len(next(iter(history["train"].values()))))
    return {
        part: {name: _mean_curve([history[part][name] for history in histories]) for name in curves}
        for part, curves in longest.items()
    }


def _mean_curve(curves: Sequence[Sequence[float | None]]) -> list[float | None]:
    epochs = itertools.zip_longest(*curves, fillvalue=())  # an empty tuple: no longer training
    at_each = ([value for value in values if value != ()] for values in epochs)
    return [None if None in values else float(np.mean(values)) for values in at_each]  # type: ignore[arg-type]


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
