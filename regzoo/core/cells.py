"""Cells of rows: which columns of the inputs hold one value of the data, so that regularizers change them together."""

from __future__ import annotations

import functools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from regzoo.core.errors import InputError
from regzoo.core.lazy import keras

Tensor = Any


@dataclass(frozen=True)
class Cells:
    """The cells of rows (batch, columns).

    A cell is one value of the data: a number (1 column), a boolean (1 flag), a category (a flag for each word), a date
    (several numbers). A cell of numbers may have one flag, which marks that the numbers are missing and filled in.

    Attributes:
        owners: for each column, the number of its cell, from 0.
        flags: for each column, whether it holds 0 or 1; a number otherwise.

    >>> Cells.from_sizes([(1, 0), (0, 3)]).owners
    (0, 1, 1, 1)
    """

    owners: tuple[int, ...]
    flags: tuple[bool, ...]

    def __post_init__(self) -> None:
        if len(self.owners) != len(self.flags) or {*self.owners} != {*range(self.count)}:
            raise InputError(f"cells: owners and flags describe the same columns, received {self.owners}, {self.flags}")
        for cell in {self.owners[column] for column, flag in enumerate(self.flags) if not flag}:
            if sum(flag for owner, flag in zip(self.owners, self.flags, strict=True) if owner == cell) > 1:
                raise InputError(f"cells: numbers have at most one mark, cell {cell} has several flags")

    @staticmethod
    def from_sizes(sizes: Iterable[tuple[int, int]]) -> Cells:
        """Return the cells of neighboring columns, given as the count of numbers and the count of flags in each."""
        sizes = list(sizes)
        owners = [cell for cell, (numbers, flags) in enumerate(sizes) for _ in range(numbers + flags)]
        return Cells(tuple(owners), tuple(n >= numbers for numbers, flags in sizes for n in range(numbers + flags)))

    @property
    def count(self) -> int:
        """Number of cells."""
        return max(self.owners, default=-1) + 1

    @property
    def are_numbers(self) -> bool:
        """Whether every column is a number and a cell of its own, as without any cells."""
        return self.count == len(self.owners) and not any(self.flags)

    @property
    def have_numbers(self) -> bool:
        """Whether a column holds numbers."""
        return not all(self.flags)

    @functools.cached_property
    def marks(self) -> tuple[int, ...]:
        """For each column of numbers, the column that marks them as missing; -1 if there is none, or for a flag."""
        flags = {owner: column for column, owner in enumerate(self.owners) if self.flags[column]}
        return tuple(-1 if flag else flags.get(owner, -1) for owner, flag in zip(self.owners, self.flags, strict=True))

    def spread(self, values: Tensor) -> Tensor:
        """Return values of the cells (batch, cells) as values of their columns (batch, columns)."""
        return keras.ops.take(values, keras.ops.array(self.owners, "int32"), axis=1)

    def find_numbers(self, x: Tensor) -> Tensor:
        """Return where ``x`` (batch, columns) holds numbers that are not missing: bool (batch, columns)."""
        padded = keras.ops.concatenate([keras.ops.zeros_like(x[:, :1]), x], axis=1)  # column 0 for those without a mark
        marked = keras.ops.take(padded, keras.ops.array(self.marks, "int32") + 1, axis=1) > 0.5
        return keras.ops.logical_and(keras.ops.logical_not(self.flags)[None], keras.ops.logical_not(marked))

    def to_json(self) -> dict[str, list[int]]:
        """Return JSON values that `from_json` reads."""
        return {"owners": list(self.owners), "flags": [int(flag) for flag in self.flags]}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Cells:
        """Read what `to_json` returned."""
        return Cells(tuple(values["owners"]), tuple(map(bool, values["flags"])))


InputCells = Cells | Sequence[Cells | None] | None
"""Cells of the inputs of a batch; for several inputs, those of each in the order of `keras.tree.flatten`.

None where every column is a number of its own.
"""

NamedCells = tuple[tuple[str, Cells | None], ...]
"""Cells of a model's inputs by name, in the order of `keras.tree.flatten`; empty where no input has any."""


def named_cells_to_json(named: NamedCells) -> list[Any]:
    """Return JSON values that `named_cells_from_json` reads."""
    return [[name, None if cells is None else cells.to_json()] for name, cells in named]


def named_cells_from_json(values: Iterable[Any]) -> NamedCells:
    """Read what `named_cells_to_json` returned."""
    return tuple((name, None if fields is None else Cells.from_json(fields)) for name, fields in values)


def count_cells(x: Tensor, cells: Cells | None) -> Any:
    """Return the number of cells of rows ``x`` (batch, columns): without ``cells``, every column is one."""
    return keras.ops.shape(x)[1] if cells is None else cells.count


def spread(values: Tensor, cells: Cells | None) -> Tensor:
    """Return `Cells.spread` of values of the cells; without ``cells``, the values as they are."""
    return values if cells is None else cells.spread(values)


def list_cells(x: Any, cells: InputCells) -> list[Cells | None]:
    """Return the cells of each tensor in ``x``, in the order of `keras.tree.flatten`."""
    if cells is None or isinstance(cells, Cells):
        return [cells] * len(keras.tree.flatten(x))
    return list(cells)


def arrange_cells(x: Any, named: NamedCells) -> InputCells:
    """Return the cells of the inputs ``x``: one tensor, or several in a dict by name, or in a list in order."""
    if not named:
        return None
    if isinstance(x, dict):
        return [dict(named).get(name) for name in keras.tree.flatten({name: name for name in x})]
    return [cells for _, cells in named] if isinstance(x, list | tuple) else named[0][1]
