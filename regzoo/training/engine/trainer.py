"""Run -> Record: one training, measured; or an ensemble, put together from its members' trainings."""

from __future__ import annotations

import itertools
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import AfterTraining, Objective, OnTraining, Recipe
from regzoo.core.json_values import replace_nonfinite
from regzoo.core.seeds import generator
from regzoo.data.catalog import PARTS, fold_key
from regzoo.training.engine.batching import PartArrays, RowSource, as_row_sources
from regzoo.training.engine.diagnostics import compute_reliability, compute_weight_histogram
from regzoo.training.engine.program import Program
from regzoo.training.engine.pruning import Pruner
from regzoo.training.model.build import build_model
from regzoo.training.model.finalize import CombinedModel, combine_models
from regzoo.training.model.model import RegularizedModel
from regzoo.training.optimizers import make_optimizer
from regzoo.training.records import PartCurves, PartMetrics, Record, Run, list_members
from regzoo.training.setup import TrainingSetup

Weights = list[list[np.ndarray]]
"""The weights of each member, in Keras's order."""

Outcome = tuple[Record, Weights]
"""What a run leaves."""

K = TypeVar("K")

KEPT = 32
"""Programs that a worker keeps; a comparison rarely has more structures than recipes."""

SHOWN = 1000
"""Training rows, drawn once, that curves of training metrics are taken on, or as many as validate: all of them after
every epoch would cost a third of the training. A finished model is measured on all."""


@dataclass
class Trainer:
    """Where runs are made: the data, and the programs traced so far, which share it.

    Attributes:
        setup: what all runs share.
        data: the parts ``train``, ``validation`` and ``test``; those of further cuts as `fold_key` calls them.
        memory: bytes that the data may take, all cuts together; more of it is streamed. None for no limit.
        programs: by the cut, and the structure of the recipe.
        fold: number of the cut that it works on.
    """

    setup: TrainingSetup
    data: dict[str, PartArrays]
    memory: int | None = None
    programs: OrderedDict[Any, Program] = field(default_factory=OrderedDict)
    fold: int = 0
    _combined: OrderedDict[Any, CombinedModel] = field(default_factory=OrderedDict)
    _cuts: dict[int, Trainer] = field(default_factory=dict)

    def of(self, fold: int) -> Trainer:
        """The studio of cut number ``fold``; it keeps its programs here."""
        if fold == self.fold:
            return self
        if fold not in self._cuts:
            data = {part: self.data[fold_key(part, fold)] for part in PARTS}
            self._cuts[fold] = Trainer(self.setup.of_fold(fold), data, self._share, self.programs, fold, self._combined)
        return self._cuts[fold]

    @property
    def _share(self) -> int | None:
        """Bytes for each cut."""
        return None if self.memory is None else self.memory // (1 + len(self.setup.folds))

    @cached_property
    def parts(self) -> list[RowSource]:
        """Held once for all programs: the training and the validation part, and the training rows that are shown."""
        train, validation = self.data["train"], self.data["validation"]
        count = max(len(validation[0]), SHOWN)
        if count >= len(train[0]):
            return as_row_sources([train, validation], self.setup.task, self._share)
        places = np.sort(generator("shown").permutation(len(train[0]))[:count])
        return as_row_sources(
            [train, validation, tuple(array[places] for array in train)], self.setup.task, self._share
        )

    @cached_property
    def measure(self) -> Callable[[Any, Any, Any], dict[str, Any]]:
        """Every metric of targets and logits (rows, size), given the variance of the residuals; traced once."""
        task, rows = self.setup.task, tf.TensorSpec([None, self.setup.task.size], tf.float32)
        return tf.function(
            lambda y, logits, variance: task.measure(y, logits, variance=variance),
            input_signature=[rows, rows, tf.TensorSpec([], tf.float32)],
        )

    def program(self, recipe: Recipe) -> Program:
        """The program for the structure of ``recipe``; traced at most once while it is kept."""
        return _kept(self.programs, (self.fold, recipe.structure()), lambda: self._program(recipe))

    def combined(self, recipe: Recipe, count: int) -> CombinedModel:
        """What makes one model of ``count`` trained with ``recipe``; built and traced at most once while it is kept."""
        after = tuple(part for part in recipe if isinstance(part, AfterTraining))
        models = (
            build_model(self.setup.backbone, recipe, self.setup.task, self.setup.input_shape) for _ in range(count)
        )
        key = (self.setup.of_fold(0), recipe.structure(), after, count)  # the same in every cut that has equal inputs
        return _kept(self._combined, key, lambda: CombinedModel(recipe, list(models)))

    def _program(self, recipe: Recipe) -> Program:
        setup = self.setup
        train, validation, *shown = self.parts
        return Program(
            build_compiled_model(setup, recipe),
            train,
            validation,
            setup.batch_size,
            shown=shown[0] if shown else None,
            followed=setup.task.tracked_metrics(setup.rank_by),
            jit_compile=setup.jit_compile,
        )


def _kept(cache: OrderedDict[Any, K], key: Any, make: Callable[[], K]) -> K:
    """Return what ``cache`` holds under ``key``, made now if need be; what was not used for longest makes room."""
    if key not in cache:
        cache[key] = make()
        if len(cache) > KEPT:
            cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]


