"""Trainer: train a run, or combine the members of an ensemble, and measure the resulting model."""

from __future__ import annotations

import math
import time
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property
from typing import Any, TypeVar

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import AfterTraining, OnTraining, Recipe
from regzoo.core._keras_compat import closing_name_scopes
from regzoo.core.json_values import replace_nonfinite
from regzoo.data.catalog import PARTS, fold_key
from regzoo.data.inputs import ModelInputs, count_rows
from regzoo.training.engine.batching import PartArrays, RowSource
from regzoo.training.engine.combined_model import CombinedModel
from regzoo.training.engine.diagnostics import compute_reliability, compute_weight_histogram, select_kernels
from regzoo.training.engine.fold_rows import FoldRows, PartRows
from regzoo.training.engine.history import average_histories, find_best_epoch
from regzoo.training.engine.make_model import Weights, build_compiled_model, build_for_setup
from regzoo.training.engine.program import Program
from regzoo.training.engine.pruning import Pruner
from regzoo.training.model.build import RegularizedModel
from regzoo.training.own_model.pack import load
from regzoo.training.records import PartMetrics, Record, Run, list_members
from regzoo.training.setup import TrainingSetup

Outcome = tuple[Record, Weights]
"""The record of a run and its final weights."""

V = TypeVar("V")

MAX_PROGRAMS = 32
"""Programs that a worker keeps; a comparison rarely has more structures than recipes."""


@dataclass
class Trainer:
    """Data and traced programs for the runs of one setup; `execute_run` trains with it.

    Attributes:
        setup: shared by all runs.
        data: the parts ``train``, ``validation`` and ``test`` of the first fold; those of further folds under
            `fold_key`.
        memory: bytes that the data may take, for all folds together; larger data is streamed. None for no limit.
        programs: by what folds must have in common to share one, and by structure of the recipe.
        fold: number of the fold that this trainer works on.
    """

    setup: TrainingSetup
    data: Mapping[str, PartArrays]
    memory: int | None = None
    programs: OrderedDict[Any, Program] = field(default_factory=OrderedDict)
    fold: int = 0
    _combined_models: OrderedDict[Any, CombinedModel] = field(default_factory=OrderedDict)
    _fold_trainers: dict[int, Trainer] = field(default_factory=dict)
    _fold_rows: FoldRows = field(default_factory=FoldRows)

    def load_own_model(self) -> None:
        """Load the user's own model, if there is one; it is kept for the runs.

        Raises:
            InputError: if this process lacks custom classes of it.
        """
        if self.setup.model is not None:
            load(self.setup.model)

    def for_fold(self, fold: int) -> Trainer:
        """Return the trainer of fold number ``fold``; both share the programs whose rows have equal shapes."""
        if fold == self.fold:
            return self
        if fold not in self._fold_trainers:
            self._fold_trainers[fold] = Trainer(
                self.setup.for_fold(fold),
                {part: self.data[fold_key(part, fold)] for part in PARTS},
                self._fold_memory,
                self.programs,
                fold,
                self._combined_models,
                _fold_rows=self._fold_rows,
            )
        return self._fold_trainers[fold]

    @property
    def _fold_memory(self) -> int | None:
        """Bytes for each fold."""
        return None if self.memory is None else self.memory // (1 + len(self.setup.folds))

    @cached_property
    def _rows(self) -> PartRows:
        return PartRows(self.data["train"], self.data["validation"], self.setup.task)

    @property
    def row_sources(self) -> list[RowSource]:
        """Training part, validation part and, if it is not the whole part, the train sample; for all programs.

        Folds whose rows have equal shapes share them: they hold the rows of the fold that asked last.
        """
        shared = bool(self.fold or self.setup.folds)
        return self._fold_rows.load(self.fold, self._rows, self._fold_memory, shared)

    @cached_property
    def compute_metrics(self) -> Callable[[Any, Any, Any], dict[str, Any]]:
        """Traced function of targets and logits (rows, size) and the variance of the residuals to every metric."""
        task, rows = self.setup.task, tf.TensorSpec([None, self.setup.task.size], tf.float32)
        return tf.function(
            lambda y, logits, variance: task.measure(y, logits, variance=variance),
            input_signature=[rows, rows, tf.TensorSpec([], tf.float32)],
        )

    def get_program(self, recipe: Recipe) -> Program:
        """Return the program for the structure of ``recipe``, on the rows of this fold until another fold asks.

        It is traced at most once while it is kept.
        """
        sources = self.row_sources
        key = (self._rows.shapes, self.setup.cells, recipe.structure())
        return _get_or_make(self.programs, key, lambda: self._make_program(recipe, sources))

    def get_combined_model(self, recipe: Recipe, count: int) -> CombinedModel:
        """Return the model that ``recipe`` makes of ``count`` models; it is traced at most once while it is kept."""
        setup = self.setup.for_fold(0)
        after = tuple(regularizer for regularizer in recipe if isinstance(regularizer, AfterTraining))

        def make() -> CombinedModel:
            models = [build_for_setup(setup, recipe) for _ in range(count)]
            return CombinedModel(recipe, models, self.row_sources[0].signature)

        key = (setup, recipe.structure(), after, count)  # not the fold: folds of equal inputs share it
        return _get_or_make(self._combined_models, key, make)

    def _make_program(self, recipe: Recipe, sources: list[RowSource]) -> Program:
        setup = self.setup
        train, validation, *sample = sources
        return Program(
            build_compiled_model(setup, recipe),
            train,
            validation,
            setup.batch_size,
            train_sample=sample[0] if sample else None,
            tracked=setup.task.tracked_metrics(setup.rank_by),
            memory=self._fold_memory,
            jit_compile=setup.jit_compile,
        )


