"""Checks that files and folders can be read and that their content fits into memory."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path

from regzoo.core.errors import InputError
from regzoo.core.formatting import format_bytes
from regzoo.system.memory import get_available_memory

MAX_LISTED = 10
"""Problems that a message lists; it counts the rest."""

BYTES_PER_VALUE = 20
"""Peak memory of reading, splitting and standardizing, in bytes for each number of the inputs.

Measured with all of Fashion-MNIST: 16, four times the float32 that a model takes; the rest is for the workers.
"""


def require_file(path: Path) -> None:
    """Raise InputError unless ``path`` is a readable file that is not empty."""
    if path.is_dir():
        raise InputError(f"{path}: is a folder, not a file")
    if path.exists() and not path.is_file():
        raise InputError(f"{path}: is a pipe or a device, not a file")
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
    """Return the entries of ``folder``, sorted by name; InputError unless it is a readable folder."""
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
    r"""Return a path as messages show it, with control characters and the like escaped.

    >>> print(printable_path("cats/a\x1b[31m.png"))
    cats/a\x1b[31m.png
    """
    return str(path) if str(path).isprintable() else repr(str(path))[1:-1]


def raise_problems(problems: Sequence[str], place: Path) -> None:
    """Raise InputError with the first problems, one a line, and the number of all; do nothing if there are none."""
    more = len(problems) - MAX_LISTED
    lines = [
        *problems[:MAX_LISTED],
        *([f"{printable_path(place)}: and {more:,} more; {len(problems):,} problems"] * (more > 0)),
    ]
    if lines:
        raise InputError("\n".join(lines))


def require_memory(rows: int, shape: Sequence[int], place: str, way_out: str) -> None:
    """Raise InputError if ``rows`` inputs of ``shape`` need more memory than is available."""
    needed, available = rows * math.prod(shape) * BYTES_PER_VALUE, get_available_memory()
    if needed > available:
        size = " x ".join(map(str, shape))
        raise InputError(
            f"{place}: {rows:,} inputs of {size} numbers need about {format_bytes(needed)} to be read and "
            f"standardized, and {format_bytes(available)} of memory are available; {way_out}"
        )


def require_bytes(needed: float, available: float, place: str, what: str, way_out: str) -> None:
    """Raise InputError if ``what`` needs more memory than the limit ``available``, both in bytes."""
    if needed > available:
        limit = f"and {format_bytes(available)} of memory are available"
        raise InputError(f"{place}: {what} at least {format_bytes(needed)} in memory, {limit}; {way_out}")
