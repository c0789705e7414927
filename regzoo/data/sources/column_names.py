"""Names of columns, as pandas gives them: repeated and missing names, the index, headers that are rows of data."""

from __future__ import annotations

import contextlib
import re
from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError, did_you_mean
from regzoo.core.formatting import format_list
from regzoo.data.dataset import Array

NAMELESS = re.compile(r"Unnamed: \d+(?:_level_\d+)?(?:\.\d+)*|__index_level_\d+__")
"""Names that pandas gives to columns that have none, and in Parquet files to an index that has none."""

STORED_INDEX = "__index_level_"

SAMPLE = 1000
"""Rows that a header is compared with."""

RUN = 10
"""Rows that an index counts at least, on average, before it begins again: of tables put one below the other."""


@dataclass(frozen=True)
class NamedFrame:
    """A table whose columns have different names, without those that are no data.

    Attributes:
        frame: the table.
        notes: a sentence for each column that is left out.
        warnings: a sentence for each oddity of the names.
    """

    frame: pd.DataFrame
    notes: tuple[str, ...]
    warnings: tuple[str, ...]


def name_columns(names: Sequence[Hashable]) -> list[str]:
    """Return different names as `pandas.read_csv` makes them of a header: a repeated ``a`` is called ``a.1``.

    >>> name_columns(["", "a", "b", "a"])
    ['Unnamed: 0', 'a', 'b', 'a.1']
    """
    given = [str(name) for name in names]
    made = [name if name.strip() else f"Unnamed: {position}" for position, name in enumerate(given)]
    present, counts = Counter(made), Counter[str]()
    for position in sorted(range(len(made)), key=lambda position: not given[position].strip()):  # nameless ones last
        old = name = made[position]
        count = counts[name]
        while count > 0:
            counts[old] = count + 1
            name = f"{old}.{count}"
            count = count + 1 if present[name] > 0 else counts[name]
        present[old] -= 1
        present[name] += 1
        made[position] = name
        counts[name] = count + 1
    return made


def require_columns(names: Sequence[Hashable], place: str) -> None:
    """Raise InputError if there are no columns, or a name has control characters."""
    if not len(names):
        raise InputError(f"{place}: x has no columns; at least one input is needed")
    for position, name in enumerate(map(str, names), 1):
        if not name.isprintable():
            raise InputError(f"{place}: column {position} is called {name!r}, with control characters; rename it")


def name_frame(frame: pd.DataFrame, place: str, chosen: Sequence[str] = (), drop: Sequence[str] = ()) -> NamedFrame:
    """Return ``frame`` with names as `name_columns` makes them, without ``drop``, pandas' index and empty columns.

    The index is what the first columns hold if they have no name, or one of pandas for such columns, and count the
    rows, number them all differently, or name them all differently. An empty column has neither name nor cells.

    Args:
        frame: the table; names of columns may be anything.
        place: name of the data in messages.
        chosen: names of the columns that have a role.
        drop: names of the columns to leave out.

    Raises:
        InputError: if ``drop`` is not there, a name that is chosen or dropped stands for several columns, a name has
            control characters, or a column without a name is neither index nor empty.
    """
    given = [str(name) for name in frame.columns]
    require_columns(given, place)
    names = name_columns(given)
    frame = frame.set_axis(names, axis=1)
    _require_one_of_each(given, names, chosen, drop, place)
    frame = _drop_columns(frame, drop, place)
    kept = [name for name in names if name not in set(drop)]
    positions = {name: position for position, name in enumerate(names, 1)}
    nameless = {name for name, old in zip(names, given, strict=True) if not old.strip()}
    index = _find_index(frame, [name for name in kept if name not in set(chosen)])
    empty = [name for name in kept if name in nameless and _find_empty(frame[name]).all()]
    errors = ErrorCollector()
    for name in kept:
        if name in nameless and name not in {*index, *empty, *chosen}:
            way_out = f"name it or drop it (data.drop: {name!r} in a config)"
            errors.messages.append(f"{place}: column {positions[name]} of {len(names)} has no name; {way_out}")
    errors.raise_if_any()
    notes = [_describe_index(name, positions[name], name in nameless) for name in index]
    notes += [f"column {positions[name]} has neither a name nor cells: left out" for name in empty]
    left = frame.drop(columns=[*index, *empty]) if index or empty else frame
    warnings = _warn_repeated(given, names, set(left.columns))
    if is_header_data(given, frame, names):
        warnings.append(f"{describe_header(given)} looks like a row of data; give the columns names, in a first line")
    return NamedFrame(left, tuple(f"{place}: {note}" for note in notes), tuple(f"{place}: {one}" for one in warnings))


