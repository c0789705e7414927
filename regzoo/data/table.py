"""Table: named columns of several kinds, as they came; what is missing stays missing until a rule fills it."""

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
"""Cells that say that there is nothing, in training and in the exported model alike."""

WHITESPACE = string.whitespace
"""What is cut off both ends of a cell: the six characters that TensorFlow cuts off as well."""


@dataclass(frozen=True, eq=False)
class Table:
    """Columns of one length, read-only, for tables that are not all numbers.

    Attributes:
        columns: their names, all different.
        kinds: ``numeric``, ``boolean``, ``categorical`` or ``date``, of each.
        values: of each, (n,): float32 with NaN where a number is missing; otherwise text, ``""`` where it is missing.
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
        """The same columns of some rows: their numbers, or a slice."""
        return Table(self.columns, self.kinds, tuple(values[rows] for values in self.values))

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return len(self), len(self.columns)

    def column(self, name: str) -> NDArray[Any]:
        """The values of the column ``name``, (n,)."""
        return self.values[self.columns.index(name)]

    def select(self, names: Iterable[str]) -> Table:
        """The same rows with the columns ``names``, in this order."""
        where = [self.columns.index(name) for name in names]
        parts = ([part[index] for index in where] for part in (self.columns, self.kinds, self.values))
        columns, kinds, values = map(tuple, parts)
        return Table(columns, kinds, values)  # type: ignore[arg-type]

    def cell_codes(self) -> NDArray[np.int64]:
        """(n, columns): equal cells of a column have equal numbers."""
        coded = [np.unique(values, return_inverse=True)[1] for values in self.values]
        return np.column_stack(coded).astype(np.int64)

    def tolist(self) -> list[list[Any]]:
        """The rows as plain values, for JSON: a missing number is None."""
        plain = [[None if isinstance(v, float) and math.isnan(v) else v for v in c.tolist()] for c in self.values]
        return [list(row) for row in zip(*plain, strict=True)]

    @staticmethod
    def from_rows(columns: Sequence[str], kinds: Sequence[Kind], rows: Sequence[Sequence[Any]]) -> Table:
        """The table that `tolist` gave as ``rows``."""
        cells = zip(*rows, strict=True)
        types = [np.float32 if kind == "numeric" else object for kind in kinds]
        values = (np.array(column, dtype=dtype) for column, dtype in zip(cells, types, strict=True))
        return Table(tuple(columns), tuple(kinds), tuple(values))


def clean_cell(cell: str) -> str:
    """Return the text of a cell without blanks at its ends; ``""`` if it says that there is nothing.

    >>> clean_cell(" blue "), clean_cell("N/A")
    ('blue', '')
    """
    cell = cell.strip(WHITESPACE)
    return "" if cell in MISSING else cell
