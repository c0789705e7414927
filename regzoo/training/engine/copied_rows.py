"""Training rows with augmented copies, which every run makes before it trains."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf

from regzoo.data.inputs import list_arrays, map_inputs
from regzoo.training.engine.batching import Batch, PartArrays, RowSource
from regzoo.training.model.augmented_rows import RowAugmenter


class CopiedRows(RowSource):
    """The rows of ``original`` and, behind them, ``copies`` augmented copies of each, in memory.

    Targets and weights of a copy are those of its row. What is evaluated are the original rows.

    Args:
        original: the rows.
        copies: number of copies of each.
    """

    def __init__(self, original: RowSource, copies: int) -> None:
        super().__init__()
        self.original, self.copies = original, copies
        self.rows, self.signature = (1 + copies) * original.rows, original.signature
        count = copies * original.rows
        self._copied = map_inputs(
            lambda spec: tf.Variable(tf.zeros([count, *spec.shape[1:]], spec.dtype), trainable=False), self.signature
        )

    def fill(self, copy: Any, augmenter: RowAugmenter, size: int) -> None:
        """Make one copy of all rows, in a graph: as an epoch of batches of ``size`` rows.

        Args:
            copy: its number, from 0, an int32 scalar.
            augmenter: changes the batches.
            size: rows in a batch.
        """
        rows = self.original.rows
        order = augmenter.draw_order(rows)
        take = self.original.batches(order, size)
        for step in tf.range(-(-rows // size)):
            numbers = copy * rows + order[step * size : (step + 1) * size]
            changed = augmenter.augment(take(step)[0])
            for variable, values in zip(list_arrays(self._copied), list_arrays(changed), strict=True):
                variable.scatter_update(tf.IndexedSlices(values, numbers))

    def batches(self, order: Any, size: int) -> Callable[[Any], Batch]:
        """Take each batch from the rows and from the copies; numbers from ``original.rows`` on are those of copies."""
        rows = self.original.rows
        take = self.original.batches(order % rows, size)

        def take_either(step: Any) -> Batch:
            x, *others = take(step)
            numbers = order[step * size : (step + 1) * size]

            def choose(own: Any, copied: Any) -> Any:
                is_copy = tf.reshape(numbers >= rows, [-1, *[1] * (len(own.shape) - 1)])
                return tf.where(is_copy, tf.gather(copied, tf.maximum(numbers - rows, 0)), own)

            chosen = [choose(own, held) for own, held in zip(list_arrays(x), list_arrays(self._copied), strict=True)]
            return (dict(zip(x, chosen, strict=True)) if isinstance(x, dict) else chosen[0]), *others

        return take_either

    def iterate(self, size: int) -> Iterator[Batch]:
        """Yield batches of the original rows."""
        return self.original.iterate(size)

    def predict(self, logits: Callable[[Any], Any]) -> Batch:
        """Predict the original rows."""
        return self.original.predict(logits)

    def replace(self, rows: PartArrays) -> None:
        """Hold other original rows; their copies are made by `fill`."""
        self.original.replace(rows)


def get_copied_rows(original: RowSource, copies: int) -> CopiedRows:
    """Return ``original`` with ``copies``, the same for all programs that read it, since each run fills it."""
    if copies not in original.copied:
        original.copied[copies] = CopiedRows(original, copies)
    made: CopiedRows = original.copied[copies]
    return made
