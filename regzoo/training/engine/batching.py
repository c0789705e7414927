"""Rows that a program trains on and evaluates: tensors in memory, or batches streamed from arrays on disk.

Both give the same batches in the same order, so training on either gives the same weights, bit for bit.
"""

from __future__ import annotations

import functools
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.data.inputs import ModelInputs, count_rows, list_arrays, map_inputs
from regzoo.training.task import Task

PartArrays = tuple[Any, ...]
"""Prepared inputs, one array (rows, ...) or several by name, and targets: whole-number classes (rows,) or numbers
(rows, outputs); then, if the rows have them, their weights (rows,)."""

Batch = tuple[Any, ...]
"""Inputs, one tensor (batch, ...) or several by name, encoded targets (batch, size) and weights (batch,) if there are
any."""

CHUNK = 256
"""Rows evaluated at a time: more do not fit into the processor's cache, fewer leave it waiting."""

PREFETCH = 2
"""Batches read in advance while one is trained on."""


class RowSource(ABC):
    """The rows of one part of a data set.

    Attributes:
        rows: number of rows.
        signature: spec of the inputs, for any number of rows; several by name.
        copied: these rows with augmented copies, by the number of copies; see `get_copied_rows`.
    """

    rows: int
    signature: Any
    copied: dict[int, Any]

    def __init__(self) -> None:
        self.copied = {}

    def count_input_bytes(self) -> int:
        """Return how many bytes the inputs of all rows take; text counts as none."""
        specs = list_arrays(self.signature)
        return sum(self.rows * math.prod(spec.shape[1:]) * spec.dtype.size for spec in specs)

    @abstractmethod
    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Return a function for use in a graph that returns the batch of a step; steps count from 0, in order.

        Args:
            order: row numbers, int32 (rows,).
            size: rows in a batch; the last may have fewer.
        """

    @abstractmethod
    def iterate(self, size: int) -> Iterator[Batch]:
        """Yield batches of ``size`` rows in the order of the rows, outside of a graph; the last may have fewer."""

    @abstractmethod
    def predict(self, logits: Callable[[Any], Any]) -> Batch:
        """Return ``logits`` of all rows, (rows, size), and their targets (rows, size), in a graph."""

    @abstractmethod
    def replace(self, rows: PartArrays) -> None:
        """Hold ``rows``, of equal shapes and dtypes, in place of the present ones; traced graphs read them from now on.

        Raises:
            TypeError: if the source was not made for it.
        """


class InMemoryRows(RowSource):
    """Rows held as tensors.

    Args:
        rows: inputs and targets.
        task: encodes the targets.
        replaceable: hold them as variables, so that `replace` can exchange them.
    """

    def __init__(self, rows: PartArrays, task: Task, replaceable: bool = False) -> None:
        super().__init__()
        self.rows, self.signature = count_rows(rows[0]), make_signature(rows[0])
        self._task, self._replaceable = task, replaceable
        hold = functools.partial(tf.Variable, trainable=False) if replaceable else tf.convert_to_tensor
        self._tensors = tuple(map_inputs(hold, part) for part in self._encode(rows))
        self._x, self._y, *_ = self._tensors

    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Gather each batch from the tensors."""

        def take(step: Any) -> Batch:
            numbers = order[step * size : (step + 1) * size]
            return tuple(map_inputs(lambda tensor: tf.gather(tensor, numbers), part) for part in self._tensors)

        return take

    def iterate(self, size: int) -> Iterator[Batch]:
        """Yield slices of the tensors."""
        for start in range(0, self.rows, size):
            yield tuple(_slice(part, start, start + size) for part in self._tensors)

    def predict(self, logits: Callable[[Any], Any]) -> Batch:
        """Predict slices of the tensors, CHUNK rows at a time."""
        x, y = map_inputs(tf.convert_to_tensor, self._x), tf.convert_to_tensor(self._y)
        if self.rows <= CHUNK:
            return logits(x), y
        results = tf.TensorArray(tf.float32, size=_count_chunks(self.rows), infer_shape=False)
        for chunk in tf.range(_count_chunks(self.rows)):
            results = results.write(chunk, logits(_slice(x, chunk * CHUNK, (chunk + 1) * CHUNK)))
        return tf.ensure_shape(results.concat(), y.shape), y

    def replace(self, rows: PartArrays) -> None:
        """Assign ``rows`` to the variables; see `RowSource.replace`."""
        if not self._replaceable:
            raise TypeError("these rows are constants: make the source with replaceable=True")
        for held, given in zip(self._tensors, self._encode(rows), strict=True):
            for variable, array in zip(list_arrays(held), list_arrays(given), strict=True):
                variable.assign(array)

    def _encode(self, rows: PartArrays) -> Batch:
        y, *weight = map(tf.constant, rows[1:])
        return map_inputs(tf.constant, rows[0]), self._task.encode(y), *weight


