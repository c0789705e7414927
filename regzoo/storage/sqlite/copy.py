"""Copies of an SQLite file together with the unfinished commit next to it, taken without opening it by SQLite."""

from __future__ import annotations

import shutil
from pathlib import Path

from regzoo.core import EnvironmentFailure

ATTEMPTS = 5


def copy_store(path: Path, folder: Path, with_wal: bool = False) -> Path:
    """Copy ``path`` and its journal, if there is one, to ``folder``; return the path of the copy.

    Args:
        path: the SQLite file.
        folder: where to copy it.
        with_wal: also copy the write-ahead log.

    Raises:
        EnvironmentFailure: if another process keeps changing the files, or they cannot be read.
    """
    suffixes = ("-journal", "-wal", "") if with_wal else ("-journal", "")
    sources = [path.with_name(path.name + suffix) for suffix in suffixes]
    try:
        for _ in range(ATTEMPTS):
            before = [_identify(source) for source in sources]
            for source in sources:
                target = folder / source.name
                target.unlink(missing_ok=True)
                if source.exists():
                    shutil.copyfile(source, target)
            if before == [_identify(source) for source in sources]:
                return folder / path.name
    except FileNotFoundError:
        pass
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be copied to {folder} ({error.strerror})") from None
    raise EnvironmentFailure(f"{path} is being written by another process: run this again in a moment")


def _identify(path: Path) -> tuple[int, int, int] | None:
    """Return what changes when a file is written or replaced; None if it is missing."""
    try:
        status = path.stat()
    except FileNotFoundError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
