"""Read a column of Python objects by what they hold: numbers, booleans, text, dates, times of day or durations."""

from __future__ import annotations

import datetime
import functools
import ipaddress
import numbers
import os
import uuid
from collections.abc import Callable, Iterable, Sequence
from decimal import Decimal, InvalidOperation
from enum import Enum
from fractions import Fraction
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.numbers import require_distinct

WHOLE, NUMBER, BOOLEAN, TEXT = "whole numbers", "numbers", "booleans", "text"
DATE, TIME, DURATION = "dates", "times of day", "durations"

_TYPES: tuple[tuple[str, tuple[type, ...]], ...] = (
    (BOOLEAN, (bool, np.bool_)),
    (TEXT, (str, bytes, os.PathLike, uuid.UUID, ipaddress.IPv4Address, ipaddress.IPv6Address, pd.Interval)),
    (DATE, (datetime.date, np.datetime64, pd.Period)),
    (TIME, (datetime.time,)),
    (DURATION, (datetime.timedelta, np.timedelta64)),  # NumPy's is also an integer of NumPy's
    (WHOLE, (numbers.Integral,)),
    (NUMBER, (numbers.Real, Decimal)),
    (TEXT, (Enum,)),  # one that is no text and no number itself
)

_READABLE_AS_TEXT = {WHOLE, NUMBER, BOOLEAN, DATE, TEXT}
_BEYOND = "dates outside the years 1 to 9999; correct or drop them"
_FIRST, _LAST = np.datetime64("0001-01-01", "s"), np.datetime64("9999-12-31T23:59:59", "s")
_INT64, _UINT64 = np.iinfo(np.int64), np.iinfo(np.uint64)


@functools.lru_cache(maxsize=1024)
def describe_type(kind: type) -> str:
    """Return what values of the class ``kind`` are, in words; its name if nothing reads them.

    >>> describe_type(int), describe_type(Decimal), describe_type(list)
    ('whole numbers', 'numbers', 'list')
    """
    return next((what for what, types in _TYPES if issubclass(kind, types)), kind.__name__)


def list_kinds(values: Iterable[Any]) -> set[str]:
    """Return what ``values``, none of them missing, are, in words."""
    return {describe_type(kind) for kind in set(map(type, values))}


def find_missing(values: Array) -> Array:
    """Return where ``values`` (n,), objects, are None, NaN, NaT or NA, also of `decimal.Decimal`."""
    try:
        return np.asarray(pd.isna(values))
    except InvalidOperation:  # a signaling NaN
        return np.array([value.is_nan() if isinstance(value, Decimal) else pd.isna(value) for value in values], bool)


def read_objects(values: Array, where: str) -> pd.Series:
    """Return objects as a column of a type that `plain_series` lists.

    Numbers of any class become int64 if all of them are whole (uint64 if they are too large for it), else float64;
    times of day become seconds since midnight, durations seconds. Bytes are decoded as UTF-8. A member of an
    enumeration whose values are text is its value, of another one its name. Numbers, booleans or dates next to text are
    text, as in a CSV file, and a later step reads it.

    Args:
        values: (n,) objects; None, NaN, NaT and NA are missing.
        where: the column in messages.

    Raises:
        InputError: if values have types that cannot be read, or not together.
    """
    values = _unpack(values)
    missing = find_missing(values)
    present = values[~missing].tolist()
    kinds = list_kinds(present)
    if TEXT in kinds and kinds <= _READABLE_AS_TEXT:
        return _fill([as_text(value, where) for value in present], missing)
    if kinds <= {WHOLE, NUMBER}:
        return _read_numbers(present, missing, where)
    reader = _READERS.get(next(iter(kinds))) if len(kinds) == 1 else None
    if reader is None:
        raise InputError(f"{where} holds {_describe_objects(present)}; drop or encode it")
    return reader(present, missing, where)


def as_text(value: Any, where: str) -> str:
    """Return one value as text, a moment with a time zone in UTC; InputError if it is bytes that are no UTF-8."""
    if isinstance(value, Enum):
        texts = all(isinstance(member.value, str) for member in type(value))
        return str(value.value) if texts or isinstance(value, str | int | float) else value.name
    if isinstance(value, os.PathLike):
        value = os.fspath(value)
    if isinstance(value, bytes):
        try:
            return value.decode("utf-8")
        except UnicodeDecodeError:
            raise InputError(f"{where} holds {value[:20]!r}, bytes that are no UTF-8 text; drop or encode it") from None
    if isinstance(value, np.datetime64):
        value = pd.Timestamp(value)
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC)
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, datetime.date | datetime.time):
        return value.isoformat()
    return repr(float(value)) if isinstance(value, Fraction) and value.denominator > 1 else str(value)


def as_number(value: Any) -> float:
    """Return a number of any class as a float, infinite if it is too large for one."""
    try:
        return float(value)
    except OverflowError:
        return np.inf if value == abs(value) else -np.inf


