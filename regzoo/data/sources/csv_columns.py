"""Read plain CSV files column by column: numbers at once where the text can mean nothing else, other cells as text."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from regzoo.data.input_form import InputForm
from regzoo.data.numbers import find_missing, parse_numbers
from regzoo.data.reading.reading import ReadingKeys
from regzoo.data.sources.column_names import NAMELESS, name_columns
from regzoo.data.sources.csv_scan import CellMatrix
from regzoo.data.table import MISSING

Array = NDArray[Any]

BYTES_PER_TEXT = 70
"""Memory of one text in Python besides its letters."""


def read_matrices(
    matrices: Sequence[CellMatrix], chosen: Collection[str], form: InputForm, available: float
) -> list[pd.DataFrame] | None:
    """Return the table of each file; None if they take more memory than there is.

    A column holds float64, NaN where a number is missing, if that is what `regzoo.data.sources.column_kinds` makes of
    its text in all files; otherwise its text, as `regzoo.data.sources.csv_file.read_csv` gives it.

    Args:
        matrices: the files.
        chosen: names of the columns that have a role, whose text is needed.
        form: what the inputs are.
        available: bytes of memory that the tables may take.
    """
    names = [name_columns(matrix.header) for matrix in matrices]
    numbers: dict[str, list[Array]] = {}
    if all(set(each) == set(names[0]) for each in names) and _are_read_as_numbers(form):
        for name, header in zip(names[0], matrices[0].header, strict=True):
            if name not in chosen and not _is_special(name, header):
                places = ((matrix, each.index(name)) for matrix, each in zip(matrices, names, strict=True))
                if (found := _read_numbers(places, form.keys)) is not None:
                    numbers[name] = found
    frames = []
    for number, (matrix, each) in enumerate(zip(matrices, names, strict=True)):
        columns: dict[int, pd.Series] = {}
        for position, name in enumerate(each):
            if name in numbers:
                columns[position] = pd.Series(numbers[name][number])
                continue
            texts, different = matrix.read_texts(position)
            columns[position] = pd.Series(texts, dtype=object)
            size = int(matrix.lengths[position].mean()) + BYTES_PER_TEXT
            available -= different * size + 8 * len(texts)
            if available < 0:
                return None
        frames.append(pd.DataFrame(columns).set_axis(matrix.header, axis=1))
    return frames


def _are_read_as_numbers(form: InputForm) -> bool:
    """Return True if a column of numbers as Python writes them is read as such."""
    return form.kind in (None, "rows") and form.keys.decimal != "," and form.keys.thousands != "."


def _is_special(name: str, header: str) -> bool:
    """Return True for a column whose name makes its text matter: one that has none, or a mark of missing cells."""
    return NAMELESS.fullmatch(name) is not None or not header.strip() or header in MISSING


def _read_numbers(places: Iterator[tuple[CellMatrix, int]], keys: ReadingKeys) -> list[Array] | None:
    """Return the numbers of one column of each file; None if a cell of one of them is to be read as text."""
    words = parse_numbers(np.array(keys.missing, dtype=object))
    marks = words[~find_missing(words)].astype(np.float64)
    found = []
    for matrix, position in places:
        numbers = matrix.read_numbers(position)
        if numbers is None or (len(marks) and np.isin(numbers, marks).any()):
            return None
        found.append(numbers)
    return found
