"""Columns of every type of NumPy, pandas, Arrow and Python mean what they hold: as inputs, as target and as roles."""

from __future__ import annotations

import datetime
import enum
import importlib.util
import uuid
from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.sources import load_parquet
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.plain_types import concat_plain, plain_frame, plain_series
from regzoo.data.sources.python_objects import as_number
from regzoo.data.table import Table

needs_arrow = pytest.mark.skipif(importlib.util.find_spec("pyarrow") is None, reason="needs pyarrow")

UTC = datetime.UTC
TOKYO = datetime.timezone(datetime.timedelta(hours=9))
DAY = datetime.date(2024, 1, 31)
MOMENT = datetime.datetime(2024, 1, 31, 17, 5)
LARGE = 2**53 + 1
IDS = [uuid.UUID(int=1), uuid.UUID(int=2)]


class Color(enum.Enum):
    """Members whose values are text."""

    RED = "red"
    BLUE = "blue"


class Shape(enum.Enum):
    """Members whose values are numbers."""

    DISK = 1
    CUBE = 2


class Level(enum.IntEnum):
    """Members that are numbers."""

    LOW = 3
    HIGH = 7


def read(values: Any) -> tuple[str, list[Any]]:
    """Return kind and cells of a column of a DataFrame, next to a column of words."""
    frame = pd.DataFrame({"c": values, "word": "x"})
    data = from_arrays(frame, np.arange(0.5, len(frame)))
    assert isinstance(data.x, Table)
    return data.x.kinds[0], [row[0] for row in data.x.tolist()]


def hold(values: list[Any]) -> pd.Series:
    """Return a column of Python objects."""
    return pd.Series(values, dtype=object)


INPUTS: list[tuple[Any, str, list[Any]]] = [
    ([Decimal("1.5"), Decimal("2"), None], "numeric", [1.5, 2, None]),
    ([Decimal("1.5"), Decimal("NaN"), Decimal("sNaN")], "numeric", [1.5, None, None]),
    ([Fraction(1, 2), Fraction(3), np.float32(0.25)], "numeric", [0.5, 3, 0.25]),
    ([1, 2.5, np.int8(3), None], "numeric", [1, 2.5, 3, None]),
    ([np.array(1), np.array(2), 3], "numeric", [1, 2, 3]),
    (hold([True, np.True_, False]), "boolean", ["true", "true", "false"]),
    (hold([np.str_("a"), "b", pd.NA]), "categorical", ["a", "b", ""]),
    ([b"a", b"b", None], "categorical", ["a", "b", ""]),
    ([Path("a/b"), PurePosixPath("c"), None], "categorical", ["a/b", "c", ""]),
    ([*IDS, None], "categorical", [*map(str, IDS), ""]),
    ([Color.RED, Color.BLUE, None], "categorical", ["red", "blue", ""]),
    ([Shape.DISK, Shape.CUBE, None], "categorical", ["DISK", "CUBE", ""]),
    ([Level.LOW, Level.HIGH, None], "numeric", [3, 7, None]),
    (hold([DAY, None]), "date", ["2024-01-31", ""]),
    (hold([MOMENT, pd.NaT]), "date", ["2024-01-31T17:05:00", ""]),
    (hold([MOMENT, DAY, np.datetime64("2024-02-01")]), "date", [
        "2024-01-31T17:05:00", "2024-01-31T00:00:00", "2024-02-01T00:00:00"]),
    (hold([MOMENT.replace(tzinfo=UTC), MOMENT.replace(tzinfo=TOKYO)]), "date", [
        "2024-01-31T17:05:00", "2024-01-31T08:05:00"]),
    (hold([datetime.date(1, 1, 1), datetime.date(9999, 12, 31)]), "date", ["0001-01-01", "9999-12-31"]),
    (hold([datetime.time(0, 1, 2, 500000), None]), "numeric", [62.5, None]),
    (hold([datetime.timedelta(days=1), np.timedelta64(90, "m"), None]), "numeric", [86400, 5400, None]),
    (pd.to_timedelta(["1D", "90min", None]), "numeric", [86400, 5400, None]),
    (pd.period_range("2024-01", periods=2, freq="M"), "date", ["2024-01-01T00:00:00", "2024-02-01T00:00:00"]),
    (pd.cut([1, 5], [0, 2, 9]), "categorical", ["(0, 2]", "(2, 9]"]),
    (pd.arrays.IntervalArray.from_breaks([0, 2, 9]), "categorical", ["(0, 2]", "(2, 9]"]),
    (pd.arrays.SparseArray([0.0, 1.5, np.nan]), "numeric", [0, 1.5, None]),
    (pd.array([1, None], dtype="UInt8"), "numeric", [1, None]),
    (pd.array([1.5, None], dtype="Float64"), "numeric", [1.5, None]),
    (pd.array(["a", None], dtype="string"), "categorical", ["a", ""]),
    (pd.Categorical([MOMENT, None]), "date", ["2024-01-31T17:05:00", ""]),
    (pd.Categorical([Path("a"), Path("b")]), "categorical", ["a", "b"]),
    (pd.Categorical([True, False]), "categorical", ["True", "False"]),
    (np.array(["2024-01-31", "NaT"], dtype="datetime64[D]"), "date", ["2024-01-31T00:00:00", ""]),
    (np.array([1.5, 2.5], dtype=np.longdouble), "numeric", [1.5, 2.5]),
    (hold([1, "n/a", 2.5]), "numeric", [1, None, 2.5]),
    (hold(["2024-02-01", MOMENT, DAY]), "date", ["2024-02-01", "2024-01-31T17:05:00", "2024-01-31"]),
]  # fmt: skip


