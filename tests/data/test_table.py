"""Tables: rows and columns of several kinds, read-only, plain in JSON; and cells that mean a missing value."""

from __future__ import annotations

import json

import numpy as np
import pytest

from regzoo.data.dataset import Dataset
from regzoo.data.table import MISSING, Table, clean_cell


def table() -> Table:
    numbers = np.array([1.5, np.nan, 3.0, 1.5], dtype=np.float32)
    words = np.array(["a", "", "b", "a"], dtype=object)
    return Table(("n", "w"), ("numeric", "categorical"), (numbers, words))


def test_rows_and_columns() -> None:
    made = table()
    assert (len(made), made.shape) == (4, (4, 2))
    assert made[np.array([2, 0])].tolist() == [[3.0, "b"], [1.5, "a"]]
    assert made[1:2].tolist() == [[None, ""]]
    assert made.select(["w"]).tolist() == [["a"], [""], ["b"], ["a"]]
    assert made.column("w").tolist() == ["a", "", "b", "a"]


def test_json_gives_equal_rows() -> None:
    made = table()
    again = Table.from_rows(made.columns, made.kinds, json.loads(json.dumps(made.tolist(), allow_nan=False)))
    np.testing.assert_array_equal(again.column("n"), made.column("n"))
    assert again.column("n").dtype == np.float64
    assert again.column("w").tolist() == made.column("w").tolist()


def test_it_is_read_only() -> None:
    with pytest.raises(ValueError, match="read-only"):
        table().column("w")[0] = "z"


def test_equal_rows_have_equal_codes() -> None:
    codes = table().cell_codes()
    assert (codes[0] == codes[3]).all()
    assert len(np.unique(codes, axis=0)) == 3


def data(made: Table, y: list[int]) -> Dataset:
    return Dataset(made, np.array(y), made.columns, "d", "y")


def test_the_digest_is_of_every_cell() -> None:
    made = table()
    digest = data(made, [0, 1, 0, 1]).digest
    assert data(table(), [0, 1, 0, 1]).digest == digest
    others = [
        Table(made.columns, made.kinds, (np.array([1.5, np.nan, 3.0, 2.0], np.float32), made.values[1])),
        Table(made.columns, made.kinds, (made.values[0], np.array(["a", "", "b", "c"], object))),
        Table(made.columns, ("numeric", "boolean"), made.values),
        Table(("n", "v"), made.kinds, made.values),
    ]
    assert len({digest, *(data(other, [0, 1, 0, 1]).digest for other in others)}) == 5


def test_duplicates_have_equal_inputs_and_targets() -> None:
    assert data(table(), [0, 1, 0, 0]).content_codes.tolist() == [0, 1, 2, 0]
    assert data(table(), [0, 1, 0, 1]).content_codes.tolist() == [0, 1, 2, 3]
    x = np.array([[1, 2], [1, 2], [2, 1]], dtype=np.float32)
    assert Dataset(x, None, None, "d", None).content_codes.tolist() == [0, 0, 1]


def test_words_that_mean_a_missing_value() -> None:
    assert [clean_cell(word) for word in ("-", "--", ".", "?", "na", "NA", "#N/A", "nan", "NULL")] == [""] * 9
    assert [clean_cell(word) for word in ("0", "-1", "none", "NO", "---")] == ["0", "-1", "none", "NO", "---"]


def test_cells_are_stripped() -> None:
    assert [clean_cell(f" {word}\t") for word in MISSING] == [""] * len(MISSING)
    assert clean_cell(" a  b ") == "a  b"
    assert clean_cell("\u00a0a") == "\u00a0a"  # TensorFlow does not strip this blank either
