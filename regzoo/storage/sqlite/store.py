"""`Store`: rows in one SQLite file. Reading writes nothing; the first write opens the file for writing.

A reader does not even undo a commit that a killed process left unfinished: that is done in a copy. A writer checks all
that the file holds before it changes anything, and upgrades an older format.
"""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.sqlite.checksums import TableChecksum, Value
from regzoo.storage.sqlite.connection import (
    connect,
    explain_reading,
    explain_writing,
    get_auxiliary_path,
    is_unfinished,
)
from regzoo.storage.sqlite.copy import copy_store
from regzoo.storage.sqlite.formats import (
    FIRST_WITH_CHECKSUMS,
    TABLES,
    VERSION,
    TableSchema,
    list_statements,
    list_tables,
    normalize,
)
from regzoo.storage.sqlite.header import (
    APPLICATION_ID,
    DamagedLedgerError,
    SQLiteHeader,
    read_ledger_header,
    require_regular_file,
)
from regzoo.storage.sqlite.rows import CheckedRows
from regzoo.system.temporary_folder import TemporaryFolder, temporary_sibling


class Store:
    """The rows of one ledger.

    Args:
        path: the file.
        create: open it for writing; create it if there is none.

    Raises:
        DamagedLedgerError: if it cannot be read in full; also from every method.
        InputError: if it is something else, or a newer version of regzoo wrote it.
        EnvironmentFailure: if it cannot be opened; from every method that writes, if the disk is full.
    """

    def __init__(self, path: Path, create: bool = False) -> None:
        self._path = path
        self._open = contextlib.ExitStack()
        self._writable = False
        if create and not path.exists() and not path.is_symlink():
            create_store(path)
        self.rows = self._open_for_writing() if create else self._open_for_reading()

    @property
    def identity(self) -> tuple[int, int]:
        """Device and number of the file that is open, whatever has its name by now."""
        return self._identity

    def close(self) -> None:
        """Close the file."""
        self._open.close()

    def require_identity(self, identity: tuple[int, int]) -> None:
        """Close the file again, and raise an EnvironmentFailure, unless it is the one of this ``identity``."""
        if self.identity != identity:
            self.close()
            raise EnvironmentFailure(f"{self._path} was replaced by another file meanwhile; nothing was written to it")

    def read_all(self, table: TableSchema) -> list[tuple[Any, ...]]:
        """Return `TableSchema.columns` of every row, in the order in which they were added."""
        with self._reading():
            return list(self.rows.read(table))

    def find(self, table: TableSchema, column: str, value: Value) -> tuple[Any, ...] | None:
        """Return `TableSchema.columns` of the row whose ``column`` is ``value``; None if there is none."""
        with self._reading():
            return self.rows.find(table, column, value)

    def list_values(self, table: TableSchema, column: str) -> list[Any]:
        """Return one column of the head of every row."""
        with self._reading():
            return self.rows.list_values(table, column)

    @contextlib.contextmanager
    def commit(self) -> Iterator[CheckedRows]:
        """Write all that the block writes to the rows, or nothing if it fails."""
        with explain_writing(self._path):
            if not self._writable:
                before = self.identity
                self.close()
                self.rows = self._open_for_writing()
                self.require_identity(before)
            with _transaction(self.rows.connection):
                yield self.rows

    def shrink(self) -> None:
        """Return the space of deleted rows to the file system; after a commit."""
        with explain_writing(self._path):
            self.rows.connection.execute("vacuum")

    @contextlib.contextmanager
    def _reading(self) -> Iterator[None]:
        """Read one state of the file in the block, although another process may be writing."""
        connection = self.rows.connection
        with explain_reading(self._path):
            connection.execute("begin")
            try:
                yield
            finally:
                with contextlib.suppress(sqlite3.Error):
                    connection.execute("rollback")

    def _read_header(self) -> SQLiteHeader:
        header = _read_header(self._path)
        with explain_reading(self._path):
            status = self._path.stat()
        self._identity = status.st_dev, status.st_ino
        return header

    def _open_for_reading(self) -> CheckedRows:
        header = self._read_header()
        if not header.uses_wal and not get_auxiliary_path(self._path, "-wal").exists():
            with contextlib.ExitStack() as opened, explain_reading(self._path):
                connection = connect(self._path, "ro")
                opened.callback(connection.close)
                rows = _require_format(self._path, connection, header)
                if rows is not None:
                    self._open = opened.pop_all()
                    return rows
        return self._open_copy(header)

    def _open_copy(self, header: SQLiteHeader) -> CheckedRows:
        """Open a copy, in which an unfinished commit is undone."""
        with contextlib.ExitStack() as opened, explain_reading(self._path):
            folder = TemporaryFolder()
            opened.callback(folder.remove)
            connection = connect(copy_store(self._path, folder.path, with_wal=header.uses_wal), "rw")
            opened.callback(connection.close)
            rows = _require_format(self._path, connection, header)
            if rows is None:
                raise DamagedLedgerError(self._path, "a commit was left unfinished and cannot be undone")
            self._open = opened.pop_all()
        return rows

    def _open_for_writing(self) -> CheckedRows:
        header = self._read_header()
        wal = get_auxiliary_path(self._path, "-wal")
        if wal.exists() and not header.uses_wal:
            raise InputError(f"{wal} was not written by regzoo and would change {self._path}: move it away")
        if header.uses_wal or get_auxiliary_path(self._path, "-journal").exists():  # first see in a copy what it does
            with explain_reading(self._path):
                self._open_copy(header).check()
            self.close()
        with contextlib.ExitStack() as opened:
            connection = connect(self._path, "rw")
            opened.callback(connection.close)
            with explain_reading(self._path):
                rows = _require_format(self._path, connection, header)
                if rows is None:
                    raise DamagedLedgerError(self._path, "a commit was left unfinished and cannot be undone")
                rows.check()
            with explain_writing(self._path):
                if header.uses_wal:
                    connection.execute("pragma journal_mode = delete")
                if rows.version < VERSION:
                    rows = _upgrade(rows)
            self._open, self._writable = opened.pop_all(), True
        return rows


