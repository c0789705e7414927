"""Read the roles of a data set: group, time, part and weight of each row."""

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
from regzoo.data.numbers import parse_numbers, read_series
from regzoo.data.reading.dates import format_date, parse_date
from regzoo.data.reading.find import find_dates
from regzoo.data.reading.messages import describe_rival
from regzoo.data.reading.reading import ReadingKeys
from regzoo.data.sources.plain_types import plain_series

EMPTY: Mapping[str, Any] = MappingProxyType({})
"""An empty mapping by role or by part."""

_NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def attach_roles(
    data: Dataset, roles: Mapping[str, Any], places: Mapping[str, str], keys: ReadingKeys | None = None
) -> Dataset:
    """Return ``data`` with checked copies of ``roles``: ``group``, ``time``, ``part``, ``weight``, each (n,).

    Args:
        data: a data set without roles.
        roles: values by role; cells may be text, as in a CSV file.
        places: name of the values of each role in messages.
        keys: how text is read, where the user decides it.

    Raises:
        InputError: if lengths do not fit, or if a cell cannot be read or is missing (in ``part`` it may be missing).
    """
    read: dict[str, Array] = {}
    for role, values in roles.items():
        cells = _read_cells(values, len(data.x), places[role])
        read[role] = _read_time(cells, places[role], keys) if role == "time" else _READERS[role](cells, places[role])
        read[role].setflags(write=False)
    return dataclasses.replace(data, **read)  # type: ignore[arg-type]  # mypy compares with all fields


def mark_parts(parts: Iterable[str], lengths: Sequence[int]) -> Array:
    """Return the ``part`` of each row of several files: no part in the first file, then ``parts`` in order.

    >>> mark_parts(["test"], [3, 2]).tolist()
    ['', '', '', 'test', 'test']
    """
    return np.repeat(["", *parts], lengths)


def _read_cells(values: Any, rows: int, where: str) -> pd.Series:
    """Return one cell a row; text is stripped, and empty text is None."""
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
    cells = plain_series(cells, where)
    cells = cells.astype(object) if isinstance(cells.dtype, pd.CategoricalDtype) else cells
    if pd.api.types.is_string_dtype(cells.dtype) or cells.dtype == object:
        cells = cells.map(lambda cell: cell.strip() or None if isinstance(cell, str) else cell).astype(object)
    return cells


def _require_complete(cells: pd.Series, where: str, way_out: str) -> None:
    missing = cells.isna().to_numpy()
    if missing.any():
        first = int(np.argmax(missing)) + 1
        raise InputError(f"{where} has {missing.sum()} missing cells, the first in row {first}; {way_out}")


def _read_group(cells: pd.Series, where: str) -> Array:
    _require_complete(cells, where, "give a row that belongs to no group a name of its own")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        return np.array(cells.to_numpy(dtype=np.int64 if cells.dtype.kind in "biu" else np.float64))
    return np.array(cells.astype(str).tolist())


def _read_time(cells: pd.Series, where: str, keys: ReadingKeys | None) -> Array:
    """Return numbers as float64, or int64 beyond 2**53, and dates as datetime64 in UTC; text may be either.

    Dates are written as in columns, or as ISO 8601.
    """
    _require_complete(cells, where, "drop these rows or date them")
    if pd.api.types.is_bool_dtype(cells.dtype):
        raise InputError(f"{where} holds true and false; times are numbers or dates such as 2024-01-31")
    if pd.api.types.is_numeric_dtype(cells.dtype):
        numbers = read_series(cells, where)
        return numbers if numbers.dtype.kind == "i" else _to_finite(cells, where)
    texts = cells.astype(str)
    if texts.map(lambda text: bool(_NUMBER.fullmatch(text))).all():
        numbers = parse_numbers(texts.to_numpy(dtype=object))
        return numbers if numbers.dtype.kind == "i" else _to_finite(texts, where)
    texts = _put_year_first(texts, where, keys or ReadingKeys())
    dates = pd.to_datetime(texts.map(_to_iso), format="ISO8601", utc=True, errors="coerce")
    strange = texts[dates.isna()]
    if len(strange):
        found = f"holds {str(strange.iloc[0])[:40]!r} in row {strange.index[0] + 1}"
        raise InputError(f"{where} {found}, which is neither a number nor a date such as 2024-01-31; write it so")
    return np.array(dates.dt.tz_localize(None).to_numpy(dtype="datetime64[us]"))


def _put_year_first(texts: pd.Series, where: str, keys: ReadingKeys) -> pd.Series:
    """Return dates such as 31/01/2024 with the year first, if all texts are dates of the same form."""
    codes, different = pd.factorize(texts.to_numpy(dtype=object))
    found = find_dates(different, np.bincount(codes), keys)
    if found is None or not found.fits.all() or (found.reading.dates == "year first" and not found.reading.named):
        return texts
    if found.rival is not None:
        raise InputError(f"{where} {describe_rival(different.tolist(), found)}")
    order, zoned, named = found.reading.dates, found.reading.zoned, found.reading.named
    moments = [parse_date(text, order, zoned, named) for text in different.tolist()]
    written = np.array([format_date(when) if when else "" for when in moments], dtype=object)
    return pd.Series(written[codes], index=texts.index)


def _to_iso(text: str) -> str:
    """Return dates such as 31.1.2024 or 2024/1/31 as ISO 8601; any other text, such as other time zones, unchanged."""
    when = parse_date(text)
    return text if when is None or text[:10] == format_date(when)[:10] else format_date(when)


def _read_part(cells: pd.Series, where: str) -> Array:
    parts = cells.where(cells.notna(), "").astype(str)
    strange = parts[~parts.isin(["", *PARTS])]
    if len(strange):
        word = str(strange.iloc[0])[:40]
        found = f"holds {word!r} in row {strange.index[0] + 1}"
        allowed = f"{', '.join(PARTS)} or nothing"
        hint = did_you_mean(word, PARTS)
        raise InputError(f"{where} {found}; it takes {allowed}.{hint if 'Did you mean' in hint else ''}")
    return np.array(parts.tolist())


def _read_weight(cells: pd.Series, where: str) -> Array:
    _require_complete(cells, where, "give each row a weight, 1 for one that counts as it is")
    numbers = pd.to_numeric(cells, errors="coerce")
    if numbers.isna().any():
        row = int(np.argmax(numbers.isna().to_numpy()))
        raise InputError(f"{where} holds {str(cells.iloc[row])[:40]!r} in row {row + 1}; weights are numbers above 0")
    weights = _to_finite(numbers, where).astype(np.float32)
    if not (weights > 0).all():
        row = int(np.argmin(weights > 0))
        raise InputError(f"{where} holds {cells.iloc[row]} in row {row + 1}; weights are above 0, so drop that row")
    return weights


def _to_finite(cells: pd.Series, where: str) -> Array:
    numbers = cells.astype(np.float64).to_numpy()
    largest = float(np.finfo(np.float32).max)
    bad = ~(np.abs(numbers) < largest)
    if bad.any():
        raise InputError(f"{where} holds {numbers[bad][0]} in row {int(np.argmax(bad)) + 1}, which is no finite number")
    return np.array(numbers)


_READERS: dict[str, Callable[[pd.Series, str], Array]] = {
    "group": _read_group,
    "part": _read_part,
    "weight": _read_weight,
}
