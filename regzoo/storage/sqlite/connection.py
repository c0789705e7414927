"""Connections to an SQLite file, and its errors as sentences."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

from regzoo.core import EnvironmentFailure
from regzoo.storage.sqlite.header import DamagedLedgerError

TIMEOUT = 30.0
"""Seconds to wait for another process's commit."""

_ENVIRONMENT = (
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_NOMEM,
    sqlite3.SQLITE_PERM,
    sqlite3.SQLITE_READONLY,
)
"""Errors for which the content of the file is not to blame."""


def connect(path: Path, mode: Literal["ro", "rw"]) -> sqlite3.Connection:
    """Open a file that exists; transactions are begun and ended by hand."""
    try:
        uri = f"{path.absolute().as_uri()}?mode={mode}"
        return sqlite3.connect(uri, uri=True, timeout=TIMEOUT, isolation_level=None)
    except sqlite3.Error as error:
        raise EnvironmentFailure(f"{path} cannot be opened ({error})") from None


def get_auxiliary_path(path: Path, suffix: Literal["-journal", "-wal"]) -> Path:
    """Return the path of the journal, or of the write-ahead log, of an SQLite file."""
    return path.with_name(path.name + suffix)


def is_unfinished(error: sqlite3.Error) -> bool:
    """Return True if a killed process left a commit unfinished that only a writer may undo."""
    return getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_READONLY_ROLLBACK


@contextlib.contextmanager
def explain_reading(path: Path) -> Iterator[None]:
    """Raise an `InputError` or an `EnvironmentFailure` for an error of SQLite in the block, which reads."""
    try:
        yield
    except UnicodeDecodeError as error:
        raise DamagedLedgerError(path, f"text in it is not UTF-8: {error}") from None
    except sqlite3.Error as error:
        raise _explain(path, error) from None


@contextlib.contextmanager
def explain_writing(path: Path) -> Iterator[None]:
    """Raise an `InputError` or an `EnvironmentFailure` for an error of SQLite in the block, which writes.

    That a row exists already is a defect of regzoo and raised as it is.
    """
    try:
        yield
    except sqlite3.IntegrityError:
        raise
    except sqlite3.Error as error:
        explained = _explain(path, error)
        if not isinstance(explained, EnvironmentFailure):
            raise explained from None
        raise EnvironmentFailure(
            f"{path} cannot be written ({error}): is the disk full? Nothing that was finished before is "
            "lost: make room and run the same command again"
        ) from None


def _explain(path: Path, error: sqlite3.Error) -> Exception:
    if isinstance(error, sqlite3.ProgrammingError):  # a defect of regzoo
        return error
    if is_unfinished(error):
        return EnvironmentFailure(f"the process that was writing {path} has just ended: run this again")
    code = getattr(error, "sqlite_errorcode", sqlite3.SQLITE_CORRUPT)
    if code != sqlite3.SQLITE_IOERR_SHORT_READ and code & 0xFF in _ENVIRONMENT:
        return EnvironmentFailure(f"{path} cannot be opened ({error})")
    return DamagedLedgerError(path, str(error))