def _get_or_make(cache: OrderedDict[Any, V], key: Any, make: Callable[[], V]) -> V:
    """Return the value of ``key`` in ``cache``, made if it is missing; the least recently used is dropped."""
    if key not in cache:
        cache[key] = make()
        if len(cache) > MAX_PROGRAMS:
            cache.popitem(last=False)
    cache.move_to_end(key)
    return cache[key]


@closing_name_scopes()
def execute_run(run: Run, trainer: Trainer, members: Sequence[Outcome] | None = None) -> Outcome:
    """Train one run, or combine its members, and measure the resulting model.

    Test data is used for replicates only: their strengths are no longer chosen.

    Args:
        run: with numbers for all strengths.
        trainer: the trainer of the run's setup.
        members: outcomes of the run's `list_members`, if they are trained already.
    """
    trainer = trainer.for_fold(run.fold)
    if members is None:
        needed = list_members(run)
        if needed == [run]:
            return _train(run, trainer)
        members = [execute_run(member, trainer) for member in needed]
    return _combine(run, trainer, members)


def _train(run: Run, trainer: Trainer) -> Outcome:
    setup, recipe = trainer.setup, run.recipe
    objective = replace(setup.task.objective(setup.rank_by), epochs=run.epochs)
    program = trainer.get_program(recipe)
    pruner = Pruner(run.bar, objective)
    watchers = [each.watch(objective) for each in recipe if isinstance(each, OnTraining)]
    training = program.train(
        strengths=recipe.dials(),
        seed=run.seed,
        learning_rate=run.learning_rate,
        epochs=run.epochs,
        objective=objective,
        watchers=[*watchers, pruner],
        schedule=setup.parse_schedule(),
    )
    history: Any = replace_nonfinite(training.history)
    record = Record(
        run=run,
        status="pruned" if pruner.pruned else "ok",
        history=history,
        epochs=training.epochs,
        best_epoch=find_best_epoch(history["validation"][objective.metric], objective),
        steps=program.steps * training.epochs,
        fit_seconds=training.seconds,
        error=f"behind the median of its recipe's trials after epoch {training.epochs}" if pruner.pruned else None,
    )
    return _measure(record, trainer, program, training.members)


