"""A comparison's own folder: one process at a time writes to it, and no folder with other contents is used."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import filelock

from regzoo.core import InputError
from regzoo.core.errors import BusyError
from regzoo.storage.ledger import FILE as LEDGER

CONFIG = "config.yaml"
"""Name of the resolved config in a comparison's folder."""

LOCK = ".lock"


@contextlib.contextmanager
def lock_folder(folder: Path) -> Iterator[None]:
    """Create ``folder`` if it is missing, and keep other processes from writing to it while the block runs.

    Raises:
        InputError: if it is a file, or holds something other than a comparison.
        BusyError: if another process holds the lock; the message names the process.
    """
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{folder} is a file; choose another folder with --out")
    foreign = _find_foreign_file(folder)
    if foreign:
        raise InputError(
            f"{folder} holds {foreign!r} and no comparison ({LEDGER} is missing): nothing is written there; "
            "choose another folder with --out"
        )
    folder.mkdir(parents=True, exist_ok=True)
    lock = filelock.FileLock(folder / LOCK)
    try:
        lock.acquire(timeout=0)
    except filelock.Timeout:
        message = f"{folder} is in use by {_describe_holder(folder)}; wait for it, or choose another folder"
        raise BusyError(message) from None
    try:
        (folder / LOCK).write_text(f"{os.getpid()}\n")
        yield
    finally:
        (folder / LOCK).write_text("")
        lock.release()


def require_unlocked(folder: Path) -> None:
    """Raise if another process writes to ``folder``; `lock_folder` must still be called.

    Raises:
        BusyError: if another process holds the lock; the message names the process.
    """
    if (folder / LOCK).is_file():
        with lock_folder(folder):
            pass


def archive_existing(folder: Path) -> Path | None:
    """Rename the comparison in ``folder`` to the first free of ``folder.1``, ``folder.2``, ...

    Returns:
        The new path; None if ``folder`` holds no comparison.

    Raises:
        BusyError: if another process is writing to it.
    """
    if not (folder / LEDGER).is_file():
        return None
    require_unlocked(folder)
    number = 1
    while (archive := folder.with_name(f"{folder.name}.{number}")).exists():
        number += 1
    folder.rename(archive)
    return archive


def _find_foreign_file(folder: Path) -> str | None:
    """Return the name of a file that makes ``folder`` unusable; None if it is empty or holds a comparison."""
    if not folder.is_dir() or (folder / LEDGER).is_file():
        return None
    names = sorted(entry.name for entry in folder.iterdir() if entry.name not in (LOCK, CONFIG))
    return names[0] if names else None


def _describe_holder(folder: Path) -> str:
    process = (folder / LOCK).read_text().strip()
    return f"process {process}" if process else "another process"
