"""Find the cells of a plain CSV file in its bytes, without a Python object for each of them.

In a plain file every line has as many cells as the header, and there is nothing to say about any line. All other files,
those with a fault among them, are read by `regzoo.data.sources.csv_rows`.
"""

from __future__ import annotations

import codecs
import csv
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.data.catalog import SEPARATORS
from regzoo.data.sources.cell_numbers import LONGEST, read_numbers
from regzoo.data.sources.cell_texts import read_texts
from regzoo.data.sources.csv_rows import COMMENTS, SEPARATOR_LINE, guess_separator, strip_cells
from regzoo.data.sources.text_lines import is_packed
from regzoo.data.table import WHITESPACE

Array = NDArray[Any]

BLOCK = 2**20
"""Bytes that are searched at a time."""

BYTES_PER_CELL = 32
"""Estimate of the peak memory of a cell besides its letters: its place, a number or a code, and what is made of it."""

ENCODINGS = ("utf-8", "utf-8-sig", "ascii", "iso8859-1", "cp1252")
"""Encodings, by the names of `codecs.lookup`, in which separators, quotes and line breaks are bytes of their own."""

_QUOTE, _LINE, _RETURN, _SPACE = b'"\n\r '
_BLANKS = np.isin(np.arange(256), list(WHITESPACE.encode()))


@dataclass(frozen=True, eq=False)
class CellMatrix:
    """The cells of a plain CSV file.

    Attributes:
        header: the names of the columns, as they stand in the file.
        buffer: the bytes of the file, and a few more.
        starts: (columns, n) position of the first byte of each cell, without quotes and blanks around it.
        lengths: (columns, n) bytes of each cell.
        encoding: encoding of the text.
    """

    header: list[str]
    buffer: Array
    starts: Array
    lengths: Array
    encoding: str

    @property
    def size(self) -> int:
        """Bytes of memory that it takes."""
        return self.buffer.nbytes + self.starts.nbytes + self.lengths.nbytes

    def read_numbers(self, column: int) -> Array | None:
        """Return the numbers of a column, see `regzoo.data.sources.cell_numbers.read_numbers`."""
        return read_numbers(self.buffer, self.starts[column], self.lengths[column])

    def read_texts(self, column: int) -> tuple[Array, int]:
        """Return the texts of a column, (n,) objects, and how many are different."""
        return read_texts(self.buffer, self.starts[column], self.lengths[column], self.encoding)


def scan_csv(path: Path, separator: str | None, encoding: str, available: float) -> CellMatrix | None:
    """Return the cells of the CSV file at ``path``; None if it is not plain, or takes more memory than there is.

    Args:
        path: path of the file, which is not empty.
        separator: separator of the cells; by default the one that fits the header.
        encoding: encoding of the text by its Python name.
        available: bytes of memory that the table may take.
    """
    codec = _find_codec(encoding)
    if codec is None or is_packed(path) or path.stat().st_size > available:
        return None
    buffer, size = _read_bytes(path)
    if not size:
        return None
    begin = 3 if codec == "utf-8-sig" and buffer[:3].tobytes() == codecs.BOM_UTF8 else 0
    found = _read_header(buffer[begin : min(size, begin + BLOCK)].tobytes(), separator, codec)
    if found is None:
        return None
    header, delimiter, length = found
    ends = _find_ends(buffer, begin + length, size, delimiter, len(header), codec, available)
    if ends is None:
        return None
    matrix = _trim(buffer, ends, begin + length)
    if matrix is None or _holds_header(buffer, matrix, header, codec.removesuffix("-sig")):
        return None
    return CellMatrix(header, buffer, *matrix, codec.removesuffix("-sig"))


def _find_codec(encoding: str) -> str | None:
    """Return the name of a codec of `ENCODINGS`, None for another."""
    try:
        name = codecs.lookup(encoding).name
    except (LookupError, ValueError):
        return None
    return name if name in ENCODINGS else None


def _read_bytes(path: Path) -> tuple[Array, int]:
    """Return the bytes of the file, with a line break at the end and then zeros, and how many they are.

    Empty lines at the end are left out. There are no bytes if a line has no end within a block.
    """
    buffer, size = np.zeros(path.stat().st_size + LONGEST + 2, np.uint8), 0
    view = memoryview(buffer)[: -LONGEST - 2]  # type: ignore[arg-type]  # an array is a buffer from Python 3.12 on
    with path.open("rb") as file:
        while count := file.readinto(view[size : size + BLOCK]):
            if count == BLOCK and not (buffer[size : size + count] == _LINE).any():
                return buffer, 0
            size += count
    while size and buffer[size - 1] in (_LINE, _RETURN):
        size -= 1
    buffer[size:] = 0
    buffer[size] = _LINE
    return buffer, size + 1


def _read_header(head: bytes, separator: str | None, codec: str) -> tuple[list[str], str, int] | None:
    """Return the cells of the first line, their separator and the bytes of the line; None if it is no plain header."""
    length = head.find(b"\n") + 1
    try:
        line = head[:length].decode(codec)
        delimiter = separator or guess_separator(line)
        if not line.strip() or line.startswith(COMMENTS) or SEPARATOR_LINE.fullmatch(line) or "\r" in line[:-2]:
            return None
        cells = next(csv.reader([line], delimiter=delimiter, skipinitialspace=True, strict=True), [])
    except (ValueError, csv.Error):
        return None
    plain = delimiter in SEPARATORS and len(cells) > 1 and "\0" not in line and line.count('"') % 2 == 0
    return (strip_cells(cells), delimiter, length) if plain else None


