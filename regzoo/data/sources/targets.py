"""Read one target a row, as it was passed in Python or comes from a Parquet file: labels or numbers."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array, infer_task
from regzoo.data.different import sort_different
from regzoo.data.sources.finite import require_finite
from regzoo.data.sources.python_objects import (
    BOOLEAN,
    DATE,
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
)

_MIDNIGHT = "T00:00:00"
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


def as_cells(y: Any) -> Array:
    """Return a column or an array as an array of NumPy; what pandas or Arrow keep in types of their own as objects."""
    if isinstance(y, pd.Series | pd.Index) and (not isinstance(y.dtype, np.dtype) or y.dtype.kind in "mM"):
        return as_objects(y.tolist())
    array = np.asarray(y)
    if array.dtype.kind in "SmM":
        cells = as_objects(pd.Series(array.ravel()).tolist() if array.dtype.kind in "mM" else array.ravel().tolist())
        return cells.reshape(array.shape)
    return array.astype(object) if array.dtype.kind == "T" else array


def read_target(array: Array, name: str) -> Array:
    """Return a copy of targets (n,) as booleans, text, int64 or float64.

    Decimals and fractions are numbers, whole if all of them are; durations are seconds. Dates, times of day, paths,
    members of enumerations and the like are labels, by their text.

    Args:
        array: (n,), of a type of NumPy or objects.
        name: name of the data in messages.

    Raises:
        InputError: if targets are missing, not finite, too many dates for labels, or not of one kind.
    """
    if array.dtype.kind == "O":
        array = _read_objects(array, name)
    if array.dtype.kind == "U":
        _require_text(array, name)
    if array.dtype.kind in "bU":
        return np.array(array)
    if array.dtype.kind not in "iuf":
        what = "complex numbers" if array.dtype.kind == "c" else f"dtype {array.dtype}"
        raise InputError(f"{name}: y takes labels (text, booleans, whole numbers) or numbers, received {what}")
    if array.dtype.kind == "f":
        require_finite(array, f"{name}: y", "drop or correct these rows")
        return np.array(array, dtype=np.float64)
    if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{name}: y holds whole numbers beyond 2**63; write such labels as text")
    return np.array(array, dtype=np.int64)


def _read_objects(objects: Array, name: str) -> Array:
    """Return objects of one kind as an array of NumPy's types."""
    where, missing = f"{name}: y", find_missing(objects)
    if missing.any():
        first = int(np.argmax(missing)) + 1
        raise InputError(f"{where} has {missing.sum()} missing targets, the first in row {first}; drop these rows")
    kinds = list_kinds(objects)
    if kinds <= {WHOLE, NUMBER} or kinds in ({BOOLEAN}, {DURATION}):
        numbers = read_objects(objects, where).to_numpy()
        if kinds == {WHOLE} and numbers.dtype.kind == "f":
            raise InputError(f"{where} holds whole numbers beyond 2**63; write such labels as text")
        return np.asarray(numbers)
    if kinds in ({TEXT}, {DATE}, {TIME}):
        plain = set(map(type, objects)) == {str}
        texts = np.array(objects.tolist() if plain else [as_text(value, where) for value in objects])
        return texts if kinds == {TEXT} else _shorten_dates(texts, where, *kinds)
    several = "; for several labels a row give columns of 0 and 1" if kinds <= {"list", "tuple", "set"} else ""
    raise InputError(f"{where} takes labels or numbers of one kind, received {' and '.join(sorted(kinds))}{several}")


def _shorten_dates(texts: Array, where: str, what: str) -> Array:
    """Return dates as labels, without a time if all begin a day; InputError if they are too many for labels."""
    codes = np.unique(texts, return_inverse=True)[1]
    if infer_task(codes) != "classification":
        raise InputError(
            f"{where} holds {codes.max() + 1} different {what}, too many for labels; to predict when, give a number, "
            "such as days or seconds since a moment"
        )
    days = [text.removesuffix(_MIDNIGHT) for text in texts.tolist()]
    if any("T" in day for day in days):  # days next to moments begin at midnight
        return np.array([text if _DAY.fullmatch(text) is None else text + _MIDNIGHT for text in texts.tolist()])
    return np.array(days)


def _require_text(labels: Array, name: str) -> None:
    """Raise InputError if a label holds NUL or half of a surrogate pair, which no exported model can return."""
    for label in sort_different(labels)[0].tolist():
        if "\0" in label or (not label.isascii() and label.encode("utf-8", "replace").decode() != label):
            raise InputError(f"{name}: y holds {label[:40]!r}, which is not valid UTF-8 text; correct or drop it")
