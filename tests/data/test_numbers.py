"""Numbers as they came: parsed to the last digit, missing cells of whole numbers, and bytes for digests."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pandas as pd
import pytest

from regzoo.core.errors import InputError
from regzoo.data.numbers import (
    BLOCK,
    MISSING_INTEGER,
    cast_numbers,
    count_merged,
    find_missing,
    iterate_blocks,
    keep_numbers,
    pack_numbers,
    parse_numbers,
    read_series,
)
from regzoo.data.sources.arrays import from_arrays

HUGE = 2**53 + 1
"""The first whole number that float64 does not hold."""


def parse(*texts: str) -> Any:
    return parse_numbers(np.array(texts, dtype=object))


def pack(values: Any) -> bytes:
    return b"".join(pack_numbers(np.asarray(values)))


def test_text_is_rounded_as_python_rounds_it() -> None:
    rng = np.random.default_rng(0)
    texts = [repr(value) for value in (rng.normal(size=500) * 10.0 ** rng.integers(-20, 20, 500)).tolist()]
    assert parse(*texts).tolist() == [float(text) for text in texts]


@pytest.mark.parametrize("whole", [[HUGE, -HUGE - 1], [HUGE, 1], [2**63 - 1, 1], [1 - 2**63, 7]])
def test_whole_numbers_beyond_float64_keep_their_last_digit(whole: list[int]) -> None:
    numbers = parse(str(whole[0]), f"{whole[1]:+d}", "", "word")
    assert numbers.dtype == np.int64
    assert numbers[:2].tolist() == whole
    assert find_missing(numbers).tolist() == [False, False, True, True]


@pytest.mark.parametrize("number", [5, HUGE - 2, 2**63, -(2**63), f"{HUGE}.5"])
def test_other_numbers_are_float64(number: Any) -> None:
    assert parse(str(number), "1", "", "x").dtype == np.float64


@pytest.mark.parametrize("dtype", ["int64", "Int64", "uint64", "UInt64", "int64[pyarrow]"])
def test_columns_of_huge_whole_numbers_are_kept_in_any_type(dtype: str) -> None:
    if "pyarrow" in dtype:
        pytest.importorskip("pyarrow")
    assert read_series(pd.Series([HUGE, 1], dtype=dtype)).tolist() == [HUGE, 1]
    if dtype not in ("int64", "uint64"):
        assert read_series(pd.Series([HUGE, None], dtype=dtype)).tolist() == [HUGE, MISSING_INTEGER]
        assert np.isnan(read_series(pd.Series([5, None], dtype=dtype))[1])


def test_a_missing_number_stays_missing_in_another_dtype() -> None:
    values = np.array([HUGE, MISSING_INTEGER])
    for dtype in ("float32", "float64"):
        assert np.isnan(cast_numbers(values, dtype)).tolist() == [False, True]
        assert cast_numbers(np.array([3, np.nan], dtype), "int64").tolist() == [3, MISSING_INTEGER]


def test_booleans_and_rare_floats_become_the_nearest_dtype() -> None:
    for given, kept in (("?", "u1"), ("f2", "f4"), (">f4", "f4"), ("u8", "i8"), ("i2", "i2"), ("g", "f8")):
        assert keep_numbers(np.ones(3, given)).dtype == np.dtype(kept)
    assert keep_numbers(np.array([2**63], np.uint64)).dtype == np.float64


def test_equal_numbers_have_equal_bytes_in_any_dtype() -> None:
    given = {"u1 i2 i8 f4 f8": [0, 1, 255], "i4 i8 f4 f8": [2**24, 5, 7], "i8 f8": [2**24 + 1, -3, 2**53]}
    for dtypes, whole in given.items():
        assert len({pack(np.array(whole).astype(dtype)) for dtype in dtypes.split()}) == 1
    decimals = np.array([[5.1, 0.25], [3.7, 1e-5], [np.nan, 100.0]])
    assert pack(decimals) == decimals.astype("<f4").tobytes()  # as older versions made them
    assert pack(decimals.astype(np.float32)) == pack(decimals)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ([5.1, 1.0], [5.1 + 1e-15, 1.0]),
        ([5.1, 5.1], [5.1, float(np.float32(5.1))]),
        ([1.7e9 + 0.25, 1.0], [1.7e9 + 0.26, 1.0]),
        ([HUGE, 1], [HUGE - 1, 1]),
        ([HUGE, 1], [HUGE + 2, 1]),
        ([2.0**24, 1.0], [2.0**24 + 1, 1.0]),
    ],
)
def test_numbers_that_float32_does_not_tell_apart_have_other_bytes(one: list[float], other: list[float]) -> None:
    assert pack(one) != pack(other)
    assert pack(np.array([one])) != pack(np.array([other]))


def test_blocks_cover_all_rows_and_their_bytes_are_those_of_the_whole() -> None:
    values = np.arange(BLOCK + 3, dtype=np.float64).reshape(-1, 1) + 0.1
    blocks = list(iterate_blocks(values))
    assert len(blocks) == 2
    assert sum(len(values[rows]) for rows in blocks) == len(values)
    assert pack(values) in (values.tobytes(), values.astype("<f4").tobytes())


def test_merged_numbers_are_counted() -> None:
    texts = np.array([f"{10**20 + number}" for number in range(30)] + ["1.0", "1.00", "x"], dtype=object)
    assert count_merged(texts, parse_numbers(texts)) == (31, 2)


STEPS = np.arange(60) % 30


@pytest.mark.parametrize(
    "x",
    [
        pd.DataFrame({"id": np.uint64(2**63) + STEPS.astype(np.uint64)}),
        pd.DataFrame({"id": pd.array([2**63 + int(step) for step in STEPS[:-1]] + [None], dtype="UInt64")}),
        pd.DataFrame({"id": [10**20 + int(step) for step in STEPS]}),
        pd.DataFrame({"id": [Decimal(10**20) + int(step) for step in STEPS]}),
        pd.DataFrame({"id": [str(2**63 + int(step)) for step in STEPS]}),
        (np.uint64(2**63) + STEPS.astype(np.uint64))[:, None],
    ],
    ids=["uint64", "UInt64", "objects", "decimals", "text", "array"],
)
def test_numbers_that_float64_merges_are_refused_in_any_type(x: Any) -> None:
    with pytest.raises(InputError, match=r"30 different numbers such as .*, and in float64, .* of them are different"):
        from_arrays(x, STEPS % 2)


def test_large_numbers_that_float64_tells_apart_are_taken() -> None:
    apart = np.uint64(2**63) + np.uint64(2**40) * STEPS.astype(np.uint64)
    for x in (pd.DataFrame({"id": apart}), apart[:, None], pd.DataFrame({"id": [10**20 * int(n) for n in STEPS]})):
        assert len(np.unique(np.asarray(from_arrays(x, STEPS % 2).x))) == 30


def test_a_few_texts_are_the_numbers_that_many_are(monkeypatch: pytest.MonkeyPatch) -> None:
    cells = [
        "1",
        "-0",
        "+3.",
        ".5",
        "1e5",
        "1E-7",
        "",
        "0.1",
        "9007199254740993",
        "1e300",
        "5e-324",
        "007",
        "nan",
        "inf",
    ]
    cells += ["word", "1_0", "0.30000000000000004", "1e400", "-", " 1", "\u0663"]
    random = np.random.default_rng(0)
    for _ in range(200):
        texts = np.array(random.choice(cells, 4 if random.random() < 0.5 else 1), dtype=object)
        few = parse_numbers(texts)
        with monkeypatch.context() as patch:
            patch.setattr("regzoo.data.numbers._FEW", 0)
            many = parse_numbers(texts)
        assert (few.dtype, few.tobytes()) == (many.dtype, many.tobytes()), texts
