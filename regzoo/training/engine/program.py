"""Program: a training that is traced once; each further run resets it, sets the dials and trains again.

An epoch is one graph call: the loop over the batches runs inside the graph, and so does the evaluation on training and
validation rows. A second run of the same structure builds and traces nothing.
"""

from __future__ import annotations

import functools
import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.core import InputError, Objective, Recipe, Schedule, Watcher
from regzoo.core.augmentation import count_copies, require_memory
from regzoo.core.seeds import generator
from regzoo.data.inputs import ModelInputs, map_inputs
from regzoo.system.memory import get_available_memory
from regzoo.training.engine.batching import Batch, PartArrays, RowSource, as_row_sources, compute_in_chunks
from regzoo.training.engine.copied_rows import CopiedRows, get_copied_rows
from regzoo.training.learning_rate_schedule import LearningRateSchedule
from regzoo.training.model.augmented_rows import RowAugmenter
from regzoo.training.model.build import RegularizedModel
from regzoo.training.model.judged import JudgedWeights
from regzoo.training.model.statistics import MAX_BATCHES, Refit

PARTS = ("train", "validation")
"""The parts that are evaluated after each epoch."""


@dataclass(frozen=True)
class Training:
    """Result of one training.

    Attributes:
        history: ``history[part][metric]`` has a number per epoch.
        epochs: epochs trained.
        seconds: wall time.
        members: weights of the resulting models: one, unless a watcher kept snapshots.
    """

    history: dict[str, dict[str, list[float]]]
    epochs: int
    seconds: float
    members: list[list[np.ndarray]]


