"""Parts: the rows that a program trains on and evaluates, as tensors in memory or streamed from where they lie.

Both kinds hand out the same batches in the same order, so a training is the same bit for bit.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.training.task import Task

PartArrays = tuple[np.ndarray, ...]
"""Standardized inputs (rows, ...) and targets: whole-number classes (rows,) or numbers (rows, outputs); then, if the
rows have them, their weights (rows,)."""

Batch = tuple[Any, ...]
"""Inputs (batch, ...), encoded targets (batch, size) and weights (batch,) if there are any, as tensors."""

CHUNK = 256
"""Rows evaluated at a time: larger ones leave the processor's cache, smaller ones keep it waiting."""

AHEAD = 2
"""Batches read ahead while one is trained on."""


class RowSource(ABC):
    """Some of the rows of a data set.

    Attributes:
        rows: how many.
        shape: of one input.
    """

    rows: int
    shape: tuple[int, ...]

    @abstractmethod
    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Return ``take``, in a graph: ``take(step)`` is the batch at ``step``, asked for one after the other from 0.

        Args:
            order: places of the rows, int32 (rows,).
            size: rows in a batch; the last may have fewer.
        """

    @abstractmethod
    def in_order(self, size: int) -> Iterator[Batch]:
        """The batches of ``size`` rows, outside of a graph; the last may have fewer."""

    @abstractmethod
    def passed(self, logits: Callable[[Any], Any]) -> Batch:
        """What ``logits`` gives for all rows, (rows, size), and their targets (rows, size), in a graph."""


class InMemoryRows(RowSource):
    """Rows held as tensors.

    Args:
        rows: inputs and targets.
        task: encodes the targets.
    """

    def __init__(self, rows: PartArrays, task: Task) -> None:
        self.rows, self.shape = len(rows[0]), tuple(rows[0].shape[1:])
        x, y, *weight = map(tf.constant, rows)
        self._x, self._y = x, task.encode(y)
        self._batch = (self._x, self._y, *weight)

    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Gather each batch from the tensors."""

        def take(step: Any) -> Batch:
            places = order[step * size : (step + 1) * size]
            return tuple(tf.gather(tensor, places) for tensor in self._batch)

        return take

    def in_order(self, size: int) -> Iterator[Batch]:
        """Slices of the tensors."""
        for start in range(0, self.rows, size):
            yield tuple(tensor[start : start + size] for tensor in self._batch)

    def passed(self, logits: Callable[[Any], Any]) -> Batch:
        """Pass slices of the tensors."""
        if self.rows <= CHUNK:
            return logits(self._x), self._y
        found = tf.TensorArray(tf.float32, size=_chunks(self.rows), infer_shape=False)
        for chunk in tf.range(_chunks(self.rows)):
            found = found.write(chunk, logits(self._x[chunk * CHUNK : (chunk + 1) * CHUNK]))
        return tf.ensure_shape(found.concat(), self._y.shape), self._y


class StreamedRows(RowSource):
    """Rows read batch by batch, ahead of their use, from arrays that may lie on disk.

    Args:
        rows: inputs and targets, such as memory-mapped arrays.
        task: encodes the targets.
    """

    def __init__(self, rows: PartArrays, task: Task) -> None:
        self.rows, self.shape = len(rows[0]), tuple(rows[0].shape[1:])
        self._source, self._task = rows, task

    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Read the batches in this order."""
        batches = iter(self._read(tf.data.Dataset.from_tensor_slices(order).batch(size)))
        return lambda step: batches.get_next()

    def in_order(self, size: int) -> Iterator[Batch]:
        """Read the batches from the first row on."""
        return iter(self._read(tf.data.Dataset.range(self.rows).batch(size)))

    def passed(self, logits: Callable[[Any], Any]) -> Batch:
        """Read and pass the rows, chunk by chunk."""
        chunks = iter(self._read(tf.data.Dataset.range(self.rows).batch(CHUNK)))
        found, targets = (tf.TensorArray(tf.float32, size=_chunks(self.rows), infer_shape=False) for _ in range(2))
        for chunk in tf.range(_chunks(self.rows)):
            x, y, *_ = chunks.get_next()
            found, targets = found.write(chunk, logits(x)), targets.write(chunk, y)
        shape = [self.rows, self._task.size]
        return tf.ensure_shape(found.concat(), shape), tf.ensure_shape(targets.concat(), shape)

    def _read(self, places: tf.data.Dataset) -> tf.data.Dataset:
        """The rows at ``places``, batches of numbers of rows."""
        return places.map(self._fetched).prefetch(AHEAD)

    def _fetched(self, places: Any) -> Batch:
        found = tf.numpy_function(self._fetch, [places], [tf.as_dtype(array.dtype) for array in self._source])
        for tensor, array in zip(found, self._source, strict=True):
            tensor.set_shape([None, *array.shape[1:]])
        return found[0], self._task.encode(found[1]), *found[2:]

    def _fetch(self, places: np.ndarray) -> list[np.ndarray]:
        return [array[places] for array in self._source]


def as_row_sources(given: Sequence[PartArrays | RowSource], task: Task, memory: int | None = None) -> list[RowSource]:
    """Return arrays as tensors, or streamed if together they take more than ``memory`` bytes; parts as they are.

    Args:
        given: arrays or parts.
        task: encodes the targets.
        memory: None for as much as it takes.
    """
    arrays = [rows for rows in given if not isinstance(rows, RowSource)]
    needed = sum(rows[0].nbytes + 4 * task.size * len(rows[0]) for rows in arrays)  # encoded targets are float32
    kind = InMemoryRows if memory is None or needed <= memory else StreamedRows
    return [rows if isinstance(rows, RowSource) else kind(rows, task) for rows in given]


def _chunks(rows: int) -> int:
    return -(-rows // CHUNK)
