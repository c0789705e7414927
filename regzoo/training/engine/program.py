"""Program: trace a training once, then reset, turn the dials and train again.

An epoch is one graph call: the loop over the batches runs inside the graph, and the metrics on training and
validation data are taken there too. A second run of the same structure builds and traces nothing.
"""

from __future__ import annotations

import math
import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.core import InputError, Objective, Recipe, Schedule, Watcher
from regzoo.core.seeds import generator
from regzoo.training.engine.batching import CHUNK, Batch, PartArrays, RowSource, as_row_sources
from regzoo.training.model.model import RegularizedModel

PARTS = ("train", "validation")
"""What is measured after each epoch."""


@dataclass(frozen=True)
class Training:
    """What a training left: ``history[part][metric]`` has a number per epoch; times in seconds.

    ``members`` are the weights of the models it left: one, unless a watcher kept snapshots.
    """

    history: dict[str, dict[str, list[float]]]
    epochs: int
    seconds: float
    members: list[list[np.ndarray]]


class Program:
    """One traced training program.

    Args:
        model: compiled; it is this program's alone from now on.
        train: the training part: arrays, or a `RowSource` that several programs share.
        validation: the validation part, alike.
        batch_size: rows per step; the last batch of an epoch may be smaller.
        shown: training rows that the training metrics are taken on after each epoch; by default all.
        followed: the metrics taken after each epoch; by default those that are cheap.
        memory: bytes; arrays that take more than this are not held as tensors but streamed. None for no limit.
        jit_compile: whether XLA compiles the step. Its random numbers are others, so results are too.
    """

    def __init__(
        self,
        model: RegularizedModel,
        train: PartArrays | RowSource,
        validation: PartArrays | RowSource,
        batch_size: int,
        *,
        shown: PartArrays | RowSource | None = None,
        followed: Sequence[str] | None = None,
        memory: int | None = None,
        jit_compile: bool = False,
    ) -> None:
        self.model = model
        self.followed = tuple(followed or model.task.tracked_metrics())
        self._train, self._validation, *apart = as_row_sources(
            [train, validation, *([shown] if shown else [])], model.task, memory
        )
        self._shown = apart[0] if apart else self._train
        self.rows = self._train.rows
        self.steps = math.ceil(self.rows / batch_size)
        self._batch_size = batch_size
        self._jit_compile = jit_compile
        loss = tf.function(self._training_loss)
        model.show_training_data(lambda: self._train.in_order(batch_size), lambda: float(loss()))
        self._epoch = tf.function(self._run_epoch, input_signature=[tf.TensorSpec([self.rows], tf.int32)])
        self._logits = tf.function(
            model.logits, input_signature=[tf.TensorSpec([None, *self._train.shape], tf.float32)]
        )
        self._epoch.get_concrete_function()

    @property
    def traces(self) -> int:
        """How many times each of its graphs was traced, at most."""
        return max(graph.experimental_get_tracing_count() for graph in (self._epoch, self._logits))

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
    ) -> Training:
        """Train from the start that ``seed`` decides, at these strengths; stop early if a watcher or NaN says so.

        Args:
            strengths: every dial, by ``name.field``.
            seed: decides initial weights, the order of the batches and every random stream.
            learning_rate: the optimizer's.
            epochs: at most so many passes over the training part.
            objective: what the watchers are shown after each epoch, on validation.
            watchers: fresh ones; each is asked to finish at the end.
            noise: seed of the random streams alone, if they shall differ from the run's.
        """
        model = self.model
        model.reset(seed, noise)
        model.optimizer.learning_rate.assign(learning_rate)
        names = self.followed
        curves: list[np.ndarray] = []
        began = time.perf_counter()
        for epoch in range(epochs):
            model.turn(strengths, epoch)
            for watcher in watchers:
                watcher.begin(epoch, model)
            curves.append(self._trained(self.order(seed, epoch)))
            score = float(curves[-1][1, names.index(objective.metric)])
            stop = [watcher.epoch(epoch, score, model) for watcher in watchers]
            if any(stop) or not np.isfinite(curves[-1]).all():
                break
        for watcher in watchers:
            watcher.finish(model)
        seconds = time.perf_counter() - began
        table = np.stack(curves)  # (epochs, 2, metrics)
        history = {
            part: {name: table[:, p, m].tolist() for m, name in enumerate(names)} for p, part in enumerate(PARTS)
        }
        members = max((watcher.members(model) for watcher in watchers), key=len, default=[model.get_weights()])
        return Training(history, len(curves), seconds, members)

    def _trained(self, order: np.ndarray) -> np.ndarray:
        """Train one epoch; return the metrics after it, (2, metrics)."""
        try:
            return self._epoch(order).numpy()
        except (tf.errors.InvalidArgumentError, tf.errors.UnimplementedError) as error:
            if self._jit_compile and "XLA" in error.message:
                raise InputError(_refusal(self.model.recipe, error.message)) from error
            raise

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The order (rows,) in which epoch ``epoch`` of a run with ``seed`` sees the training rows."""
        return generator(seed, "order", epoch).permutation(self.rows).astype(np.int32)

    def logits(self, x: np.ndarray) -> Any:
        """The trained model's logits (rows, size) for standardized inputs (rows, ...), CHUNK rows at a time."""
        return tf.concat([self._logits(x[start : start + CHUNK]) for start in range(0, len(x), CHUNK)], 0)

    def _run_epoch(self, order: Any) -> Any:
        take = self._train.batches(order, self._batch_size)
        if self._jit_compile:
            self._compiled_steps(take)
        else:
            for step in tf.range(self.steps):
                self.model.update(*take(step))
        return self._measured()

    def _compiled_steps(self, take: Callable[[Any], Batch]) -> None:
        """As the loop above; XLA compiles for a size of batch, so the last, smaller batch is apart."""
        update = tf.function(lambda *batch: self.model.update(*batch)[0], jit_compile=True, autograph=False)
        whole, rest = divmod(self.rows, self._batch_size)
        for step in tf.range(whole):
            update(*_of_size(take(step), self._batch_size))
        if rest:
            update(*_of_size(take(whole), rest))

    def _training_loss(self) -> Any:
        logits, y = self._train.passed(self.model.logits)
        return tf.reduce_mean(self.model.task.loss(y, logits))

    def _measured(self) -> Any:
        """The metrics followed on training and validation rows, (2, metrics)."""
        task = self.model.task
        passed = [part.passed(self.model.logits) for part in (self._shown, self._validation)]
        variance = task.residual_variance(passed[0][1], passed[0][0])
        measured = [task.measure(y, logits, self.followed, variance) for logits, y in passed]
        return tf.stack([tf.stack([metrics[name] for name in self.followed]) for metrics in measured])


def _refusal(recipe: Recipe, message: str) -> str:
    """What to tell the user when XLA cannot compile the step of ``recipe``, from TensorFlow's ``message``."""
    unknown = sorted(set(re.findall(r"(\w+) \(No registered", message)))
    why = f"it has no {', '.join(unknown)}" if unknown else message.strip().splitlines()[0]
    return f"XLA cannot compile {recipe}: {why}; set training.jit_compile to false"


def _of_size(batch: Batch, size: int) -> Batch:
    return tuple(tf.ensure_shape(tensor, [size, *tensor.shape[1:]]) for tensor in batch)