def _find_ends(
    buffer: Array, begin: int, size: int, delimiter: str, width: int, codec: str, available: float
) -> Array | None:
    """Return the position of the separator or line break behind each cell, (n, width); None if lines are not plain."""
    decoder = codecs.getincrementaldecoder(codec.removesuffix("-sig"))("strict")
    found, lines, inside, returns, undecided = [], 0, 0, 0, False
    dtype = np.uint32 if size < 2**32 else np.int64
    for start in range(begin, size, BLOCK):
        block = buffer[start : min(size, start + BLOCK)]
        if not block.min():
            return None
        if undecided or block.max() > 127:
            try:
                decoder.decode(block.tobytes())
            except UnicodeDecodeError:
                return None
            undecided = bool(decoder.getstate()[0])
        marks = np.flatnonzero((block == _LINE) | (block == ord(delimiter)) | (block == _QUOTE))
        kinds = block[marks]
        quotes = kinds == _QUOTE
        quoted = (np.cumsum(quotes) + inside) % 2 == 1
        breaks = kinds == _LINE
        if not breaks.any() or (breaks & quoted).any():
            return None
        inside = int(quoted[-1])
        lines += int(np.count_nonzero(breaks))
        returns += int(np.count_nonzero(block == _RETURN))
        found.append((marks[~quotes & ~quoted] + start).astype(dtype))
        if BYTES_PER_CELL * width * lines > available:
            return None
    return _arrange(buffer, found, lines, width, returns) if not inside and not undecided else None


def _arrange(buffer: Array, found: list[Array], lines: int, width: int, returns: int) -> Array | None:
    """Return the ends of cells (lines, width); None if a line has another number of cells, or a stray return."""
    ends = np.concatenate(found or [np.zeros(0, np.uint32)])
    if not lines or len(ends) != lines * width:
        return None
    ends = ends.reshape(lines, width)
    last = ends[:, -1].astype(np.int64)
    whole = (buffer[last] == _LINE).all() and np.count_nonzero(buffer[last - 1] == _RETURN) == returns
    return ends if whole else None


def _trim(buffer: Array, ends: Array, begin: int) -> tuple[Array, Array] | None:
    """Return starts and lengths of the cells (width, n), without quotes and blanks; None if a line has no letters.

    Quotes stand around whole cells alone, or the file is not plain.
    """
    rows, width = ends.shape
    starts, lengths = np.empty((width, rows), ends.dtype), np.empty((width, rows), ends.dtype)
    letters, quotes = np.zeros(rows, np.int64), 0
    for column in range(width):
        after = ends[:, column].astype(np.int64)
        if column:
            first = ends[:, column - 1].astype(np.int64) + 1
        else:
            first = np.concatenate([[begin], ends[:-1, -1].astype(np.int64) + 1])
        if column == width - 1:
            after -= (buffer[after - 1] == _RETURN) & (after > first)
        _skip(buffer, first, after, np.arange(256) == _SPACE)
        quoted = (buffer[first] == _QUOTE) & (after > first)
        if quoted.any():
            if not ((buffer[after - 1] == _QUOTE) & (after - first > 1))[quoted].all():
                return None
            first, after = first + quoted, after - quoted
            quotes += 2 * int(np.count_nonzero(quoted))
        _skip(buffer, first, after, _BLANKS)
        _skip_back(buffer, first, after)
        starts[column], lengths[column] = first, after - first
        letters += after - first
    all_quotes = sum(int(np.count_nonzero(block == _QUOTE)) for block in _iterate_blocks(buffer[begin:]))
    return (starts, lengths) if all_quotes == quotes and letters.all() else None


def _iterate_blocks(buffer: Array) -> Iterator[Array]:
    return (buffer[start : start + BLOCK] for start in range(0, len(buffer), BLOCK))


def _skip(buffer: Array, first: Array, after: Array, blanks: Array) -> None:
    """Move ``first`` (n,) behind leading ``blanks`` (256,)."""
    while (skipped := blanks[buffer[first]] & (first < after)).any():
        first += skipped


def _skip_back(buffer: Array, first: Array, after: Array) -> None:
    """Move ``after`` (n,) before blanks at the end."""
    while (skipped := _BLANKS[buffer[after - 1]] & (first < after)).any():
        after -= skipped


def _holds_header(buffer: Array, matrix: tuple[Array, Array], header: list[str], codec: str) -> bool:
    """Return True if a line repeats the header."""
    starts, lengths = matrix
    rows = np.arange(starts.shape[1])
    for column, name in enumerate(header):
        cell = np.frombuffer(name.encode(codec), np.uint8)
        rows = rows[lengths[column][rows] == len(cell)]
        for position, byte in enumerate(cell):
            rows = rows[buffer[starts[column][rows].astype(np.int64) + position] == byte]
    return bool(len(rows))
