"""Bring columns of any type of NumPy, pandas, Arrow and Python to the few types that the rest of regzoo reads."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.sources.python_objects import (
    BOOLEAN,
    NUMBER,
    TEXT,
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
    columns = [_try_plain(frame.iloc[:, position]) for position in range(frame.shape[1])]
    if all(plain is None for plain in columns):
        return frame
    kept = [frame.iloc[:, position] if plain is None else plain for position, plain in enumerate(columns)]
    return pd.concat(kept, axis=1)


def _try_plain(series: pd.Series) -> pd.Series | None:
    """Return what changes of a column; None if nothing does."""
    with contextlib.suppress(InputError):
        plain = plain_series(series, "")
        return None if plain is series else plain
    return None


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
    """Return the rows of frames with the same columns; categories that differ stay categories.

    >>> one, two = (pd.DataFrame({"size": pd.Categorical([word])}) for word in ("S", "M"))
    >>> concat_plain([one, two])["size"].dtype.name
    'category'
    """
    joined = pd.concat(frames, ignore_index=True)
    for column in joined.columns:
        pieces = [frame[column] for frame in frames]
        if joined[column].dtype != pieces[0].dtype and all(isinstance(p.dtype, pd.CategoricalDtype) for p in pieces):
            named = [piece.cat.rename_categories(str) for piece in pieces]
            joined[column] = union_categoricals(named, ignore_order=True)
    return joined


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
        return _convert(values.cast(pa.timestamp("us", values.type.tz), safe=False).to_pandas(), where)
    if pa.types.is_duration(values.type):
        return _convert(values.cast(pa.duration("us"), safe=False).to_pandas(), where)
    return read_objects(as_objects(values.to_pylist()), where)
