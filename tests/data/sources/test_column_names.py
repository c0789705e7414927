"""Names of columns: as pandas.read_csv makes them; its index is no input; a header that is a row of data is noticed."""

from __future__ import annotations

import io
import itertools
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_iris

from regzoo.core.errors import InputError
from regzoo.data.sources import from_arrays, load_csv
from regzoo.data.sources.column_names import is_header_data, name_columns, name_frame

Y = ["a", "b"] * 20
MEASURED = np.random.default_rng(0).normal(size=40).round(3).tolist()


@pytest.mark.parametrize("length", [1, 2, 3, 4])
def test_names_are_those_of_pandas(length: int) -> None:
    words = ["", "a", "a.1", "Unnamed: 0"] if length == 4 else ["", "a", "a.1", "a.2", "Unnamed: 0", "Unnamed: 1"]
    for header in itertools.product(words, repeat=length):
        text = ",".join(f'"{name}"' for name in header) + "\n" + ",".join("1" * length) + "\n"
        assert name_columns(header) == list(pd.read_csv(io.StringIO(text)).columns), header


INDICES = {
    "range": list(range(40)),
    "from one": list(range(1, 41)),
    "sample": np.random.default_rng(1).permutation(900)[:40].tolist(),
    "concatenated": [*range(25), *range(15)],
    "names of rows": [f"row {number}" for number in range(40)],
    "dates": pd.date_range("2024-01-01", periods=40).strftime("%Y-%m-%d").tolist(),
}
NO_INDICES = {
    "measured": MEASURED,
    "binary": [0, 1] * 20,
    "ages": [30 + number % 7 for number in range(40)],
    "kinds": ["red", "blue"] * 20,
    "counted from five": [*range(5, 30), *range(5, 20)],
    "gaps": [None, *range(39)],
    "temperatures": [number - 20 for number in range(40)],
}


def write(path: Path, index: list[object], header: str) -> Path:
    frame = pd.DataFrame({"first": index, "a": MEASURED, "y": Y}).convert_dtypes()
    path.write_text(frame.to_csv(index=False).replace("first", header, 1), encoding="utf-8")
    return path


@pytest.mark.parametrize("header", ["", "Unnamed: 0"])
@pytest.mark.parametrize("name", INDICES)
def test_the_index_is_no_input(name: str, header: str, tmp_path: Path) -> None:
    data = load_csv(write(tmp_path / "t.csv", INDICES[name], header), "y")
    assert data.columns == ("a",)
    what = "column 1 has no name and" if not header else "column 'Unnamed: 0'"
    assert data.notes == (f"{data.name}: {what} holds an index, as pandas writes it: left out; "
                          "give it a name if it is an input",)  # fmt: skip
    read = from_arrays(pd.read_csv(tmp_path / "t.csv").drop(columns="y"), Y)
    assert read.columns == ("a",)
    np.testing.assert_array_equal(read.x, data.x)


