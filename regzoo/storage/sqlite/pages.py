"""Every row that can be found in the pages of an SQLite file, whatever has become of the rest of the file.

Tables and indices of SQLite are trees, and one damaged page hides all that is below it. Here every page is looked at by
itself, so that a row is lost only if its own pages are. What is found may be an older state of a row, and nothing says
which table it belongs to. The layout is that of https://www.sqlite.org/fileformat.html.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from regzoo.storage.sqlite.header import MAGIC, SIZE, parse_header

LEAF = 0x0D
"""First byte of a page that holds rows."""

DEFAULT_PAGE_SIZE = 4096

_INTEGER_SIZES = {1: 1, 2: 2, 3: 3, 4: 4, 5: 6, 6: 8}

FoundValue = str | int | float | bytes | None


@dataclass(frozen=True)
class FoundRow:
    """One row.

    Attributes:
        number: its row number; a later row of a table has a larger one.
        values: its columns; None for a column that stands for the row number.
    """

    number: int
    values: tuple[FoundValue, ...]


def scan_rows(path: Path) -> Iterator[FoundRow]:
    """Yield every row that the file ``path`` still holds."""
    content = path.read_bytes()
    header = parse_header(content)
    size = DEFAULT_PAGE_SIZE if header is None else header.page_size
    if size < 512 or size & (size - 1):
        size = DEFAULT_PAGE_SIZE
    pages = _Pages(content, size)
    for number in range(pages.count):
        yield from pages.scan(number)


class _Pages:
    def __init__(self, content: bytes, size: int) -> None:
        self.content = content
        self.size = size
        self.count = -(-len(content) // size)

    def scan(self, number: int) -> Iterator[FoundRow]:
        """Yield the rows of page ``number``, from 0."""
        page = self.content[number * self.size : (number + 1) * self.size]
        start = SIZE if page.startswith(MAGIC) else 0
        if len(page) < start + 8 or page[start] != LEAF:
            return
        cells = int.from_bytes(page[start + 3 : start + 5], "big")
        for place in range(start + 8, min(start + 8 + 2 * cells, len(page) - 1), 2):
            row = self._read_cell(page, int.from_bytes(page[place : place + 2], "big"))
            if row is not None:
                yield row

    def _read_cell(self, page: bytes, place: int) -> FoundRow | None:
        try:
            length, place = _read_varint(page, place)
            number, place = _read_varint(page, place)
            payload = self._read_payload(page, place, length)
            return None if payload is None else FoundRow(number, _read_values(payload))
        except (IndexError, KeyError, UnicodeDecodeError, struct.error):
            return None

    def _read_payload(self, page: bytes, place: int, length: int) -> bytes | None:
        """Return what a cell holds, with what does not fit into its page; None if some of it is missing."""
        largest, smallest = self.size - 35, (self.size - 12) * 32 // 255 - 23
        if length <= largest:
            return _take(page, place, length)
        local = smallest + (length - smallest) % (self.size - 4)
        local = local if local <= largest else smallest
        head, after = _take(page, place, local), _take(page, place + local, 4)
        if head is None or after is None or length > len(self.content):
            return None
        parts, following, missing = [head], int.from_bytes(after, "big"), length - local
        while missing > 0:
            start = (following - 1) * self.size
            part = _take(self.content, start + 4, min(missing, self.size - 4)) if following > 0 else None
            if part is None:
                return None
            following = int.from_bytes(self.content[start : start + 4], "big")
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)


def _take(content: bytes, start: int, length: int) -> bytes | None:
    return content[start : start + length] if 0 <= start <= len(content) - length else None


def _read_varint(content: bytes, place: int) -> tuple[int, int]:
    """Return the number at ``place``, and the place after it."""
    value = 0
    for index in range(8):
        byte = content[place + index]
        value = value << 7 | byte & 0x7F
        if byte < 0x80:
            return value, place + index + 1
    return value << 8 | content[place + 8], place + 9


def _read_values(payload: bytes) -> tuple[FoundValue, ...]:
    """Return the columns of a row.

    Raises:
        IndexError, KeyError, UnicodeDecodeError, struct.error: if it is none.
    """
    size, place = _read_varint(payload, 0)
    kinds = []
    while place < size:
        kind, place = _read_varint(payload, place)
        kinds.append(kind)
    values: list[FoundValue] = []
    for kind in kinds:
        value, length = _read_value(payload, place, kind)
        values.append(value)
        place += length
    if place != len(payload):
        raise IndexError(place)
    return tuple(values)


def _read_value(payload: bytes, place: int, kind: int) -> tuple[FoundValue, int]:
    """Return a value of serial type ``kind``, and its length."""
    if kind in (0, 8, 9):
        return None if kind == 0 else kind - 8, 0
    if kind == 7:
        return struct.unpack_from(">d", payload, place)[0], 8
    length = (kind - 12) // 2 if kind >= 12 else _INTEGER_SIZES[kind]
    body = _take(payload, place, length)
    if body is None:
        raise IndexError(place)
    if kind < 12:
        return int.from_bytes(body, "big", signed=True), length
    return (body if kind % 2 == 0 else body.decode()), length
