"""Rows of CSV text: find header and separator; leave out comments, repeated headers and footers, and say so."""

from __future__ import annotations

import contextlib
import csv
import itertools
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_count, format_short_list
from regzoo.data.catalog import SEPARATORS
from regzoo.data.table import WHITESPACE

COMMENTS = ("#", "%", "//")
"""Beginnings of comments."""

LONGEST_CELL = 2**24
"""Characters of the longest cell that is read; the limit of the csv module is 131,072."""

MAX_FOOTERS = 10
"""Lines at the end that may be left out; more of them are a table of their own, or damage."""

SEPARATOR_LINE = re.compile(r'"?sep=(.|\\t)"?[,;|\s]*', re.IGNORECASE)
"""A first line that names the separator, as Excel reads it."""

Notify = Callable[[str], None]
"""Called with a sentence about lines that are left out."""

Numbered = tuple[int, str]
"""A line with its number in the file, from 1."""

_MAX_SHOWN = 5


@dataclass
class LineFeed:
    """Lines from the header on, as `csv.reader` takes them; comments between rows are left out.

    Attributes:
        lines: the lines with their numbers.
        delimiter: separator of the cells.
        comments: numbers of the lines that were left out.
        number: number of the line that was read last.
        width: cells of the header; 0 until it is read.
        between_rows: whether the next line begins a row, and does not go on inside of a quoted cell.
    """

    lines: Iterator[Numbered]
    delimiter: str
    comments: list[int] = field(default_factory=list)
    number: int = 0
    width: int = 0
    between_rows: bool = False

    def __iter__(self) -> Iterator[str]:
        """Yield the lines."""
        for number, line in self.lines:
            self.number = number
            if self.between_rows and line.startswith(COMMENTS) and _count_cells(line, self.delimiter) != self.width:
                self.comments.append(self.number)
                continue
            self.between_rows = False
            yield line


@dataclass
class _RaggedRows:
    """Rows whose length is not that of the header.

    Attributes:
        shown: the first of them in words.
        count: number of all.
        lengths: their different numbers of cells.
        last: those after the last whole row: line, cells, and whether an empty line is between.
    """

    shown: list[str] = field(default_factory=list)
    count: int = 0
    lengths: set[int] = field(default_factory=set)
    last: list[tuple[int, list[str], bool]] = field(default_factory=list)

    def flush(self) -> None:
        """Count the ``last`` ones as wrong."""
        for number, cells, _ in self.last:
            self.count += 1
            self.lengths.add(len(cells))
            self.shown += [f"line {number} has {len(cells)} cells"] * (self.count <= _MAX_SHOWN)
        self.last.clear()


def discard(sentence: str) -> None:
    """Ignore a sentence about lines that are left out."""


def open_feed(lines: Iterable[str], separator: str | None) -> LineFeed:
    """Return the lines from the header on, with the separator of their cells.

    Empty lines, a line ``sep=;``, as Excel reads it, and comments stand above the header. The last comment is the
    header itself if it has as many cells as the line below it, and numbers only begin there.

    Args:
        lines: the lines of the file.
        separator: separator of the cells; by default that of a line ``sep=``, or the one that fits the header.
    """
    numbered = enumerate(lines, start=1)
    above: list[Numbered] = []
    named = first = None
    for number, line in numbered:
        if not line.strip():
            continue
        if not above and named is None and (found := SEPARATOR_LINE.fullmatch(line)):
            named = found[1].replace("\\t", "\t")
        elif line.startswith(COMMENTS):
            above.append((number, line))
        else:
            first = number, line
            break
    delimiter = separator or named or guess_separator((first or (above or [(0, "")])[-1])[1])
    head = [first] if first else []
    if above and (first is None or _is_header(above[-1][1], first[1], delimiter)):
        head.insert(0, above.pop())
    return LineFeed(itertools.chain(head, numbered), delimiter, [number for number, _ in above])