@pytest.mark.parametrize(("values", "kind", "cells"), INPUTS, ids=lambda value: str(value)[:40])
def test_a_column_means_what_it_holds(values: Any, kind: str, cells: list[Any]) -> None:
    assert read(values) == (kind, cells)


TARGETS: list[tuple[list[Any], str, list[Any]]] = [
    ([Decimal("1.5"), Decimal(2)], "f", [1.5, 2.0]),
    ([Decimal(1), Decimal("2.00")], "i", [1, 2]),
    ([Fraction(1, 4), Fraction(2)], "f", [0.25, 2.0]),
    ([LARGE, LARGE + 1], "i", [LARGE, LARGE + 1]),
    ([b"a", b"b"], "U", ["a", "b"]),
    ([Path("a/b"), Path("c")], "U", ["a/b", "c"]),
    (IDS, "U", [*map(str, IDS)]),
    ([Color.RED, Color.BLUE], "U", ["red", "blue"]),
    ([Shape.DISK, Shape.CUBE], "U", ["DISK", "CUBE"]),
    ([Level.LOW, Level.HIGH], "i", [3, 7]),
    ([DAY, DAY.replace(day=1)], "U", ["2024-01-31", "2024-01-01"]),
    ([datetime.datetime(2024, 1, 31), datetime.datetime(2024, 1, 1)], "U", ["2024-01-31", "2024-01-01"]),
    ([DAY, MOMENT], "U", ["2024-01-31T00:00:00", "2024-01-31T17:05:00"]),
    ([DAY, datetime.datetime(2024, 2, 1)], "U", ["2024-01-31", "2024-02-01"]),
    ([MOMENT, MOMENT.replace(hour=0)], "U", ["2024-01-31T17:05:00", "2024-01-31T00:05:00"]),
    (
        [MOMENT.replace(tzinfo=UTC), MOMENT.replace(tzinfo=TOKYO)],
        "U",
        ["2024-01-31T17:05:00+00:00", "2024-01-31T08:05:00+00:00"],
    ),
    ([datetime.time(17, 5), datetime.time(0)], "U", ["17:05:00", "00:00:00"]),
    ([datetime.timedelta(hours=1), datetime.timedelta(seconds=0.5)], "f", [3600.0, 0.5]),
    ([pd.Period("2024-01"), pd.Period("2024-02")], "U", ["2024-01", "2024-02"]),
    ([pd.Interval(0, 2), pd.Interval(2, 9)], "U", ["(0, 2]", "(2, 9]"]),
    ([True, np.False_], "b", [True, False]),
]


@pytest.mark.parametrize(
    "form", [list, np.array, hold, pd.Series, pd.DataFrame, pd.Categorical], ids=lambda f: f.__name__
)
@pytest.mark.parametrize(("values", "kind", "expected"), TARGETS, ids=lambda value: str(value)[:40])
def test_a_target_means_what_it_holds(
    values: list[Any], kind: str, expected: list[Any], form: Callable[[list[Any]], Any]
) -> None:
    values = values * 2
    y = from_arrays(np.arange(8.0).reshape(4, 2), form(values)).y
    assert y is not None
    assert (y.dtype.kind, y.tolist()) == (kind, expected * 2)


