"""Files that claim, or unpack to, more than the memory: refused by name, with the limit, before it is taken."""

from __future__ import annotations

import contextlib
import gzip
import io
import os
import struct
import subprocess
import sys
import tracemalloc
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from regzoo.core.errors import InputError
from regzoo.data.sources import (
    csv_file,
    csv_rows,
    files,
    load_csv,
    load_images,
    load_npz,
    npz,
    parquet_memory,
    pixels,
    text_lines,
)
from regzoo.data.sources.csv_scan import scan_csv
from regzoo.data.sources.idx import read_idx

LIMIT = 8_000_000
"""Bytes that are available in these tests."""

SLACK = 12_000_000
"""Bytes that reading may take besides: buffers, and what the error is made of."""


@pytest.fixture(autouse=True)
def limited(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in (csv_file, files, npz, parquet_memory, pixels):
        monkeypatch.setattr(module, "get_available_memory", lambda: LIMIT)
    monkeypatch.setattr(text_lines, "LONGEST_LINE", 2**18)
    monkeypatch.setattr(csv_rows, "LONGEST_CELL", 2**18)


@contextlib.contextmanager
def refused(message: str) -> Iterator[None]:
    """Expect an InputError with ``message``, and that no more was allocated than the limit."""
    tracemalloc.start()
    try:
        with pytest.raises(InputError, match=message):
            yield
        assert tracemalloc.get_traced_memory()[1] < LIMIT + SLACK
    finally:
        tracemalloc.stop()


TAKES = r"bomb\S*: .* at least [\d.]+ MB in memory, and [\d.]+ MB of memory are available; (take|save) fewer rows"

ROWS = b"a,b,y\n" + b"1.5,word,no\n" * 200_000


@pytest.mark.parametrize("name", ["bomb.csv", "bomb.csv.gz", "bomb.CSV.GZ"])
def test_tables_larger_than_the_memory(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(ROWS if name == "bomb.csv" else gzip.compress(ROWS))
    with refused(TAKES):
        load_csv(tmp_path / name, "y")


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a" * 20_000_000, r"line 1 has more than 262,144 characters, which is no row of a table"),
        (b"a,y\n" + b"1," * 10_000_000, r"line 2 has more than 262,144 characters"),
        (b'a,y\n1,"' + b"x\n" * 10_000_000, r"line \d+ cannot be read: field larger than field limit"),
        (b"a,y\n" + b"1\n" * 50_000, r"line 2 has 1 cells.*, and so do 49995 more lines"),
        (b"\n" * 100_000, r"column 1|no columns|has no|is empty"),
    ],
    ids=["one line", "one row", "one cell", "short rows", "no rows"],
)
def test_lines_and_rows_without_an_end(content: bytes, message: str, tmp_path: Path) -> None:
    (tmp_path / "bomb.csv.gz").write_bytes(gzip.compress(content))
    with refused(message):
        load_csv(tmp_path / "bomb.csv.gz", "y")


@pytest.mark.parametrize("content", [b"a" * 3_000_000, b"a,y\n" + b"1," * 1_500_000], ids=["one line", "one row"])
def test_files_are_not_read_whole_before_a_line_without_an_end(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "bomb.csv").write_bytes(content)
    assert scan_csv(tmp_path / "bomb.csv", None, "utf-8", 1e9) is None
    with refused("has more than 262,144 characters, which is no row of a table"):
        load_csv(tmp_path / "bomb.csv", "y")


@pytest.mark.parametrize("encoding", ["utf-8-sig", "latin-1"])
@pytest.mark.parametrize(
    ("module", "word"),
    [("gzip", "gzip"), ("bz2", "bzip2"), ("lzma", "xz"), (None, "zstd")],
    ids=lambda value: str(value),
)
def test_other_compressed_files_are_named(module: str | None, word: str, encoding: str, tmp_path: Path) -> None:
    content = __import__(module).compress(ROWS) if module else b"\x28\xb5\x2f\xfd" + bytes(100)
    (tmp_path / "bomb.csv").write_bytes(content)
    with pytest.raises(InputError, match=f"bomb.csv: is compressed with {word}; "):
        load_csv(tmp_path / "bomb.csv", "y", encoding=encoding)


