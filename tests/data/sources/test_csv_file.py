"""CSV files: columns with names, labels as they are written, and a clear message for every defect."""

from __future__ import annotations

import gzip
from pathlib import Path

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources.csv_file import load_csv, read_csv

GOOD = "age,member,income,kind\n30,True,1.5,yes\n40,False,2.5,no\n50,True,3.5,yes\n"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def test_columns_and_labels(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    data = load_csv(file, "kind")
    assert (data.columns, data.target, data.kind) == (("age", "member", "income"), "kind", "rows")
    assert data.x.tolist() == [[30, "true", 1.5], [40, "false", 2.5], [50, "true", 3.5]]
    assert data.y is not None
    assert data.y.tolist() == ["yes", "no", "yes"]


def test_the_target_may_be_any_column(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    header, *rows = [line.split(",") for line in GOOD.split()]
    moved = file.with_name("moved.csv")
    moved.write_text("".join(",".join([row[3], *row[:3]]) + "\n" for row in (header, *rows)), encoding="utf-8")
    assert load_csv(moved, "kind").digest == load_csv(file, "kind").digest


@pytest.mark.parametrize(
    ("cells", "kind", "values"),
    [
        ("1 2 1 2", "i", [1, 2, 1, 2]),
        ("-1 0 1 0", "i", [-1, 0, 1, 0]),
        ("01 02 01 02", "U", ["01", "02", "01", "02"]),  # codes with leading zeros are not numbers
        ("1.5 2 1e3 .5", "f", [1.5, 2.0, 1000.0, 0.5]),
        ("00.5 1 2 3", "U", ["00.5", "1", "2", "3"]),
        ("true false true false", "b", [True, False, True, False]),
        ("True False True False", "b", [True, False, True, False]),
        ("True yes True no", "U", ["True", "yes", "True", "no"]),
        ("NA Na NA Na", "U", ["NA", "Na", "NA", "Na"]),
        ("- + - +", "U", ["-", "+", "-", "+"]),
        ("NA None NA null", "U", ["NA", "None", "NA", "null"]),  # labels, since the column to predict is text
        ("nan inf nan inf", "U", ["nan", "inf", "nan", "inf"]),
        ("1_0 2_0 1_0 2_0", "U", ["1_0", "2_0", "1_0", "2_0"]),
        ("10000000000000000000 1 2 3", "f", [1e19, 1.0, 2.0, 3.0]),
        ('"1,5" "2,25" "1,5" 3', "f", [1.5, 2.25, 1.5, 3.0]),
        ("€1.5 €2 €1.5 €3", "f", [1.5, 2.0, 1.5, 3.0]),
        ("10% 20% 10% 20%", "U", ["10%", "20%", "10%", "20%"]),  # classes keep the name that the data gives them
        ('"1,234" "2,345" "1,234" "2,345"', "U", ["1,234", "2,345", "1,234", "2,345"]),  # so do classes of two meanings
    ],
)
def test_targets_are_read_as_written(file: Path, cells: str, kind: str, values: list[object]) -> None:
    file.write_text("x,y\n" + "".join(f"{n},{cell}\n" for n, cell in enumerate(cells.split())), encoding="utf-8")
    y = load_csv(file, "y").y
    assert y is not None
    assert (y.dtype.kind, y.tolist()) == (kind, values)


def test_files_of_spreadsheets(file: Path) -> None:
    file.write_bytes('\ufeff"age", "size, cm",y\r\n1, 2.5,"a, b"\r\n\r\n3,4.5,"c ""d"""\r\n'.encode())
    data = load_csv(file, "y")
    assert data.columns == ("age", "size, cm")
    np.testing.assert_array_equal(data.x, [[1, 2.5], [3, 4.5]])
    assert data.y is not None
    assert data.y.tolist() == ["a, b", 'c "d"']


def test_the_digest_depends_on_the_content_only(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    other = file.with_name("copy.csv")
    other.write_text(GOOD.replace("\n", "\r\n"), encoding="utf-8")
    assert load_csv(file, "kind").digest == load_csv(other, "kind").digest


def test_a_table_without_target_can_be_read_for_prediction(file: Path) -> None:
    file.write_text("a,b\n1,2\n3,4\n", encoding="utf-8")
    assert read_csv(file).to_numpy().tolist() == [["1", "2"], ["3", "4"]]


def test_a_compressed_table_is_the_table(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    packed = file.with_name("table.csv.gz")
    packed.write_bytes(gzip.compress(file.read_bytes()))
    assert load_csv(packed, "kind").digest == load_csv(file, "kind").digest
    packed.write_bytes(packed.read_bytes()[:-12])
    with pytest.raises(InputError, match=r"table\.csv\.gz: is damaged: .*; compress it again"):
        load_csv(packed, "kind")


def test_dropped_columns_are_not_read(file: Path) -> None:
    file.write_text("id,note,a,y\n1,inf,5,yes\n2,0.5,7,no\n", encoding="utf-8")
    data = load_csv(file, "y", drop=("id", "note"))
    assert data.columns == ("a",)
    np.testing.assert_array_equal(data.x, [[5], [7]])
    test = file.with_name("test.csv")
    test.write_text("id,a,y\n1,9,yes\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"test\.csv: there is no column 'note' to leave out \(data\.drop\)"):
        load_csv(file, "y", drop=("id", "note"), parts={"test": test})


TRIPS = """\
who,when,km,how,counts,use
007,2024-03-01,1.5,bus,1,
007,2024-01-31,2.5,car,2.5,test
NA,2023-12-31,3.5,bus,1,train
"""


def test_roles_are_columns_that_are_no_inputs(file: Path) -> None:
    file.write_text(TRIPS, encoding="utf-8")
    data = load_csv(file, "how", roles={"group": "who", "time": "when", "weight": "counts", "part": "use"})
    assert data.columns == ("km",)
    assert data.group is not None
    assert data.group.tolist() == ["007", "007", "NA"]
    assert np.argsort(data.time).tolist() == [2, 1, 0]  # type: ignore[arg-type]
    np.testing.assert_array_equal(data.weight, [1, 2.5, 1])
    np.testing.assert_array_equal(data.part, ["", "test", "train"])


def test_parts_may_have_separate_files(file: Path) -> None:
    file.write_text(GOOD, encoding="utf-8")
    test, validation = file.with_name("test.csv"), file.with_name("validation.csv")
    test.write_text("kind,member,age,income\nmaybe,True,20,0.5\n", encoding="utf-8")  # in another order
    validation.write_text("age,member,income,kind\n10,False,9.5,yes\n", encoding="utf-8")
    data = load_csv(file, "kind", parts={"validation": validation, "test": test})
    assert data.columns == ("age", "member", "income")
    assert data.x.tolist()[3:] == [[10, "false", 9.5], [20, "true", 0.5]]
    assert data.y is not None
    assert data.y.tolist() == ["yes", "no", "yes", "yes", "maybe"]
    np.testing.assert_array_equal(data.part, ["", "", "", "validation", "test"])
    assert data.name == f"{file} + {validation} + {test}"


def test_labels_of_several_files_are_read_together(file: Path) -> None:
    file.write_text("x,y\n1,01\n2,02\n", encoding="utf-8")
    test = file.with_name("test.csv")
    test.write_text("x,y\n3,10\n", encoding="utf-8")  # alone, a whole number
    y = load_csv(file, "y", parts={"test": test}).y
    assert y is not None
    assert y.tolist() == ["01", "02", "10"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("age,kind\n1,yes\n", "lacks 'income', 'member', unlike"),
        ("age,member,income,kind,more\n1,True,2,yes,3\n", "has 'more', unlike"),
        ("age,member,wages,kind\n1,True,2,yes\n", "lacks 'income' and has 'wages', unlike"),
        ("age,member,income\n1,True,2\n", "there is no column 'kind' to predict"),
    ],
)
def test_files_of_one_data_set_have_the_same_columns(file: Path, text: str, message: str) -> None:
    file.write_text(GOOD, encoding="utf-8")
    test = file.with_name("test.csv")
    test.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_csv(file, "kind", parts={"test": test})
    assert str(caught.value).startswith(f"{test}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("roles", "message"),
    [
        ({"group": "hwo"}, "there is no column 'hwo' for data.group. Did you mean 'who'?"),
        ({"group": "who", "time": "when"}, "column 'when' (time) has 1 missing cells, the first in row 2; drop these"),
        ({"weight": "who", "part": "when"}, "column 'who' (weight) holds 'NA' in row 3; weights are numbers above 0"),
        ({"group": "who", "part": "when"}, "column 'when' (part) holds '2024-03-01' in row 1; it takes train, valid"),
        (
            {"group": "who", "time": "when", "weight": "km"},
            "'how' and 'who' and 'when' and 'km' are the only columns; at least one input is needed",
        ),
    ],
)
def test_roles_that_cannot_be_read_are_reported(file: Path, roles: dict[str, str], message: str) -> None:
    file.write_text("who,when,km,how\n007,2024-03-01,1.5,bus\n007,,2.5,car\nNA,2023-12-31,3.5,bus\n", encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_csv(file, "how", roles=roles)
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "the file is empty"),
        ("\n\n", "x has no columns"),
        ("a,y\n", "has a header and no rows"),
        ("a,b\n1,2\n3,4\n", "there is no column 'y' to predict. Available: a, b."),
        ("a,Y\n1,2\n3,4\n", "there is no column 'y' to predict"),
        ("a/y\n1/2\n3/4\n", "there is no column 'y' to predict; are the columns separated by commas?"),
        ("y\n1\n2\n", "'y' is the only column; at least one input is needed"),
        ("y,a,y\n1,2,3\n4,5,6\n", "columns 1 and 3 are both called 'y'; rename one or drop it (data.drop: 'y.1'"),
        (",a,y\n0.5,1,2\n1,3,4\n", "column 1 of 3 has no name; name it or drop it (data.drop: 'Unnamed: 0'"),
        ("a,b,y\n1,2,3\n4,5\n", "line 3 has 2 cells, the header has 3; quote cells that hold commas"),
        ("a,b,y\n1,2,3,4\n4,5,6,7\n", "line 2 has 4 cells, line 3 has 4 cells, the header has 3"),
        (
            "a,b,y\n1,inf,3\n4,5,6\n",
            "column 'b' (2 rows) has 1 values that are infinite, the first in row 1",
        ),
        ('a,"b\x1b[31m",y\n1,2,3\n4,5,6\n', r"column 2 is called 'b\x1b[31m', with control characters; rename it"),
        ("a,b,y\n1,a\0b,3\n4,c,6\n", r"column 'b' (2 rows) holds 'a\x00b', which is not valid UTF-8 text"),
        ('a,b,y\n1,"x"z,3\n4,c,6\n', "line 2 cannot be read"),
        (
            'b,y\n"1,234",3\n5,6\n',
            "holds '1,234', which may be 1234 or 1.234; say which mark it has",
        ),
        ("b,y\n$5,3\n€6,6\n", "holds '$5', a number in a form that is not read, or not that of the others"),
        ("b,y\n03/04/2024,3\n01/02/2024,6\n", "no date that tells day and month apart; say which is first (data.dates"),
        (
            "b,y\n31.12.24,3\n01.02.24,6\n",
            "holds '31.12.24', a date in a form that is not read; write 2024-01-31",
        ),
        (
            "b,y\n" + "".join(f"{n},{n}.5\n" for n in range(18)) + "x,1\nabout 5,1\n",
            "column 'b' (20 rows) holds numbers but for 2 cells: 'x' in row 19, 'about 5' in row 20; correct them",
        ),
        (  # among that many different numbers, a frequent word is no category: it marks missing numbers
            "b,y\n" + "".join(f"{n},{n}.5\nunknown,1\n" for n in range(21)),
            "column 'b' (42 rows) holds numbers but for 21 cells: 'unknown' in row 2, ",
        ),
        ("b,y\n3 Feb 24,3\n29 Mar 24,6\n", "holds '3 Feb 24', a date in a form that is not read; write 2024-"),
        ('b,y\n"Feb 3, 24",3\n"Mar 29, 24",6\n', "holds 'Feb 3, 24', a date in a form that is not read"),
        (
            "b,y\n2024-02-03T17:05:00+02:00,3\n2024-02-04T17:05:00,6\n",
            "holds '2024-02-03T17:05:00+02:00', a date in a form that is not read",
        ),
        (
            "b,y\n2/3/2024 5:05 PM,3\n2/4/2024 5:05 AM,6\n",
            "holds '2/3/2024 5:05 PM'",
        ),
        (
            "b,y\n" + "".join(f"2024-01-{n},{n}.5\n" for n in range(10, 20)) + "2023-02-29,1\n",
            "column 'b' (11 rows) holds dates but for 1 cell: '2023-02-29' in row 11",
        ),
        ("a,b,y\n1,1e99,3\n4,5,6\n", "column 'b' (2 rows) has 1 values that are beyond 1e+30"),
        (
            "a,y\n1,\n4,6\n7,\n",
            "column 'y' (3 rows) has 2 missing cells, the first in row 1; drop these rows",
        ),
        (
            "a,y\n" + "".join(f"{n},{n % 2}\n" for n in range(9)) + "9,NA\n",
            "column 'y' (10 rows) has 1 missing cells ('NA'), the first in row 10; drop these rows, or rename it",
        ),
        (
            "a,y\n" + "".join(f"{n},{n}.5\n" for n in range(9)) + "9,ca. 5\n",
            "column 'y' (10 rows) holds numbers but for 1 cell: 'ca. 5' in row 10; correct them, or drop these rows",
        ),
        ("a,y\n1,no\n2,no\n", "all 2 targets are no; there is nothing to learn"),
        ("a,y\n1,1e999\n2,3.5\n", "y has 1 values that are missing or infinite"),
        ('a,y\n1,"no\n2,yes\n', "line 3 cannot be read: unexpected end of data; check the quotes"),  # an open quote
    ],
    ids=lambda text: text[:20].replace("\n", "/"),
)
def test_wrong_files_are_rejected(file: Path, text: str, message: str) -> None:
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_csv(file, "y")
    assert str(caught.value).startswith(f"{file}: ")
    assert message in str(caught.value)


def test_files_that_cannot_be_read(file: Path) -> None:
    file.write_bytes("a,y\n1,caf\xe9\n".encode("latin-1"))
    with pytest.raises(InputError, match=r"is not UTF-8 text \(byte 0xe9\); save it as UTF-8"):
        load_csv(file, "y")
    with pytest.raises(InputError, match="there is no such file; relative paths start at the config's folder"):
        load_csv(file.with_name("none.csv"), "y")
    with pytest.raises(InputError, match="is a folder, not a file"):
        load_csv(file.parent, "y")


def test_targets_of_whole_numbers_beyond_float64_keep_their_last_digit(tmp_path: Path) -> None:
    path = tmp_path / "ids.csv"
    for first in (2**53, 2**62, -(2**63)):
        labels = [first + row % 2 for row in range(8)]
        path.write_text("a,y\n" + "".join(f"{row},{label}\n" for row, label in enumerate(labels)))
        data = load_csv(path, "y")
        assert data.y is not None
        assert data.y.tolist() == labels
    path.write_text("a,y\n" + "".join(f"{row},{2**63 + row % 2}\n" for row in range(8)))
    with pytest.raises(InputError, match=r"column 'y' .* whole numbers beyond 2\*\*63; write such labels as text"):
        load_csv(path, "y")


def test_lines_that_are_no_rows_change_no_digest(file: Path) -> None:
    rows = [f"{number / 7:.3f},{number % 5},{'xz'[number % 2]}" for number in range(20)]
    file.write_text("\n".join(["a,b,y", *rows]), encoding="utf-8")
    indexed = [f"{number},{row}" for number, row in enumerate(rows)]
    lines = ["sep=,", "# by hand", ",a,b,y", *indexed[:9], "# a pause", ",a,b,y", *indexed[9:], ",,,", "", "20 rows"]
    odd = file.with_name("odd.csv")
    odd.write_bytes("\r\n".join(lines).encode("utf-8-sig"))
    assert load_csv(odd, "y").digest == load_csv(file, "y").digest
    assert len(load_csv(odd, "y").notes) == 5


@pytest.mark.parametrize(
    ("cells", "first", "words"),
    [
        (["0,5", "1,25"], 0.5, "numbers are read with decimal comma"),
        (["0.5 kg", "1.25 kg"], 0.5, "numbers are read without 'kg'"),
        (["8:30", "17:05"], 30600.0, "times of day or durations are read in seconds"),
    ],
)
def test_how_a_target_is_read_is_said(cells: list[str], first: float, words: str, file: Path) -> None:
    rows = [f"{n};{cells[n % 2] if ':' not in cells[0] else f'{n + 8}:30'}" for n in range(40)]
    file.write_text("a;y\n" + "\n".join(rows), encoding="utf-8")
    data = load_csv(file, "y")
    assert data.y is not None
    assert data.y[0] == first
    assert [note for note in data.notes if words in note] == [f"{file}: column 'y': {words}{'s' * ('comma' in words)}"]
