"""Validate a data set before anything is trained on it, and report every finding at once.

Whatever makes a comparison worthless is an error. Whatever may be intended is a warning, which `regzoo check` and the
report show. Repairs and columns left out are reported where rules are fitted: regzoo/data/column_fitting.py.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from regzoo.core.formatting import format_significant
from regzoo.data.dataset import Array, Dataset, TaskName
from regzoo.data.different import factorize, number_rows
from regzoo.data.inputs import NamedInputs
from regzoo.data.spelling import warn_spellings
from regzoo.data.table import Table

MIN_ROWS = 10
"""Fewer rows than this prove nothing about a column."""

SCREENED = 1000
"""Rows that are looked at first: most columns are already known there not to be what is looked for."""

LEAVE_OUT = "leave it out (data.drop in a config)"
"""The way out for a column that should not be an input."""

_ID = re.compile(r"(?:^|[\W_])[iI][dD]$|[a-z]I[dD]$")


@dataclass(frozen=True)
class Findings:
    """Sentences that name the data, the column and the number of rows.

    Attributes:
        errors: problems that nothing can repair.
        warnings: oddities that may be intended.
    """

    errors: tuple[str, ...]
    warnings: tuple[str, ...]


def validate_dataset(dataset: Dataset, task: TaskName) -> Findings:
    """Return what is wrong or suspicious about the columns of ``dataset``, and about rows that repeat."""
    errors, warnings = [], []
    first = np.flatnonzero(np.diff(np.maximum.accumulate(dataset.content_codes), prepend=-1))  # of equal rows
    for name, values in _iterate_columns(dataset):
        where = f"{dataset.name}: column {name!r} ({len(values)} rows)"
        if task != "reconstruction" and (target := _find_copied_target(values, dataset)):
            errors.append(f"{where} is {target} itself, in every row; {LEAVE_OUT}")
        elif suspicion := _describe_suspicion(values, name, dataset, first):
            warnings.append(f"{where} {suspicion}")
    repeated = len(dataset.x) - len(first)
    if repeated:
        warnings.append(f"{dataset.name}: {repeated} of {len(dataset.x)} rows repeat an earlier row, target included")
    return Findings(tuple(errors), (*warn_spellings(dataset), *warnings))


def warn_shared_rows(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Warn of validation and test rows that the training part has as well; ``parts``: row numbers by part."""
    trained = np.zeros(int(dataset.content_codes.max()) + 1, dtype=bool)
    trained[dataset.content_codes[parts["train"]]] = True
    warnings = []
    for part in ("validation", "test"):
        shared = int(trained[dataset.content_codes[parts[part]]].sum())
        if shared:
            marked = dataset.part is not None and (dataset.part[parts[part]] == part).any()
            together = "split.duplicates: together keeps equal rows in one part"
            way_out = "the data marks these parts, so drop such rows from one of them" if marked else together
            found = f"{shared} of {len(parts[part])} {part} rows are also in the training part"
            warnings.append(f"{dataset.name}: {found}; {way_out}")
    return tuple(warnings)