class Program:
    """One traced training program.

    Args:
        model: compiled; from now on it belongs to this program alone.
        train: the training part: arrays, or a `RowSource` that several programs share.
        validation: the validation part, likewise.
        batch_size: rows per step; the last batch of an epoch may be smaller.
        train_sample: training rows on which the training metrics are computed after each epoch; by default all.
        tracked: names of the metrics computed after each epoch; by default those that are cheap.
        memory: bytes; arrays that take more are streamed instead of held as tensors, and augmented copies refused. None
            for no limit but that of the machine.
        jit_compile: True to compile the step with XLA. XLA draws other random numbers, so results differ.
    """

    def __init__(
        self,
        model: RegularizedModel,
        train: PartArrays | RowSource,
        validation: PartArrays | RowSource,
        batch_size: int,
        *,
        train_sample: PartArrays | RowSource | None = None,
        tracked: Sequence[str] | None = None,
        memory: int | None = None,
        jit_compile: bool = False,
    ) -> None:
        self.model = model
        self.tracked = tuple(tracked or model.task.tracked_metrics())
        self._train, self._validation, *sample = as_row_sources(
            [train, validation, *([train_sample] if train_sample else [])], model.task, memory
        )
        self._train_sample = sample[0] if sample else self._train
        self._copied = self._hold_copies(memory)
        self.rows = (self._copied or self._train).rows
        self.steps = math.ceil(self.rows / batch_size)
        self._batch_size = batch_size
        self._jit_compile = jit_compile
        self._order = np.arange(self.rows, dtype=np.int32)
        loss = tf.function(self._compute_training_loss)
        model.set_training_data(lambda: self._train.iterate(batch_size), lambda: float(loss()), self._refit_statistics)
        self._epoch, self._steps = map(self._trace_lazily, (self._run_epoch, self._run_steps))
        self._metrics = tf.function(self._compute_metrics, input_signature=[])
        self._refits: dict[tuple[bool, bool], Any] = {}
        self._augmenter = RowAugmenter(model)
        self._fill = tf.function(self._make_copy, input_signature=[tf.TensorSpec([], tf.int32)])
        self._logits = tf.function(model.logits, input_signature=[self._train.signature])
        differ = JudgedWeights(model).differ or any(each.averages for each in model.recipe)
        (self._steps if differ else self._epoch).get_concrete_function()

    @property
    def traces(self) -> int:
        """The number of times that each of its graphs was traced, at most."""
        graphs = (self._epoch, self._steps, self._metrics, self._logits, self._fill, *self._refits.values())
        return max(graph.experimental_get_tracing_count() for graph in graphs)

    def train(
        self,
        *,
        strengths: Mapping[str, float | Schedule],
        seed: int,
        learning_rate: float,
        epochs: int,
        objective: Objective,
        watchers: Sequence[Watcher] = (),
        noise: int | None = None,
        schedule: LearningRateSchedule | None = None,
    ) -> Training:
        """Train from the initial weights of ``seed``; stop early if a watcher asks for it or a metric is not finite.

        Args:
            strengths: every dial, by ``name.field``.
            seed: seed of the initial weights, the order of the batches and every random stream.
            learning_rate: the optimizer's learning rate.
            epochs: passes over the training part, at most.
            objective: the watchers receive its metric on validation after each epoch.
            watchers: new ones; `Watcher.finish` is called at the end.
            noise: seed of the random streams, if it should differ from the run's.
            schedule: sets the learning rate of each epoch, from ``learning_rate`` on; None if it stays the same.
        """
        model = self.model
        model.set_dials(strengths)  # before the weights are drawn, since layer_scale starts its own at a dial
        model.reset(seed, noise)
        model.optimizer.learning_rate.assign(learning_rate)
        self._make_copies(strengths)
        judged = JudgedWeights(model, watchers)
        tracked: list[np.ndarray] = []
        began = time.perf_counter()
        for epoch in range(epochs):
            judged.leave()
            model.set_dials(strengths, epoch)
            if schedule is not None:
                model.optimizer.learning_rate.assign(schedule.compute(learning_rate, epoch))
            for watcher in watchers:
                watcher.begin(epoch, model)
            self._order = self.draw_order(seed, epoch)
            tracked.append(self._train_epoch(epoch, judged))
            score = float(tracked[-1][1, self.tracked.index(objective.metric)])
            stop = [watcher.epoch(epoch, score, model) for watcher in watchers]
            if any(stop) or not np.isfinite(tracked[-1]).all():
                break
        for watcher in watchers:
            watcher.finish(model)
        seconds = time.perf_counter() - began
        members = max((watcher.members(model) for watcher in watchers), key=len, default=[model.get_weights()])
        return Training(self._make_history(np.stack(tracked)), len(tracked), seconds, members)

    def draw_order(self, seed: int, epoch: int) -> np.ndarray:
        """Return the order (rows,) of the training rows in epoch ``epoch`` of a run with ``seed``."""
        return generator(seed, "order", epoch).permutation(self.rows).astype(np.int32)

    def _hold_copies(self, memory: int | None) -> CopiedRows | None:
        """Return the rows with their augmented copies, or None if the recipe makes none.

        Raises:
            InputError: if they do not fit into the memory.
        """
        copies = count_copies(self.model.recipe)
        if not copies:
            return None
        available = get_available_memory() if memory is None else memory
        require_memory(self.model.recipe, self._train.count_input_bytes(), available)
        return get_copied_rows(self._train, copies)

    def _make_copy(self, copy: Any) -> None:
        """Make copy number ``copy`` of the training rows."""
        assert self._copied is not None, "the recipe makes copies"
        self._copied.fill(copy, self._augmenter, self._batch_size)

    def _make_copies(self, strengths: Mapping[str, float | Schedule]) -> None:
        """Make the augmented copies of a run at its strengths, from the beginning of its random streams."""
        if self._copied is not None:
            self.model.set_dials(strengths)
            self._augmenter.restart()
            for copy in range(self._copied.copies):
                self._fill(tf.constant(copy))

    def logits(self, x: ModelInputs) -> Any:
        """Return logits (rows, size) for prepared inputs (rows, ...), computed CHUNK rows at a time."""
        return compute_in_chunks(self._logits, x)

    def _make_history(self, values: np.ndarray) -> dict[str, dict[str, list[float]]]:
        """Return values (epochs, 2, metrics) by part and metric."""
        return {
            part: {name: values[:, p, m].tolist() for m, name in enumerate(self.tracked)}
            for p, part in enumerate(PARTS)
        }

    def _train_epoch(self, epoch: int, judged: JudgedWeights) -> np.ndarray:
        """Train one epoch; return the metrics of the judged weights after it, (2, metrics), which stay set."""
        try:
            if not judged.differ:
                metrics: np.ndarray = self._epoch(self._order).numpy()
                return metrics
            self._steps(self._order)
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if self._jit_compile and "XLA" in error.message:
                raise InputError(_explain_xla_failure(self.model.recipe, error.message)) from error
            raise
        judged.enter(epoch)
        measured: np.ndarray = self._metrics().numpy()
        return measured

    def _trace_lazily(self, function: Callable[[Any], Any]) -> Any:
        return tf.function(function, input_signature=[tf.TensorSpec([self.rows], tf.int32)])

    def _run_epoch(self, order: Any) -> Any:
        self._run_steps(order)
        return self._compute_metrics()

    def _run_steps(self, order: Any) -> None:
        take = (self._copied or self._train).batches(order, self._batch_size)
        if self._jit_compile:
            self._run_compiled_steps(take)
        else:
            for step in tf.range(self.steps):
                self.model.update(*take(step))

    def _run_compiled_steps(self, take: Callable[[Any], Batch]) -> None:
        """Run all steps of an epoch; XLA compiles for one batch size, so a smaller last batch is a step of its own."""
        update = tf.function(lambda *batch: self.model.update(*batch)[0], jit_compile=True, autograph=False)
        whole, rest = divmod(self.rows, self._batch_size)
        for step in tf.range(whole):
            update(*_set_batch_size(take(step), self._batch_size))
        if rest:
            update(*_set_batch_size(take(whole), rest))

    def _refit_statistics(self, plain: bool, fresh: bool) -> None:
        """Compute moving statistics again on the batches of the last epoch; see `RegularizedModel.refit_statistics`."""
        if (plain, fresh) not in self._refits:
            refit = Refit(self.model, self.model.list_layers_to_refit(fresh), plain)
            self._refits[plain, fresh] = self._trace_lazily(functools.partial(self._run_refit, refit))
        self._refits[plain, fresh](self._order)

    def _run_refit(self, refit: Refit, order: Any) -> None:
        rows, size = self._train.rows, self._batch_size
        take = self._train.batches(tf.boolean_mask(order, order < rows), size)  # without the copies of rows
        first = min(rows, size)
        with refit.start():
            for step in tf.range(min(math.ceil(rows / size), MAX_BATCHES)):
                x, y, *_ = take(step)
                refit.add(x, tf.cast(tf.shape(y)[0], tf.float32) / first)

    def _compute_training_loss(self) -> Any:
        logits, y = self._train.predict(self.model.logits)
        return tf.reduce_mean(self.model.task.loss(y, logits))

    def _compute_metrics(self) -> Any:
        """Return the tracked metrics on training and validation rows, (2, metrics)."""
        task = self.model.task
        predicted = [source.predict(self.model.logits) for source in (self._train_sample, self._validation)]
        variance = task.residual_variance(predicted[0][1], predicted[0][0])
        computed = [task.measure(y, logits, self.tracked, variance) for logits, y in predicted]
        return tf.stack([tf.stack([metrics[name] for name in self.tracked]) for metrics in computed])


def _explain_xla_failure(recipe: Recipe, message: str) -> str:
    """Return a sentence on why XLA cannot compile the step of ``recipe``, from TensorFlow's ``message``."""
    unknown = sorted(set(re.findall(r"(\w+) \(No registered", message)))
    why = f"it has no {', '.join(unknown)}" if unknown else message.strip().splitlines()[0]
    return f"XLA cannot compile {recipe}: {why}; set training.jit_compile to false"


def _set_batch_size(batch: Batch, size: int) -> Batch:
    return tuple(map_inputs(lambda t: tf.ensure_shape(t, [size, *t.shape[1:]]), part) for part in batch)
