"""Find the kind of each column of a DataFrame: numeric, boolean, categorical or date."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.column_fitting import count_least
from regzoo.data.dataset import Array
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import NamedInputs
from regzoo.data.numbers import (
    MISSING_INTEGER,
    count_merged,
    find_missing,
    parse_numbers,
    read_series,
    require_distinct,
)
from regzoo.data.reading.dates import format_date, parse_date
from regzoo.data.reading.find import Found, find_dates, find_numbers
from regzoo.data.reading.messages import describe_cells, describe_rival, reject_near_numbers
from regzoo.data.reading.numbers import find_shares, to_plain
from regzoo.data.reading.reading import OPEN, PLAIN, Reading, ReadingKeys
from regzoo.data.sources.plain_types import plain_series
from regzoo.data.table import Kind, Table, clean_cell

LARGEST = 1e30
"""Larger inputs would overflow float32 when they are standardized."""

MOSTLY = 0.9
"""A column with at least this share of numbers (or dates) is numeric (or a date) with a few wrong cells."""

MANY, FEW_WORDS = 20, 3
"""So is a column with more than 20 different numbers (or dates) and at most 3 other words, which mark missing cells."""

_CODE = re.compile(r"0[0-9]+")
_MAX_SHOWN = 5

MOST_ODD_WORDS = 20
"""Different odd words of a column that count as missing at most, where a key says how the column is read."""

MIN_DIFFERENT = 10
"""So is a column of at least ten different texts, most of them numbers (or dates), that would else be left out."""


class Column(NamedTuple):
    """A column as it was read.

    Attributes:
        kind: what it holds; None for text that was not read yet.
        values: (n,) numbers, NaN where one is missing; else text, ``""`` where it is missing.
        reading: how its cells of text are read; None as Python and ISO 8601 write them.
        warning: which cells were not read and count as missing; empty if all were.
    """

    kind: Kind | None
    values: Array
    reading: Reading | None = None
    warning: str = ""

    def mark_odd(self, cells: Array, odd: Array, what: str) -> Column | None:
        """Return the column with the words of its ``odd`` cells (n,) as missing, and a warning; None if many differ."""
        words = tuple(dict.fromkeys(cells[odd].tolist()))
        if not words or len(words) > MOST_ODD_WORDS:
            return None if words else self
        reading = self.reading or PLAIN
        marked = replace(reading, missing=(*reading.missing, *words))
        return self._replace(reading=marked, warning=f"{describe_cells(cells, odd, what)}; they count as missing")


class Inputs(NamedTuple):
    """Inputs as they were read.

    Attributes:
        values: one array, a `Table` or `NamedInputs`.
        readings: the `Reading` of each column whose text is not read as Python and ISO 8601 write it.
        notes: what they were taken for, in sentences.
        warnings: cells that were not read and count as missing, a sentence for each column.
        form: how text or tokens become what a model looks up; None for other inputs.
    """

    values: Array | Table | NamedInputs
    readings: Mapping[str, Reading] = MappingProxyType({})
    notes: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    form: InputForm | None = None


def read_columns(frame: pd.DataFrame, columns: tuple[str, ...], name: str, keys: ReadingKeys = OPEN) -> Inputs:
    """Return the columns of ``frame``: one array (n, columns) if all are complete numbers, else a `Table`.

    Whole numbers beyond 2**53 stay int64 in a column of their own, so that they too make a `Table`.

    The dtype decides for numbers, booleans, times and categories. Columns of text are parsed: if all cells are numbers,
    true and false, or dates, the column is of that kind; else it is categorical. Numbers of one width with leading
    zeros (007) are categories.

    Args:
        frame: the inputs.
        columns: names of the columns, as text.
        name: name of the data in messages.
        keys: what the user decides about how text is read.

    Raises:
        InputError: with every column that cannot be used, its rows and the way out.
    """
    if frame.empty:
        raise InputError(f"{name}: x has no rows")
    errors, found = ErrorCollector(), []
    for position, column in enumerate(columns):
        with errors.collect():
            found.append(_read_column(frame.iloc[:, position], f"{name}: column {column!r} ({len(frame)} rows)", keys))
    errors.raise_if_any()
    kinds, values = [column.kind for column in found], [column.values for column in found]
    readings = {name: each.reading for name, each in zip(columns, found, strict=True) if each.reading is not None}
    words = ", ".join(map(repr, keys.missing))
    notes = (f"{words} {'count' if len(keys.missing) > 1 else 'counts'} as missing",) if words else ()
    floats = set(kinds) == {"numeric"} and all(column.dtype.kind == "f" for column in values)
    if floats and not readings and not any(np.isnan(column).any() for column in values):
        return Inputs(np.ascontiguousarray(np.stack(values, axis=1)), notes=notes)
    warnings = tuple(column.warning for column in found if column.warning)
    table = Table(columns, tuple(kind for kind in kinds if kind), tuple(values))
    return Inputs(table, readings, notes, warnings)


def _read_column(series: pd.Series, where: str, keys: ReadingKeys) -> Column:
    kind, values, reading, _ = to_cells(series, where)
    if keys.missing:
        values = mark_missing(values, keys.missing)
        reading = Reading(missing=keys.missing) if reading is None else replace(reading, missing=keys.missing)
    if kind is None:
        return parse_cells(values, where, keys)
    return Column(kind, values, reading)


def to_cells(series: pd.Series, where: str) -> Column:
    """Return the cells of a column as what its dtype says: numbers or text; text that may be anything has no kind.

    Raises:
        InputError: if the values cannot be used.
    """
    series = plain_series(series, where)
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return Column("categorical", _as_text(series, where))
    if pd.api.types.is_bool_dtype(dtype):
        return Column("boolean", np.array([value.lower() for value in _as_text(series, where)], dtype=object))
    if pd.api.types.is_numeric_dtype(dtype):
        return Column("numeric", require_finite(read_series(series, where), where))
    zoned = isinstance(dtype, pd.DatetimeTZDtype)
    if zoned:
        series, dtype = series.dt.tz_convert(None), np.dtype("datetime64[ns]")
    if pd.api.types.is_datetime64_dtype(dtype):
        texts = _as_text(series.dt.strftime("%Y-%m-%dT%H:%M:%S"), where)
        return Column("date", texts, Reading(zoned=True) if zoned else None)
    if pd.api.types.infer_dtype(series, skipna=True) == "date":
        return Column("date", _as_text(series, where))
    return Column(None, _as_text(series, where))


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


def mark_missing(values: Array, words: tuple[str, ...]) -> Array:
    """Return ``values`` (n,) with each of ``words`` as a missing value."""
    if values.dtype.kind == "O":
        return np.where(np.isin(values.astype(str), words), "", values).astype(object)
    numbers = parse_numbers(np.array(words, dtype=object))
    found = np.isin(values, numbers[~find_missing(numbers)].astype(values.dtype))
    return np.where(found, MISSING_INTEGER if values.dtype.kind == "i" else np.nan, values).astype(values.dtype)


def parse_cells(cells: Array, where: str, keys: ReadingKeys = OPEN, way_out: str = "") -> Column:
    """Return the kind of a column of texts (n,), and its values; ``way_out`` ends the message about odd cells.

    Raises:
        InputError: if most cells are numbers or dates and others are not, or if they can be read in two ways.
    """
    codes, different = pd.factorize(cells)
    rows = np.bincount(codes, minlength=len(different)) * (different != "")
    marks = Reading(missing=keys.missing) if keys.missing else None
    number = parse_numbers(different)
    dots = any("." in text for text in different) and (keys.decimal == "," or keys.thousands == ".")
    if (~find_missing(number) | (different == "")).all() and not dots:
        padded = [text for text in different if _CODE.fullmatch(text)]
        if padded and len({len(text) for text in different if text}) == 1:
            return Column("categorical", cells, marks)
        _require_different(different, number, where)
        return Column("numeric", require_finite(number[codes], where), marks)
    lower = [text.lower() for text in different]
    if set(lower) <= {"true", "false", ""}:
        return Column("boolean", np.array(lower, dtype=object)[codes], marks)
    numbers, dates = find_numbers(different, rows, keys), find_dates(different, rows, keys)
    decided = {"numbers": keys.decimal is not None or keys.thousands is not None, "dates": keys.dates is not None}
    for found, what in ((numbers, "numbers"), (dates, "dates")):
        if found is not None and _are_most(found.fits, different, rows):
            column = _convert(different, found, what, where, keys)
            odd = ~found.fits[codes] & (cells != "")
            marked = column.mark_odd(cells, odd, f"{where} holds {what}") if decided[what] and not way_out else None
            _require_all(cells, ~odd | (marked is not None), f"{where} holds {what}", way_out)
            column = marked or column
            return column._replace(values=column.values[codes])
    reject_near_numbers(different, rows, where)
    return Column("categorical", cells, marks)


def _require_different(texts: Array, numbers: Array, where: str) -> None:
    """Raise InputError if fewer than half of the numbers in ``texts`` (n,) are different as ``numbers`` (n,)."""
    if len(np.unique(numbers)) == len(texts):
        return
    require_distinct(*count_merged(texts, numbers), texts[0], where)


def _require_all(cells: Array, fits: Array, what: str, way_out: str) -> None:
    """Raise InputError unless all ``cells`` (n,) fit; the message has the odd ones with their rows, and ways out."""
    if fits.all():
        return
    words = list(dict.fromkeys(cells[~fits].tolist()))
    if any(re.search("[0-9]", word) for word in words):  # (5.00) or 2024-13-01 is a value, and no mark of a missing one
        missing = "correct them: write them as the others, or leave them empty if they are missing"
    else:
        shown = ", ".join(word if word.isalnum() else repr(word) for word in words[:_MAX_SHOWN])
        missing = f"correct them, or leave them empty or list them if they are missing (data.missing: [{shown}])"
    raise InputError(f"{describe_cells(cells, ~fits, what)}; {way_out or missing}")


def _are_most(fits: Array, different: Array, rows: Array) -> bool:
    """Return True if enough cells fit that the column is of this kind, with a few wrong cells.

    So it is if the column would else be left out as free text, for want of words that occur often.
    """
    present, share = different != "", rows[fits].sum() / max(1, rows.sum())
    if share >= MOSTLY or ((fits & present).sum() > MANY and (~fits & present).sum() <= FEW_WORDS):
        return True
    frequent = rows[rows >= count_least(int(rows.sum()))].sum()
    return bool(len(rows) >= MIN_DIFFERENT and share > 1 / 2 and 2 * frequent < rows.sum())


def _convert(different: Array, found: Found, what: str, where: str, keys: ReadingKeys) -> Column:
    """Return the ``different`` cells of a column (n,) in the form that was ``found``; others are missing."""
    reading = found.reading
    if found.rival is not None:
        raise InputError(f"{where} {describe_rival(different[found.fits].tolist(), found)}")
    plain = reading == PLAIN
    kept = None if plain and not keys.missing else replace(reading, missing=keys.missing)
    if what == "dates" and plain:
        return Column("date", np.where(found.fits, different, "").astype(object), kept)
    if what == "dates":
        moments = [parse_date(text, reading.dates, reading.zoned) for text in different.tolist()]
        dates = ["" if when is None else format_date(when) for when in moments]
        return Column("date", np.array(dates, dtype=object), kept)
    plain_texts = np.array([to_plain(text, reading) or "" for text in different.tolist()], dtype=object)
    numbers = parse_numbers(plain_texts)
    _require_different(plain_texts, numbers, where)
    if reading.percent:
        _reject_shares(different[found.fits], numbers[found.fits], where)
    return Column("numeric", require_finite(numbers, where), kept)


def _reject_shares(texts: Array, numbers: Array, where: str) -> None:
    """Raise InputError if one of ``texts`` (n,), some of which have a percent sign, may be a share: 0.126 or 12.6 %."""
    share = find_shares(texts, numbers)
    if share.any():
        shown = texts[share][0]
        raise InputError(
            f"{where} has percent signs, and {shown!r} without one, which may be {shown} % or a share; write the sign "
            "in all cells or in none"
        )