def is_header_data(header: Sequence[str], frame: pd.DataFrame, names: Sequence[str] | None = None) -> bool:
    """Return True if ``header`` looks like a row of ``frame``: numbers about as in their columns, words as in theirs.

    Whole numbers that count, such as 0, 1, 2, are names.

    Args:
        header: the header as it stands in the file.
        frame: the table below it.
        names: the columns that the header belongs to, by default those of ``frame``; those that are not there have no
            say.
    """
    head, where = frame.iloc[:SAMPLE], {name: position for position, name in enumerate(frame.columns)}
    cells = [(text, where.get(name)) for text, name in zip(header, names or frame.columns, strict=True) if text.strip()]
    columns = [(text, head.iloc[:, position]) for text, position in cells if position is not None]
    numbers = [(number, column) for text, column in columns if (number := _read_number(text)) is not None]
    words = [(text, column) for text, column in columns if _read_number(text) is None]
    whole = all(number.is_integer() for number, _ in numbers)
    if whole and all(later - number == 1 for (number, _), (later, _) in pairwise(numbers)):
        occurs = (_find_word(column, word).any() for word, column in words)
        if not (any(occurs) if numbers else len(words) > 1 and all(occurs)):
            return False
    return all(_fits(number, column) for number, column in numbers)


def describe_data_header(frame: pd.DataFrame) -> str:
    """Return the end of a message about a column that is not there: whether the header looks like a row of data."""
    header = [str(name) for name in frame.columns]
    if not header or not is_header_data(header, frame):
        return ""
    return f"; {describe_header(header)} looks like a row of data, and the first line should name the columns"


def describe_header(header: Sequence[str]) -> str:
    """Return a header in words, shortened."""
    shown = ", ".join(repr(name[:20]) for name in header[:5])
    return f"the header {shown}{', ...' if len(header) > 5 else ''}"


def _require_one_of_each(
    given: Sequence[str], names: Sequence[str], chosen: Sequence[str], drop: Sequence[str], place: str
) -> None:
    """Raise InputError if a column that is chosen or dropped has a namesake that is not dropped as well."""
    places = _index_names(given)
    for name in dict.fromkeys([*chosen, *drop]):
        same = places.get(name, [])
        others = [names[position] for position in same if names[position] not in {name, *drop}]
        if others:
            listed = format_list([str(position + 1) for position in same])
            both = "both" if len(same) == 2 else "all"
            way_out = f"rename one or drop it (data.drop: {others[0]!r} in a config)"
            raise InputError(f"{place}: columns {listed} are {both} called {name!r}; {way_out}")


def _index_names(names: Sequence[str]) -> dict[str, list[int]]:
    """Return the positions of each name."""
    places: dict[str, list[int]] = {}
    for position, name in enumerate(names):
        places.setdefault(name, []).append(position)
    return places


def _drop_columns(frame: pd.DataFrame, columns: Sequence[str], place: str) -> pd.DataFrame:
    """Return ``frame`` without ``columns``; InputError if one of them does not exist."""
    for column in columns:
        if column not in frame.columns:
            near = did_you_mean(column, map(str, frame.columns))
            raise InputError(f"{place}: there is no column {column!r} to leave out (data.drop).{near}")
    return frame.drop(columns=list(columns)) if columns else frame


