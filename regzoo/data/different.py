"""The different values of a column, and which of them each cell holds; in linear time, where NumPy sorts."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

Array = NDArray[Any]


def factorize(values: Array) -> tuple[Array, Array]:
    """Return the number of each value (n,), int64, and the different values in the order in which they first occur.

    NaN is a value like any other.

    >>> codes, different = factorize(np.array(["b", "a", "b"], dtype=object))
    >>> codes.tolist(), different.tolist()
    ([0, 1, 0], ['b', 'a'])
    """
    import pandas as pd  # not with the module: a config is read without it

    given = values.astype(object) if values.dtype.kind == "U" else values
    codes, different = pd.factorize(given, use_na_sentinel=False)
    return codes.astype(np.int64), np.asarray(different, dtype=values.dtype)


def sort_different(values: Array) -> tuple[Array, Array]:
    """Return the different values in order, and the number of each value (n,) among them, as `numpy.unique` does."""
    codes, different = factorize(values)
    order = np.argsort(different, kind="stable")
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return different[order], places[codes]


def number_rows(columns: list[Array]) -> Array:
    """Return a number for each row (n,), int64, equal for rows that are equal in all columns, each (n,).

    Rows are numbered in the order in which they first occur.
    """
    codes, different = factorize(columns[0])
    count = len(different)
    for column in columns[1:]:
        if count == len(codes):  # no two rows are equal
            break
        more, others = factorize(column)
        codes, pairs = factorize(codes * len(others) + more)
        count = len(pairs)
    return codes
