"""A table of raw columns of several kinds; missing cells stay missing until a rule fills them."""

from __future__ import annotations

import math
import string
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

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
        values: values of each column, (n,): float32 with NaN where a number is missing; otherwise text, ``""`` where it
            is missing.
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
        plain = [[None if isinstance(v, float) and math.isnan(v) else v for v in c.tolist()] for c in self.values]
        return [list(row) for row in zip(*plain, strict=True)]

    @staticmethod
    def from_rows(columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Sequence[Any]]) -> Table:
        """Return the table that `tolist` converted to ``rows``."""
        cells = zip(*rows, strict=True)
        types = [np.float32 if kind == "numeric" else object for kind in kinds]
        values = (np.array(column, dtype=dtype) for column, dtype in zip(cells, types, strict=True))
        return Table(tuple(columns), tuple(kinds), tuple(values))


def clean_cell(cell: str) -> str:
    """Return a cell without blanks at its ends; ``""`` if it means that the value is missing.

    >>> clean_cell(" blue "), clean_cell("N/A")
    ('blue', '')
    """
    cell = cell.strip(WHITESPACE)
    return "" if cell in MISSING else cell