def warn_small_parts(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Warn if the validation or test part has too few rows to tell recipes apart; ``parts``: row numbers by part."""
    small = [f"{len(parts[part])} {part}" for part in ("validation", "test") if len(parts[part]) < MIN_ROWS]
    luck = "rows: with so few, which recipe looks best is luck; collect more"
    return (f"{dataset.name}: only {' and '.join(small)} {luck}",) if small else ()


def warn_constant_labels(dataset: Dataset, parts: Mapping[str, Array]) -> tuple[str, ...]:
    """Warn of labels that are the same in all validation or all test rows; ``parts``: row numbers by part."""
    warnings: list[str] = []
    if dataset.y is None or not dataset.labels:
        return ()
    for part in ("validation", "test"):
        for label, values in zip(dataset.labels, dataset.y[parts[part]].T, strict=True):
            if (values == values[0]).all():
                found = f"the label {label!r} is {str(values[0]).lower()} in all {len(values)} {part} rows"
                warnings.append(f"{dataset.name}: {found}; auroc leaves it out there")
    return tuple(warnings)


def _iterate_columns(dataset: Dataset) -> Iterator[tuple[str, Array]]:
    """Yield each named column with its values (n,)."""
    if isinstance(dataset.x, NamedInputs):
        for name, values in dataset.x.arrays.items():
            if values.size == len(values):
                yield name, _as_signed(values.reshape(-1))
    elif isinstance(dataset.x, Table):
        yield from zip(dataset.x.columns, dataset.x.values, strict=True)
    elif dataset.columns:
        yield from zip(dataset.columns, map(_as_signed, dataset.x.T), strict=True)


def _as_signed(values: Array) -> Array:
    """Return whole numbers as int64, whose differences do not wrap around."""
    return values.astype(np.int64) if values.dtype.kind in "bui" else values


def _find_copied_target(values: Array, dataset: Dataset) -> str:
    """Return what a column copies, in words: the target or one of several labels; empty if it copies neither."""
    if dataset.y is None:
        return ""
    if not dataset.labels:
        return "the target" if _equals_target(values, dataset.y) else ""
    same = (label for label, y in zip(dataset.labels, dataset.y.T, strict=True) if _equals_target(values, y))
    return next((f"the label {label!r}" for label in same), "")


def _equals_target(values: Array, y: Array) -> bool:
    if values.dtype.kind == "O":
        return _equals_text(values[:SCREENED], y[:SCREENED]) and _equals_text(values, y)
    if y.dtype.kind not in "iufb":
        return False
    return np.array_equal(values, y) or _is_float32_copy(values, y)


def _equals_text(values: Array, y: Array) -> bool:
    texts = y.astype(str)
    texts = np.char.lower(texts) if y.dtype.kind == "b" else texts
    return bool((values == texts.astype(object)).all())


def _is_float32_copy(values: Array, y: Array) -> bool:
    """Return True if fractions in ``values`` (n,) are those of ``y`` (n,), rounded to float32."""
    rounded = y.astype(np.float32)
    return np.array_equal(values, rounded) and not np.array_equal(rounded, np.floor(rounded))


def _describe_suspicion(values: Array, name: str, dataset: Dataset, first: Array) -> str:
    """Return what is odd about the column ``name``, empty if nothing is; ``first``: rows without their repetitions."""
    if values.dtype.kind != "O":
        if (values == values[0]).all():
            return f"is {format_significant(values[0], 6)} in every row; it carries no information"
        if len(values) >= MIN_ROWS and (how := _describe_identifier(values, name)):
            return f"{how}, as an identifier does; unless the order of the rows means something, {LEAVE_OUT}"
    if (
        dataset.y is not None
        and dataset.task == "classification"
        and _determines_target(values[first], dataset.y[first])
    ):
        return "determines the target: no value of it occurs with two labels; make sure that it is known beforehand"
    return ""


def _describe_identifier(values: Array, name: str) -> str:
    """Return how integers identify each row, empty if they do not."""
    if not np.array_equal(values, np.floor(values)):  # NaN included
        return ""
    steps = np.diff(np.sort(values))
    if not (steps > 0).all():
        return ""
    if (steps == 1).all():
        return "counts the rows"
    if (np.diff(values) > 0).all() or (np.diff(values) < 0).all():
        return "is another whole number in each row, in order"
    return "is another whole number in each row" if _ID.search(name) else ""


def _determines_target(values: Array, y: Array) -> bool:
    """Return True if a few values, each in two rows or more on average, determine the label."""
    if len(values) > SCREENED and _have_two_labels(values[:SCREENED], y[:SCREENED]):
        return False
    codes, different = factorize(values)
    if len(values) < MIN_ROWS or not 1 < len(different) <= len(values) / 2:
        return False
    return not _have_two_labels(codes, y)


def _have_two_labels(values: Array, y: Array) -> bool:
    """Return True if one of ``values`` (n,) occurs with two labels."""
    pairs = number_rows([values, y])
    return len(np.unique(pairs)) > len(factorize(values)[1])