@pytest.mark.parametrize("name", NO_INDICES)
def test_what_is_no_index_is_never_lost(name: str, tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", NO_INDICES[name], "")
    with pytest.raises(InputError, match=r"column 1 of 3 has no name; name it or drop it \(data.drop: 'Unnamed: 0'"):
        load_csv(path, "y")
    assert load_csv(path, "y", drop="Unnamed: 0").columns == ("a",)
    assert load_csv(write(path, NO_INDICES[name], "Unnamed: 0"), "y").columns == ("Unnamed: 0", "a")


def test_only_first_columns_are_an_index(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,,y\n1,0,x\n2,1,z\n", encoding="utf-8")
    with pytest.raises(InputError, match="column 2 of 3 has no name"):
        load_csv(file, "y")
    file.write_text("a,Unnamed: 7,y\n1,0,x\n2,1,z\n", encoding="utf-8")
    assert load_csv(file, "y").columns == ("a", "Unnamed: 7")


def test_an_index_that_was_saved_twice_is_left_out_twice(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    pd.DataFrame({"a": MEASURED, "y": Y}).to_csv(file)
    for _ in range(2):
        pd.read_csv(file).to_csv(file)
    data = load_csv(file, "y")
    assert data.columns == ("a",)
    assert len(data.notes) == 3


def test_an_index_that_a_parquet_file_stores() -> None:
    frame = pd.DataFrame({"a": MEASURED, "__index_level_0__": range(100, 140)})
    assert from_arrays(frame, Y).columns == ("a",)
    assert from_arrays(frame.assign(__index_level_0__=MEASURED), Y).columns == ("a", "__index_level_0__")


def test_an_index_that_is_chosen_is_kept(tmp_path: Path) -> None:
    path = write(tmp_path / "t.csv", INDICES["range"], "")
    data = load_csv(path, "y", roles={"time": "Unnamed: 0"})
    assert data.time is not None
    assert data.time.tolist() == list(range(40))
    assert data.notes == ()


def test_parts_may_have_an_index_or_none(tmp_path: Path) -> None:
    whole = write(tmp_path / "train.csv", INDICES["range"], "")
    test = tmp_path / "test.csv"
    test.write_text("a,y\n0.5,a\n", encoding="utf-8")
    assert load_csv(whole, "y", parts={"test": test}).columns == ("a",)


def test_an_empty_column_behind_the_last_separator(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,y,\n1,x,\n2,z,\n", encoding="utf-8")
    data = load_csv(file, "y")
    assert data.columns == ("a",)
    assert data.notes == (f"{file}: column 3 has neither a name nor cells: left out",)


def test_repeated_names_are_read_with_a_warning(tmp_path: Path) -> None:
    file = tmp_path / "t.csv"
    file.write_text("a,a,y\n1,5,x\n2,7,z\n", encoding="utf-8")
    data = load_csv(file, "y")
    assert data.columns == ("a", "a.1")
    np.testing.assert_array_equal(data.x, [[1, 5], [2, 7]])
    warning = "columns 1 and 2 are both called 'a'; they are read as 'a' and 'a.1'; rename them"
    assert data.warnings == (f"{file}: {warning}",)
    frame = pd.DataFrame([[1, 5], [2, 7]], columns=["a", "a"])
    assert from_arrays(frame, ["x", "z"]).warnings == (f"arrays: {warning}",)
    assert frame.columns.tolist() == ["a", "a"]
    assert load_csv(file, "y", drop="a.1").columns == ("a",)
    with pytest.raises(
        InputError, match=r"columns 1 and 2 are both called 'a'; rename one or drop it \(data.drop: 'a.1'"
    ):
        load_csv(file, "y", drop="a")
    with pytest.raises(InputError, match="columns 1 and 2 are both called 'a'"):
        load_csv(file, "y", roles={"weight": "a"})


def test_a_header_that_is_data() -> None:
    iris = load_iris(as_frame=True).data.assign(kind=np.repeat(["setosa", "versicolor", "virginica"], 50))
    names = [str(value) for value in iris.iloc[0]]
    assert is_header_data(names, iris.iloc[1:].astype(str))
    weather = pd.DataFrame({"a": ["sunny", "rainy"] * 5, "b": ["hot", "hot", "mild", "mild", "cool"] * 2})
    assert is_header_data(["sunny", "mild"], weather)
    assert is_header_data(["3", "red"], pd.DataFrame({"a": range(9), "b": ["red", "blue", "green"] * 3}))
    warnings = from_arrays(iris.iloc[1:].set_axis(names, axis=1), [0, *[1, 2] * 74]).warnings
    assert any("the header '5.1', '3.5', '1.4', '0.2', 'setosa' looks like a row of data" in one for one in warnings)


def test_names_that_are_numbers_or_occur_are_no_data() -> None:
    pixels = pd.DataFrame(np.random.default_rng(0).integers(0, 17, size=(50, 8)))
    spectrum = pd.DataFrame(np.random.default_rng(0).random((50, 4)))
    assert not is_header_data([str(column) for column in pixels], pixels)
    assert not is_header_data([f"pixel {column}" for column in pixels], pixels)
    assert not is_header_data(["400.5", "401.5", "402.5", "403.5"], spectrum)
    assert not is_header_data(["yes", "kind"], pd.DataFrame({"a": ["yes", "no"] * 4, "b": ["u", "v"] * 4}))
    assert not is_header_data(["2020", "y"], pd.DataFrame({"a": [2019, 2021] * 4, "b": ["u", "v"] * 4}))
    assert not is_header_data(["3.5", "y"], pd.DataFrame({"a": ["3.5", *"abcdefg"], "b": ["u", "v"] * 4}))
    assert not is_header_data([], pd.DataFrame())


def test_control_characters() -> None:
    with pytest.raises(InputError, match=r"column 2 is called 'b\\x1b\[31m', with control characters; rename it"):
        name_frame(pd.DataFrame([[1, 2]], columns=["a", "b\x1b[31m"]), "t")