class StreamedRows(RowSource):
    """Rows read batch by batch, in advance of their use, from arrays that may lie on disk.

    Args:
        rows: inputs and targets, such as memory-mapped arrays.
        task: encodes the targets.
    """

    def __init__(self, rows: PartArrays, task: Task) -> None:
        super().__init__()
        self.rows, self.signature = count_rows(rows[0]), make_signature(rows[0])
        self._names = tuple(rows[0]) if isinstance(rows[0], dict) else ()
        self._arrays, self._task = (*list_arrays(rows[0]), *rows[1:]), task

    def replace(self, rows: PartArrays) -> None:
        """Read from ``rows`` from now on; see `RowSource.replace`."""
        self._arrays = (*list_arrays(rows[0]), *rows[1:])

    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Read the batches in this order."""
        batches = iter(self._read(tf.data.Dataset.from_tensor_slices(order).batch(size)))
        return lambda step: batches.get_next()

    def iterate(self, size: int) -> Iterator[Batch]:
        """Read the batches from the first row on."""
        return iter(self._read(tf.data.Dataset.range(self.rows).batch(size)))

    def predict(self, logits: Callable[[Any], Any]) -> Batch:
        """Read and predict the rows, CHUNK at a time."""
        count = _count_chunks(self.rows)
        chunks = iter(self._read(tf.data.Dataset.range(self.rows).batch(CHUNK)))
        results, targets = (tf.TensorArray(tf.float32, size=count, infer_shape=False) for _ in range(2))
        for chunk in tf.range(count):
            x, y, *_ = chunks.get_next()
            results, targets = results.write(chunk, logits(x)), targets.write(chunk, y)
        shape = [self.rows, self._task.size]
        return tf.ensure_shape(results.concat(), shape), tf.ensure_shape(targets.concat(), shape)

    def _read(self, numbers: tf.data.Dataset) -> tf.data.Dataset:
        """Return the batches whose row numbers ``numbers`` holds."""
        return numbers.map(self._read_batch).prefetch(PREFETCH)

    def _read_batch(self, numbers: Any) -> Batch:
        tensors = tf.numpy_function(self._index, [numbers], [tf.as_dtype(array.dtype) for array in self._arrays])
        for tensor, array in zip(tensors, self._arrays, strict=True):
            tensor.set_shape([None, *array.shape[1:]])
        count = len(self._names) or 1
        x = dict(zip(self._names, tensors, strict=False)) if self._names else tensors[0]
        return x, self._task.encode(tensors[count]), *tensors[count + 1 :]

    def _index(self, numbers: np.ndarray) -> list[np.ndarray]:
        return [array[numbers] for array in self._arrays]


def as_row_sources(
    given: Sequence[PartArrays | RowSource], task: Task, memory: int | None = None, replaceable: bool = False
) -> list[RowSource]:
    """Return arrays as row sources: in memory, or streamed if together they take more than ``memory`` bytes.

    Args:
        given: arrays, or row sources, which are returned as they are.
        task: encodes the targets.
        memory: None for no limit.
        replaceable: whether `RowSource.replace` is needed.
    """
    arrays = [rows for rows in given if not isinstance(rows, RowSource)]
    needed = sum(_count_bytes(rows[0]) + 4 * task.size * count_rows(rows[0]) for rows in arrays)  # encoded

    def make(rows: PartArrays) -> RowSource:
        fits = memory is None or needed <= memory
        return InMemoryRows(rows, task, replaceable) if fits else StreamedRows(rows, task)

    return [rows if isinstance(rows, RowSource) else make(rows) for rows in given]


def compute_in_chunks(function: Callable[[Any], Any], x: ModelInputs) -> Any:
    """Return ``function`` of all rows of ``x``, computed CHUNK rows at a time."""
    starts = range(0, count_rows(x), CHUNK)
    return tf.concat([function(_slice(x, start, start + CHUNK)) for start in starts], 0)


def make_signature(x: ModelInputs) -> Any:
    """Return the spec of inputs like ``x``, for any number of rows."""
    return map_inputs(lambda array: tf.TensorSpec([None, *array.shape[1:]], tf.as_dtype(array.dtype)), x)


def _slice(x: Any, start: Any, end: Any) -> Any:
    return map_inputs(lambda tensor: tensor[start:end], x)


def _count_bytes(x: ModelInputs) -> int:
    return sum(array.nbytes for array in list_arrays(x))


def _count_chunks(rows: int) -> int:
    return -(-rows // CHUNK)