def require_years(moments: pd.Series, where: str) -> pd.Series:
    """Return a column of datetime64; InputError if a moment is not in the years 1 to 9999."""
    seconds = moments.to_numpy(dtype="datetime64[s]")
    if ((seconds < _FIRST) | (seconds > _LAST)).any():
        raise InputError(f"{where} holds {_BEYOND}")
    return moments


def _unpack(values: Array) -> Array:
    """Return ``values`` with the values of arrays without dimensions in their place."""
    if np.ndarray not in set(map(type, values)):
        return values
    return as_objects([v.item() if isinstance(v, np.ndarray) and v.ndim == 0 else v for v in values])


def as_objects(values: Sequence[Any]) -> Array:
    """Return ``values`` as an array (n,) of objects, whatever they are."""
    objects = np.empty(len(values), dtype=object)
    objects[:] = values
    return objects


def _fill(present: Sequence[Any], missing: Array) -> pd.Series:
    """Return objects with None where one is ``missing``."""
    objects = np.full(len(missing), None, dtype=object)
    objects[~missing] = as_objects(present)
    return pd.Series(objects, dtype=object)


def _read_numbers(present: list[Any], missing: Array, where: str) -> pd.Series:
    if all(map(_is_whole, present)) and present:
        whole = [int(value) for value in present]
        for limits, dtype in ((_INT64, pd.Int64Dtype()), (_UINT64, pd.UInt64Dtype())):
            if limits.min <= min(whole) and max(whole) <= limits.max:
                filled = np.zeros(len(missing), dtype=limits.dtype)
                filled[~missing] = np.array(whole, dtype=limits.dtype)
                series = pd.Series(filled)
                return series.astype(dtype).mask(missing) if missing.any() else series
    floats = np.full(len(missing), np.nan)
    floats[~missing] = [as_number(value) for value in present]
    if present:
        require_distinct(len(set(present)), len(np.unique(floats[~missing])), present[0], where)
    return pd.Series(floats) if present else _fill([], missing)


def _is_whole(value: Any) -> bool:
    """Return True for a whole number of an exact class; a float is never one."""
    if isinstance(value, Decimal):
        return value.is_finite() and value == value.to_integral_value()
    return isinstance(value, numbers.Rational) and value.denominator == 1


def _read_booleans(present: list[Any], missing: Array, where: str) -> pd.Series:
    return _fill([bool(value) for value in present], missing).astype("boolean" if missing.any() else bool)


def _read_dates(present: list[Any], missing: Array, where: str) -> pd.Series:
    """Return days as `datetime.date`, moments as datetime64[us], in UTC if they have a time zone."""
    if not any(isinstance(value, datetime.datetime | np.datetime64 | pd.Period) for value in present):
        return _fill(present, missing)
    zoned = {isinstance(value, datetime.datetime) and value.tzinfo is not None for value in present}
    if len(zoned) > 1:
        raise InputError(f"{where} holds dates with a time zone and dates without; give all of them one, or none")
    moments = np.full(len(missing), np.datetime64("NaT"), dtype="datetime64[us]")
    try:
        moments[~missing] = [_as_moment(value) for value in present]
    except (OverflowError, ValueError):
        raise InputError(f"{where} holds {_BEYOND}") from None
    series = require_years(pd.Series(moments), where)
    return series.dt.tz_localize("UTC") if zoned == {True} else series


def _as_moment(value: Any) -> np.datetime64:
    if isinstance(value, pd.Period):
        value = value.to_timestamp(how="start")
    if isinstance(value, pd.Timestamp):
        return value.tz_convert(None).to_datetime64() if value.tzinfo else value.to_datetime64()
    if isinstance(value, datetime.datetime) and value.tzinfo is not None:
        value = value.astimezone(datetime.UTC).replace(tzinfo=None)
    return np.datetime64(value, "us")


def _read_times(present: list[Any], missing: Array, where: str) -> pd.Series:
    """Return seconds since midnight; InputError if they are of several time zones."""
    if len({value.utcoffset() for value in present}) > 1:
        raise InputError(f"{where} holds times of day in several time zones; give all of them in one, or in none")
    seconds = [3600 * v.hour + 60 * v.minute + v.second + v.microsecond / 1e6 for v in present]
    return _fill(seconds, missing).astype(np.float64)


def _read_durations(present: list[Any], missing: Array, where: str) -> pd.Series:
    """Return seconds."""
    try:
        seconds = [pd.Timedelta(value).total_seconds() for value in present]
    except (ValueError, OverflowError):
        raise InputError(f"{where} holds durations that are no number of seconds; give them in days") from None
    return _fill(seconds, missing).astype(np.float64)


_READERS: dict[str, Callable[[list[Any], Array, str], pd.Series]] = {
    BOOLEAN: _read_booleans,
    DATE: _read_dates,
    TIME: _read_times,
    DURATION: _read_durations,
}


def _describe_objects(values: list[Any]) -> str:
    """Describe values that are not numbers, words or dates, or not of one type."""
    types = sorted({type(value).__name__ for value in values})
    if len(types) > 1:
        return f"values of several types ({', '.join(types)})"
    return f"{values[0]!r}"[:40] + f" ({types[0]}), which is no number, word or date"
