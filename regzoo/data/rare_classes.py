"""Classes with too few rows: dropped, or merged into one with a name of its own, as the config asks."""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Literal

import numpy as np

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_short_list
from regzoo.data.catalog import ROLES
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.facts import RareFacts
from regzoo.data.spelling import normalize_spelling

ACTIONS = ("drop", "merge")

FORM = "{below: 5, do: drop} or {below: 5, do: merge}"

NAME = "other"
"""Name of the merged class among labels of text, unless the data has such a label; among numbers it is -1."""

_MAX_SHOWN = 10


@dataclass(frozen=True)
class RareClasses:
    """Treatment of classes that have few rows.

    Attributes:
        below: a class is rare if fewer rows than this have it, in all parts together.
        do: ``drop`` leaves out the rows of rare classes; ``merge`` makes one class of them.
    """

    below: int
    do: Literal["drop", "merge"]

    def apply(self, dataset: Dataset, task: TaskName) -> Dataset:
        """Return ``dataset`` without rare classes, with a note and ``rare`` facts if there were any.

        The other labels stay as they are. The merged class is called ``other``, and -1 among numbers; if the data has
        such a label, or one that differs in case or blanks alone, the next free name is taken.

        Raises:
            InputError: if the task is not classification; if fewer than two classes are left; if the merged class has
                fewer rows than ``below``.
        """
        if task != "classification" or dataset.y is None:
            way_out = ", or set task: classification" if task == "regression" else ""
            raise InputError(f"data.rare: goes with classes, and the task is {task}; take it out{way_out}")
        labels, codes, counts = np.unique(dataset.y, return_inverse=True, return_counts=True)
        rare = counts < self.below
        if not rare.any():
            return dataset
        listed = [(label, int(count)) for label, count in zip(labels[rare].tolist(), counts[rare], strict=True)]
        rows = int(counts[rare].sum())
        self._require_classes(int((~rare).sum()), listed, rows)
        known: RareFacts = {"do": self.do, "below": self.below, "classes": listed, "merged": None}
        if self.do == "drop":
            kept = take_rows(dataset, np.flatnonzero(~rare[codes]))
            note = f"{rows} rows of {self._describe(listed)} are dropped (data.rare); the model cannot predict them"
            return replace(kept, notes=(*dataset.notes, f"{dataset.name}: {note}"), rare=known)
        name = next(_list_free_names(labels))
        renamed = np.where(rare[codes], np.array(name, dtype=object), dataset.y.astype(object))
        y = np.array(renamed.tolist(), dtype=None if labels.dtype.kind == "U" else labels.dtype)
        y.setflags(write=False)
        note = f"the class {name!r} stands for {self._describe(listed)}, {rows} rows in all (data.rare)"
        notes = (*dataset.notes, f"{dataset.name}: {note}")
        return replace(dataset, y=y, notes=notes, rare={**known, "merged": name})

    def to_plain(self) -> dict[str, Any]:
        """Return the keys and values of a config."""
        return asdict(self)

    def _require_classes(self, others: int, listed: list[tuple[Any, int]], rows: int) -> None:
        """Raise InputError if fewer than two classes would be left, or a merged one that is rare itself."""
        classes = others + (self.do == "merge")
        if classes < 2:
            left = "a single class is" if classes else "no class is"
            verb = f"{'is' if len(listed) == 1 else 'are'} {'dropped' if self.do == 'drop' else 'merged'}"
            what = f"{left} left when {self._describe(listed)} {verb}"
            raise InputError(f"data.rare: {what}; lower below, or collect more")
        if self.do == "merge" and rows < self.below:
            held = f"has {rows}" if len(listed) == 1 else f"have {rows} together"
            what = f"{self._describe(listed)} {held}, still fewer than {self.below}"
            raise InputError(f"data.rare: {what}; take do: drop, lower below, or raise it so that more classes join")

    def _describe(self, listed: list[tuple[Any, int]]) -> str:
        each = [f"{label!r} ({count})" for label, count in listed]
        word = "the class" if len(each) == 1 else f"the {len(each)} classes"
        return f"{word} with fewer than {self.below} rows, {format_short_list(each, _MAX_SHOWN)}"


def take_rows(dataset: Dataset, rows: Array) -> Dataset:
    """Return the data set of some rows, given as ascending row numbers."""
    names = [field.name for field in fields(dataset) if field.name in ("y", *ROLES)]
    taken = {name: values[rows] for name in names if (values := getattr(dataset, name)) is not None}
    x = dataset.x[rows]
    for values in (x, *taken.values()):
        if isinstance(values, np.ndarray):
            values.setflags(write=False)
    return replace(dataset, x=x, **taken)


def _list_free_names(labels: Array) -> Iterator[Any]:
    """Yield names for a merged class that are no labels of the data."""
    if labels.dtype.kind != "U":
        taken = {float(label) for label in labels.tolist()}
        numbers: Iterable[int] = itertools.count(-1, -1)
        yield from (labels.dtype.type(number).item() for number in numbers if number not in taken)
    spellings = {normalize_spelling(label) for label in labels.tolist()}
    names = itertools.chain([NAME], (f"{NAME} {number}" for number in itertools.count(2)))
    yield from (name for name in names if normalize_spelling(name) not in spellings)
