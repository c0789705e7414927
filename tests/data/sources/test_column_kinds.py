"""Kinds of DataFrame columns: numeric, boolean, categorical and date."""

from __future__ import annotations

import datetime
from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.table import Table

NAN = float("nan")


def column(values: Any) -> tuple[str, list[Any]]:
    """Return kind and values of a column, read together with a column of words."""
    frame = pd.DataFrame({"c": values, "word": ["x"] * len(values)})
    data = from_arrays(frame, [0.5 + n for n in range(len(values))])
    assert isinstance(data.x, Table)
    return data.x.kinds[0], [row[0] for row in data.x.tolist()]


@pytest.mark.parametrize(
    ("values", "kind", "cells"),
    [
        ([1, 2, 3], "numeric", [1, 2, 3]),
        ([1, None, 3], "numeric", [1, None, 3]),
        (pd.array([1, None, 3], dtype="Int64"), "numeric", [1, None, 3]),
        (pd.array([1.5, None, 3], dtype="Float32"), "numeric", [1.5, None, 3]),
        (["1", " 2.5e1 ", "NA"], "numeric", [1, 25, None]),
        ([Decimal(1), Decimal("2.5"), None], "numeric", [1, 2.5, None]),
        ([None, None, None], "numeric", [None, None, None]),
        (["05", "10", "1.5"], "numeric", [5, 10, 1.5]),
        ([True, False, True], "boolean", ["true", "false", "true"]),
        (pd.array([True, None, False], dtype="boolean"), "boolean", ["true", "", "false"]),
        ([True, None, False], "boolean", ["true", "", "false"]),
        (["TRUE", "False", "?"], "boolean", ["true", "false", ""]),
        (["007", "010", "100"], "categorical", ["007", "010", "100"]),
        (["red", "green ", None], "categorical", ["red", "green", ""]),
        (pd.Categorical(["1", "2", None]), "categorical", ["1", "2", ""]),
        (pd.Categorical([10, 20, 10]), "categorical", ["10", "20", "10"]),
        (["a", "1", "2"], "categorical", ["a", "1", "2"]),
        (["2024-01-31", "1.2.2024", ""], "date", ["2024-01-31", "1.2.2024", ""]),
        (
            pd.to_datetime(pd.Series(["2024-01-31", None, "2024-02-01T03:04:05"]), format="ISO8601"),
            "date",
            ["2024-01-31T00:00:00", "", "2024-02-01T03:04:05"],
        ),
        (pd.to_datetime(["2024-01-31"] * 3).tz_localize("Asia/Tokyo"), "date", ["2024-01-30T15:00:00"] * 3),
        ([datetime.date(2024, 1, 31), None, datetime.date(2024, 2, 1)], "date", ["2024-01-31", "", "2024-02-01"]),
    ],
    ids=str,
)
def test_kinds(values: Any, kind: str, cells: list[Any]) -> None:
    assert column(values) == (kind, cells)


def test_complete_numbers_are_an_array() -> None:
    data = from_arrays(pd.DataFrame({"a": [1, 2], "b": ["3", "4.5"]}), ["x", "y"])
    assert isinstance(data.x, np.ndarray)
    np.testing.assert_array_equal(data.x, [[1, 3], [2, 4.5]])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ([b"a", b"\xff", b"c"], "holds b'\\xff', bytes that are no UTF-8 text; drop or encode it"),
        ([[1], [2], [3]], "holds [1] (list), which is no number"),
        ([1, datetime.time(2), 2], "holds values of several types (int, time); drop or encode it"),
        ([1j, 2j, 3j], "holds complex numbers"),
        (pd.Series(["a\ud800", "b", "c"], dtype=object), "which is not valid UTF-8 text"),
        ([1, 1e31, 2], "has 1 values that are beyond 1e+30, the first in row 2"),
    ],
    ids=str,
)
def test_other_values_are_rejected(values: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        column(values)
    assert str(caught.value).startswith("arrays: column 'c' (3 rows) ")
    assert message in str(caught.value)


def test_the_frame_is_not_changed() -> None:
    frame = pd.DataFrame({"a": [" x ", None], "b": pd.to_datetime(pd.Series(["2024-01-31", None]))})
    before = frame.copy(deep=True)
    assert isinstance(from_arrays(frame, [1.5, 2.5]), Dataset)
    pd.testing.assert_frame_equal(frame, before)
