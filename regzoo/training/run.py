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

from regzoo.data.catalog import PARTS, in_cut
from regzoo.language import AfterTraining, Objective, OnTraining, Recipe, parse
from regzoo.language.seeds import generator
from regzoo.training.assemble import assemble
from regzoo.training.combined import Combined, put_together
from regzoo.training.members import members_of
from regzoo.training.model import RegularizedModel
from regzoo.training.optimizers import compiled_optimizer
from regzoo.training.parts import Part, Rows, held
from regzoo.training.portrait import reliability, spread
from regzoo.training.program import Program
from regzoo.training.pruning import Pruner
from regzoo.training.record import Curves, Parts, Record, Run, finite
from regzoo.training.study import Study

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
class Studio:
    """Where runs are made: the data, and the programs traced so far, which share it.

    Attributes:
        study: what all runs share.
        data: the parts ``train``, ``validation`` and ``test``; those of further cuts as `in_cut` calls them.
        memory: bytes that the data may take, all cuts together; more of it is streamed. None for no limit.
        programs: by the cut, and the structure of the recipe.
        fold: number of the cut that it works on.
    """

    study: Study
    data: dict[str, Rows]
    memory: int | None = None
    programs: OrderedDict[Any, Program] = field(default_factory=OrderedDict)
    fold: int = 0
    _combined: OrderedDict[Any, Combined] = field(default_factory=OrderedDict)
    _cuts: dict[int, Studio] = field(default_factory=dict)

    def of(self, fold: int) -> Studio:
        """The studio of cut number ``fold``; it keeps its programs here."""
        if fold == self.fold:
            return self
        if fold not in self._cuts:
            data = {part: self.data[in_cut(part, fold)] for part in PARTS}
            self._cuts[fold] = Studio(self.study.of(fold), data, self._share, self.programs, fold, self._combined)
        return self._cuts[fold]

    @property
    def _share(self) -> int | None:
        """Bytes for each cut."""
        return None if self.memory is None else self.memory // (1 + len(self.study.cuts))

    @cached_property
    def parts(self) -> list[Part]:
        """Held once for all programs: the training and the validation part, and the training rows that are shown."""
        train, validation = self.data["train"], self.data["validation"]
        count = max(len(validation[0]), SHOWN)
        if count >= len(train[0]):
            return held([train, validation], self.study.task, self._share)
        places = np.sort(generator("shown").permutation(len(train[0]))[:count])
        return held([train, validation, tuple(array[places] for array in train)], self.study.task, self._share)

    @cached_property
    def measure(self) -> Callable[[Any, Any, Any], dict[str, Any]]:
        """Every metric of targets and logits (rows, size), given the variance of the residuals; traced once."""
        task, rows = self.study.task, tf.TensorSpec([None, self.study.task.size], tf.float32)
        return tf.function(
            lambda y, logits, variance: task.measure(y, logits, variance=variance),
            input_signature=[rows, rows, tf.TensorSpec([], tf.float32)],
        )

    def program(self, recipe: Recipe) -> Program:
        """The program for the structure of ``recipe``; traced at most once while it is kept."""
        return _kept(self.programs, (self.fold, recipe.structure()), lambda: self._program(recipe))

    def combined(self, recipe: Recipe, count: int) -> Combined:
        """What makes one model of ``count`` trained with ``recipe``; built and traced at most once while it is kept."""
        after = tuple(part for part in recipe if isinstance(part, AfterTraining))
        models = (assemble(self.study.backbone, recipe, self.study.task, self.study.input_shape) for _ in range(count))
        key = (self.study.of(0), recipe.structure(), after, count)  # the same in every cut that has equal inputs
        return _kept(self._combined, key, lambda: Combined(recipe, list(models)))

    def _program(self, recipe: Recipe) -> Program:
        study = self.study
        train, validation, *shown = self.parts
        return Program(
            build(study, recipe),
            train,
            validation,
            study.batch_size,
            shown=shown[0] if shown else None,
            followed=study.task.followed(study.rank_by),
            jit_compile=study.jit_compile,
        )


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


def execute(run: Run, studio: Studio, members: Sequence[Outcome] | None = None) -> Outcome:
    """Make one run and measure what came out.

    Test data is looked at for replicates only: their strengths are frozen.

    Args:
        run: with numbers for all strengths.
        studio: where it is made.
        members: what its trainings left, one for each of `members_of`, if they have been made already.
    """
    studio = studio.of(run.fold)
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
    predict = _predictor(studio, parse(made.run.recipe), program, weights)
    parts = ["train", "validation", *(["test"] if made.run.stage == "replicate" else [])]
    logits = {part: predict(data[part][0]) for part in parts}
    targets = {part: study.task.encode(tf.constant(data[part][1])) for part in parts}
    metrics = _metrics(studio, targets, logits)
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


def _metrics(studio: Studio, targets: dict[str, Any], logits: dict[str, Any]) -> dict[str, dict[str, float | None]]:
    variance = studio.study.task.residual_variance(targets["train"], logits["train"])
    measured = {part: studio.measure(y, logits[part], variance) for part, y in targets.items()}
    return {part: finite({name: float(value) for name, value in values.items()}) for part, values in measured.items()}


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
