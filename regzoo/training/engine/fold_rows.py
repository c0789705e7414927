"""Rows that folds share one after another, so that programs need not be traced again for each fold."""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from regzoo.training.engine.batching import PartArrays, RowSource, as_row_sources
from regzoo.training.task import Task


class FoldRows:
    """Row sources for folds, which hold one fold at a time: one list for all folds of equal shapes."""

    def __init__(self) -> None:
        self._held: dict[Hashable, tuple[int, list[RowSource]]] = {}

    def load(
        self, shapes: Hashable, fold: int, rows: Sequence[PartArrays], task: Task, memory: int | None
    ) -> list[RowSource]:
        """Return the sources for ``shapes``, with the ``rows`` of fold number ``fold`` in them.

        Args:
            shapes: equal for folds whose rows have equal shapes and dtypes, and whose task is equal.
            fold: its number.
            rows: the parts of the fold.
            task: encodes the targets.
            memory: bytes that they may take, see `as_row_sources`; None for no limit.
        """
        if shapes not in self._held:
            self._held[shapes] = fold, as_row_sources(rows, task, memory, replaceable=True)
        loaded, sources = self._held[shapes]
        if loaded != fold:
            for source, part in zip(sources, rows, strict=True):
                source.replace(part)
            self._held[shapes] = fold, sources
        return sources
