"""Program: trace a training once, then reset, turn the dials and train again.

An epoch is one graph call over tensors in memory: the loop over the batches runs inside the graph, and the
metrics on training and validation data are taken there too. A second run of the same structure builds and traces
nothing.
"""

from __future__ import annotations

import math
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.language import Objective, Schedule, Watcher
from regzoo.language.seeds import generator
from regzoo.training.model import RegularizedModel

Rows = tuple[np.ndarray, np.ndarray]
"""Standardized inputs (rows, ...) and targets: whole-number classes (rows,) or numbers (rows, outputs)."""

CHUNK = 1024
"""Rows evaluated at a time."""


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
        train: the training part.
        validation: the validation part.
        batch_size: rows per step; the last batch of an epoch may be smaller.
        followed: the metrics taken after each epoch; by default those that are cheap.
    """

    def __init__(
        self,
        model: RegularizedModel,
        train: Rows,
        validation: Rows,
        batch_size: int,
        followed: Sequence[str] | None = None,
    ) -> None:
        self.model = model
        self.followed = tuple(followed or model.task.followed())
        self.rows = len(train[0])
        self.steps = math.ceil(self.rows / batch_size)
        self.traces = 0
        self._parts = {"train": self._tensors(train), "validation": self._tensors(validation)}
        order = tf.TensorSpec([self.rows], tf.int32)
        self._epoch = tf.function(self._run_epoch, input_signature=[order])
        self._batch_size = batch_size
        model.show_training_data(self._training_batches)
        self._logits = tf.function(self._in_chunks, reduce_retracing=True)
        self._epoch.get_concrete_function()

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
            curves.append(self._epoch(self.order(seed, epoch)).numpy())  # (2, metrics)
            score = float(curves[-1][1, names.index(objective.metric)])
            stop = [watcher.epoch(epoch, score, model) for watcher in watchers]
            if any(stop) or not np.isfinite(curves[-1]).all():
                break
        for watcher in watchers:
            watcher.finish(model)
        seconds = time.perf_counter() - began
        table = np.stack(curves)  # (epochs, 2, metrics)
        history = {
            part: {name: table[:, p, m].tolist() for m, name in enumerate(names)} for p, part in enumerate(self._parts)
        }
        members = max((watcher.members(model) for watcher in watchers), key=len, default=[model.get_weights()])
        return Training(history, len(curves), seconds, members)

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The order (rows,) in which epoch ``epoch`` of a run with ``seed`` sees the training rows."""
        return generator(seed, "order", epoch).permutation(self.rows).astype(np.int32)

    def logits(self, x: np.ndarray) -> Any:
        """The trained model's logits (rows, size) for standardized inputs (rows, ...)."""
        return self._logits(tf.constant(x))

    def _training_batches(self) -> Iterator[tuple[Any, Any]]:
        x, y = self._parts["train"]
        for start in range(0, self.rows, self._batch_size):
            yield x[start : start + self._batch_size], y[start : start + self._batch_size]

    def _tensors(self, rows: Rows) -> tuple[Any, Any]:
        return tf.constant(rows[0]), self.model.task.encode(tf.constant(rows[1]))

    def _run_epoch(self, order: Any) -> Any:
        self.traces += 1  # Python runs this line only while tracing
        x, y = self._parts["train"]
        for step in tf.range(self.steps):
            batch = order[step * self._batch_size : (step + 1) * self._batch_size]
            self.model.update(tf.gather(x, batch), tf.gather(y, batch))
        task, parts = self.model.task, self._parts
        logits = {part: self._in_chunks(x) for part, (x, _) in parts.items()}
        variance = task.residual_variance(parts["train"][1], logits["train"])
        measured = [task.measure(y, logits[part], self.followed, variance) for part, (_, y) in parts.items()]
        return tf.stack([tf.stack([metrics[name] for name in self.followed]) for metrics in measured])

    def _in_chunks(self, x: Any) -> Any:
        if x.shape[0] is not None and x.shape[0] <= CHUNK:
            return self.model.logits(x)
        rows = tf.shape(x)[0]
        chunks = tf.TensorArray(tf.float32, size=(rows + CHUNK - 1) // CHUNK, infer_shape=False)
        for chunk in tf.range((rows + CHUNK - 1) // CHUNK):
            chunks = chunks.write(chunk, self.model.logits(x[chunk * CHUNK : (chunk + 1) * CHUNK]))
        return tf.ensure_shape(chunks.concat(), [None, self.model.task.size])
