"""Lines of a CSV file that are no rows: named separators, comments, repeated headers, footers; and long cells."""

from __future__ import annotations

import csv
import gzip
from pathlib import Path

import pytest

from regzoo.core.errors import InputError
from regzoo.data.sources import load_csv
from regzoo.data.sources.csv_file import iterate_csv

BODY = "1,5,x\n2,7,z\n"
PLAIN = [["a", "b", "y"], ["1", "5", "x"], ["2", "7", "z"]]


def read(path: Path, text: str, separator: str | None = None) -> tuple[list[list[str]], list[str]]:
    """Return the rows and the sentences about lines that were left out, without the file's name."""
    path.write_bytes(text.encode())
    notes: list[str] = []
    rows = list(iterate_csv(path, separator, notify=notes.append))
    assert all(note.startswith(f"{path}: ") for note in notes)
    return rows, [note.removeprefix(f"{path}: ") for note in notes]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "table.csv"


@pytest.mark.parametrize("first", ["sep=;", '"sep=;"', "SEP=;", "sep=;;;;", "sep=;\r", "\ufeffsep=;", "\n\nsep=;"])
def test_a_line_may_name_the_separator(first: str, file: Path) -> None:
    assert read(file, f"{first}\na;b;y\n" + BODY.replace(",", ";")) == (PLAIN, [])


@pytest.mark.parametrize(("name", "separator"), [("\\t", "\t"), ("\t", "\t"), (":", ":"), (",", ","), ("^", "^")])
def test_any_character_may_separate(name: str, separator: str, file: Path) -> None:
    text = f"a,b,y\n{BODY}".replace(",", separator)
    assert read(file, f"sep={name}\n{text}") == (PLAIN, [])
    assert read(file, f"sep=|\n{text}", separator) == (PLAIN, [])  # the config knows better


def test_comments_are_left_out(file: Path) -> None:
    text = "# by a program\n#, at noon\n\na,b,y\n1,5,x\n# a pause\n2,7,z\n# the, end\n"
    sentence = "lines 1, 2, 6 and 8 are left out as comments"
    assert read(file, text) == (PLAIN, [sentence])
    assert read(file, f"# Tom's \"own\na,b,y\n{BODY}") == (PLAIN, ["line 1 is left out as a comment"])
    assert read(file, f"%a\n// b, c, d\na,b,y\n{BODY}") == (PLAIN, ["lines 1 and 2 are left out as comments"])
    many = "".join(f"# {number}\n" for number in range(9))
    assert read(file, f"{many}a,b,y\n{BODY}")[1] == ["9 lines: 1, 2, 3 and 6 more are left out as comments"]


def test_what_begins_with_a_hash_may_be_data(file: Path) -> None:
    colors = "color,size,y\n#ff0000,1,x\n#00ff00,2,z\n"
    assert read(file, colors)[0][1:] == [["#ff0000", "1", "x"], ["#00ff00", "2", "z"]]
    quoted = 'note,b,y\n"first\n# second, line",1,x\nthird,2,z\n'
    assert read(file, quoted) == ([["note", "b", "y"], ["first\n# second, line", "1", "x"], ["third", "2", "z"]], [])
    assert read(file, "text\n#1 hit\nother\n") == ([["text"], ["#1 hit"], ["other"]], [])


@pytest.mark.parametrize("header", ["#a,b,y", "# a,b,y", "%a,b,y"])
def test_a_header_may_begin_with_a_hash(header: str, file: Path) -> None:
    rows = [header.split(","), *PLAIN[1:]]
    assert read(file, f"#5,6,7\n{BODY}")[0] == PLAIN[1:]  # no names
    assert read(file, f"{header}\n{BODY}") == (rows, [])
    assert read(file, f"# by a program\n{header}\n{BODY}") == (rows, ["line 1 is left out as a comment"])


def test_headers_in_between_are_left_out(file: Path) -> None:
    text = "a,b,y\n1,5,x\na, b,y\n2,7,z\na,b,y\n"
    assert read(file, text) == (PLAIN, ["lines 3 and 5, which repeat the header, are left out"])
    assert read(file, "text\nother\ntext\n") == ([["text"], ["other"], ["text"]], [])


