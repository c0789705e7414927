"""Bring columns of any type of NumPy, pandas, Arrow and Python to the few types that the rest of regzoo reads."""

from __future__ import annotations

import contextlib
from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.sources.python_objects import (
    BOOLEAN,
    DURATION,
    NUMBER,
    TEXT,
    TIME,
    WHOLE,
    as_objects,
    as_text,
    find_missing,
    list_kinds,
    read_objects,
    require_years,
)

_MISSABLE = {"i": pd.Int64Dtype(), "u": pd.UInt64Dtype()}


def plain_series(series: pd.Series, where: str) -> pd.Series:
    """Return a column by what it holds, whoever keeps it: pandas, Arrow, or Python objects.

    Types of the result:
        - numbers of NumPy: float16 to float64 with NaN where one is missing, or integers if none is;
        - ``Int64`` or ``UInt64``, if whole numbers are missing;
        - bool, or ``boolean`` if some are missing;
        - datetime64, or datetime64 in UTC for moments with a time zone; or objects of `datetime.date`;
        - category: of text, numbers or booleans, for what pandas or Arrow (``dictionary``) keep as categories;
        - text, as objects or as pandas' strings.

    Decimals and fractions become int64 if all of them are whole, else float64; durations and times of day become
    seconds, periods the moment they begin at. A column that is of such a type already is returned as it is.

    Args:
        series: the column.
        where: its name in messages.

    Raises:
        InputError: if it holds something else, such as lists or complex numbers.

    >>> from decimal import Decimal
    >>> plain_series(pd.Series([Decimal("0.5"), None]), "price").tolist()
    [0.5, nan]
    """
    plain = _convert(series, where)
    if plain is not series:
        plain.index, plain.name = series.index, series.name
    return plain


def plain_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """Return ``frame`` with each column as `plain_series` returns it, or unchanged if that rejects it.

    A later step, which converts the columns that are used, then reports all of them at once.
    """
    given = [frame.iloc[:, position] for position in range(frame.shape[1])]
    plain = [_try_plain(series) for series in given]
    same = all(new is old for new, old in zip(plain, given, strict=True))
    return frame if same else pd.concat(plain, axis=1)


def _try_plain(series: pd.Series) -> pd.Series:
    """Return the plain column; the column itself if it is plain, or cannot be."""
    with contextlib.suppress(InputError):
        return plain_series(series, "")
    return series


def plain_array(array: Array, where: str) -> Array:
    """Return an array of objects, of any shape, as numbers or booleans if it holds nothing else; else unchanged."""
    if array.dtype.kind != "O" or not array.size:
        return array
    values = array.ravel()
    kinds = list_kinds(values[~find_missing(values)])
    if not kinds or not (kinds <= {WHOLE, NUMBER} or kinds == {BOOLEAN}):
        return array
    plain = read_objects(values, where)
    values = plain.to_numpy(np.float64, na_value=np.nan) if plain.hasnans else plain.to_numpy()
    return values.reshape(array.shape)


