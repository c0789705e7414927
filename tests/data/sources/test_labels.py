"""Several labels a row: zeros and ones from any source; errors name row and column."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from scipy.sparse import csr_matrix

from regzoo.core.errors import InputError
from regzoo.data.sources import load_csv, load_npz, load_parquet
from regzoo.data.sources.arrays import from_arrays

X = np.arange(8.0).reshape(4, 2)
Y = [[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]]
NAMES = ("red", "round", "ripe")
FRAME = pd.DataFrame(Y, columns=list(NAMES))


@pytest.mark.parametrize(
    "y",
    [
        Y,
        np.array(Y),
        np.array(Y, dtype=bool),
        np.array(Y, dtype=np.float32),
        FRAME,
        FRAME.astype(bool),
        FRAME.astype("Int64"),
        FRAME.astype(object),
        FRAME.assign(red=[False, True, False, True]),
        np.array(Y, dtype=bool).tolist(),
    ],
    ids=lambda y: type(y).__name__,
)
def test_labels_are_read_as_booleans(y: Any) -> None:
    data = from_arrays(X, y)
    assert data.y is not None
    assert (data.y.dtype.kind, data.y.astype(int).tolist(), data.task) == ("b", Y, "multilabel")
    assert data.labels == (NAMES if isinstance(y, pd.DataFrame) else ("0", "1", "2"))
    assert not data.y.flags.writeable


def test_one_column_is_one_target() -> None:
    data = from_arrays(X, [[0], [1], [0], [1]])
    assert data.y is not None
    assert (data.y.shape, data.labels, data.task) == ((4,), (), "classification")


@pytest.mark.parametrize(
    ("y", "message"),
    [
        (FRAME.assign(round=[1, 0, 2, 1]), r"column 'round' \(4 rows\) takes 0 and 1, .*, received 2 in row 3;"),
        (FRAME.assign(ripe=[0, np.nan, 1, np.nan]), "column 'ripe' .* received nothing in row 2, and 1 more rows"),
        (FRAME.assign(red=["yes", "no", "yes", "no"]), "column 'red' .* received 'yes' in row 1, and 3 more rows"),
        (
            FRAME.astype("Int64").assign(red=pd.array([0, 1, None, 1], dtype="Int64")),
            "column 'red' .* received nothing in row 3",
        ),
        ([[0.3, 1.0], [1.0, 0.0], [0.0, 0.0], [1.0, 1.0]], "column '0' .* received 0.3 in row 1"),
        (
            np.arange(12.0).reshape(4, 3),
            r"y has 3 columns of numbers, such as 0.0 in '0'; a regression takes one column",
        ),
        (FRAME.assign(red=[0.5, 1.5, 2.5, 3.5]), "received 0.5 in row 1, .*, and a regression takes one column"),
        (np.array(Y, dtype=complex), "column '0' .* takes 0 and 1"),
        (FRAME.set_axis(["a", "a", "b"], axis=1), "y: columns 1 and 2 are both called 'a'"),
        (csr_matrix(Y), r"y is a sparse matrix; give it as an array: y\.toarray\(\)"),
        (np.ma.masked_equal(Y, 1), "y has masked targets"),
        ([[0, 1], [1], [0], [1]], "received list; for several labels a row give columns of 0 and 1"),
        (Y[:3], "x has 4 rows and y has 3"),
    ],
)
def test_other_values_are_rejected(y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        from_arrays(X, y)


def test_sparse_inputs_are_rejected() -> None:
    with pytest.raises(InputError, match=r"x is a sparse matrix; give it as an array: x\.toarray\(\)"):
        from_arrays(csr_matrix(X), [0, 1, 0, 1])


def test_every_wrong_column_is_reported_at_once() -> None:
    with pytest.raises(InputError) as caught:
        from_arrays(X, FRAME.assign(red=7, ripe="x"))
    assert [line.split("column ")[1][:6] for line in str(caught.value).splitlines()] == ["'red' ", "'ripe'"]


CELLS = """\
red,size,round,ripe
0,1.5,true,1
1,2.5,True,0
0,3.5,false,0
1,4.5,False,1
"""


def test_columns_of_a_csv_file(tmp_path: Path) -> None:
    file = tmp_path / "fruit.csv"
    file.write_text(CELLS, encoding="utf-8")
    data = load_csv(file, NAMES)
    assert data.y is not None
    assert (data.columns, data.labels, data.y.astype(int).tolist()) == (("size",), NAMES, Y)
    file.write_text(CELLS.replace("2.5,True", "2.5,maybe").replace("3.5,false,0", "3.5,false,"), encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_csv(file, NAMES)
    assert f"{file}: y: column 'round' (4 rows) takes 0 and 1, or false and true, received 'maybe' in row 2" in str(
        caught.value
    )
    assert "column 'ripe' (4 rows) takes 0 and 1, or false and true, received nothing in row 3" in str(caught.value)
    with pytest.raises(InputError, match=r"there is no column 'rund' to predict\. Did you mean 'round'"):
        load_csv(file, ("red", "rund"))
    with pytest.raises(InputError, match="are the only columns; at least one input is needed"):
        load_csv(file, ("red", "size", "round", "ripe"))


def test_columns_of_a_parquet_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whether or not pyarrow is installed: pandas returns a table with typed columns."""
    (tmp_path / "a.parquet").write_bytes(b"PAR1")
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: True)
    monkeypatch.setattr("regzoo.data.sources.parquet.require_parquet_memory", lambda path: None)
    monkeypatch.setattr(pd, "read_parquet", lambda path, **_: FRAME.astype("boolean").assign(size=1.0))
    data = load_parquet(tmp_path / "a.parquet", NAMES)
    assert data.y is not None
    assert (data.columns, data.labels, data.y.astype(int).tolist()) == (("size",), NAMES, Y)


def test_an_archive_with_several_columns_in_y(tmp_path: Path) -> None:
    np.savez(tmp_path / "a.npz", x=X, y=np.array(Y))
    data = load_npz(tmp_path / "a.npz")
    assert data.y is not None
    assert (data.labels, data.y.astype(int).tolist()) == (("0", "1", "2"), Y)


def test_names_are_part_of_the_digest() -> None:
    assert from_arrays(X, FRAME).digest != from_arrays(X, FRAME.set_axis(["a", "b", "c"], axis=1)).digest
    assert from_arrays(X, FRAME).digest == from_arrays(X, FRAME.astype(bool)).digest