def iterate_rows(feed: LineFeed, place: str, notify: Notify) -> Iterator[list[str]]:
    """Yield the header and then each row, cells stripped of blanks; without empty lines.

    Lines that are left out are comments (they begin as one and have another number of cells than the header), lines
    that repeat the header, rows without any cell at the end, and footers: last lines of another length, which stand
    behind an empty line or have a single cell of words.

    Raises:
        InputError: at the end, with the first rows whose length is not that of the header.
    """
    rows = csv.reader(feed, delimiter=feed.delimiter, skipinitialspace=True, strict=True)
    header = next((strip_cells(row) for row in rows if row), [])
    yield header
    feed.width = width = len(header)
    ragged, repeated, empty, whole, hollow = _RaggedRows(), [], False, False, 0
    feed.between_rows = True
    for row in rows:
        feed.between_rows = True
        cells = strip_cells(row)
        if len(cells) == width:
            if cells == header and width > 1:
                repeated.append(feed.number)
                continue
            if width > 1 and not any(cells):
                hollow += 1
                continue
            for _ in range(hollow):
                yield [""] * width
            if ragged.last:
                ragged.flush()
            empty, whole, hollow = False, True, 0
            yield cells
        elif cells and cells != [""]:
            ragged.last.append((feed.number, cells, empty))
        else:
            empty = True
    footers = whole and len(ragged.last) <= MAX_FOOTERS
    if not footers or not all(apart or _is_footer(cells) for _, cells, apart in ragged.last):
        ragged.flush()
    _raise_ragged(ragged, header, place)
    for sentence in _describe_left_out(feed.comments, repeated, ragged.last):
        notify(f"{place}: {sentence}")
    if hollow:
        notify(f"{place}: {format_count(hollow, 'row')} without any cell at the end {_verb(hollow, 'are')} left out")


@contextlib.contextmanager
def allow_long_cells() -> Iterator[None]:
    """Let the csv module read cells of up to `LONGEST_CELL` characters, inside the block."""
    before = csv.field_size_limit(LONGEST_CELL)
    try:
        yield
    finally:
        csv.field_size_limit(before)


def guess_separator(header: str) -> str:
    """Return the separator that divides the line ``header`` into the most columns.

    >>> guess_separator('"a, b";c;d')
    ';'
    """
    return max(SEPARATORS, key=lambda separator: _count_cells(header, separator))


def _count_cells(line: str, delimiter: str) -> int:
    return len(next(csv.reader([line], delimiter=delimiter, skipinitialspace=True), []))


def strip_cells(row: list[str]) -> list[str]:
    """Return the cells of a row without blanks at their ends."""
    return [cell.strip(WHITESPACE) for cell in row]


def _is_header(comment: str, below: str, delimiter: str) -> bool:
    """Return True if a line that begins as a comment names the columns of the line ``below``, and is no comment."""
    names, cells = (next(csv.reader([line], delimiter=delimiter, skipinitialspace=True)) for line in (comment, below))
    if len(names) != len(cells) or any(map(_is_number, names)):
        return False
    mark = next(mark for mark in COMMENTS if comment.startswith(mark))
    return any(map(_is_number, cells)) or not comment.removeprefix(mark)[:1].isspace()


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _is_footer(cells: Sequence[str]) -> bool:
    """Return True for words that stand alone in their line, such as ``(200 rows)``."""
    filled = [cell for cell in cells if cell]
    return len(filled) == 1 and not _is_number(filled[0])


def _raise_ragged(ragged: _RaggedRows, header: Sequence[str], place: str) -> None:
    if not ragged.count:
        return
    more = f", and so do {ragged.count - _MAX_SHOWN} more lines" if ragged.count > _MAX_SHOWN else ""
    way_out = "quote cells that hold commas"
    if all(cells == len(header) + 1 for cells in ragged.lengths):
        way_out += ", or name all columns, the first as well if it numbers the rows"
    if len(header) == 1:
        way_out = f"if the line {header[0][:40]!r} and others above the names of the columns are no rows, delete them"
    raise InputError(f"{place}: {', '.join(ragged.shown)}, the header has {len(header)}{more}; {way_out}")


def _describe_left_out(
    comments: Sequence[int], repeated: Sequence[int], footers: Sequence[tuple[int, list[str], bool]]
) -> Iterator[str]:
    """Yield a sentence for each kind of lines that were left out."""
    if comments:
        comment = "a comment" if len(comments) == 1 else "comments"
        yield f"{_name_lines(comments)} {_verb(len(comments), 'are')} left out as {comment}"
    if repeated:
        repeat, are = _verb(len(repeated), "repeat"), _verb(len(repeated), "are")
        yield f"{_name_lines(repeated)}, which {repeat} the header, {are} left out"
    if footers:
        shown = format_short_list([repr(" ".join(filter(None, cells))[:40]) for _, cells, _ in footers])
        numbers = [number for number, _, _ in footers]
        yield f"{_name_lines(numbers)} at the end, {shown}, {_verb(len(numbers), 'are')} left out as no row"


def _name_lines(numbers: Sequence[int]) -> str:
    word = "line" if len(numbers) == 1 else f"{len(numbers)} lines:" if len(numbers) > _MAX_SHOWN else "lines"
    return f"{word} {format_short_list([str(number) for number in numbers])}"


def _verb(count: int, verb: str) -> str:
    if count > 1:
        return verb
    return "is" if verb == "are" else f"{verb}s"
