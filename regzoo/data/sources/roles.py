"""Roles: what a row carries besides inputs and target - its group, its time, its part and its weight."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError, did_you_mean
from regzoo.data.catalog import PARTS
from regzoo.data.dataset import Array, Dataset
from regzoo.data.dates import format_date, parse_date

EMPTY: Mapping[str, Any] = MappingProxyType({})
"""Nothing, by role or by part."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def attach_roles(data: Dataset, roles: Mapping[str, Any], places: Mapping[str, str]) -> Dataset:
    """Return ``data`` with checked copies of ``roles``: ``group``, ``time``, ``part``, ``weight``, each (n,).

    Args:
        data: without roles.
        roles: values by role; cells may be text, as they are in a CSV file.
        places: how messages call the values of each role.

    Raises:
        InputError: if lengths do not fit, a cell is missing (but for ``part``) or cannot be read.
    """
    read: dict[str, Array] = {}
    for role, values in roles.items():
        cells = _cells(values, len(data.x), places[role])
        read[role] = _READERS[role](cells, places[role])
        read[role].setflags(write=False)
    return dataclasses.replace(data, **read)  # type: ignore[arg-type]  # mypy sees all fields, not these


def mark_parts(parts: Iterable[str], lengths: Sequence[int]) -> Array:
    """Return the ``part`` of each row where the rows of ``parts`` follow, in order, rows that regzoo may divide.

    >>> mark_parts(["test"], [3, 2]).tolist()
    ['', '', '', 'test', 'test']
    """
    return np.repeat(["", *parts], lengths)


def _cells(values: Any, rows: int, where: str) -> pd.Series:
    """Return one cell a row; text is stripped, and what is empty or missing is None."""
    if isinstance(values, pd.DataFrame) and values.shape[1] == 1:
        values = values.iloc[:, 0]
    try:
        cells = pd.Series(values).reset_index(drop=True)
    except ValueError:
        raise InputError(f"{where} takes one value a row, shape (n,), received {np.shape(values)}") from None
    if cells.dtype == object and cells.map(np.ndim).any():
        raise InputError(f"{where} takes one value a row, received {str(cells.iloc[0])[:40]} in row 1")
    if len(cells) != rows:
        raise InputError(f"{where} has {len(cells)} values and x has {rows} rows; each row needs one")
    if pd.api.types.is_string_dtype(cells.dtype) or cells.dtype == object:
        cells = cells.map(lambda cell: cell.strip() or None if isinstance(cell, str) else cell).astype(object)
    return cells


def _complete(cells: pd.Series, where: str, way_out: str) -> None:
    missing = cells.isna().to_numpy()
    if missing.any():
        first = int(np.argmax(missing)) + 1
        raise InputError(f"{where} has {missing.sum()} missing cells, the first in row {first}; {way_out}")


def _group(cells: pd.Series, where: str) -> Array:
    _complete(cells, where, "give a row that belongs to no group a name of its own")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return np.array(cells.to_numpy(dtype=np.int64 if cells.dtype.kind in "biu" else np.float64))
    return np.array(cells.astype(str).tolist())


def _time(cells: pd.Series, where: str) -> Array:
    """Numbers as float64, dates as datetime64 in UTC; text may hold either, dates as ISO 8601 or columns have them."""
    _complete(cells, where, "drop these rows or date them")
    if pd.api.types.is_bool_dtype(cells.dtype):
        raise InputError(f"{where} holds true and false; times are numbers or dates such as 2024-01-31")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return _finite(cells, where)
    texts = cells.astype(str)
    if texts.map(lambda text: bool(_NUMBER.fullmatch(text))).all():
        return _finite(texts, where)
    dates = pd.to_datetime(texts.map(_iso), format="ISO8601", utc=True, errors="coerce")
    strange = texts[dates.isna()]
    if len(strange):
        said = f"holds {str(strange.iloc[0])[:40]!r} in row {strange.index[0] + 1}"
        raise InputError(f"{where} {said}, which is neither a number nor a date such as 2024-01-31; write it so")
    return np.array(dates.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))


def _iso(text: str) -> str:
    """Return 31.1.2024, 2024/1/31 and their like as ISO 8601; all else, such as other zones, as it is."""
    when = parse_date(text)
    return text if when is None or text[:10] == format_date(when)[:10] else format_date(when)


def _part(cells: pd.Series, where: str) -> Array:
    parts = cells.where(cells.notna(), "").astype(str)
    strange = parts[~parts.isin(["", *PARTS])]
    if len(strange):
        word = str(strange.iloc[0])[:40]
        said = f"holds {word!r} in row {strange.index[0] + 1}"
        allowed = f"{', '.join(PARTS)} or nothing"
        hint = did_you_mean(word, PARTS)
        raise InputError(f"{where} {said}; it takes {allowed}.{hint if 'Did you mean' in hint else ''}")
    return np.array(parts.tolist())


def _weight(cells: pd.Series, where: str) -> Array:
    _complete(cells, where, "give each row a weight, 1 for one that counts as it is")
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any():
        row = int(np.argmax(numbers.isna().to_numpy()))
        raise InputError(f"{where} holds {str(cells.iloc[row])[:40]!r} in row {row + 1}; weights are numbers above 0")
    weights = _finite(numbers, where).astype(np.float32)
    if not (weights > 0).all():
        row = int(np.argmin(weights > 0))
        raise InputError(f"{where} holds {cells.iloc[row]} in row {row + 1}; weights are above 0, so drop that row")
    return weights


def _finite(cells: pd.Series, where: str) -> Array:
    numbers = cells.astype(np.float64).to_numpy()
    largest = float(np.finfo(np.float32).max)
    bad = ~(np.abs(numbers) < largest)
    if bad.any():
        raise InputError(f"{where} holds {numbers[bad][0]} in row {int(np.argmax(bad)) + 1}, which is no finite number")
    return np.array(numbers)


_READERS: dict[str, Callable[[pd.Series, str], Array]] = {
    "group": _group,
    "time": _time,
    "part": _part,
    "weight": _weight,
}
