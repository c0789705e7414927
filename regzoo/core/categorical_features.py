"""Read which columns of an array are categories, one-hot encoded, or booleans: ``categorical_features``."""

from __future__ import annotations

import operator
import re
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np

from regzoo.core.cells import Cells
from regzoo.core.errors import InputError

Groups = tuple[tuple[int, ...], ...]
"""Columns by category, from 0; a boolean is a category of one column."""

FORM = "takes the columns of each category, counted from 0, such as [[3, 4, 5], 6] or '3..5, 6'"

_RUN = re.compile(r"(\d{1,9})(?:\.\.(\d{1,9}))?")
_MOST = 1_000_000


def read_categorical_features(given: Any) -> Groups:
    """Return the columns of each category; see `parse_categorical_features`.

    Raises:
        InputError: if ``given`` cannot be read, or a column is named twice.
    """
    try:
        return parse_categorical_features(given)
    except ValueError as error:
        raise InputError(f"categorical_features: {error}") from None


def parse_categorical_features(given: Any) -> Groups:
    """Return the columns of each category.

    Args:
        given: for each category its one-hot columns, a list, range or slice; or one column, if it is 0 or 1; or text,
            such as ``3..5, 6``, in which ``7+9`` are two columns that are not neighbors; or a mask of columns, each a
            boolean of its own. None for none.

    Raises:
        ValueError: if it is none of these, or a column is named twice.

    >>> parse_categorical_features([[3, 4, 5], 6]), parse_categorical_features("3..5, 6, 7+9")
    (((3, 4, 5), (6,)), ((3, 4, 5), (6,), (7, 9)))
    """
    try:
        groups = _read_groups(given)
    except (TypeError, ValueError):
        raise ValueError(f"{FORM}, received {_shorten(given)}") from None
    columns = [column for group in groups for column in group]
    twice = [column for column in columns if columns.count(column) > 1] if len({*columns}) < len(columns) else []
    if twice:
        raise ValueError(f"column {twice[0]} stands twice; a column belongs to one category")
    return groups


def format_categorical_features(groups: Groups) -> str:
    """Return the text that `parse_categorical_features` reads.

    >>> format_categorical_features(((3, 4, 5), (6,), (7, 9)))
    '3..5, 6, 7+9'
    """
    return ", ".join("+".join(_format_runs(group)) for group in groups)


def make_cells(groups: Groups, columns: int, name: str = "categorical_features") -> Cells | None:
    """Return the cells of rows with this number of ``columns``; None without categories.

    Raises:
        InputError: if a category has a column that is not there.

    >>> make_cells(((1, 2),), 4).owners
    (0, 1, 1, 2)
    """
    if not groups:
        return None
    beyond = [column for group in groups for column in group if column >= columns]
    if beyond:
        raise InputError(f"{name}: there is no column {beyond[0]}: the rows have {columns} columns, 0 to {columns - 1}")
    group_of = {column: number for number, group in enumerate(groups) for column in group}
    keys = [group_of.get(column, -1 - column) for column in range(columns)]
    order = list(dict.fromkeys(keys))
    return Cells(tuple(map(order.index, keys)), tuple(column in group_of for column in range(columns)))


def read_row_cells(given: Any, shape: tuple[int | None, ...]) -> Cells | None:
    """Return the cells of examples of ``shape`` in which ``given`` are categories, see `read_categorical_features`.

    Raises:
        InputError: if the examples are not rows of a known number of columns.
    """
    groups = read_categorical_features(given)
    if not groups:
        return None
    if len(shape) != 1 or shape[0] is None:
        raise InputError(f"categorical_features: goes with rows, of shape (columns,), received {shape}; leave it out")
    return make_cells(groups, shape[0])


def _read_groups(given: Any) -> Groups:
    if given is None:
        return ()
    if isinstance(given, str):
        given = [_read_text(part) for part in given.split(",")]
    values = given.tolist() if isinstance(given, np.ndarray) else given
    if not isinstance(values, Sequence):
        raise TypeError
    if values and all(isinstance(value, bool) for value in values):
        values = [column for column, categorical in enumerate(values) if categorical]
    groups = tuple(_read_columns(value) for value in values)
    if not all(groups) or any(column < 0 for group in groups for column in group):
        raise ValueError
    return groups


def _read_columns(value: Any) -> tuple[int, ...]:
    if isinstance(value, str):
        return tuple(_read_text(value))
    if isinstance(value, slice):
        value = range(value.stop)[value] if value.stop is not None and value.stop <= _MOST else ()
    values = value if isinstance(value, Iterable) else (value,)
    if any(isinstance(column, bool) for column in values):
        raise TypeError
    return tuple(operator.index(column) for column in values)


def _read_text(text: str) -> list[int]:
    columns: list[int] = []
    for part in text.split("+"):
        found = _RUN.fullmatch(part.strip())
        if not found:
            raise ValueError
        first, last = int(found[1]), int(found[2] or found[1])
        if not first <= last <= _MOST:
            raise ValueError
        columns += range(first, last + 1)
    return columns


def _format_runs(columns: Sequence[int]) -> list[str]:
    runs: list[list[int]] = []
    for column in columns:
        if runs and column == runs[-1][-1] + 1:
            runs[-1].append(column)
        else:
            runs.append([column])
    return [f"{run[0]}..{run[-1]}" if len(run) > 1 else str(run[0]) for run in runs]


def _shorten(given: Any) -> str:
    text = " ".join(repr(given).split())
    return text if len(text) <= 80 else f"{text[:77]}..."
