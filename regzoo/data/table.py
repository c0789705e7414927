"""A table of raw columns of several kinds; missing cells stay missing until a rule fills them."""

from __future__ import annotations

import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from regzoo.data.numbers import LARGEST_EXACT, MISSING_INTEGER, find_missing

Kind = Literal["numeric", "boolean", "categorical", "date"]

MISSING = ("", "NA", "na", "N/A", "n/a", "#N/A", "NaN", "nan", "<NA>", "NULL", "null", "None", "?", "-", "--", ".")
"""Cells that mean that a value is missing, both in training and in the exported model."""

WHITESPACE = string.whitespace
"""Characters stripped from both ends of a cell: the six that TensorFlow strips as well."""


@dataclass(frozen=True, eq=False)
class Table:
    """Read-only columns of equal length, not all of them complete numbers.

    Attributes:
        columns: names of the columns, all different.
        kinds: kind of each column: ``numeric``, ``boolean``, ``categorical`` or ``date``.
        values: values of each column, (n,): floats with NaN where a number is missing, or int64 for whole numbers
            beyond 2**53, see `regzoo.data.numbers`; otherwise text, ``""`` where it is missing.
    """

    columns: tuple[str, ...]
    kinds: tuple[Kind, ...]
    values: tuple[NDArray[Any], ...]

    def __post_init__(self) -> None:
        for values in self.values:
            values.setflags(write=False)

    def __len__(self) -> int:
        return len(self.values[0])

    def __getitem__(self, rows: Any) -> Table:
        """Return the table of some rows, given as row numbers or as a slice."""
        return Table(self.columns, self.kinds, tuple(values[rows] for values in self.values))

    @property
    def shape(self) -> tuple[int, int]:
        """Number of rows and of columns."""
        return len(self), len(self.columns)

    def column(self, name: str) -> NDArray[Any]:
        """Return the values of the column ``name``, (n,)."""
        return self.values[self.columns.index(name)]

    def select(self, names: Iterable[str]) -> Table:
        """Return the table of the columns ``names``, in this order."""
        where = [self.columns.index(name) for name in names]
        kinds, values = ([self.kinds[index] for index in where], [self.values[index] for index in where])
        return Table(tuple(self.columns[index] for index in where), tuple(kinds), tuple(values))

    def cell_codes(self) -> NDArray[np.int64]:
        """Return numbers (n, columns), equal for equal cells of a column."""
        coded = [np.unique(values, return_inverse=True)[1] for values in self.values]
        return np.column_stack(coded).astype(np.int64)

    def tolist(self) -> list[list[Any]]:
        """Return the rows as plain values, for JSON: a missing number is None."""
        plain = [values.astype(object) for values in self.values]
        for cells, values in zip(plain, self.values, strict=True):
            cells[find_missing(values)] = None
        return [list(row) for row in zip(*(cells.tolist() for cells in plain), strict=True)]

    @staticmethod
    def from_rows(columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Sequence[Any]]) -> Table:
        """Return the table that `tolist` converted to ``rows``."""
        cells = zip(*rows, strict=True)
        values = (
            _read_numbers(column) if kind == "numeric" else np.array(column, dtype=object)
            for column, kind in zip(cells, kinds, strict=True)
        )
        return Table(tuple(columns), tuple(kinds), tuple(values))


def _read_numbers(cells: Sequence[float | int | None]) -> NDArray[Any]:
    """Return numbers of JSON: float64, or int64 for whole numbers beyond 2**53."""
    if any(isinstance(cell, int) and abs(cell) > LARGEST_EXACT for cell in cells):
        return np.array([MISSING_INTEGER if cell is None else cell for cell in cells], dtype=np.int64)
    return np.array(cells, dtype=np.float64)


def clean_cell(cell: str) -> str:
    """Return a cell without blanks at its ends; ``""`` if it means that the value is missing.

    >>> clean_cell(" blue "), clean_cell("N/A")
    ('blue', '')
    """
    cell = cell.strip(WHITESPACE)
    return "" if cell in MISSING else cell
