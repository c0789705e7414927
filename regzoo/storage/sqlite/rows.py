"""`CheckedRows`: the rows in an open SQLite file, each with a digest, and a checksum of each table."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, cast

from regzoo.storage.sqlite.checksums import TableChecksum, Value, digest_row
from regzoo.storage.sqlite.formats import FIRST_WITH_CHECKSUMS, RECORDS, TableSchema, list_tables
from regzoo.storage.sqlite.header import DamagedLedgerError


class CheckedRows:
    """The rows in an open file; those of formats without digests are read as they are.

    Args:
        path: the file, for messages.
        connection: the open file.
        version: number of its format.

    Raises:
        DamagedLedgerError: from every method that reads, if a row is not what was written, or missing.
    """

    def __init__(self, path: Path, connection: sqlite3.Connection, version: int) -> None:
        self.path = path
        self.connection = connection
        self.version = version

    def read(self, table: TableSchema) -> Iterator[tuple[Any, ...]]:
        """Yield `TableSchema.columns` of every row, in the order in which they were added."""
        if table not in list_tables(self.version):
            return
        if self.version < FIRST_WITH_CHECKSUMS:
            yield from self._select(table.columns, table, "order by rowid")
            return
        digests = []
        for row in self._select(table.stored, table, "order by rowid"):
            yield self._require_digest(table, row)
            digests.append(row[-2])
        self._require_checksum(table, digests)

    def find(self, table: TableSchema, column: str, value: Value) -> tuple[Any, ...] | None:
        """Return `TableSchema.columns` of the row whose ``column`` is ``value``; None if there is none.

        No index is used, so that a damaged one cannot hide a row.
        """
        place = table.head.index(column)
        for number, *head in self._read_heads(table):
            if head[place] == value:
                return self._read_row(table, number)
        # there is none, unless this column of a row is damaged
        return next((row for row in self.read(table) if row[place] == value), None)

    def list_values(self, table: TableSchema, column: str) -> list[Any]:
        """Return one column of the head of every row."""
        place = 1 + table.head.index(column)
        return [row[place] for row in self._read_heads(table)]

    def get_head(self, table: TableSchema, key: Value) -> tuple[Any, ...] | None:
        """Return `TableSchema.head` of the row with this key, unchecked: a writer has checked all rows before."""
        head: tuple[Any, ...] | None = self._select(table.head, table, f"where {table.key} = ?", key).fetchone()
        return head

    def get_next_number(self, table: TableSchema) -> int:
        """Return the next key of a table whose keys are numbers from 1."""
        return int(self._select([f"coalesce(max({table.key}), 0) + 1"], table).fetchone()[0])

    def put(self, table: TableSchema, values: Sequence[Value]) -> None:
        """Add a row, replacing the one of the same key.

        Args:
            table: the table.
            values: one for each of `TableSchema.columns`.

        Raises:
            sqlite3.IntegrityError: if there is a record of the same run.
        """
        digest = digest_row(table.name, values)
        self.remove(table, values[table.columns.index(table.key)])
        marks = ", ".join("?" * len(table.stored))
        insert = f"insert into {table.name} ({', '.join(table.stored)}) values ({marks})"
        self.connection.execute(insert, (*values[:-1], digest, values[-1]))
        self.set_checksum(table, self._get_checksum(table).add(digest))

    def remove(self, table: TableSchema, key: Value) -> None:
        """Delete the row with this key, if there is one."""
        row = self._select(["digest"], table, f"where {table.key} = ?", key).fetchone()
        if row is not None:
            self.connection.execute(f"delete from {table.name} where {table.key} = ?", (key,))
            self.set_checksum(table, self._get_checksum(table).remove(row[0]))

    def remove_failed(self, run_key: str) -> None:
        """Delete the record of this run if it failed."""
        row = self._select(["number"], RECORDS, "where key = ? and status = 'failed'", run_key).fetchone()
        if row is not None:
            self.remove(RECORDS, row[0])

    def clear(self, table: TableSchema) -> None:
        """Delete every row."""
        self.connection.execute(f"delete from {table.name}")
        self.set_checksum(table, TableChecksum())

    def set_checksum(self, table: TableSchema, checksum: TableChecksum) -> None:
        """Replace the checksum of a table."""
        self.connection.execute(
            "insert or replace into checksums (name, number, digest) values (?, ?, ?)",
            (table.name, checksum.rows, checksum.digest),
        )

    def check(self) -> None:
        """Check every row, and what SQLite itself can check."""
        found = self.connection.execute("pragma integrity_check(1)").fetchone()[0]
        if found != "ok":
            raise DamagedLedgerError(self.path, " ".join(str(found).split()))
        for table in list_tables(self.version):
            for _ in self.read(table):
                pass

    def _select(self, columns: Sequence[str], table: TableSchema, more: str = "", *values: Value) -> sqlite3.Cursor:
        return self.connection.execute(f"select {', '.join(columns)} from {table.name} {more}", values)

    def _read_heads(self, table: TableSchema) -> list[tuple[Any, ...]]:
        """Return the row number and `TableSchema.head` of every row; only the digests and their number are checked."""
        if table not in list_tables(self.version):
            return []
        if self.version < FIRST_WITH_CHECKSUMS:
            return self._select(("rowid", *table.head), table, "not indexed").fetchall()
        rows = self._select(("rowid", *table.head, "digest"), table, "not indexed").fetchall()
        self._require_checksum(table, [row[-1] for row in rows])
        return [row[:-1] for row in rows]

    def _read_row(self, table: TableSchema, number: int) -> tuple[Any, ...]:
        with_digest = self.version >= FIRST_WITH_CHECKSUMS
        row = self._select(table.stored if with_digest else table.columns, table, "where rowid = ?", number).fetchone()
        if row is None:
            raise DamagedLedgerError(self.path, f"a row of {table.name} is missing")
        return self._require_digest(table, row) if with_digest else cast(tuple[Any, ...], row)

    def _require_digest(self, table: TableSchema, row: tuple[Any, ...]) -> tuple[Any, ...]:
        """Return `TableSchema.columns` of a row with its digest."""
        values = (*row[:-2], row[-1])
        if digest_row(table.name, values) != row[-2]:
            raise DamagedLedgerError(self.path, f"a row of {table.name} is not what was written")
        return values

    def _require_checksum(self, table: TableSchema, digests: Sequence[bytes]) -> None:
        expected = self._get_checksum(table)
        if len(digests) != expected.rows:
            raise DamagedLedgerError(self.path, f"{table.name} has {len(digests)} of {expected.rows} rows")
        if not all(isinstance(each, bytes) for each in digests) or TableChecksum.of(digests) != expected:
            raise DamagedLedgerError(self.path, f"{table.name} holds other rows than were written")

    def _get_checksum(self, table: TableSchema) -> TableChecksum:
        for name, rows, digest in self.connection.execute("select name, number, digest from checksums not indexed"):
            if name == table.name and isinstance(rows, int) and isinstance(digest, bytes):
                return TableChecksum(rows, digest)
        raise DamagedLedgerError(self.path, f"the checksum of {table.name} is missing")
