"""Formats of a ledger: its tables as SQL, and as the columns that checksums cover."""

from __future__ import annotations

import re
from dataclasses import dataclass

VERSION = 3
"""Number of the newest format. Format 3 added a digest to every row, and a checksum of every table."""

FIRST_WITH_CHECKSUMS = 3


@dataclass(frozen=True)
class TableSchema:
    """One table.

    Attributes:
        name: its name.
        head: the columns before the body; the digest stands between them.
        key: the column that names a row.
    """

    name: str
    head: tuple[str, ...]
    key: str

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns that a digest covers, in its order."""
        return (*self.head, "body")

    @property
    def stored(self) -> tuple[str, ...]:
        """The columns as they are stored; the body is last, so that a digest is read without it."""
        return (*self.head, "digest", "body")


RECORDS = TableSchema("records", ("number", "key", "stage", "name", "status"), "number")
WEIGHTS = TableSchema("weights", ("name", "key", "score", "replicate"), "name")
TRAINED = TableSchema("trained", ("training", "key"), "training")
NOTES = TableSchema("notes", ("name",), "name")
TABLES = (RECORDS, WEIGHTS, TRAINED, NOTES)

_FORMAT_1 = """
create table records (
    number integer primary key,
    key text not null unique,
    stage text not null,
    name text not null,
    status text not null,
    body text not null
);
create table weights (
    name text primary key,
    key text not null,
    score real not null,
    replicate integer not null,
    body blob not null
);
create table notes (name text primary key, body text not null)
"""
_FORMAT_2 = f"""
{_FORMAT_1};
create table trained (training text primary key, key text not null, body blob not null)
"""
_FORMAT_3 = """
create table records (
    number integer primary key,
    key text not null unique,
    stage text not null,
    name text not null,
    status text not null,
    digest blob not null,
    body text not null
);
create table weights (
    name text primary key,
    key text not null,
    score real not null,
    replicate integer not null,
    digest blob not null,
    body blob not null
);
create table notes (name text primary key, digest blob not null, body text not null);
create table trained (training text primary key, key text not null, digest blob not null, body blob not null);
create table checksums (name text primary key, number integer not null, digest blob not null)
"""


def list_statements(version: int) -> list[str]:
    """Return the SQL that creates each table of a format."""
    return [each.strip() for each in {1: _FORMAT_1, 2: _FORMAT_2, 3: _FORMAT_3}[version].split(";")]


def list_tables(version: int) -> tuple[TableSchema, ...]:
    """Return the tables that a format has, the checksums apart."""
    return tuple(table for table in TABLES if table is not TRAINED or version > 1)


def normalize(sql: str) -> str:
    """Return ``sql`` without the differences in spaces and case that SQLite may make."""
    return re.sub(r"\s+", " ", re.sub(r"\s*([(),])\s*", r"\1", sql)).strip().lower()
