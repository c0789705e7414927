"""Arrays passed in Python: they are accepted or rejected with a clear message, and never changed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources.arrays import from_arrays

X = np.arange(8.0).reshape(4, 2)
Y = ["a", "b", "a", "b"]


@pytest.mark.parametrize(
    ("x", "dtype"),
    [
        (X, X.dtype),
        (X.tolist(), X.dtype),
        (X.astype(np.int16), np.int16),
        (X.astype(np.float16), np.float32),
        (X.astype(">f8"), np.float64),
        (X.astype(np.uint64), np.int64),
        (X.astype(np.longdouble), np.float64),
        (pd.DataFrame(X), np.float64),
        (pd.DataFrame(X.astype(np.float32)), np.float32),
        (tuple(map(tuple, X)), X.dtype),
        (X[:, ::-1][:, ::-1], X.dtype),
    ],
)
def test_inputs_keep_their_dtype(x: Any, dtype: Any) -> None:
    data = from_arrays(x, Y)
    assert isinstance(data.x, np.ndarray)
    assert data.x.dtype == dtype
    np.testing.assert_array_equal(data.x, X)


@pytest.mark.parametrize(
    ("y", "kind", "values"),
    [
        (Y, "U", Y),
        (np.array(Y), "U", Y),
        (np.array(Y, dtype=object), "U", Y),
        (pd.Series(Y), "U", Y),
        (pd.Series(Y, dtype="category"), "U", Y),
        (pd.DataFrame({"y": Y}), "U", Y),
        ([True, False, True, False], "b", [True, False, True, False]),
        (pd.Series([True, False, True, False], dtype="boolean"), "b", [True, False, True, False]),
        (np.array([3, 5, 3, 5], dtype=np.uint8), "i", [3, 5, 3, 5]),
        (pd.Series([3, 5, 3, 5], dtype="Int64"), "i", [3, 5, 3, 5]),
        ([[3], [5], [3], [5]], "i", [3, 5, 3, 5]),
        ([3, 5.5, 3, 5], "f", [3.0, 5.5, 3.0, 5.0]),
        (np.array([0.5, 1.5, 2.5, 3.5], dtype=np.float32), "f", [0.5, 1.5, 2.5, 3.5]),
    ],
    ids=str,
)
def test_targets_keep_their_values(y: Any, kind: str, values: list[Any]) -> None:
    data = from_arrays(X, y)
    assert data.y is not None
    assert data.y.dtype.kind == kind
    assert data.y.tolist() == values


def test_frames_keep_their_names() -> None:
    frame = pd.DataFrame({"age": [1, 2, 3, 4], 7: [0.5, 1, 2, 3], "member": [True, False, True, True]})
    data = from_arrays(frame, pd.Series(Y, name="churned"))
    assert (data.columns, data.target) == (("age", "7", "member"), "churned")
    assert data.x[:1].tolist() == [[1.0, 0.5, "true"]]
    assert from_arrays(X, Y).columns is None
    assert from_arrays(X, Y).target is None


def test_the_index_of_a_frame_is_ignored() -> None:
    frame = pd.DataFrame(X, index=[9, 7, 5, 3])
    data = from_arrays(frame, pd.Series(Y, index=[3, 5, 7, 9]))
    assert data.y is not None
    assert data.y.tolist() == Y


@pytest.mark.parametrize(("shape", "kept"), [((4, 5, 5), (4, 5, 5, 1)), ((4, 3, 5, 2), (4, 3, 5, 2))])
def test_images_have_channels(shape: tuple[int, ...], kept: tuple[int, ...]) -> None:
    data = from_arrays(np.ones(shape), Y)
    assert (data.x.shape, data.kind) == (kept, "images")


def test_the_callers_objects_are_not_changed() -> None:
    x, y = X.astype(np.float32), np.array(Y)
    frame = pd.DataFrame(x)
    before = x.copy(), y.copy(), frame.copy()
    data = from_arrays(x, y)
    from_arrays(frame, y)
    assert not np.shares_memory(data.x, x)
    assert not np.shares_memory(data.y, y)
    x[0, 0] = 99  # still writable, and no change of the data
    assert data.x[0, 0] == 0
    np.testing.assert_array_equal(y, before[1])
    pd.testing.assert_frame_equal(pd.DataFrame(before[0]), before[2])


FRAME = pd.DataFrame({"a": [1.0, 2, 3, 4], "b": [1.0, 2, 3, 4]})


@pytest.mark.parametrize(
    ("x", "y", "message"),
    [
        (X[:3], Y, r"x has 3 rows and y has 4; each row needs one target"),
        (X[:, 0], Y, r"received \(4,\); one feature has the shape \(n, 1\)"),
        (np.zeros((4, 1, 1, 1, 1)), Y, r"received \(4, 1, 1, 1, 1\)"),
        (np.zeros((0, 2)), [], r"x is empty, its shape is \(0, 2\)"),
        (np.zeros((4, 0)), Y, "x is empty"),
        ([[1, 2], [3]], [0, 1], "the rows of x have different lengths"),
        ([["c", "a"], ["d", "b"]], [0, 1], "x takes numbers, received text"),
        (X.astype(str).astype(object), Y, "received mixed or non-numeric objects"),
        (X.astype(complex), Y, "received complex numbers"),
        (None, Y, "x takes numbers"),
        (np.where(X == 5, np.nan, X), Y, "x has 1 values that are missing or infinite, the first in row 3"),
        (np.where(X > 2, np.inf, X), Y, "x has 5 values that are missing or infinite, the first in row 2"),
        (np.where(X == 5, 1e31, X), Y, r"x has 1 values that are beyond 1e\+30, the first in row 3"),
        (np.ma.masked_equal(X, 5), Y, "x has masked values"),
        (FRAME.assign(b=[1, np.inf, 3, 4]), Y, "column 'b' .* 1 values that are infinite, the first in row 2"),
        (FRAME.rename(columns={"b": " "}), Y, "column 2 of 2 has no name"),
        (FRAME.iloc[:0], [], "x has no rows"),
        (FRAME[[]], Y, "x has no columns"),
        (X, [], "y is empty"),
        (X, 3, r"y takes one target a row, shape \(n,\), or several labels, shape \(n, labels\), received \(\)"),
        (X, np.zeros((4, 0)), r"y takes one target a row, shape \(n,\), or several labels, .* received \(4, 0\)"),
        (X, np.zeros((4, 2, 2)), r"shape \(n, labels\), received \(4, 2, 2\)"),
        (X, [[1], [2, 3], [4], [5]], "y takes labels or numbers of one kind, received list"),
        (X, [np.zeros((2, 2)), np.zeros((2, 3))], "the rows of y have different lengths"),
        (X, [1, "a", 2, "b"], "labels or numbers of one kind, received text and whole numbers"),
        (X, [True, 2, False, 1], "received booleans and whole numbers"),
        (X, ["a", None, "b", None], "y has 2 missing targets, the first in row 2"),
        (X, pd.Series([1, None, 2, 3], dtype="Int64"), "y has 1 missing targets, the first in row 2"),
        (X, [0.5, np.nan, 1.0, 2.0], "y has 1 missing targets, the first in row 2"),
        (
            X,
            np.array([0.5, np.inf, 1.0, 2.0]),
            "y has 1 values that are missing or infinite, the first in row 2",
        ),
        (X, np.ma.masked_equal([1, 2, 3, 4], 3), "y has masked targets"),
        (X, np.array([b"a", b"\xff", b"a", b"b"]), r"y holds b'\\xff', bytes that are no UTF-8 text"),
        (X, pd.date_range("2024-01-01", periods=4), "y holds 4 different dates, too many for labels; to predict when"),
        (X, np.array([1j, 2j, 1j, 2j]), "received complex numbers"),
        (X, [2**70, 1, 2, 3], r"whole numbers beyond 2\*\*63"),
        (X, np.array([2**63, 1, 2, 3], dtype=np.uint64), r"whole numbers beyond 2\*\*63"),
        (X, ["a"] * 4, "all 4 targets are a; there is nothing to learn"),
    ],
    ids=lambda value: value[:50] if isinstance(value, str) else "",
)
def test_wrong_arrays_are_rejected(x: Any, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        from_arrays(x, y, "mine")
    assert str(caught.value).startswith("mine: ")
