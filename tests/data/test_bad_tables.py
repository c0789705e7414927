"""Bad tables on the command line: exit code 2, a message with the place and the way out, nothing written."""

from __future__ import annotations

import gzip
import sys
from pathlib import Path

import pytest

from regzoo.cli import app as cli

CONFIG = "name: mine\ndata: {csv: table.csv, target: y}\nbackbone: mlp([4])\nrecipes: [none]\n"
ROWS = "".join(f"{n},{n / 7:.3f},{'ab'[n % 2]}\n" for n in range(30))

BAD = {
    "empty file": (b"", "the file is empty"),
    "blank lines": (b"\n\n\n", "x has no columns; at least one input is needed"),
    "header alone": (b"a,b,y\n", "has a header and no rows"),
    "no such target": (b"a,b,Y\n1,2,x\n", "there is no column 'y' to predict. Available: Y, a, b."),
    "target alone": (b"y\nx\nz\n", "'y' is the only column; at least one input is needed"),
    "twins": (b"a,y,y\n1,2,x\n", "columns 2 and 3 are both called 'y'; rename one or drop it (data.drop: 'y.1'"),
    "nameless": (b"a,,y\n1,2,x\n", "column 2 of 3 has no name; name it or drop it (data.drop: 'Unnamed: 1'"),
    "no header": (
        "".join(f"{n % 7 + 0.5},{n / 7:.3f},{'ab'[n % 2]}\n" for n in range(30)).encode(),
        "to predict; the header '0.5', '0.000', 'a' looks like a row of data, and the first line should name",
    ),
    "title above the header": (b"Sales 2024\na,b,y\n1,2,x\n", "if the line 'Sales 2024' and others above the names"),
    "two tables": (f"a,b,y\n{ROWS}\n{'1,2' + chr(10)}".encode() * 12, "has 2 cells"),
    "control characters": (b'a,"b\x07",y\n1,2,x\n', r"column 2 is called 'b\x07', with control characters; rename it"),
    "ragged": (
        b"a,b,y\n1,2\n1,2,x\n1,2,3,x\n",
        "line 2 has 2 cells, line 4 has 4 cells, the header has 3; quote cells",
    ),
    "open quote": (b'a,b,y\n1,2,"x\n1,2,z\n', "cannot be read: unexpected end of data; check the quotes"),
    "stray quote": (b'a,b,y\n1,"2"3,x\n', "line 2 cannot be read: ',' expected after '\"'; check the quotes"),
    "wrong encoding": (
        b"a,b,y\n1,2,caf\xe9\n",
        "is not UTF-8 text (byte 0xe9); save it as UTF-8, or name its encoding",
    ),
    "utf-16": ("a,b,y\n1,2,x\n".encode("utf-16"), "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8"),
    "spreadsheet": (b"PK\x03\x04\x14\xf9", "is a spreadsheet or a zip archive, not text; save the table as CSV"),
    "old spreadsheet": (b"\xd0\xcf\x11\xe0\xa1", "is a spreadsheet, not text; save the table as CSV"),
    "compressed": (gzip.compress(b"a,y\n1,x\n"), "is compressed with gzip; end its name in .gz, or decompress it"),
    "parquet": (b"PAR1\x15\x04\xff", "is a Parquet file; write parquet: instead of csv:"),
    "infinite": (
        b"a,b,y\n1,inf,x\n2,-inf,z\n",
        "column 'b' (2 rows) has 2 values that are infinite, the first in row 1",
    ),
    "too large": (
        b"a,b,y\n1,2,x\n2,1e99,z\n",
        "column 'b' (2 rows) has 1 values that are beyond 1e+30, the first in row 2",
    ),
    "thousands": (
        b'a,b,y\n1,"1,234",x\n2,"5,678",z\n',
        "holds '1,234', which may be 1234 or 1.234",
    ),
    "two currencies": (
        "a,b,y\n1,€ 5,x\n2,$ 6,z\n".encode(),
        "holds '€ 5', a number in a form that",
    ),
    "two-way dates": (
        b"a,b,y\n1,03/04/2024,x\n2,04/05/2024,z\n",
        "holds '03/04/2024' and no date that tells day and month apart; say which is first (data.dates: day first, or",
    ),
    "a few words among numbers": (
        f"a,b,y\n{ROWS}x,1,a\n".encode(),
        "column 'a' (31 rows) holds numbers but for 1 cell: 'x' in row 31",
    ),
    "missing target": (
        f"a,b,y\n{ROWS}1,1,\n".encode(),
        "column 'y' (31 rows) has 1 missing cells, the first in row 31; drop",
    ),
    "single class": (b"a,b,y\n1,2,x\n2,3,x\n", "all 2 targets are x; there is nothing to learn"),
    "rare class": (
        f"a,b,y\n{ROWS}1,1,c\n".encode(),
        "the class c occurs only once; training, validation and test need",
    ),
    "copy of the target": (
        b"a,b,y\n" + b"".join(f"{n},{'ab'[n % 2]},{'ab'[n % 2]}\n".encode() for n in range(30)),
        "column 'b' (30 rows) is the target itself, in every row; leave it out (data.drop in a config)",
    ),
    "nothing to learn from": (
        b"a,b,y\n" + b"".join(f"id{n},,{'ab'[n % 2]}\n".encode() for n in range(30)),
        "no column is left to learn from",
    ),
    "few rows": (b"a,b,y\n1,2,x\n2,3,x\n3,4,z\n4,5,z\n", "x occurs only twice, and so do 1 more classes"),
}


