"""Rows that folds share one after another, so that programs need not be traced again for each fold."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from regzoo.core.seeds import generator
from regzoo.data.inputs import count_rows, list_arrays, map_inputs
from regzoo.training.engine.batching import PartArrays, RowSource, as_row_sources
from regzoo.training.task import Task

MIN_TRAIN_SAMPLE = 1000
"""Training rows, drawn once, for the training metrics after each epoch; more if there are more validation rows. All
rows after every epoch would cost a third of the training. A finished model is measured on all."""


@dataclass(frozen=True, eq=False)
class PartRows:
    """The rows of one fold that a program reads.

    Attributes:
        train: the training part.
        validation: the validation part.
        task: encodes the targets.
    """

    train: PartArrays
    validation: PartArrays
    task: Task

    @cached_property
    def parts(self) -> list[PartArrays]:
        """Training part, validation part and, if it is not the whole part, the train sample."""
        given = [self.train, self.validation]
        count, total = max(count_rows(self.validation[0]), MIN_TRAIN_SAMPLE), count_rows(self.train[0])
        if count < total:
            rows = np.sort(generator("shown").permutation(total)[:count])
            given.append(tuple(map_inputs(lambda array: array[rows], part) for part in self.train))
        return given

    @cached_property
    def shapes(self) -> Hashable:
        """Task, shapes and dtypes: folds for which these are equal share programs."""
        arrays = [array for part in self.parts for array in (*list_arrays(part[0]), *part[1:])]
        return self.task, tuple((array.shape, str(array.dtype)) for array in arrays)


class FoldRows:
    """Row sources for folds, which hold one fold at a time: one list for all folds of equal shapes."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[int, list[RowSource]]] = {}

    def load(self, fold: int, rows: PartRows, memory: int | None, shared: bool) -> list[RowSource]:
        """Return the sources for rows of these shapes, with the ``rows`` of fold number ``fold`` in them.

        Args:
            fold: its number.
            rows: its rows.
            memory: bytes that they may take, see `as_row_sources`; None for no limit.
            shared: whether there are other folds; rows of a single one are constants.
        """
        if rows.shapes not in self._held:
            self._held[rows.shapes] = fold, as_row_sources(rows.parts, rows.task, memory, shared)
        loaded, sources = self._held[rows.shapes]
        if loaded != fold:
            for source, part in zip(sources, rows.parts, strict=True):
                source.replace(part)
            self._held[rows.shapes] = fold, sources
        return sources
