"""Find the kind of each column of a DataFrame: numeric, boolean, categorical or date."""

from __future__ import annotations

import re

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.dataset import Array
from regzoo.data.dates import parse_date
from regzoo.data.numbers import count_merged, find_missing, parse_numbers, read_series
from regzoo.data.sources.plain_types import plain_series
from regzoo.data.table import Kind, Table, clean_cell

LARGEST = 1e30
"""Larger inputs would overflow float32 when they are standardized."""

MOSTLY = 0.9
"""A column with at least this share of numbers (or dates) is numeric (or a date) with a few wrong cells."""

MANY, FEW_WORDS = 20, 3
"""So is a column with more than 20 different numbers (or dates) and at most 3 other words, which mark missing cells."""

_NUMBER = r"[+-]?[0-9]+(?:[.,' ][0-9]{3})*(?:[.,][0-9]+)?"
_DECORATED = re.compile(rf"(?:[$€£¥]\s?)?{_NUMBER}(?:\s?[%$€£¥])?")
_CLOCK = r"(?:[T ,]+[0-9]{1,2}:[0-9:.]+ ?(?:[AaPp][Mm]|Z|UTC|GMT|[+-][0-9:]{2,5})?)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[.,]?"
_SLASHED = re.compile(rf"[0-9]{{1,2}}[/.-][0-9]{{1,2}}[/.-][0-9]{{2,4}}{_CLOCK}")
_DATED = re.compile(
    rf"(?:[a-z]+,? )?(?:[0-9]{{1,2}}[ .-]*{_MONTH}[ -]*|{_MONTH}[ -]*[0-9]{{1,2}}[ ,-]+)[0-9]{{2,4}}{_CLOCK}"
    rf"|[0-9]{{4}}[-/][0-9]{{1,2}}[-/][0-9]{{1,2}}{_CLOCK}",
    re.IGNORECASE,
)
_CODE = re.compile(r"0[0-9]+")

Typed = tuple[Kind, Array]


def read_columns(frame: pd.DataFrame, columns: tuple[str, ...], name: str) -> Array | Table:
    """Return the columns of ``frame``: one array (n, columns) if all are complete numbers, else a `Table`.

    Whole numbers beyond 2**53 stay int64 in a column of their own, so that they too make a `Table`.

    The dtype decides for numbers, booleans, times and categories. Columns of text are parsed: if all cells are numbers,
    true and false, or dates, the column is of that kind; else it is categorical. Numbers of one width with leading
    zeros (007) are categories.

    Args:
        frame: the inputs.
        columns: names of the columns, as text.
        name: name of the data in messages.

    Raises:
        InputError: with every column that cannot be used, its rows and the way out.
    """
    if frame.empty:
        raise InputError(f"{name}: x has no rows")
    errors, typed = ErrorCollector(), []
    for position, column in enumerate(columns):
        with errors.collect():
            typed.append(_read_column(frame.iloc[:, position], f"{name}: column {column!r} ({len(frame)} rows)"))
    errors.raise_if_any()
    kinds, values = zip(*typed, strict=True)
    floats = set(kinds) == {"numeric"} and all(column.dtype.kind == "f" for column in values)
    if floats and not any(np.isnan(column).any() for column in values):
        return np.ascontiguousarray(np.stack(values, axis=1))
    return Table(columns, kinds, values)


def _read_column(series: pd.Series, where: str) -> Typed:
    series = plain_series(series, where)
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return "categorical", _as_text(series, where)
    if pd.api.types.is_bool_dtype(dtype):
        return "boolean", np.array([value.lower() for value in _as_text(series, where)], dtype=object)
    if pd.api.types.is_numeric_dtype(dtype):
        return "numeric", require_finite(read_series(series), where)
    if isinstance(dtype, pd.DatetimeTZDtype):
        series, dtype = series.dt.tz_convert(None), np.dtype("datetime64[ns]")
    if pd.api.types.is_datetime64_dtype(dtype):
        return "date", _as_text(series.dt.strftime("%Y-%m-%dT%H:%M:%S"), where)
    if pd.api.types.infer_dtype(series, skipna=True) == "date":
        return "date", _as_text(series, where)
    return _parse_cells(_as_text(series, where), where)