@pytest.mark.parametrize(
    ("footer", "lines"),
    [
        ("Total: 2 rows\n", "line 4 at the end, 'Total: 2 rows', is left out"),
        ("\n(2 rows affected)\n", "line 5 at the end, '(2 rows affected)', is left out"),
        ("Source: me,\nEnd of report\n", "lines 4 and 5 at the end, 'Source: me' and 'End of report', are left out"),
        ("\nSource: World Bank, 2024, CC, BY\n", "line 5 at the end, 'Source: World Bank 2024 CC BY', is left out"),
    ],
)
def test_footers_are_left_out(footer: str, lines: str, file: Path) -> None:
    assert read(file, f"a,b,y\n{BODY}{footer}") == (PLAIN, [f"{lines} as no row"])


def test_rows_without_cells_are_left_out_at_the_end(file: Path) -> None:
    assert read(file, f"a,b,y\n{BODY},,\n,,\n") == (PLAIN, ["2 rows without any cell at the end are left out"])
    assert read(file, f"a,b,y\n,,\n{BODY}") == ([PLAIN[0], ["", "", ""], *PLAIN[1:]], [])
    assert read(file, f"a,b,y\n{BODY},,\n\nthe end\n,,\n")[1] == [
        "line 6 at the end, 'the end', is left out as no row",
        "2 rows without any cell at the end are left out",
    ]
    assert read(file, 'text\n""\n""\n') == ([["text"], [""], [""]], [])


@pytest.mark.parametrize(
    "end",
    [
        "4,5\n",
        "4\n",
        "4.5",
        "x,y,z,w\n",
        "Total\n3,4,z\n",
        "Total\n3,4,z\n4,5\n",
        "\n" + "c,d\n" * 11,
        "Total: 2\n4,5\n",
    ],
)
def test_damaged_rows_are_no_footers(end: str, file: Path) -> None:
    with pytest.raises(InputError, match=r"line \d+ has \d+ cells.*, the header has 3"):
        read(file, f"a,b,y\n{BODY}{end}")
    with pytest.raises(InputError, match=r"quote cells that hold commas$"):
        read(file, "a,b,y\nTotal: 2 rows\n")
    with pytest.raises(InputError, match="quote cells that hold commas, or name all columns, the first as well if it"):
        read(file, "a,b,y\n1,2,3,x\n2,2,3,x\n")


def test_a_title_above_the_header_is_named(file: Path) -> None:
    for text in ("Sales 2024\na,b,y\n", "Sales 2024\n\na,b,y\n"):
        with pytest.raises(InputError, match="line 'Sales 2024' and others above the names of the columns"):
            read(file, text + BODY)


@pytest.mark.parametrize("pack", [False, True])
def test_long_cells(pack: bool, tmp_path: Path) -> None:
    file = tmp_path / ("t.csv.gz" if pack else "t.csv")
    long = "x" * 200_000
    lines = ["a,text,y", f"1,{long},u", f'2,"{long}\n{long}",v', "3,short,u", "4,short,v"]
    content = "\n".join(lines).encode()
    before = csv.field_size_limit()
    file.write_bytes(gzip.compress(content) if pack else content)
    data = load_csv(file, "y")
    assert [len(str(cell)) for _, cell in data.x.tolist()] == [200_000, 400_001, 5, 5]
    assert csv.field_size_limit() == before


def test_lines_that_are_left_out_are_reported(file: Path) -> None:
    file.write_text(f"# made by hand\na,b,y\n{BODY}a,b,y\n\nTotal: 2\n", encoding="utf-8")
    data = load_csv(file, "y")
    assert data.x.tolist() == [[1, 5], [2, 7]]
    assert data.notes == (
        f"{file}: line 1 is left out as a comment",
        f"{file}: line 5, which repeats the header, is left out",
        f"{file}: line 7 at the end, 'Total: 2', is left out as no row",
    )