def concat_plain(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Return the rows of frames with the same columns; columns of several types are plain, categories stay categories.

    >>> one, two = (pd.DataFrame({"size": pd.Categorical([word])}) for word in ("S", "M"))
    >>> concat_plain([one, two])["size"].dtype.name
    'category'
    """
    mixed = [column for column in frames[0].columns if len({frame[column].dtype for frame in frames}) > 1]
    pieces = [frame.assign(**{str(name): _try_plain(frame[name]) for name in mixed}) for frame in frames]
    joined = pd.concat(pieces, ignore_index=True)
    for column in mixed:
        if all(isinstance(piece[column].dtype, pd.CategoricalDtype) for piece in pieces):
            named = [piece[column].cat.rename_categories(str) for piece in pieces]
            joined[column] = union_categoricals(named, ignore_order=True)
    return joined


def find_times(frame: pd.DataFrame) -> dict[int, str]:
    """Return the positions of columns of times of day or durations, each with what it holds."""
    found = {position: _find_time(frame.iloc[:, position]) for position in range(frame.shape[1])}
    return {position: what for position, what in found.items() if what}


def describe_units(times: Mapping[str, str], name: str) -> tuple[str, ...]:
    """Return a sentence for each column, by name, of times of day or durations, which become seconds."""
    units = {TIME: "seconds since midnight"}
    return tuple(
        f"{name}: column {column!r} holds {what}, read as {units.get(what, 'seconds')}"
        for column, what in times.items()
    )


def _find_time(series: pd.Series) -> str:
    """Return what a column of times of day or durations holds, empty for any other."""
    dtype = series.dtype
    if isinstance(dtype, pd.CategoricalDtype):
        return _find_time(pd.Series(series.cat.categories))
    if isinstance(dtype, pd.ArrowDtype):
        kind = str(dtype.pyarrow_dtype)
        return TIME if kind.startswith("time") and not kind.startswith("timestamp") else DURATION * ("duration" in kind)
    if dtype.kind == "m":
        return DURATION
    if not pd.api.types.is_object_dtype(dtype):
        return ""
    values = series.to_numpy()
    first = next((value for value in values if value is not None and not find_missing(as_objects([value]))[0]), None)
    if not list_kinds([first]) & {TIME, DURATION}:  # without a look at a million words
        return ""
    kinds = list_kinds(values[~find_missing(values)])
    return kinds.pop() if len(kinds) == 1 else ""


def _convert(series: pd.Series, where: str) -> pd.Series:
    dtype = series.dtype
    if isinstance(dtype, pd.ArrowDtype):
        return _convert_arrow(series, where)
    if isinstance(dtype, pd.SparseDtype):
        return _convert(pd.Series(np.asarray(series)), where)
    if isinstance(dtype, pd.CategoricalDtype):
        return _convert_categories(series, where)
    if isinstance(dtype, pd.StringDtype):
        return series
    if isinstance(dtype, pd.DatetimeTZDtype):
        return series.dt.tz_convert("UTC")
    if isinstance(dtype, pd.PeriodDtype):
        return series.dt.to_timestamp(how="start")
    if dtype.kind == "m":
        return series.dt.total_seconds()
    if dtype.kind == "c":
        raise InputError(f"{where} holds complex numbers; give real and imaginary values as columns")
    if dtype.kind in "biuf" and not isinstance(dtype, np.dtype):
        return _convert_masked(series)
    if dtype.kind == "M":
        return require_years(series, where)
    if dtype.kind in "biuf":
        return series.astype(np.float64) if dtype == np.longdouble else series
    if dtype.kind != "O" or not isinstance(dtype, np.dtype):
        return read_objects(np.asarray(series.astype(object)), where)
    values = series.to_numpy()
    return series if set(map(type, values)) <= {str, type(None)} else read_objects(values, where)


def _convert_masked(series: pd.Series) -> pd.Series:
    """Return numbers or booleans, which pandas keeps with a mask, as NumPy has them if it can."""
    kind, plain = series.dtype.kind, np.dtype(getattr(series.dtype, "numpy_dtype", object))
    if kind == "f":
        return pd.Series(series.to_numpy(plain, na_value=np.nan))
    if not series.hasnans:
        return pd.Series(series.to_numpy(plain))
    return series if kind == "b" else series.astype(_MISSABLE[kind])


def _convert_categories(series: pd.Series, where: str) -> pd.Series:
    """Return categories of text, numbers or booleans; dates, times and durations, which do not name, by themselves."""
    categories = pd.Series(series.cat.categories)
    kinds = list_kinds(categories.tolist())
    if kinds <= {WHOLE, NUMBER, BOOLEAN} or isinstance(categories.dtype, pd.StringDtype):
        return series
    plain = _convert(categories, where)
    if not kinds & {TEXT, WHOLE, NUMBER, BOOLEAN}:
        return plain.reindex(series.cat.codes)
    labels = pd.Series([as_text(value, where) for value in categories.tolist()], dtype=object)
    return labels.reindex(series.cat.codes).astype("category")


def _convert_arrow(series: pd.Series, where: str) -> pd.Series:
    import pyarrow as pa

    values = pa.array(series.array)
    if pa.types.is_dictionary(values.type):
        return _convert(pd.Series(values.to_pandas()), where)
    if pa.types.is_nested(values.type):
        raise InputError(f"{where} holds {values.type}, which is no number, word or date; drop or encode it")
    if pa.types.is_integer(values.type):
        return _convert_masked(series.astype(_MISSABLE[series.dtype.kind]))
    if pa.types.is_floating(values.type):
        return pd.Series(series.to_numpy(np.dtype(f"f{values.type.bit_width // 8}"), na_value=np.nan))
    if pa.types.is_timestamp(values.type):
        fine = "ns" if values.type.unit == "ns" else "us"
        return _convert(values.cast(pa.timestamp(fine, values.type.tz), safe=False).to_pandas(), where)
    if pa.types.is_duration(values.type):
        fine = "ns" if values.type.unit == "ns" else "us"
        return _convert(values.cast(pa.duration(fine), safe=False).to_pandas(), where)
    return read_objects(as_objects(values.to_pylist()), where)
