"""Inspect: what is wrong with this data, before anything is trained on it; every finding at once.

What makes a comparison worthless is refused. What may be meant so is a warning: `regzoo check` and the report show it.
What a fitted rule repairs, or leaves out, the rule itself says: regzoo/data/columns.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
import pandas as pd

from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.table import Table

MIN_ROWS = 10
"""Fewer rows than this prove nothing about a column."""

LEAVE_OUT = "leave it out (data.drop in a config)"
"""The way out of a column that is no input."""

_ID = re.compile(r"(?:^|[\W_])[iI][dD]$|[a-z]I[dD]$")


@dataclass(frozen=True)
class Findings:
    """Sentences that name the data, the column and how many rows.

    Attributes:
        errors: what cannot be repaired.
        warnings: what is worth a look.
    """

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def validate_dataset(dataset: Dataset, task: TaskName) -> Findings:
    """Look at every column of ``dataset``, and at how it goes with the target."""
    copies, warned = [], []
    once = np.unique(dataset.content_codes, return_index=True)[1]  # the first of rows that are equal
    for name, values in _columns(dataset):
        where = f"{dataset.name}: column {name!r} ({len(values)} rows)"
        if task != "reconstruction" and (target := _copied(values, dataset)):
            copies.append(f"{where} is {target} itself, in every row; {LEAVE_OUT}")
        elif said := _suspicious(values, name, dataset, once):
            warned.append(f"{where} {said}")
    twice = len(dataset.x) - len(once)
    if twice:
        warned.append(f"{dataset.name}: {twice} of {len(dataset.x)} rows repeat an earlier row, target included")
    return Findings(tuple(copies), tuple(warned))


def warn_shared_rows(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Say which rows of the validation and test parts (row numbers) the training part has as well."""
    trained = np.unique(dataset.content_codes[parts["train"]])
    said = []
    for part in ("validation", "test"):
        known = int(np.isin(dataset.content_codes[parts[part]], trained).sum())
        if known:
            marked = dataset.part is not None and (dataset.part[parts[part]] == part).any()
            together = "split.duplicates: together keeps equal rows in one part"
            way_out = "the data marks these parts, so drop such rows from one of them" if marked else together
            found = f"{known} of {len(parts[part])} {part} rows are also in the training part"
            said.append(f"{dataset.name}: {found}; {way_out}")
    return tuple(said)


def warn_small_parts(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Say that the validation or test part (row numbers) has too few rows to tell anything apart."""
    few = [f"{len(parts[part])} {part}" for part in ("validation", "test") if len(parts[part]) < MIN_ROWS]
    said = f"{dataset.name}: only {' and '.join(few)} rows: with so few, which recipe looks best is luck; collect more"
    return (said,) if few else ()


def warn_constant_labels(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Say which of several labels are the same in all rows (row numbers) of the validation or test part."""
    said: list[str] = []
    if dataset.y is None or not dataset.labels:
        return ()
    for part in ("validation", "test"):
        for label, values in zip(dataset.labels, dataset.y[parts[part]].T, strict=True):
            if (values == values[0]).all():
                what = f"the label {label!r} is {str(values[0]).lower()} in all {len(values)} {part} rows"
                said.append(f"{dataset.name}: {what}; auroc leaves it out there")
    return tuple(said)


def _columns(dataset: Dataset) -> Iterator[tuple[str, Array]]:
    """Each named column with its values (n,)."""
    if isinstance(dataset.x, Table):
        yield from zip(dataset.x.columns, dataset.x.values, strict=True)
    elif dataset.columns:
        yield from zip(dataset.columns, dataset.x.T, strict=True)


def _copied(values: Array, dataset: Dataset) -> str:
    """What a column repeats: the target, or one of several labels; or nothing."""
    if dataset.y is None:
        return ""
    if not dataset.labels:
        return "the target" if _equal(values, dataset.y) else ""
    same = (label for label, y in zip(dataset.labels, dataset.y.T, strict=True) if _equal(values, y))
    return next((f"the label {label!r}" for label in same), "")


def _equal(values: Array, y: Array) -> bool:
    """Whether a column holds the target, value by value."""
    if values.dtype.kind == "O":
        texts = y.astype(str)
        texts = np.char.lower(texts) if y.dtype.kind == "b" else texts
        return bool((values == texts.astype(object)).all())
    return y.dtype.kind in "iufb" and np.array_equal(values, y.astype(np.float32))


def _suspicious(values: Array, name: str, dataset: Dataset, once: Array) -> str:
    """What is odd about the column ``name``, or nothing; ``once``: numbers of different rows."""
    if values.dtype.kind != "O":
        if (values == values[0]).all():
            return f"is {values[0]:g} in every row; it carries nothing"
        if len(values) >= MIN_ROWS and (how := _identifies(values, name)):
            return f"{how}, as an identifier does; unless the order of the rows means something, {LEAVE_OUT}"
    if dataset.y is not None and dataset.task == "classification" and _determines(values[once], dataset.y[once]):
        return "determines the target: no value of it occurs with two labels; make sure that it is known beforehand"
    return ""


def _identifies(values: Array, name: str) -> str:
    """How whole numbers, different in every row, give the row away; or nothing."""
    steps = np.diff(np.sort(values))
    if not np.array_equal(values, np.floor(values)) or not (steps > 0).all():  # NaN is no number, and no step
        return ""
    if (steps == 1).all():
        return "counts the rows"
    if (np.diff(values) > 0).all() or (np.diff(values) < 0).all():
        return "is another whole number in each row, in order"
    return "is another whole number in each row" if _ID.search(name) else ""


def _determines(values: Array, y: Array) -> bool:
    """Whether few values, each in at least two rows on average, tell the label."""
    codes, different = pd.factorize(values, use_na_sentinel=False)
    if len(values) < MIN_ROWS or not 1 < len(different) <= len(values) / 2:
        return False
    labels = np.unique(y, return_inverse=True)[1]
    return len(np.unique(np.stack([codes, labels]), axis=1).T) == len(different)
