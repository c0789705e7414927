"""Headers of CSV files that a model predicts: pandas' names, its index, and a header that is a row of data."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.core.errors import InputError
from regzoo.export.csv_header import open_csv, skip_index


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


def read(file: Path, wanted: list[str] | None, notes: list[str]) -> tuple[list[str], list[list[str]]]:
    names, rows = open_csv(file, "utf-8", wanted, notes.append)
    return names, list(rows)


def test_names_are_those_of_training(file: Path) -> None:
    notes: list[str] = []
    file.write_text("sep=;\n# later\n;a;a\n0;1;x\n;a;a\n1;2;z\n\nthe end\n", encoding="utf-8")
    assert read(file, ["a", "a.1"], notes) == (["Unnamed: 0", "a", "a.1"], [["0", "1", "x"], ["1", "2", "z"]])
    left_out = ("line 2 is left out as a comment", "line 5, which repeats the header", "line 8 at the end, 'the end'")
    assert [any(words in note for note in notes) for words in left_out] == [True] * 3


def test_names_of_a_frame_may_have_blanks(file: Path) -> None:
    file.write_text("a,b ,c\n1,2,3\n", encoding="utf-8")
    assert read(file, [" b", "a"], [])[0] == ["a", " b", "c"]
    assert read(file, ["c", " c"], [])[0] == ["a", "b", "c"]


@pytest.mark.parametrize("wanted", [["a", "b", "c"], None])
def test_a_missing_header_is_no_row_less(wanted: list[str] | None, file: Path) -> None:
    rows = "".join(f"{number % 7}.5,{number % 5}.25,{number % 3}.125\n" for number in range(30))
    file.write_text(rows, encoding="utf-8")
    with pytest.raises(InputError, match=r"the header '0.5', '0.25', '0.125' looks like a row of data: put a line"):
        read(file, wanted, [])
    file.write_text(f"a,b,c\n{rows}", encoding="utf-8")
    assert len(read(file, wanted, [])[1]) == 30


def test_numbers_may_be_names(file: Path) -> None:
    rows = "".join(f"0.{number},0.{number + 1},0.{number + 2}\n" for number in range(1, 7))
    for header, said in (("0,1,2", False), ("1,2,3", False), ("400,402,404", True), ("900.5,800.5,700", True)):
        notes: list[str] = []
        file.write_text(f"{header}\n{rows}", encoding="utf-8")
        assert len(read(file, None, notes)[1]) == 6
        assert bool(notes) == said
    assert "the header '900.5', '800.5', '700' is taken for names, and not predicted" in notes[0]
    for header in ("0.3,0.4,0.5", "5,3,4"):
        file.write_text(f"{header}\n{rows}", encoding="utf-8")
        with pytest.raises(InputError, match="looks like a row of data"):
            read(file, None, [])


def test_columns_in_order_may_be_counted(file: Path) -> None:
    file.write_text(",0,1,2\n0,0.5,1.5,2.5\n", encoding="utf-8")
    names, _ = read(file, None, [])
    assert skip_index(names, 3) == ["0", "1", "2"]
    assert skip_index(names, 4) == names
    assert skip_index(["first", "0", "1", "2"], 3) == ["first", "0", "1", "2"]