def undo_unfinished(path: Path) -> None:
    """Undo what a killed process left unfinished in the file ``path``, as far as it can be undone."""
    with contextlib.suppress(sqlite3.Error), contextlib.closing(connect(path, "rw")) as connection:
        connection.execute("select count(*) from sqlite_master").fetchone()
        connection.execute("pragma journal_mode = delete")


def create_store(path: Path) -> None:
    """Create an empty store; the file appears complete or not at all."""
    for suffix in ("-journal", "-wal"):
        if get_auxiliary_path(path, suffix).exists():
            raise InputError(f"{get_auxiliary_path(path, suffix)} is left of a ledger that is gone: move it away")
    with temporary_sibling(path) as temporary:
        temporary.touch()
        with (
            explain_writing(path),
            contextlib.closing(connect(temporary, "rw")) as connection,
            _transaction(connection),
        ):
            _make_tables(CheckedRows(path, connection, VERSION))
        temporary.rename(path)


def _read_header(path: Path) -> SQLiteHeader:
    for suffix in ("-journal", "-wal"):
        require_regular_file(get_auxiliary_path(path, suffix), "is in the way of the ledger")
    header = read_ledger_header(path)
    if not set(header.versions) <= {1, 2}:
        raise DamagedLedgerError(path, "its header")
    return header


def _require_format(path: Path, connection: sqlite3.Connection, header: SQLiteHeader) -> CheckedRows | None:
    """Check tables and format; return None if a commit was left unfinished, which only a writer may undo."""
    try:
        version = int(connection.execute("pragma user_version").fetchone()[0])
        schema = connection.execute("select type, sql from sqlite_master").fetchall()
    except sqlite3.Error as error:
        if is_unfinished(error):
            return None
        raise
    if version > VERSION and header.application_id == APPLICATION_ID:
        raise InputError(f"{path} has format {version}, this regzoo reads {VERSION}: use the regzoo that wrote it")
    if not 1 <= version <= VERSION:
        raise DamagedLedgerError(path, "its header")
    if not {normalize(sql) for _, sql in schema if sql} >= {normalize(sql) for sql in list_statements(version)}:
        raise DamagedLedgerError(path, f"it has not the tables of format {version}")
    if any(kind in ("trigger", "view") for kind, _ in schema):
        raise InputError(f"{path} is not a ledger as regzoo writes it: it holds triggers or views")
    rows = CheckedRows(path, connection, version)
    if version < FIRST_WITH_CHECKSUMS:
        rows.check()
    return rows


def _upgrade(rows: CheckedRows) -> CheckedRows:
    """Bring the file to the newest format, in one commit."""
    connection, tables = rows.connection, list_tables(rows.version)
    upgraded = CheckedRows(rows.path, connection, VERSION)
    with _transaction(connection):
        for table in tables:
            connection.execute(f"alter table {table.name} rename to old_{table.name}")
        _make_tables(upgraded)
        for table in tables:
            select = f"select {', '.join(table.columns)} from old_{table.name} order by rowid"
            for values in connection.execute(select):
                upgraded.put(table, values)
            connection.execute(f"drop table old_{table.name}")
    return upgraded


def _make_tables(rows: CheckedRows) -> None:
    for statement in list_statements(VERSION):
        rows.connection.execute(statement)
    for table in TABLES:
        rows.set_checksum(table, TableChecksum())
    rows.connection.execute(f"pragma user_version = {VERSION}")
    rows.connection.execute(f"pragma application_id = {APPLICATION_ID}")


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection) -> Iterator[None]:
    connection.execute("begin immediate")
    try:
        yield
        connection.execute("commit")
    except BaseException:
        with contextlib.suppress(sqlite3.Error):
            connection.execute("rollback")
        raise