def test_whole_numbers_that_are_missing_do_not_round_the_others() -> None:
    for values in (hold([LARGE, None]), hold([Decimal(LARGE), np.nan]), pd.Series([LARGE, None], dtype="Int64")):
        plain = plain_series(values, "c")
        assert (plain.dtype, plain[0]) == (pd.Int64Dtype(), LARGE)
        assert plain[1] is pd.NA
    assert plain_series(hold([2**63, 1]), "c").dtype == np.uint64
    assert plain_series(hold([2**64, -1]), "c").tolist() == [2.0**64, -1.0]
    assert [as_number(10**400), as_number(Fraction(-(10**400)))] == [np.inf, -np.inf]


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (hold([[1], [2]]), "holds [1] (list), which is no number, word or date; drop or encode it"),
        (hold([{"a": 1}, {"a": 2}]), "(dict), which is no number"),
        (hold([1, datetime.time(1)]), "holds values of several types (int, time)"),
        (hold([True, 2]), "holds values of several types (bool, int)"),
        (hold([MOMENT, MOMENT.replace(tzinfo=UTC)]), "holds dates with a time zone and dates without; give all"),
        (hold([b"\xff", b"a"]), "holds b'\\xff', bytes that are no UTF-8 text"),
        (hold([np.timedelta64(1, "Y"), np.timedelta64(2, "Y")]), "holds durations that are no number of seconds"),
        (hold([np.datetime64("20000-01-01"), DAY]), "holds dates outside the years 1 to 9999"),
        (np.array(["20000-01-01", "2024-01-31"], dtype="datetime64[s]"), "holds dates outside the years 1 to 9999"),
        (hold([10**400, 1]), "has 1 values that are infinite, the first in row 1"),
        ([1j, 2j], "holds complex numbers"),
    ],
    ids=lambda value: str(value)[:40],
)  # fmt: skip
def test_what_nothing_reads_is_named(values: Any, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(values)
    assert str(caught.value).startswith("arrays: column 'c' (2 rows) ")
    assert message in str(caught.value)


def test_arrays_and_rows_of_objects_are_read() -> None:
    numbers = from_arrays([[Decimal("0.5"), 1], [2, Fraction(1, 4)]], ["a", "b"])
    assert isinstance(numbers.x, np.ndarray)
    assert (numbers.x.tolist(), numbers.columns) == ([[0.5, 1], [2, 0.25]], None)
    for x in ([[DAY, 1.5], [None, 2.5]], np.array([[DAY, 1.5], [None, 2.5]], dtype=object)):
        table = from_arrays(x, ["a", "b"]).x
        assert isinstance(table, Table)
        assert (table.columns, table.kinds) == (("x0", "x1"), ("date", "numeric"))
    table = from_arrays([[1.5, "red"], [2.5, "blue"]], ["a", "b"]).x
    assert isinstance(table, Table)
    assert table.tolist() == [[1.5, "red"], [2.5, "blue"]]
    days = from_arrays(np.array([["2024-01-31"], ["2024-02-01"]], dtype="datetime64[D]"), ["a", "b"]).x
    assert isinstance(days, Table)
    assert days.kinds == ("date",)
    images = from_arrays(np.full((2, 3, 3), Decimal(1), dtype=object), ["a", "b"])
    assert images.kind == "images"


def test_roles_mean_what_they_hold() -> None:
    data = from_arrays(
        np.arange(8.0).reshape(4, 2),
        [0.5, 1.5, 2.5, 3.5],
        groups=[Path("a"), Path("a"), Path("b"), Path("b")],
        sample_weight=[Decimal("0.5"), Fraction(1), 2, np.float32(1)],
        time=hold([MOMENT.replace(tzinfo=TOKYO)] * 4),
        part=pd.Categorical(["train", None, "test", None]),
    )
    assert data.part is not None
    assert data.part.tolist() == ["train", "", "test", ""]
    assert data.group is not None and data.weight is not None and data.time is not None  # noqa: PT018
    assert data.group.tolist() == ["a", "a", "b", "b"]
    assert data.weight.tolist() == [0.5, 1, 2, 1]
    assert data.time.tolist() == [datetime.datetime(2024, 1, 31, 8, 5)] * 4


def test_labels_of_any_type_of_zeros_and_ones() -> None:
    y = pd.DataFrame({"a": [Decimal(1), Decimal(0)], "b": pd.Categorical([Decimal(1), Decimal(0)]), "c": [0, 1]})
    data = from_arrays([[1.0], [2.0]], y)
    assert data.y is not None
    assert data.y.tolist() == [[True, True, False], [False, False, True]]


def test_categories_of_several_files_stay_categories() -> None:
    one, two = (pd.DataFrame({"c": pd.Categorical(cells)}) for cells in ([1, 2], ["2", "3"]))
    joined = concat_plain([one, two])["c"]
    assert (joined.dtype.name, joined.tolist()) == ("category", ["1", "2", "2", "3"])


def test_a_plain_frame_is_itself_but_for_what_changes() -> None:
    frame = pd.DataFrame({"a": [1, 2], "b": ["x", None], "c": [Decimal(1), Decimal(2)]}, index=[7, 8])
    plain = plain_frame(frame)
    assert plain.index.tolist() == [7, 8]
    assert plain["c"].dtype == np.int64
    pd.testing.assert_frame_equal(plain[["a", "b"]], frame[["a", "b"]])
    assert plain_frame(plain) is plain
    odd = pd.DataFrame({"a": [[1], [2]], "b": [1j, 2j], "c": [Decimal(1), Decimal(2)]})
    with pytest.raises(InputError, match=r"mine: column 'a' .*\nmine: column 'b' "):
        from_arrays(odd, [0.5, 1.5], "mine")


def make_arrow_cases() -> list[Any]:
    """Return (Arrow array, the same values as objects) for each type of Arrow."""
    import pyarrow as pa

    integers = [pa.int8(), pa.int16(), pa.int32(), pa.int64(), pa.uint8(), pa.uint16(), pa.uint32(), pa.uint64()]
    texts = [pa.string(), pa.large_string(), pa.string_view(), pa.dictionary(pa.int8(), pa.large_string())]
    zones = [pa.timestamp(unit, zone) for unit in ("s", "ms", "us", "ns") for zone in (None, "UTC", "Asia/Tokyo")]
    clocks = [pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns")]
    durations = [pa.duration(unit) for unit in ("s", "ms", "us", "ns")]
    by_values: list[tuple[list[Any], list[Any]]] = [
        ([1, None, 3, 7], [*integers, pa.decimal128(38, 0), pa.decimal256(76, 0)]),
        ([0.5, None, 1.5, 2.5], [pa.float16(), pa.float32(), pa.float64()]),
        ([Decimal("0.5"), None, Decimal("1.25"), Decimal(2)], [pa.decimal128(5, 2), pa.decimal256(60, 30)]),
        ([True, None, False, True], [pa.bool_()]),
        (["a", None, "b", "a"], texts),
        ([b"a", None, b"b", b"a"], [pa.binary(), pa.large_binary(), pa.binary(1)]),
        ([MOMENT, None, MOMENT, datetime.datetime(2025, 1, 1)], zones),
        ([DAY, None, DAY, datetime.date(1500, 1, 1)], [pa.date32(), pa.date64()]),
        ([datetime.time(17, 5), None, datetime.time(1), datetime.time(2)], clocks),
        ([datetime.timedelta(1), None, datetime.timedelta(2), datetime.timedelta(3)], durations),
    ]  # fmt: skip
    return [(pa.array(values, kind), values) for values, kinds in by_values for kind in kinds]


@needs_arrow
def test_arrow_holds_the_same(tmp_path: Path) -> None:
    """As a column of pandas with Arrow's type, in a table of Arrow, and from a Parquet file; as input and as target."""
    import pyarrow as pa
    from pyarrow import parquet

    target = pa.array([0.5, 1.5, 2.5, 3.5])
    for array, values in make_arrow_cases():
        column, expected = pd.Series(array, dtype=pd.ArrowDtype(array.type)), read(hold(values))
        assert read(column) == expected, array.type
        table = pa.table({"c": array, "word": ["x"] * 4, "y": target})
        parquet.write_table(table, tmp_path / "c.parquet")
        clock = array.type in (pa.time32("s"), pa.time32("ms"), pa.time64("us"), pa.time64("ns"))
        units = ["times of day"] * clock + ["durations"] * str(array.type).startswith("duration")
        for data in (
            load_parquet(tmp_path / "c.parquet", "y"),
            from_arrays(table.drop_columns("y"), target),
        ):
            assert isinstance(data.x, Table)
            assert (data.x.kinds[0], [row[0] for row in data.x.tolist()]) == expected, array.type
            assert [note.split("holds ")[1].split(",")[0] for note in data.notes] == units, array.type
        objects = [values[0] if value is None else value for value in values] * 2
        x, complete = np.arange(16.0).reshape(8, 2), pd.Series(pa.array(objects, array.type), dtype=column.dtype)
        y, wanted = from_arrays(x, complete).y, from_arrays(x, objects).y
        assert y is not None and wanted is not None  # noqa: PT018
        assert [str(v).removesuffix("+00:00") for v in y] == [str(v) for v in wanted], array.type


def test_units_of_times_are_named() -> None:
    frame = pd.DataFrame({"at": hold([datetime.time(1), None]), "took": pd.to_timedelta(["1D", "2D"]), "x": [1.0, 2.0]})
    assert from_arrays(frame, [0.5, 1.5], "mine").notes == (
        "mine: column 'at' holds times of day, read as seconds since midnight",
        "mine: column 'took' holds durations, read as seconds",
    )


@needs_arrow
def test_columns_that_pandas_wrote_come_back(tmp_path: Path) -> None:
    frame = pd.DataFrame(
        {
            "month": pd.period_range("2024-01", periods=4, freq="M"),
            "zoned": pd.date_range("2024-01-01", periods=4, tz="Europe/Berlin"),
            "large": pd.array([1, None, LARGE, 3], dtype="Int64"),
            "maybe": pd.array([True, None, False, True], dtype="boolean"),
            "word": pd.Categorical(["1", "2", "1", None]),
            "text": pd.array(["a", "b", "a", None], dtype="string"),
            "took": pd.to_timedelta([1, 2, 3, 4], unit="h"),
            "size": pd.arrays.IntervalArray.from_breaks([0, 1, 2, 3, 4]),
        }
    )
    frame.assign(y=np.arange(0.5, 4)).to_parquet(tmp_path / "c.parquet")
    from_file = load_parquet(tmp_path / "c.parquet", "y").x
    given = from_arrays(frame, np.arange(0.5, 4)).x
    assert isinstance(from_file, Table)
    assert isinstance(given, Table)
    assert (from_file.kinds, from_file.tolist()) == (given.kinds, given.tolist())


@needs_arrow
def test_a_file_whose_types_pandas_cannot_name_is_read(tmp_path: Path) -> None:
    import pyarrow as pa

    typed = pd.ArrowDtype(pa.dictionary(pa.int8(), pa.string()))
    pd.DataFrame({"c": pd.Series(["a", "b"], dtype=typed), "y": [0.5, 1.5]}).to_parquet(tmp_path / "c.parquet")
    data = load_parquet(tmp_path / "c.parquet", "y")
    assert isinstance(data.x, Table)
    assert (data.x.kinds, data.x.tolist()) == (("categorical",), [["a"], ["b"]])


@needs_arrow
def test_whole_numbers_of_a_parquet_file_are_not_rounded(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    parquet.write_table(pa.table({"id": pa.array([LARGE, LARGE + 1, LARGE]), "x": [1, 2, 3]}), tmp_path / "c.parquet")
    data: Dataset = load_parquet(tmp_path / "c.parquet", "id")
    assert data.y is not None
    assert data.y.tolist() == [LARGE, LARGE + 1, LARGE]


@needs_arrow
def test_a_target_of_a_parquet_file_means_what_it_holds(tmp_path: Path) -> None:
    import pyarrow as pa
    from pyarrow import parquet

    for values, _, expected in TARGETS:
        try:
            y = pa.array(values * 2)
        except (pa.ArrowInvalid, pa.ArrowTypeError):
            continue  # Arrow has no such type
        if y.to_pylist() != values * 2:
            continue  # it has one that holds less
        parquet.write_table(pa.table({"x": np.arange(4.0), "y": y}), tmp_path / "c.parquet")
        data = load_parquet(tmp_path / "c.parquet", "y")
        assert data.y is not None
        assert data.y.tolist() == expected * 2
    words = pa.table({"x": ["1", "2"], "y": [0.5, 1.5]})
    parquet.write_table(words, tmp_path / "c.parquet")
    parquet.write_table(words.set_column(0, "x", pa.array(["1", "3"]).dictionary_encode()), tmp_path / "test.parquet")
    data = load_parquet(tmp_path / "c.parquet", "y", {}, {"test": tmp_path / "test.parquet"})
    assert data.x.tolist() == [[1.0], [2.0], [1.0], [3.0]]


@needs_arrow
def test_nested_columns_are_named() -> None:
    import pyarrow as pa

    with pytest.raises(InputError, match=r"column 'c' \(2 rows\) holds list<item: int64>, which is no number"):
        from_arrays(pa.table({"c": [[1], [2]], "d": [1, 2]}), [0.5, 1.5])
