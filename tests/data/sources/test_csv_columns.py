"""Plain CSV files, read column by column, give what the reader of rows gives: same tables, same errors."""

import codecs
from pathlib import Path

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset
from regzoo.data.input_form import InputForm
from regzoo.data.reading.reading import ReadingKeys
from regzoo.data.sources import csv_file
from regzoo.data.sources.csv_scan import scan_csv
from regzoo.data.table import Table

NUMBERS = ("0", "-1", "+2", "3.", ".5", "-0", "-0.0", "00", "1e5", "1E-07", "4e-320", "0.1", "123456.789", "1e29")
LONG = ("0.30000000000000004", "5e-324", "9007199254740993", "9007199254740992.5", "12345678901234567890", "1e31")
MISSING = ("", "NA", "nan", "-", ".", " ", "?")
WORDS = ("red", "blue", "Zürich", "x" * 70, "true", "False", "1,5", "3 %", "€ 4", "007", "012", "inf", "1_0")
DATES = ("2024-01-31", "31.1.2024", "2024-02-30", "2024-01-31T17:05:00", "03/04/2024", "2024-01-31T17:05:00Z")
ODD = ("#", "# note", "a0", '"', 'in"side', '""', "two\nlines", "a\rb", "\t", "%", "sep=;", "\0", "//", "\u00a07", "٣")
LABELS = ("yes", "no", "")
POOLS = (NUMBERS, NUMBERS + MISSING, NUMBERS[:6], NUMBERS + LONG[:4], LONG, WORDS, LABELS[:2], LABELS, DATES)


def make_file(random: np.random.Generator, path: Path) -> dict[str, object]:
    """Write a file whose columns hold cells of some pools, at times odd ones, and return how it is to be read."""
    width, rows = int(random.integers(2, 6)), int(random.integers(1, 40))
    separator = str(random.choice([",", ";", "\t"]))
    pools = [POOLS[random.integers(len(POOLS))] for _ in range(width - 1)]
    cells = [[str(random.choice(pool)) for pool in pools] + [str(random.choice(["u", "v"]))] for _ in range(rows)]
    for _ in range(int(random.choice([0, 0, 0, 1, 2]))):
        cells[random.integers(rows)][random.integers(width)] = str(random.choice(ODD))
    if random.random() < 0.2:  # numbers written with as many digits as they have
        for row in cells:
            row[0] = repr(float(random.normal() * 10.0 ** random.integers(-9, 9)))
    header = [str(name) for name in random.choice(["a", "b", "c", "NA", "Unnamed: 0", "", "7"], width - 1)] + ["y"]
    if random.random() < 0.6:
        header = [f"a{number}" for number in range(width - 1)] + ["y"]
    lines = [separator.join(_write(cell, separator, random) for cell in row) for row in [header, *cells]]
    for odd in ("", "# note", header[0], separator * (width - 1), lines[0], "end of file", " "):
        if random.random() < 0.03:
            lines.insert(int(random.integers(len(lines) + 1)), odd)
    line_break = str(random.choice(["\n", "\r\n"]))
    text = line_break.join(lines) + line_break * int(random.integers(0, 3))
    encoding = str(random.choice(["utf-8-sig", "utf-8", "latin-1"]))
    mark = codecs.BOM_UTF8 if random.random() < 0.3 else b""
    path.write_bytes(mark + text.encode("utf-8" if random.random() < 0.9 else "utf-16"))
    keys = [ReadingKeys(), ReadingKeys(), ReadingKeys(missing=("-1", "red")), ReadingKeys(decimal=",")]
    return {"encoding": encoding, "form": InputForm(keys=keys[random.integers(len(keys))])}


def _write(cell: str, separator: str, random: np.random.Generator) -> str:
    """Return a cell as it stands in a file: mostly quoted where it must be."""
    if random.random() < 0.98 and (separator in cell or '"' in cell or "\n" in cell):
        return '"' + cell.replace('"', '""') + '"'
    blanks = " " * int(random.choice([0, 0, 0, 1]))
    return f'{blanks}"{cell}"' if random.random() < 0.05 else f"{blanks}{cell}{blanks}"


def describe(data: Dataset) -> list[object]:
    """Return all that a data set holds, its numbers by their bits."""
    arrays = list(data.x.values) if isinstance(data.x, Table) else [np.asarray(data.x)]
    bits = [values.tolist() if values.dtype == object else (values.dtype, values.tobytes()) for values in arrays]
    kinds = data.x.kinds if isinstance(data.x, Table) else None
    y = None if data.y is None else data.y.tolist()
    return [data.columns, kinds, bits, y, data.notes, data.warnings, dict(data.readings), data.digest]


def read(files: list[Path], **keys: object) -> object:
    """Return all that the files hold, or what is wrong with them."""
    parts = dict(zip(("validation", "test"), files[1:], strict=False))
    try:
        return describe(csv_file.load_csv(files[0], "y", parts=parts, **keys))  # type: ignore[arg-type]
    except InputError as error:
        return str(error)


@pytest.mark.parametrize("seed", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_every_file_is_read_as_by_the_reader_of_rows(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Most are plain, some have a fault or an oddity, some have two parts; `csv_file.read_csv` is the reference."""
    random, plain, count = np.random.default_rng(seed), 0, 25 if seed == 0 else 500
    for number in range(count):
        files = [tmp_path / name for name in (["t.csv", "v.csv"] if random.random() < 0.1 else ["t.csv"])]
        keys = [make_file(random, path) for path in files][-1]
        plain += scan_csv(files[0], None, str(keys["encoding"]), 1e9) is not None
        found = read(files, **keys)
        with monkeypatch.context() as patch:
            patch.setattr(csv_file, "scan_csv", lambda *_: None)
            expected = read(files, **keys)
        assert found == expected, (number, files[0].read_bytes(), keys)
    assert plain > 0.4 * count
