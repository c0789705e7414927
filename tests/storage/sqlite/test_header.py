"""`is_ledger`: what regzoo wrote is recognized by its content, and nothing is written to find out."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from regzoo.core import InputError
from regzoo.storage.ledger import FILE, Ledger, is_ledger

FIXTURES = Path(__file__).parents[2] / "fixtures"


def write_database(path: Path, sql: str) -> None:
    store = sqlite3.connect(path)
    store.executescript(sql)
    store.close()


FOREIGN: dict[str, Callable[[Path], object]] = {
    "another program's database": lambda path: write_database(
        path, "create table notes (name text); pragma user_version = 2"
    ),
    "another program's database of format 3": lambda path: write_database(
        path, "create table t (a); pragma user_version = 3"
    ),
    "a database with tables of our names": lambda path: write_database(
        path, "create table records (a); create table weights (a); create table notes (a); pragma user_version = 1"
    ),
    "a new database": lambda path: write_database(path, "vacuum"),
    "an empty file": lambda path: path.touch(),
    "a text": lambda path: path.write_text("dear diary " * 100),
    "a short text": lambda path: path.write_text("x"),
    "a folder": lambda path: path.mkdir(),
    "a named pipe": os.mkfifo,
    "a link to a ledger": lambda path: path.symlink_to(FIXTURES / "format_1" / FILE),
    "a broken link": lambda path: path.symlink_to("nowhere"),
    "a link to itself": lambda path: path.symlink_to(path.name),
}


def look(folder: Path) -> dict[str, object]:
    """Return everything about the files in ``folder`` that writing would change."""
    found: dict[str, object] = {".": folder.stat().st_mtime_ns}
    for path in folder.iterdir():
        status = path.lstat()
        content = path.read_bytes() if path.is_file() else None
        found[path.name] = (status.st_ino, status.st_mode, status.st_size, status.st_mtime_ns, content)
    return found


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("kind", FOREIGN)
def test_what_regzoo_did_not_write_is_refused_and_stays_as_it_is(kind: str, create: bool, tmp_path: Path) -> None:
    FOREIGN[kind](tmp_path / FILE)
    before = look(tmp_path)
    assert not is_ledger(tmp_path / FILE)
    with pytest.raises(InputError, match=rf"{FILE} is not a regzoo ledger.*(choose another folder|regzoo recover)"):
        Ledger(tmp_path, create=create)
    assert look(tmp_path) == before


def test_a_ledger_of_every_format_is_recognized(tmp_path: Path) -> None:
    assert not is_ledger(tmp_path / FILE)
    Ledger(tmp_path, create=True).__exit__()
    for folder in (tmp_path, FIXTURES / "format_1", FIXTURES / "format_1_folds"):
        before = look(folder)
        assert is_ledger(folder / FILE)
        assert look(folder) == before


def test_a_ledger_that_is_damaged_further_on_is_still_ours(tmp_path: Path) -> None:
    shutil.copytree(FIXTURES / "format_1", tmp_path / "old")
    path = tmp_path / "old" / FILE
    path.write_bytes(path.read_bytes()[:4096])
    assert is_ledger(path)