def _find_index(frame: pd.DataFrame, names: Sequence[str]) -> list[str]:
    """Return the first of ``names`` that hold an index, and those by which a Parquet file stores one."""
    index = []
    stored = [name for name in names if name.startswith(STORED_INDEX)]
    for name in [*stored, *(name for name in names if name not in stored)]:
        if not NAMELESS.fullmatch(name) or not _is_index(frame[name]):
            break
        index.append(name)
    return index


def _is_index(cells: pd.Series) -> bool:
    """Return True for numbers that count or are all different, and for names or dates that are all different."""
    if _find_empty(cells).any() or pd.api.types.is_bool_dtype(cells.dtype):
        return False
    numbers = _to_numbers(cells)
    if numbers is not None:
        if not ((numbers == np.floor(numbers)) & (numbers >= 0)).all():
            return False
        starts = np.concatenate([[True], np.diff(numbers) != 1])
        counts = numbers[0] in (0, 1) and (numbers[starts] == numbers[0]).all()
        return len(np.unique(numbers)) == len(numbers) or bool(counts and starts.sum() * RUN <= len(numbers))
    with contextlib.suppress(TypeError):  # values that cannot be compared
        return bool(cells.nunique() == len(cells))
    return False


def _to_numbers(cells: pd.Series) -> Array | None:
    """Return the cells as float64 if all of them are numbers, or text that is a number; else None."""
    if pd.api.types.is_numeric_dtype(cells.dtype) and not pd.api.types.is_complex_dtype(cells.dtype):
        return cells.to_numpy(dtype=np.float64, na_value=np.nan)
    if cells.dtype != object and not pd.api.types.is_string_dtype(cells.dtype):
        return None
    numbers = pd.to_numeric(cells.map(lambda cell: cell if isinstance(cell, str) else None), errors="coerce")
    return None if numbers.isna().any() else numbers.to_numpy(dtype=np.float64)


def _find_empty(cells: pd.Series) -> Array:
    return np.asarray(cells.isna()) | _find_word(cells, "")


def _find_word(cells: pd.Series, word: str) -> Array:
    """Return which of the ``cells`` (n,) are ``word``."""
    objects = cells.astype(object)
    try:
        return np.asarray(objects == word)
    except ValueError:  # cells that are arrays, as the lists of a Parquet file are
        return np.array([isinstance(cell, str) and cell == word for cell in objects])


def _read_number(text: str) -> float | None:
    with contextlib.suppress(ValueError):
        number = float(text)
        return number if np.isfinite(number) else None
    return None


def _fits(number: float, cells: pd.Series) -> bool:
    """Return True if ``number`` lies where the numbers among ``cells`` do, most of which are numbers."""
    plain = cells.map(lambda cell: None if isinstance(cell, bool) else cell)
    values = np.asarray(pd.to_numeric(plain.astype(object), errors="coerce"), dtype=np.float64)
    values = values[np.isfinite(values)]
    if 2 * len(values) <= len(cells):
        return False
    low, high = values.min(), values.max()
    return bool(2 * low - high <= number <= 2 * high - low)


def _describe_index(name: str, position: int, nameless: bool) -> str:
    what = f"column {position} has no name and" if nameless else f"column {name!r}"
    return f"{what} holds an index, as pandas writes it: left out; give it a name if it is an input"


def _warn_repeated(given: Sequence[str], names: Sequence[str], kept: set[Any]) -> list[str]:
    """Return a warning for each name that stands for several columns that are kept."""
    warnings = []
    for name, positions in _index_names(given).items():
        same = [position for position in positions if names[position] in kept]
        if len(same) > 1 and name.strip():
            numbers = format_list([str(position + 1) for position in same])
            read = format_list([repr(names[position]) for position in same])
            both = "both" if len(same) == 2 else "all"
            warnings.append(f"columns {numbers} are {both} called {name!r}; they are read as {read}; rename them")
    return warnings