def require_finite(values: Array, where: str) -> Array:
    """Return ``values`` (n,); a missing number is NaN.

    Raises:
        InputError: if a number is infinite or too large, with its row.
    """
    if values.dtype.kind != "f":
        return values
    large = np.abs(values) > LARGEST
    if large.any():
        what = "infinite" if np.isinf(values[large]).any() else f"beyond {LARGEST:g}"
        first = int(np.argmax(large)) + 1
        raise InputError(f"{where} has {large.sum()} values that are {what}, the first in row {first}; correct them")
    return values


def _as_text(series: pd.Series, where: str) -> Array:
    """Return the column as text (n,), ``""`` where a cell is missing."""
    codes, different = pd.factorize(series.astype(object))
    texts = [clean_cell(str(value)) for value in different]
    for text in texts:
        if "\0" in text or (not text.isascii() and text.encode("utf-8", "replace").decode() != text):
            raise InputError(f"{where} holds {text[:40]!r}, which is not valid UTF-8 text; correct or drop it")
    return np.array([*texts, ""], dtype=object)[codes]  # the code of a missing cell is -1


def _parse_cells(cells: Array, where: str) -> Typed:
    """Return the kind of a column of texts (n,), and its values."""
    codes, different = pd.factorize(cells)
    rows = np.bincount(codes, minlength=len(different)) * (different != "")
    number = parse_numbers(different)
    is_number = ~find_missing(number) | (different == "")
    if is_number.all():
        padded = [text for text in different if _CODE.fullmatch(text)]
        if padded and len({len(text) for text in different if text}) == 1:
            return "categorical", cells
        _require_told_apart(different, number, where)
        return "numeric", require_finite(number[codes], where)
    lower = [text.lower() for text in different]
    if set(lower) <= {"true", "false", ""}:
        return "boolean", np.array(lower, dtype=object)[codes]
    is_date = np.array([text == "" or parse_date(text) is not None for text in different])
    if is_date.all():
        return "date", cells
    for fits, what in ((is_number, "numbers"), (is_date, "dates")):
        fitting = (fits & (different != "")).sum()
        if rows[fits].sum() >= MOSTLY * rows.sum() or (fitting > MANY and (~fits).sum() <= FEW_WORDS):
            way_out = "correct them, or leave them empty if they are missing"
            raise InputError(f"{describe_cells(cells, ~fits[codes], f'{where} holds {what}')}; {way_out}")
    reject_near_numbers(different[~is_number & (different != "")], where)
    return "categorical", cells


def _require_told_apart(texts: Array, numbers: Array, where: str) -> None:
    """Raise InputError if fewer than half of the numbers in ``texts`` (n,) are different as ``numbers`` (n,)."""
    if len(np.unique(numbers)) == len(texts):
        return
    written, left = count_merged(texts, numbers)
    if 2 * left < written:
        raise InputError(
            f"{where} holds {written} different numbers such as {texts[0][:40]!r}, and in float64, which keeps 15 "
            f"digits, {left} of them are different; subtract what they have in common, or leave the column out"
        )


def describe_cells(cells: Array, wrong: Array, what: str) -> str:
    """Return in words which of ``cells`` (n,) are ``wrong`` (n,), with the rows of the first of them."""
    bad = np.flatnonzero(wrong)
    shown = ", ".join(f"{cells[row][:40]!r} in row {row + 1}" for row in bad[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    return f"{what} but for {len(bad)} cell{'s' if len(bad) > 1 else ''}: {shown}{more}"


def reject_near_numbers(texts: Array, where: str) -> None:
    """Raise InputError if all ``texts`` look like numbers or dates in a form that is not parsed."""
    if all(_DECORATED.fullmatch(text) for text in texts):
        raise InputError(
            f"{where} holds {texts[0][:40]!r}: decimal commas, thousands separators, currencies and percent signs "
            "are not read as numbers; write 1234.5"
        )
    if all(_SLASHED.fullmatch(text) for text in texts):
        raise InputError(f"{where} holds {texts[0]!r}, a date that can be read in two ways; write 2024-01-31")
    if all(_DATED.fullmatch(text) for text in texts):
        forms = "2024-01-31, or 2024-01-31T17:05 without a time zone"
        raise InputError(f"{where} holds {texts[0]!r}, a date in a form that is not read; write {forms}")
