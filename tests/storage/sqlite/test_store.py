"""`Store`: reading writes nothing, damage is noticed, and what a killed process left unfinished is undone."""

from __future__ import annotations

import contextlib
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.sqlite.connection import connect
from regzoo.storage.sqlite.formats import NOTES, RECORDS, TABLES, VERSION
from regzoo.storage.sqlite.header import DamagedLedgerError
from regzoo.storage.sqlite.store import Store

FIXTURE = Path(__file__).parents[2] / "fixtures" / "format_1" / "ledger.sqlite"
NOTE = [("names", '["none"]')]


def fill(path: Path, rows: int = 3) -> None:
    """Write a note and some records."""
    with contextlib.closing(Store(path, create=True)) as store, store.commit() as written:
        written.put(NOTES, NOTE[0])
        for number in range(1, rows + 1):
            written.put(RECORDS, (number, f"key {number}", "trial", "none", "ok", f"body {number}"))


def look(folder: Path) -> dict[str, object]:
    """Return everything about the files in ``folder`` that writing would change."""
    files = {path.name: (path.lstat().st_ino, path.lstat().st_mtime_ns, path.read_bytes()) for path in folder.iterdir()}
    return {**files, ".": folder.stat().st_mtime_ns}


@contextlib.contextmanager
def unchanged(folder: Path) -> Iterator[None]:
    before = look(folder)
    yield
    assert look(folder) == before


def read(path: Path, create: bool = False) -> list[tuple[object, ...]]:
    with contextlib.closing(Store(path, create)) as store:
        return [row for table in TABLES for row in store.read_all(table)]


def leave_unfinished(path: Path) -> None:
    """Leave what a process leaves that is killed in the middle of a commit that has reached the file."""
    fill(path.with_name("whole"), rows=200)
    whole = path.with_name("whole")
    connection = connect(whole, "rw")
    connection.execute("pragma cache_size = 2")
    connection.execute("begin immediate")
    connection.execute("update records set body = body || zeroblob(3000)")
    journal = whole.with_name("whole-journal")
    assert journal.stat().st_size > 20_000
    shutil.copy(whole, path)
    shutil.copy(journal, path.with_name(path.name + "-journal"))
    connection.execute("rollback")
    connection.close()
    assert path.read_bytes() != whole.read_bytes()


@pytest.fixture
def path(tmp_path: Path) -> Path:
    (tmp_path / "folder").mkdir()
    return tmp_path / "folder" / "ledger.sqlite"


def test_reading_writes_nothing(path: Path) -> None:
    fill(path)
    with unchanged(path.parent):
        assert len(read(path)) == 4


def test_an_older_format_is_read_without_an_upgrade_and_upgraded_by_the_first_write(path: Path) -> None:
    shutil.copy(FIXTURE, path)
    with unchanged(path.parent):
        before = read(path)
    assert len(before) == 30
    with contextlib.closing(Store(path)) as store:
        assert store.rows.version == 2
        with store.commit() as rows:
            rows.put(NOTES, ("names", "[]"))
        assert store.rows.version == VERSION
    assert sorted(map(str, read(path))) == sorted(map(str, [r for r in before if r[0] != "names"] + [("names", "[]")]))