def build_compiled_model(setup: TrainingSetup, recipe: Recipe, seed: int = 0) -> RegularizedModel:
    """Assemble and compile the model that ``setup`` trains with ``recipe``."""
    model = build_model(setup.backbone, recipe, setup.task, setup.input_shape, seed)
    model.compile(make_optimizer(setup.optimizer))
    return model


def execute_run(run: Run, trainer: Trainer, members: Sequence[Outcome] | None = None) -> Outcome:
    """Make one run and measure what came out.

    Test data is looked at for replicates only: their strengths are frozen.

    Args:
        run: with numbers for all strengths.
        trainer: where it is made.
        members: what its trainings left, one for each of `list_members`, if they have been made already.
    """
    trainer = trainer.of(run.fold)
    if members is None:
        needed = list_members(run)
        if needed == [run]:
            return _trained(run, trainer)
        members = [execute_run(one, trainer) for one in needed]
    return _combine(run, trainer, members)


def _trained(run: Run, trainer: Trainer) -> Outcome:
    setup, recipe = trainer.setup, run.recipe
    objective = replace(setup.task.objective(setup.rank_by), epochs=run.epochs)
    program = trainer.program(recipe)
    pruner = Pruner(run.bar, objective)
    training = program.train(
        strengths=recipe.dials(),
        seed=run.seed,
        learning_rate=run.learning_rate,
        epochs=run.epochs,
        objective=objective,
        watchers=[*(part.watch(objective) for part in recipe if isinstance(part, OnTraining)), pruner],
    )
    history: Any = replace_nonfinite(training.history)
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
    return _measured(made, trainer, program, training.members)


def _combine(run: Run, trainer: Trainer, members: Sequence[Outcome]) -> Outcome:
    """The run of an ensemble, or of one model by another name, from what its ``members`` left."""
    records = [record for record, _ in members]
    history = _mean_history([record.history for record in records])
    objective = trainer.setup.task.objective(trainer.setup.rank_by)
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
    program = trainer.program(run.recipe.without_post_training())
    program.model.set_weights(weights[0])
    return _measured(made, trainer, program, weights)


def _measured(made: Record, trainer: Trainer, program: Program, weights: Weights) -> Outcome:
    """Add to what is known of a training what its model achieves."""
    setup, data = trainer.setup, trainer.data
    predict = _predictor(trainer, made.run.recipe, program, weights)
    began = time.perf_counter()
    parts = ["train", "validation", *(["test"] if made.run.stage == "replicate" else [])]
    predicted = {part: _timed(predict, data[part][0]) for part in parts}  # validation after what may trace
    logits = {part: values for part, (values, _) in predicted.items()}
    targets = {part: setup.task.encode(tf.constant(data[part][1])) for part in parts}
    metrics = _metrics(trainer, targets, logits)
    broken = _broken(metrics, weights)
    record = replace(
        made,
        status="diverged" if broken else made.status,
        metrics=metrics,
        measure_seconds=time.perf_counter() - began,
        predict_ms=predicted["validation"][1],
        parameters=len(weights) * _count(program.model),
        error=f"{broken} is not finite after epoch {made.epochs}" if broken else made.error,
    )
    if made.run.stage != "replicate" or broken:
        return record, weights
    kernels = [values for values in weights[0] if values.ndim > 1]
    seen = compute_reliability(setup.task, targets["validation"], logits["validation"])
    return replace(record, reliability=seen, spread=compute_weight_histogram(kernels)), weights


def _broken(metrics: PartMetrics, weights: Weights) -> str | None:
    """What is not finite, if anything; a ReLU hides weights that are not a number, and metrics look fine."""
    if any(value is None for values in metrics.values() for value in values.values()):
        return "a metric"
    return None if all(np.isfinite(array).all() for arrays in weights for array in arrays) else "a weight"


def load_finished_model(setup: TrainingSetup, recipe: Recipe, weights: Weights) -> keras.Model:
    """The model that a run left: its members with their ``weights``, put together as the recipe says."""
    models = [build_compiled_model(setup, recipe) for _ in weights]
    for model, values in zip(models, weights, strict=True):
        model.set_weights(values)
    return combine_models(recipe, models)


def _predictor(trainer: Trainer, recipe: Recipe, program: Program, weights: Weights) -> Callable[[np.ndarray], Any]:
    if not any(isinstance(part, AfterTraining) for part in recipe):
        return program.logits
    combined = trainer.combined(recipe, len(weights))
    if isinstance(combined.model, RegularizedModel):  # an ensemble of one
        return program.logits
    combined.load(recipe, weights)
    return combined.logits


def _count(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _metrics(trainer: Trainer, targets: dict[str, Any], logits: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    variance = trainer.setup.task.residual_variance(targets["train"], logits["train"])
    measured = {part: trainer.measure(y, logits[part], variance) for part, y in targets.items()}
    return {
        part: replace_nonfinite({name: float(value) for name, value in values.items()})
        for part, values in measured.items()
    }


def _mean_history(histories: Sequence[PartCurves]) -> PartCurves:
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


def _timed(predict: Callable[[np.ndarray], Any], x: np.ndarray) -> tuple[np.ndarray, float]:
    """The logits (rows, size) for inputs (rows, ...), and the milliseconds that 1,000 rows take."""
    began = time.perf_counter()
    logits = np.asarray(predict(x))
    return logits, (time.perf_counter() - began) * 1e6 / len(x)