def _combine(run: Run, trainer: Trainer, members: Sequence[Outcome]) -> Outcome:
    """Combine the ``members``' outcomes of an ensemble, or of one model with `AfterTraining` regularizers."""
    records = [record for record, _ in members]
    history = average_histories([record.history for record in records])
    objective = trainer.setup.task.objective(trainer.setup.rank_by)
    record = Record(
        run=run,
        status="ok",
        history=history,
        epochs=max(record.epochs for record in records),
        best_epoch=find_best_epoch(history["validation"][objective.metric], objective),
        steps=sum(record.steps for record in records),
        fit_seconds=sum(record.fit_seconds for record in records),
    )
    weights = [values for _, left in members for values in left]
    program = trainer.get_program(run.recipe.without_post_training())
    program.model.set_weights(weights[0])
    return _measure(record, trainer, program, weights)


def _measure(record: Record, trainer: Trainer, program: Program, weights: Weights) -> Outcome:
    """Complete ``record`` with the metrics of the trained model."""
    setup, data, run = trainer.setup, trainer.data, record.run
    predict = _make_predict(trainer, run.recipe, program, weights)
    began = time.perf_counter()
    parts = ["train", "validation", *(["test"] if run.stage == "replicate" else [])]
    predicted = {part: _predict_timed(predict, data[part][0]) for part in parts}  # train may trace; validation is timed
    logits = {part: values for part, (values, _) in predicted.items()}
    targets = {part: setup.task.encode(tf.constant(data[part][1])) for part in parts}
    metrics = _compute_metrics(trainer, targets, logits)
    nonfinite = _find_nonfinite(metrics, weights)
    measured = replace(
        record,
        status="diverged" if nonfinite else record.status,
        metrics=metrics,
        measure_seconds=time.perf_counter() - began,
        predict_ms=predicted["validation"][1],
        parameters=len(weights) * _count_parameters(program.model),
        error=f"{nonfinite} is not finite after epoch {record.epochs}" if nonfinite else record.error,
    )
    if run.stage != "replicate" or nonfinite:
        return measured, weights
    kernels = select_kernels(program.model, weights[0])
    bins = compute_reliability(setup.task, targets["validation"], logits["validation"])
    return replace(measured, reliability=bins, spread=compute_weight_histogram(kernels)), weights


def _find_nonfinite(metrics: PartMetrics, weights: Weights) -> str | None:
    """Return what is not finite, if anything. Metrics can look fine when weights are NaN, because ReLU hides it."""
    if any(value is None for values in metrics.values() for value in values.values()):
        return "a metric"
    return None if all(np.isfinite(array).all() for arrays in weights for array in arrays) else "a weight"


def _make_predict(trainer: Trainer, recipe: Recipe, program: Program, weights: Weights) -> Callable[[ModelInputs], Any]:
    """Return a function from inputs to logits, of the program's model or of the combined one with ``weights``."""
    if not any(isinstance(regularizer, AfterTraining) for regularizer in recipe):
        return program.logits
    combined = trainer.get_combined_model(recipe, len(weights))
    if isinstance(combined.model, RegularizedModel):  # an ensemble of one
        return program.logits
    combined.load(recipe, weights)
    return combined.logits


def _predict_timed(predict: Callable[[ModelInputs], Any], x: ModelInputs) -> tuple[np.ndarray, float]:
    """Return logits (rows, size) for inputs (rows, ...), and milliseconds per 1,000 rows."""
    began = time.perf_counter()
    logits = np.asarray(predict(x))
    return logits, (time.perf_counter() - began) * 1e6 / count_rows(x)


def _count_parameters(model: keras.Model) -> int:
    return sum(math.prod(variable.shape) for variable in model.trainable_variables)


def _compute_metrics(trainer: Trainer, targets: dict[str, Any], logits: dict[str, Any]) -> PartMetrics:
    variance = trainer.setup.task.residual_variance(targets["train"], logits["train"])
    computed = {part: trainer.compute_metrics(y, logits[part], variance) for part, y in targets.items()}
    return {
        part: replace_nonfinite({name: float(value) for name, value in values.items()})
        for part, values in computed.items()
    }
