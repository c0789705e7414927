"""Numbers as they came: parsed to the last digit, whole numbers beyond 2**53 included, and packed for digests."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from regzoo.core.errors import InputError

if TYPE_CHECKING:
    import pandas as pd

Array = NDArray[Any]

MISSING_INTEGER = -(2**63)
"""Marks a missing cell in a column of int64, which has no NaN; NumPy marks missing dates with the same number."""

LARGEST_EXACT = 2**53
"""Float64 holds every whole number up to this one."""

LARGEST = 1e30
"""Larger inputs would overflow float32 when they are standardized."""

BLOCK = 2**22
"""Numbers that are computed with at a time, so that no second copy of large data is made."""

_WHOLE = re.compile(r"[+-]?[0-9]+")
_PLAIN = re.compile(r"(?:[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)?")
_FEW = 100
"""Texts that are parsed one by one: what pandas does for each call takes as long as a hundred of them."""

_SCREENED, _MOST_DECIMALS = 64, 12


def iterate_blocks(values: Array) -> Iterator[slice]:
    """Yield slices of rows that cover ``values`` (n, ...), with about `BLOCK` numbers each."""
    step = max(1, BLOCK // max(1, values[:1].size))
    return (slice(start, start + step) for start in range(0, len(values), step))


def find_missing(values: Array) -> NDArray[np.bool_]:
    """Return where ``values`` are missing: NaN in floats, `MISSING_INTEGER` in int64."""
    if values.dtype.kind == "f":
        return np.isnan(values)
    return values == MISSING_INTEGER if values.dtype == np.int64 else np.zeros(values.shape, dtype=bool)


def cast_numbers(values: Array, dtype: str) -> Array:
    """Return ``values`` as ``dtype``; a missing number stays missing."""
    if values.dtype.kind == "f" and dtype == "int64":
        return np.where(np.isnan(values), MISSING_INTEGER, np.nan_to_num(values).astype(np.int64))
    if values.dtype == np.int64 and dtype != "int64" and (missing := find_missing(values)).any():
        return np.where(missing, np.nan, values.astype(np.float64)).astype(dtype)
    return values.astype(dtype)


def keep_numbers(values: Array) -> Array:
    """Return a copy of numbers or booleans in their own dtype, or the nearest that holds their values.

    Booleans become uint8, float16 becomes float32, and float128 and uint64 beyond 2**63 become float64.
    """
    smaller = {np.dtype(np.bool_): np.uint8, np.dtype(np.float16): np.float32}
    dtype = smaller.get(values.dtype, values.dtype)
    if values.dtype.kind == "f" and values.dtype.itemsize > 8:
        dtype = np.float64
    elif values.dtype == np.uint64:
        dtype = np.int64 if not values.size or int(values.max()) < 2**63 else np.float64
    return np.array(values, dtype=np.dtype(dtype).newbyteorder("="), order="C")


def require_distinct(written: int, left: int, example: object, where: str) -> None:
    """Raise InputError if fewer than half of the different numbers of a column are different in float64.

    Args:
        written: how many different numbers the data has.
        left: how many of them are different in float64.
        example: one of them.
        where: the column in messages.
    """
    if 2 * left < written:
        raise InputError(
            f"{where} holds {written} different numbers such as {str(example)[:40]!r}, and in float64, which keeps 15 "
            f"digits, {left} of them are different; subtract what they have in common, or leave the column out"
        )


def require_distinct_columns(values: Array, where: str) -> None:
    """Apply `require_distinct` to each column of ``values`` (n, columns) of a dtype that float64 does not hold."""
    if values.dtype != np.uint64 and values.dtype.itemsize <= np.dtype(np.float64).itemsize:
        return
    for position, column in enumerate(values.reshape(len(values), -1).T, 1):
        different = np.unique(column)
        require_distinct(
            len(different), len(np.unique(different.astype(np.float64))), different[0], f"{where}: column {position}"
        )


def read_series(series: pd.Series, where: str = "a column") -> Array:
    """Return a column of numbers, which may have missing cells, as floats; as int64 if it goes beyond 2**53.

    Raises:
        InputError: if whole numbers are too large for int64, and float64 does not tell them apart.
    """
    import pandas as pd  # not with the module: a config is read without it

    dtype = series.dtype
    if pd.api.types.is_integer_dtype(dtype):
        present = series.dropna()
        if len(present) and max(int(present.max()), -int(present.min())) > LARGEST_EXACT:
            limits = np.iinfo(np.int64)
            if int(present.max()) <= limits.max and int(present.min()) > limits.min:
                return np.asarray(series.to_numpy(dtype=np.int64, na_value=MISSING_INTEGER))
            different = present.drop_duplicates()
            left = different.to_numpy(dtype=np.float64)
            require_distinct(len(different), len(np.unique(left)), different.iloc[0], where)
    if dtype in (np.float32, np.float16):
        return series.to_numpy(dtype=np.float32)
    return series.to_numpy(dtype=np.float64, na_value=np.nan)


def parse_numbers(texts: Array) -> Array:
    """Return the number of each text (n,), missing where it is none: float64; int64 for whole numbers beyond 2**53.

    >>> parse_numbers(np.array(["9007199254740993", "", "-1"], dtype=object)).tolist()
    [9007199254740993, -9223372036854775808, -1]
    """
    if len(texts) <= _FEW and all(map(_PLAIN.fullmatch, texts)):
        numbers = np.array([float(text or "nan") for text in texts])
        if not (np.abs(numbers) >= LARGEST_EXACT).any():
            return numbers
    import pandas as pd

    numbers = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    readable = ~np.isnan(numbers)
    try:
        numbers = np.array(numbers)
        numbers[readable] = np.asarray(texts, dtype=object)[readable].astype(np.float64)  # rounded as Python does it
    except ValueError:  # a form that pandas alone reads
        pass
    if not (np.abs(numbers[readable]) >= LARGEST_EXACT).any():
        return numbers
    words = [text if fits else None for text, fits in zip(texts, readable, strict=True)]
    if not all(text is None or _WHOLE.fullmatch(text) for text in words):
        return numbers
    whole = [MISSING_INTEGER if text is None else int(text) for text in words]
    limits = np.iinfo(np.int64)
    inside = all(limits.min < value <= limits.max for value, fits in zip(whole, readable, strict=True) if fits)
    return np.array(whole, dtype=np.int64) if inside else numbers


def count_merged(texts: Array, numbers: Array) -> tuple[int, int]:
    """Return how many different numbers ``texts`` (n,) write, and how many are left as ``numbers`` (n,).

    Texts without a number are left out.
    """
    there = ~find_missing(numbers)
    _, where, counts = np.unique(numbers[there], return_inverse=True, return_counts=True)
    collides = counts[where] > 1
    written = {Decimal(text) for text in np.asarray(texts, dtype=object)[there][collides].tolist()}
    return int((~collides).sum()) + len(written), len(counts)


def pack_numbers(values: Array) -> Iterator[bytes]:
    """Yield the bytes of ``values`` that a digest is made of, equal for equal numbers in any dtype.

    They are those of float32 where these say what the numbers are: each is its float32 value itself, or in each column
    that value rounded to a number of decimals, as 5.1 is. Else they are those of float64, or of int64 beyond 2**53.
    """
    dtype = "<f4" if _is_known_by_float32(values) else "<f8"
    if dtype == "<f8" and values.dtype == np.int64:
        low, high = int(values.min()), int(values.max())
        dtype = "<i8" if max(high, -low) > LARGEST_EXACT else dtype
    for rows in iterate_blocks(values):
        yield np.ascontiguousarray(values[rows], dtype).tobytes()


def _is_known_by_float32(values: Array) -> bool:
    if values.dtype == np.float32 or values.dtype.itemsize <= 2:
        return True
    if all(_equals(values[rows], values[rows].astype(np.float32)) for rows in iterate_blocks(values)):
        return True
    columns = values.reshape(len(values), -1) if values.ndim < 3 else values.reshape(-1, 1)
    return values.dtype.kind == "f" and all(_has_few_decimals(column) for column in columns.T)


def _has_few_decimals(column: Array) -> bool:
    """Return True if for some number of decimals each number (n,) is its float32 value, rounded to them."""
    first = column[:_SCREENED]
    return any(
        _equals(first, _round(first, decimals)) and _equals(column, _round(column, decimals))
        for decimals in range(_MOST_DECIMALS + 1)
    )


def _round(values: Array, decimals: int) -> Array:
    return np.round(values.astype(np.float32).astype(np.float64), decimals)


def _equals(values: Array, others: Array) -> bool:
    if values.dtype.kind == "f":
        return np.array_equal(values, others, equal_nan=True)
    inside = not values.size or max(int(values.max()), -int(values.min())) <= LARGEST_EXACT
    return inside and np.array_equal(values.astype(np.float64), others.astype(np.float64))
