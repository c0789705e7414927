"""What every source that is a file checks first."""

from __future__ import annotations

from pathlib import Path

from regzoo.language.errors import InputError


def regular(path: Path) -> None:
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
