"""Lines of a text file that may be damaged or hostile: packed, endless, without line breaks, not in its encoding."""

from __future__ import annotations

import contextlib
import gzip
from collections.abc import Iterator
from pathlib import Path
from typing import IO

from regzoo.core.errors import InputError

LONGEST_LINE = 2**24
"""Characters of the longest line that is read: a million columns of 16 characters."""


def is_packed(path: Path) -> bool:
    """Return True if the file is unpacked while it is read: its name ends in ``.gz``."""
    return path.suffix.lower() == ".gz"


@contextlib.contextmanager
def open_text(path: Path, encoding: str) -> Iterator[IO[str]]:
    """Open the file at ``path`` as text; it is unpacked if its name ends in ``.gz``."""
    if is_packed(path):
        with gzip.open(path, "rt", encoding=encoding, newline="") as file:
            yield file
    else:
        with path.open(encoding=encoding, newline="") as file:
            yield file


def iterate_lines(file: IO[str], path: Path) -> Iterator[str]:
    """Yield the lines of ``file``; never more than `LONGEST_LINE` characters are in memory.

    Raises:
        InputError: if a line is longer, or holds half of a surrogate pair, which some encodings produce.
    """
    number = 0
    while line := file.readline(LONGEST_LINE + 1):
        number += 1
        if len(line) > LONGEST_LINE:
            what = f"line {number} has more than {LONGEST_LINE:,} characters"
            raise InputError(f"{path}: {what}, which is no row of a table; end each row with a line break")
        if not line.isascii() and line.encode("utf-8", "replace").decode() != line:
            raise InputError(f"{path}: line {number} holds what is not valid UTF-8 text; save the file as UTF-8")
        yield line