def call(monkeypatch: pytest.MonkeyPatch, *arguments: object) -> int:
    monkeypatch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
    with pytest.raises(SystemExit) as done:
        cli.main()
    return int(done.value.code or 0)


@pytest.mark.parametrize("name", BAD)
def test_bad_tables_are_rejected(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    content, message = BAD[name]
    (tmp_path / "table.csv").write_bytes(content)
    (tmp_path / "mine.yaml").write_text(CONFIG, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "compare", "mine.yaml", "--quiet") == 2
    output = capfd.readouterr()
    assert output.out == ""
    assert message in output.err
    assert "Traceback" not in output.err
    assert output.err.startswith("Error: ")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine.yaml", "table.csv"]


@pytest.mark.parametrize(
    ("name", "data", "message"),
    [
        ("no such file", "csv: nowhere.csv, target: y", "nowhere.csv: there is no such file; relative paths start"),
        ("a folder", "csv: ., target: y", "is a folder, not a file"),
        (
            "no such encoding",
            "csv: table.csv, target: y, encoding: utf-99",
            "there is no encoding 'utf-99'; take utf-8",
        ),
        (
            "no byte order mark",
            "csv: table.csv, target: y, encoding: utf-16",
            "is not utf-16 text (UTF-16 stream does not start with BOM)",
        ),
        ("no gzip", "csv: table.csv.gz, target: y", "table.csv.gz: is damaged: Not a gzipped file"),
        ("no such separator", "csv: table.csv, target: y, separator: x", "data.separator: takes one of"),
        ("parquet without target", "parquet: table.csv", "parquet needs the column to predict"),
        (
            "nothing to drop",
            "csv: table.csv, target: y, drop: [b]",
            "no column 'b' to leave out (data.drop). Available: a, y.",
        ),
        (
            "all is dropped",
            "csv: table.csv, target: y, drop: a",
            "'y' is the only column; at least one input is needed",
        ),
        ("another encoding", "csv: table.csv, target: y, encoding: ascii", "is not ascii text (byte 0xc3)"),
    ],
)
def test_wrong_settings_are_rejected(
    name: str,
    data: str,
    message: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
) -> None:
    for name in ("table.csv", "table.csv.gz"):
        (tmp_path / name).write_text("a,y\n1,é\n", encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(CONFIG.replace("csv: table.csv, target: y", data), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    assert call(monkeypatch, "check", "mine.yaml") == 2
    output = capfd.readouterr()
    assert message in output.err
    assert "Traceback" not in output.err


@pytest.mark.parametrize(
    ("content", "settings"),
    [
        (f"a;b;y\n{ROWS.replace(',', ';')}".encode(), ""),
        (f"a\tb\ty\n{ROWS.replace(',', chr(9))}".encode(), ""),
        (f"a|b|y\n{ROWS.replace(',', '|')}".encode(), ", separator: '|'"),
        (f"a,b,y\n{ROWS.replace('a', 'ü')}".encode("cp1252"), ", encoding: cp1252"),
        (f"a,b,y\n{ROWS}".encode("utf-16"), ", encoding: utf-16"),
        (f"a,b,y\n{ROWS}".encode("utf-8-sig"), ""),
    ],
)
@pytest.mark.usefixtures("tensorflow")
def test_readable_tables_are_accepted(
    content: bytes, settings: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "table.csv").write_bytes(content)
    config = CONFIG.replace("target: y", f"target: y{settings}")
    (tmp_path / "mine.yaml").write_text(config, encoding="utf-8")
    assert call(monkeypatch, "check", tmp_path / "mine.yaml") == 0
    output = capfd.readouterr().out
    assert "30 rows of 2 columns, binary classification into " in output
    assert "warning: " in output  # the column a counts the rows
