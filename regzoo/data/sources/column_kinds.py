"""Find the kind of each column of a DataFrame: numeric, boolean, categorical or date."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.dataset import Array
from regzoo.data.input_form import InputForm
from regzoo.data.inputs import NamedInputs
from regzoo.data.numbers import (
    MISSING_INTEGER,
    find_missing,
    parse_numbers,
    read_series,
)
from regzoo.data.reading.reading import OPEN, PLAIN, Reading, ReadingKeys
from regzoo.data.sources.plain_types import plain_series
from regzoo.data.sources.text_columns import Column, parse_cells, require_finite
from regzoo.data.table import Kind, Table, clean_cell


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


def read_clocks(inputs: Inputs, columns: tuple[str, ...], times: Collection[str]) -> Inputs:
    """Return inputs whose columns of ``times`` are seconds such that they may also be written as 17:05:00.

    So they are read, and served, as in a CSV file that pandas makes of them. Inputs by name stay as they are.
    """
    if not times or isinstance(inputs.values, NamedInputs) or len(inputs.values.shape) != 2:
        return inputs
    table = inputs.values
    if not isinstance(table, Table):
        kinds: list[Kind] = ["numeric"] * len(columns)
        table = Table(columns, tuple(kinds), tuple(table.T.copy()))
    old = inputs.readings
    clocks = {column: replace(old.get(column, PLAIN), clock="HH:MM:SS") for column in times}
    return inputs._replace(values=table, readings={**old, **clocks})


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
        return Column("date", _write_moments(series), Reading(zoned=True) if zoned else None)
    if pd.api.types.infer_dtype(series, skipna=True) == "date":
        return Column("date", _as_text(series, where))
    return Column(None, _as_text(series, where))


def _write_moments(series: pd.Series) -> Array:
    """Return a column of datetime64 as text (n,), with as many digits as its seconds have."""
    codes, different = pd.factorize(series.to_numpy())
    texts = np.datetime_as_string(np.asarray(different)).tolist()
    if series.dt.unit != "s":
        texts = [text.rstrip("0").rstrip(".") for text in texts]
    return np.array([*texts, ""], dtype=object)[codes]


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