@pytest.mark.parametrize(
    "encoding", ["a\0b", "x" * 10**6, "hex", "rot13", "undefined", "idna", "utf-16", "utf-32", "\udcff"]
)
def test_unknown_and_wrong_encodings(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,y\nß,1\nü,2\n".encode())
    with pytest.raises(InputError, match=r"a\.csv: ") as raised:
        load_csv(tmp_path / "a.csv", "y", encoding=encoding)
    assert len(str(raised.value)) < 500


@pytest.mark.parametrize("encoding", ["utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be"])
def test_unmarked_encodings_are_read_if_they_are_named(encoding: str, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_bytes("a,y\n1,no\n2,yes\n".encode(encoding))
    assert load_csv(tmp_path / "a.csv", "y", encoding=encoding).x.tolist() == [[1.0], [2.0]]
    with pytest.raises(InputError):
        load_csv(tmp_path / "a.csv", "y")


@pytest.mark.parametrize("place", ["header", "cell", "label"])
def test_halves_of_surrogate_pairs_are_refused(place: str, tmp_path: Path) -> None:
    words = {"header": "a", "cell": "b", "label": "no"} | {place: r"\ud800"}
    rows = f"{words['header']},y\n{words['cell']},{words['label']}\nc,yes\n"
    (tmp_path / "a.csv").write_text(rows, encoding="ascii")
    with pytest.raises(InputError, match=r"a\.csv: line \d holds what is not valid UTF-8 text"):
        load_csv(tmp_path / "a.csv", "y", encoding="unicode_escape")


def make_npy(
    shape: Any, descr: Any = "<f8", content: bytes = b"", version: int = 1, length: int | None = None
) -> bytes:
    """Return an array file that claims ``shape``."""
    header = f"{{'descr': {descr!r}, 'fortran_order': True, 'shape': {shape}}}\n".encode("latin-1")
    size = struct.pack("<H" if version == 1 else "<I", len(header) if length is None else length)
    return b"\x93NUMPY" + bytes([version, 0]) + size + header + content


NPY = {
    "claims more": (
        make_npy((10**12,)),
        r"the array 'x' is damaged: it claims the shape \(10+,\) of float64, and holds 0",
    ),
    "huge product": (make_npy((2**40, 2**40)), "the array 'x' is damaged: it claims the shape"),
    "negative": (make_npy((-1, -5), content=bytes(80)), "the array 'x' is damaged: it claims the shape"),
    "no item size": (make_npy((10**12,), "<U0"), "the array 'x' is damaged: it claims the shape"),
    "objects": (make_npy((2,), "|O", bytes(80)), "the array 'x' holds Python objects, which are not loaded"),
    "fields": (make_npy((2,), [("a", "<f8")], bytes(16)), "holds|takes numbers|is an array with fields"),
    "brackets": (make_npy("(" * 4000), "the array 'x' is damaged"),
    "deep": (make_npy("[" * 90 + "]" * 90), "the array 'x' is damaged"),
    "no shape": (make_npy("None"), "the array 'x' is damaged"),
    "digits": (make_npy("(" + "9" * 5000 + ",)"), "the array 'x' is damaged"),
    "long header": (
        make_npy((1,), version=2, length=2**32 - 1),
        "the array 'x' is damaged: its header has 4,294,967,295",
    ),
    "no array": (b"hello", "the array 'x' is damaged"),
    "empty": (b"", "the array 'x' is damaged"),
    "version": (make_npy((1,), version=9), "the array 'x' is"),
}


@pytest.mark.parametrize("name", list(NPY))
def test_arrays_that_are_not_what_they_claim(name: str, tmp_path: Path) -> None:
    content, message = NPY[name]
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        archive.writestr("x.npy", content)
        archive.writestr("y.npy", make_npy((2,), content=bytes(16)))
    with refused(rf"bomb\.npz: {message}"):
        load_npz(tmp_path / "bomb.npz")


def write_archive(path: Path, compression: int = zipfile.ZIP_DEFLATED, copies: int = 1, rows: int = 2_000_000) -> None:
    with zipfile.ZipFile(path, "w", compression) as archive:
        for number in range(copies):
            with archive.open(f"x{number or ''}.npy", "w", force_zip64=True) as file:
                file.write(make_npy((rows, 1)))
                for _ in range(rows // 1000):
                    file.write(bytes(8000))
        archive.writestr("y.npy", make_npy((rows,), "|u1", bytes(rows)))


def test_an_archive_that_unpacks_to_more_than_the_memory(tmp_path: Path) -> None:
    write_archive(tmp_path / "bomb.npz")
    assert (tmp_path / "bomb.npz").stat().st_size < 100_000
    with refused(TAKES):
        load_npz(tmp_path / "bomb.npz")


@pytest.mark.parametrize("compression", [zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA])
def test_archives_that_only_a_bomb_is_packed_as(compression: int, tmp_path: Path) -> None:
    write_archive(tmp_path / "bomb.npz", compression)
    with refused(r"the array 'x' is compressed in a way that np\.savez does not use"):
        load_npz(tmp_path / "bomb.npz")


def test_archives_of_many_files(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "bomb.npz", "w") as archive:
        for number in range(npz.MOST_ARRAYS + 1):
            archive.writestr(f"{number}.npy", b"")
    with pytest.raises(InputError, match=r"bomb\.npz: holds 10,001 files, and at most 10,000 arrays are read"):
        load_npz(tmp_path / "bomb.npz")


def test_arrays_that_are_not_asked_for_are_not_read(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.npz", "w") as archive:
        archive.writestr("z.npy", make_npy((10**12,)))
        for name in ("x", "y"):
            stream = io.BytesIO()
            np.save(stream, np.arange(6.0).reshape(3, 2).copy(order="F") if name == "x" else np.array([0, 1, 0]))
            archive.writestr(f"{name}.npy", stream.getvalue())
    assert load_npz(tmp_path / "a.npz").x.tolist() == [[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]]


@pytest.mark.parametrize("change", ["encrypted", "unknown compression", "truncated", "flipped"])
def test_damaged_archives(change: str, tmp_path: Path) -> None:
    np.savez_compressed(tmp_path / "a.npz", x=np.arange(6.0).reshape(3, 2), y=np.array([0, 1, 0]))
    content = bytearray((tmp_path / "a.npz").read_bytes())
    for place in (i for i in range(len(content)) if bytes(content[i : i + 4]) in (b"PK\x03\x04", b"PK\x01\x02")):
        shift = 2 if bytes(content[place : place + 4]) == b"PK\x01\x02" else 0
        if change == "encrypted":
            content[place + 6 + shift] |= 1
        if change == "unknown compression":
            content[place + 8 + shift] = 99
    if change == "flipped":
        content[60] ^= 0xFF
    (tmp_path / "a.npz").write_bytes(content[: len(content) // 2] if change == "truncated" else content)
    with pytest.raises(InputError, match=r"a\.npz: .*(is damaged|is no \.npz archive|is compressed in a way)"):
        load_npz(tmp_path / "a.npz")


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("shape", [(2**31, 2**31, 2**31), (1_000_000, 28, 28)])
def test_idx_files_that_claim_too_much(shape: tuple[int, ...], packed: bool, tmp_path: Path) -> None:
    content = b"\0\0\x08\x03" + struct.pack(">3I", *shape)
    path = tmp_path / ("bomb.gz" if packed else "bomb")
    path.write_bytes(gzip.compress(content + bytes(1000)) if packed else content)
    with refused(
        r"bomb.*: [\d,]+ inputs of .* numbers need about .*B to be read .*, and 8\.0 MB of memory are available"
    ):
        read_idx(path, 3)


def test_images_that_claim_too_much(tmp_path: Path) -> None:
    for label in "ab":
        (tmp_path / "pets" / label).mkdir(parents=True)
        Image.new("L", (4000, 3000)).save(tmp_path / "pets" / label / "bomb.png")
    for size in (None, (8, 8)):
        with refused(
            r"bomb\.png: its pixels take at least 0\.1 GB in memory, and 8\.0 MB of memory are available; make"
        ):
            load_images(tmp_path / "pets", size)


def test_a_parquet_file_that_repeats_a_long_word(tmp_path: Path) -> None:
    arrow = pytest.importorskip("pyarrow")
    parquet = pytest.importorskip("pyarrow.parquet")
    from regzoo.data.sources import load_parquet

    words = arrow.array(["x" * 10_000] * 3_000)
    parquet.write_table(arrow.table({"w": words, "y": ["a", "b"] * 1_500}), tmp_path / "bomb.parquet")
    assert (tmp_path / "bomb.parquet").stat().st_size < 100_000
    with pytest.raises(InputError, match=TAKES):
        load_parquet(tmp_path / "bomb.parquet", "y")
    many = arrow.table({"n": arrow.array(np.zeros(1_000_000)), "y": arrow.array(np.zeros(1_000_000))})
    parquet.write_table(many, tmp_path / "bomb.parquet")
    with pytest.raises(InputError, match=TAKES):
        load_parquet(tmp_path / "bomb.parquet", "y")


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["rows", "line", "npz"])
def test_four_gigabytes_in_a_few_megabytes_end_with_a_sentence(kind: str, tmp_path: Path) -> None:
    """With 4 GB of address space, in a process of its own."""
    name = "bomb.npz" if kind == "npz" else "bomb.csv.gz"
    if kind == "npz":
        write_archive(tmp_path / name, rows=536_870_000)
    else:
        piece = (b"word," * 199 + b"y\n" if kind == "rows" else b"x" * 1000) * 1000
        with gzip.open(tmp_path / name, "wb", compresslevel=6) as file:
            file.write(b"".join(b"c%d," % n for n in range(199)) + b"y\n" if kind == "rows" else b"")
            for _ in range(2**32 // len(piece)):
                file.write(piece)
    assert (tmp_path / name).stat().st_size < 21_000_000
    source = f"{{npz: {name}}}" if kind == "npz" else f'{{csv: {name}, target: "y"}}'
    (tmp_path / "mine.yaml").write_text(f"name: mine\ndata: {source}\nbackbone: mlp\nrecipes: [none]\n")
    command = ["bash", "-c", 'ulimit -v 4000000; exec "$0" -m regzoo check mine.yaml', sys.executable]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False, env=os.environ)
    assert done.returncode == 2, done.stderr
    assert ("more than 16,777,216 characters" if kind == "line" else "of memory are available") in done.stderr
    assert "Traceback" not in done.stderr
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([name, "mine.yaml"])
