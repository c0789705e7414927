"""Whether a file is a regzoo ledger, from its first bytes alone: it is not opened by SQLite, and nothing is written.

The layout of the header is that of https://www.sqlite.org/fileformat.html.
"""

from __future__ import annotations

import os
import shlex
import stat
from dataclasses import dataclass
from pathlib import Path

from regzoo.core import EnvironmentFailure, InputError

MAGIC = b"SQLite format 3\0"

APPLICATION_ID = 0x72677A6F
"""What ``pragma application_id`` returns for a ledger of format 3 or later: ``rgzo``."""

SIZE = 100
"""Bytes of the header."""

OLD_FORMATS = (1, 2)
"""Formats without an application id; they are known by their tables and columns."""

_OLD_TABLES = (b"CREATE TABLE records", b"CREATE TABLE weights", b"CREATE TABLE notes", b"replicate integer not null")
_KINDS = {
    stat.S_IFDIR: "a folder",
    stat.S_IFLNK: "a symbolic link",
    stat.S_IFIFO: "a named pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class DamagedLedgerError(InputError):
    """A ledger cannot be read in full; the message names the command that salvages the rest."""

    def __init__(self, path: Path, reason: str) -> None:
        super().__init__(
            f"{path} is damaged ({reason}). Nothing was changed. This saves all that is intact to a new folder: "
            f"{_suggest_recovery(path.parent)}"
        )


@dataclass(frozen=True)
class SQLiteHeader:
    """The header of an SQLite file.

    Attributes:
        page_size: bytes of a page.
        versions: write and read version: 1 for a rollback journal, 2 for a write-ahead log.
        format: what ``pragma user_version`` returns.
        application_id: what ``pragma application_id`` returns.
    """

    page_size: int
    versions: tuple[int, int]
    format: int
    application_id: int

    @property
    def uses_wal(self) -> bool:
        """Whether the newest commits may be in a file of their own, the write-ahead log."""
        return self.versions != (1, 1)


def parse_header(content: bytes) -> SQLiteHeader | None:
    """Return the header that ``content`` begins with; None if it is no header of SQLite."""
    if len(content) < SIZE or not content.startswith(MAGIC):
        return None
    size = int.from_bytes(content[16:18], "big")
    return SQLiteHeader(
        page_size=65536 if size == 1 else size,
        versions=(content[18], content[19]),
        format=int.from_bytes(content[60:64], "big"),
        application_id=int.from_bytes(content[68:72], "big"),
    )


def is_ledger(path: Path) -> bool:
    """Return True if ``path`` is a ledger that some version of regzoo wrote; it may still be damaged further on.

    The file is only read, and not opened by SQLite, so this has no side effects; a link is no ledger.
    """
    try:
        read_ledger_header(path)
    except (InputError, EnvironmentFailure):
        return False
    return True


def read_ledger_header(path: Path) -> SQLiteHeader:
    """Return the header of the ledger ``path``.

    Raises:
        InputError: if it is no ledger: another kind of file, or another program's.
        EnvironmentFailure: if it cannot be read.
    """
    require_regular_file(path, "is not a regzoo ledger")
    first_page = _read_first_page(path)
    if not first_page:
        raise InputError(f"{path} is not a regzoo ledger: it is empty. {_WAY_OUT}")
    header = parse_header(first_page)
    if header is None:
        raise InputError(
            f"{path} is not a regzoo ledger, or its beginning is damaged: it does not start as an SQLite file. Nothing "
            f"was changed. {_describe_recovery(path)}"
        )
    if header.application_id == APPLICATION_ID:
        return header
    if header.application_id == 0 and header.format in OLD_FORMATS and all(text in first_page for text in _OLD_TABLES):
        return header
    raise InputError(
        f"{path} is not a regzoo ledger but another SQLite file, or its beginning is damaged. Nothing was changed. "
        f"{_describe_recovery(path)}"
    )


def read_header(path: Path) -> SQLiteHeader | None:
    """Return the header of the SQLite file ``path``; None if it has none.

    Raises:
        InputError: if it is no file.
        EnvironmentFailure: if it cannot be read.
    """
    require_regular_file(path, "is not a regzoo ledger")
    return parse_header(_read_first_page(path))


def require_regular_file(path: Path, otherwise: str) -> None:
    """Raise if ``path`` exists and is a link, a folder, a pipe or the like.

    Raises:
        InputError: which says of ``path`` what ``otherwise`` says.
        EnvironmentFailure: if that cannot be found out.
    """
    try:
        mode = path.lstat().st_mode
    except FileNotFoundError:
        return
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be opened ({error.strerror})") from None
    if not stat.S_ISREG(mode):
        kind = _KINDS.get(stat.S_IFMT(mode), "no file")
        raise InputError(f"{path} {otherwise}: it is {kind}. Nothing was changed. {_WAY_OUT}")


_WAY_OUT = "Move it away, or choose another folder"


def _describe_recovery(path: Path) -> str:
    return (
        f"If it was a ledger, this saves all that is intact to a new folder: {_suggest_recovery(path.parent)}; "
        "otherwise choose another folder"
    )


def _suggest_recovery(folder: Path) -> str:
    """Return the command that saves what is intact."""
    parent, name = (folder.parent, folder.name) if folder.name else (folder / "..", folder.resolve().name)
    return f"regzoo recover {shlex.quote(str(folder))} --to {shlex.quote(f'{parent / name}-recovered')}"


def _read_first_page(path: Path) -> bytes:
    """Return the first page of the file, or what there is of it."""
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            header = os.pread(descriptor, SIZE, 0)
            parsed = parse_header(header)
            return header if parsed is None else os.pread(descriptor, max(parsed.page_size, SIZE), 0)
        finally:
            os.close(descriptor)
    except OSError as error:
        raise EnvironmentFailure(f"{path} cannot be opened ({error.strerror})") from None
