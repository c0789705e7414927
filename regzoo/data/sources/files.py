"""What every source that is a file or a folder checks first, and how much of it fits into memory."""

from __future__ import annotations

import contextlib
import math
import os
from collections.abc import Sequence
from pathlib import Path

from regzoo.core.errors import InputError

LISTED = 10
"""A message shows so many problems and counts the rest."""

BYTES_PER_VALUE = 20
"""What reading, splitting and standardizing hold at their peak for each number of the inputs.

Measured with all of Fashion-MNIST: 16, four times the float32 that a model takes; the rest is for the workers.
"""

_GB = 1e9


def require_file(path: Path) -> None:
    """Raise InputError unless ``path`` is a file that can be opened and holds something."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if not path.is_file():
        raise InputError(f"{path}: there is no such file; relative paths start at the config's folder")
    try:
        with path.open("rb") as file:
            first = file.read(1)
    except OSError as error:
        raise InputError(f"{path}: cannot be read: {error.strerror}") from None
    if not first:
        raise InputError(f"{path}: the file is empty")


def list_folder(folder: Path) -> list[Path]:
    """Return what ``folder`` holds, sorted by name; InputError unless it is a folder that can be read."""
    if folder.is_file():
        raise InputError(f"{printable_path(folder)}: is a file, not a folder")
    if not folder.is_dir():
        raise InputError(
            f"{printable_path(folder)}: there is no such folder; relative paths start at the config's folder"
        )
    try:
        return sorted(folder.iterdir())
    except OSError as error:
        raise InputError(f"{printable_path(folder)}: cannot be read: {error.strerror}") from None


def printable_path(path: Path | str) -> str:
    r"""Return a path as messages show it: what is not printable, such as a control character, is escaped.

    >>> print(printable_path("cats/a\x1b[31m.png"))
    cats/a\x1b[31m.png
    """
    return str(path) if str(path).isprintable() else repr(str(path))[1:-1]


def raise_problems(problems: Sequence[str], place: Path) -> None:
    """Raise InputError with the first problems, a line each, and the count of all; do nothing if there are none."""
    more = len(problems) - LISTED
    lines = [
        *problems[:LISTED],
        *([f"{printable_path(place)}: and {more:,} more; {len(problems):,} problems"] * (more > 0)),
    ]
    if lines:
        raise InputError("\n".join(lines))


def require_memory(rows: int, shape: Sequence[int], place: str, way_out: str) -> None:
    """Raise InputError if ``rows`` inputs of ``shape`` need more memory than this machine has."""
    needed, installed = rows * math.prod(shape) * BYTES_PER_VALUE, installed_memory()
    if installed is not None and needed > installed:
        size = " x ".join(map(str, shape))
        have = f"about {needed / _GB:,.1f} GB to be read and standardized, and this machine has {installed / _GB:,.1f}"
        raise InputError(f"{place}: {rows:,} inputs of {size} numbers need {have}; {way_out}")


def installed_memory() -> int | None:
    """Bytes of this machine's memory, None where the system does not say."""
    with contextlib.suppress(AttributeError, ValueError, OSError):
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    return None
