"""A comparison's folder: one process at a time writes to it, and files of others are left alone."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError
from regzoo.storage.folder import (
    LOCK,
    archive_existing,
    lock_folder,
)
from regzoo.storage.ledger import FILE, Ledger

HOLDER = """
import sys
from pathlib import Path
from regzoo.storage.folder import lock_folder

with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """The id of another process that has locked tmp_path / 'held'."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(tmp_path / "held")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate()


def test_a_new_folder_is_made_and_unlocked_again(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "new"
    with lock_folder(folder):
        assert (folder / LOCK).read_text() == f"{os.getpid()}\n"
    with lock_folder(folder):
        assert folder.is_dir()


def test_a_folder_in_use_is_refused_with_the_process_that_holds_it(holder: int, tmp_path: Path) -> None:
    for _ in range(2):  # trying does not unlock it
        with (
            pytest.raises(BusyError, match=rf"held is in use by process {holder}; wait for it"),
            lock_folder(tmp_path / "held"),
        ):
            pytest.fail("it is locked")
    assert issubclass(BusyError, EnvironmentFailure)


def test_a_comparison_in_use_is_not_moved_aside(holder: int, tmp_path: Path) -> None:
    Ledger(tmp_path / "held", create=True).__exit__()
    with pytest.raises(BusyError, match=f"process {holder}"):
        archive_existing(tmp_path / "held")
    assert (tmp_path / "held" / FILE).is_file()


def test_the_lock_of_a_dead_process_does_not_count(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("1\n")
    with lock_folder(tmp_path):
        pass


def test_foreign_files_are_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis\.txt' and no comparison"), lock_folder(tmp_path):
        pytest.fail("it is foreign")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="is a file; choose another folder"), lock_folder(tmp_path / "file"):
        pytest.fail("it is a file")


def test_files_next_to_a_ledger_are_left_alone(tmp_path: Path) -> None:
    Ledger(tmp_path, create=True).__exit__()
    (tmp_path / "notes.txt").write_text("mine")
    with lock_folder(tmp_path):
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_comparison_is_moved_to_a_free_name(tmp_path: Path) -> None:
    for wanted in ("e.1", "e.2"):
        (tmp_path / "e").mkdir()
        Ledger(tmp_path / "e", create=True).__exit__()
        assert archive_existing(tmp_path / "e") == tmp_path / wanted
        assert (tmp_path / wanted / FILE).is_file()
        assert not (tmp_path / "e").exists()


def test_other_folders_are_not_moved(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert archive_existing(tmp_path / "mine") is None
    assert archive_existing(tmp_path / "nowhere") is None
    assert (tmp_path / "mine" / "thesis.txt").is_file()