def test_an_upgrade_that_fails_leaves_the_older_format(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    shutil.copy(FIXTURE, path)
    before = path.read_bytes()

    def fail(*_: object) -> None:
        error = sqlite3.OperationalError("database or disk is full")
        error.sqlite_errorcode = sqlite3.SQLITE_FULL
        raise error

    monkeypatch.setattr("regzoo.storage.sqlite.rows.CheckedRows.put", fail)
    with pytest.raises(EnvironmentFailure, match="disk is full"):
        Store(path, create=True)
    assert path.read_bytes() == before
    assert [each.name for each in path.parent.iterdir()] == [path.name]


def test_a_commit_that_was_left_unfinished_is_undone_in_a_copy_for_a_reader(path: Path, tmp_path: Path) -> None:
    leave_unfinished(path)
    wanted = read(path.with_name("whole"))
    with unchanged(path.parent):
        assert read(path) == wanted


def test_a_commit_that_was_left_unfinished_is_undone_for_a_writer(path: Path) -> None:
    leave_unfinished(path)
    wanted = read(path.with_name("whole"))
    Store(path, create=True).close()
    assert sorted(each.name for each in path.parent.iterdir()) == [path.name, "whole"]
    assert read(path) == wanted


def test_a_writers_unfinished_commit_is_not_seen(path: Path) -> None:
    fill(path)
    with contextlib.closing(Store(path)) as writer, contextlib.suppress(KeyError), writer.commit() as rows:
        rows.put(NOTES, ("names", "[]"))
        assert NOTE[0] in read(path)
        raise KeyError
    assert NOTE[0] in read(path)


def damage_journal(path: Path) -> None:
    leave_unfinished(path)
    journal = path.with_name(path.name + "-journal")
    content = bytearray(journal.read_bytes())
    content[len(content) // 2 :] = bytes(len(content) - len(content) // 2)
    journal.write_bytes(content)


def take_journal_of_another(path: Path) -> None:
    leave_unfinished(path)
    fill(path.with_name("other"), rows=3)
    shutil.copy(path.with_name("other"), path)


def remove_journal(path: Path) -> None:
    leave_unfinished(path)
    path.with_name(path.name + "-journal").unlink()


@pytest.mark.parametrize("create", [False, True])
@pytest.mark.parametrize("harm", [damage_journal, take_journal_of_another, remove_journal])
def test_a_journal_that_does_not_fit_is_not_applied(harm: Callable[[Path], None], create: bool, path: Path) -> None:
    harm(path)
    with unchanged(path.parent), pytest.raises(DamagedLedgerError, match=r"ledger\.sqlite is damaged .*regzoo recover"):
        read(path, create)


@pytest.mark.parametrize("suffix", ["-journal", "-wal"])
@pytest.mark.parametrize("kind", [Path.mkdir, os.mkfifo, lambda path: path.symlink_to(path.name)])
def test_what_is_no_file_in_the_place_of_a_journal_is_named(
    kind: Callable[[Path], None], suffix: str, path: Path
) -> None:
    fill(path)
    kind(path.with_name(path.name + suffix))
    for create in (False, True):
        with pytest.raises(InputError, match=rf"ledger\.sqlite{suffix} is in the way of the ledger: it is a"):
            Store(path, create=create)


def test_a_stray_log_is_ignored_by_readers_and_refused_by_writers(path: Path) -> None:
    fill(path)
    fill(path.with_name("other"), rows=9)
    other = sqlite3.connect(path.with_name("other"))
    other.execute("pragma journal_mode = wal")
    with other:
        other.execute("delete from records")
    shutil.copy(path.with_name("other-wal"), path.with_name(path.name + "-wal"))
    other.close()
    with unchanged(path.parent):
        assert len(read(path)) == 4
    with unchanged(path.parent), pytest.raises(InputError, match=r"ledger\.sqlite-wal was not written by regzoo"):
        Store(path, create=True)


def test_a_ledger_that_another_program_set_to_a_log_is_read_and_set_back(path: Path, tmp_path: Path) -> None:
    fill(path)
    other = sqlite3.connect(path)
    other.execute("pragma journal_mode = wal")
    with other:
        other.execute("create index added on records (name)")
    copied = shutil.copytree(path.parent, tmp_path / "copy") / path.name
    other.close()
    assert copied.with_name(path.name + "-wal").stat().st_size > 0
    copied.with_name(path.name + "-shm").unlink()
    with unchanged(copied.parent):
        assert len(read(copied)) == 4
    Store(copied, create=True).close()
    assert [each.name for each in copied.parent.iterdir()] == [path.name]
    assert len(read(copied)) == 4


@pytest.mark.parametrize(
    "sql",
    [
        "update records set body = 'body 2' where number = 1",
        "update records set number = 7 where number = 3",
        "update records set status = 'failed' where number = 1",
        "delete from records where number = 2",
        "delete from notes",
        "update notes set name = 'budget'",
        "update checksums set number = 2",
        "delete from checksums",
        "insert into records select 9, 'another', stage, name, status, digest, body from records where number = 1",
        "drop table trained",
        "drop table checksums",
    ],
)
def test_what_regzoo_did_not_write_is_noticed(sql: str, path: Path) -> None:
    fill(path)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute(sql)
    with unchanged(path.parent), pytest.raises(DamagedLedgerError, match="is damaged"):
        read(path)
    with unchanged(path.parent), pytest.raises(DamagedLedgerError, match="is damaged"):
        Store(path, create=True)


def test_a_row_is_never_missed_by_a_damaged_name(path: Path) -> None:
    fill(path)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("update notes set name = 'budget'")
    with contextlib.closing(Store(path)) as store:
        for name in ("names", "budget", "neither"):
            with pytest.raises(DamagedLedgerError):
                store.find(NOTES, "name", name)


def test_triggers_are_refused(path: Path) -> None:
    fill(path)
    with contextlib.closing(sqlite3.connect(path)) as other, other:
        other.execute("create trigger t after insert on records begin delete from notes; end")
    with pytest.raises(InputError, match="holds triggers or views"):
        Store(path, create=True)


def test_a_new_ledger_takes_no_journal_of_one_that_is_gone(path: Path) -> None:
    leave_unfinished(path)
    path.unlink()
    with unchanged(path.parent), pytest.raises(InputError, match="is left of a ledger that is gone: move it away"):
        Store(path, create=True)
