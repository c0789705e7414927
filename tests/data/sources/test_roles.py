"""Roles: group, time, part and weight of each row, read from arrays, lists, columns and text."""

from __future__ import annotations

import datetime
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources.arrays import from_arrays

X, Y = np.arange(6.0).reshape(3, 2), ["a", "b", "a"]


@pytest.mark.parametrize(
    ("groups", "kept"),
    [
        (["p1", "p2", "p1"], ["p1", "p2", "p1"]),
        ([" 01", "1", "01 "], ["01", "1", "01"]),
        (np.array([[7], [8], [7]])[:, 0], [7, 8, 7]),
        (pd.Series([7, 8, 7], index=[5, 6, 7]), [7, 8, 7]),
        (pd.Series(["x", "y", "x"], dtype="category"), ["x", "y", "x"]),
        (pd.DataFrame({"who": [True, False, True]}), [1, 0, 1]),
        (pd.to_datetime(["2024-01-01", "2024-01-02", "2024-01-01"]), ["2024-01-01", "2024-01-02", "2024-01-01"]),
    ],
)
def test_groups_are_text_or_numbers(groups: Any, kept: list[Any]) -> None:
    data = from_arrays(X, Y, groups=groups)
    assert data.group is not None
    assert data.group.tolist() == kept
    assert not data.group.flags.writeable


@pytest.mark.parametrize(
    "time",
    [
        [3, 1, 2.5],
        ["10", "2", "9"],  # numbers, although text sorts otherwise
        ["2024-10-01", "2024-09-30T23:59", "2024-09-30T23:59:01"],
        ["10.10.2024", "30.9.2024 23:59", "1.10.2024"],  # as columns are read
        ["2024/10/2", "2024/9/30", "2024/10/1"],
        ["2024-06-01T00:30+02:00", "2024-05-31T22:00+00:00", "2024-05-31T22:10Z"],  # 22:30, 22:00, 22:10 in UTC
        [datetime.date(2024, 3, 1), datetime.date(2023, 12, 31), datetime.date(2024, 2, 29)],
        np.array(["2024-03", "2023-12", "2024-02"], dtype="datetime64[M]"),
        pd.to_datetime(["2024-03-01", "2023-12-31", "2024-02-29"]).tz_localize("Europe/Berlin"),
        pd.Series([2024, 2022, 2023], dtype="Int64"),
    ],
    ids=lambda time: str(time)[:30],
)
def test_times_are_sorted_by_their_meaning(time: Any) -> None:
    data = from_arrays(X, Y, time=time)
    assert np.argsort(data.time).tolist() == [1, 2, 0]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "part", [["train", "", "test"], ["train", None, "test"], pd.Series(["train", np.nan, "test "])]
)
def test_a_part_may_be_left_open(part: Any) -> None:
    data = from_arrays(X, Y, part=part)
    np.testing.assert_array_equal(data.part, ["train", "", "test"])


@pytest.mark.parametrize("weight", [[1, 2.5, 1], ["1", "2.5", "1e0"], np.array([1, 2.5, 1], dtype=np.float16)])
def test_weights_are_float32(weight: Any) -> None:
    data = from_arrays(X, Y, sample_weight=weight)
    assert data.weight is not None
    assert data.weight.dtype == np.float32
    assert data.weight.tolist() == [1.0, 2.5, 1.0]


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"groups": [1, 2]}, "arrays: groups has 2 values and x has 3 rows; each row needs one"),
        ({"groups": np.ones((3, 2))}, r"arrays: groups takes one value a row, shape \(n,\), received \(3, 2\)"),
        ({"groups": [[1, 2], [1, 2], [1, 2]]}, r"arrays: groups takes one value a row, received \[1, 2\] in row 1"),
        ({"groups": ["a", None, ""]}, "groups has 2 missing cells, the first in row 2; give a row that belongs to no"),
        ({"groups": [1.0, np.nan, 1.0]}, "groups has 1 missing cells, the first in row 2"),
        ({"time": [1, 2, None]}, "time has 1 missing cells, the first in row 3; drop these rows or date them"),
        (
            {"time": ["2024-01-31", "31.13.2024", "x"]},
            "time holds '31.13.2024' in row 2, which is neither a number nor",
        ),
        ({"time": [1.0, np.inf, 2.0]}, "time holds inf in row 2, which is no finite number"),
        ({"time": [True, False, True]}, "time holds true and false; times are numbers or dates"),
        ({"part": ["train", "dev", "test"]}, "part holds 'dev' in row 2; it takes train, validation, test or nothing"),
        ({"part": ["train", "Test", "tets"]}, "part holds 'Test' in row 2; .* Did you mean 'test'?"),
        ({"part": [0, 1, 2]}, "part holds '0' in row 1"),
        ({"sample_weight": [1, 0, 2]}, "sample_weight holds 0 in row 2; weights are above 0, so drop that row"),
        ({"sample_weight": [1, 2, -1]}, "sample_weight holds -1 in row 3"),
        ({"sample_weight": [1, np.inf, 2]}, "sample_weight holds inf in row 2, which is no finite number"),
        ({"sample_weight": ["1", "much", "2"]}, "sample_weight holds 'much' in row 2; weights are numbers above 0"),
        ({"sample_weight": [1, None, 2]}, "sample_weight has 1 missing cells, the first in row 2; give each row a wei"),
        ({"sample_weight": [1, 1e-60, 2]}, "sample_weight holds 1e-60 in row 2; weights are above 0"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_wrong_roles_are_rejected(roles: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(X, Y, **roles)


def test_the_callers_arrays_are_not_changed() -> None:
    groups, weight = np.array([2, 1, 2]), np.array([1, 2, 3], dtype=np.float32)
    data = from_arrays(X, Y, groups=groups, sample_weight=weight)
    groups[0], weight[0] = 9, 9
    assert data.group is not None
    assert data.weight is not None
    assert (data.group[0], data.weight[0]) == (2, 1)


@pytest.mark.parametrize("kind", [int, str])
def test_times_in_nanoseconds_keep_their_order(kind: Any) -> None:
    first = 1_700_000_000_000_000_000
    time = [kind(first + step) for step in (3, 1, 2, 0)]
    data = from_arrays([[1.0], [2.0], [3.0], [4.0]], ["a", "b", "a", "b"], time=time)
    assert data.time is not None
    assert np.argsort(data.time).tolist() == [3, 1, 2, 0]
