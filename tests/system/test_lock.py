"""`lock_path`: one writer at a time, no lock that outlives its process, no lock file that stays."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from regzoo.core.errors import BusyError, EnvironmentFailure
from regzoo.system.lock import get_lock_file, lock_path, require_unlocked

HOLDER = """
import sys
from pathlib import Path
from regzoo.system.lock import lock_path

with lock_path(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


@pytest.fixture
def target(tmp_path: Path) -> Path:
    (tmp_path / "here").mkdir()
    return tmp_path / "here" / "model"


@pytest.fixture
def holder(target: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Another process that has locked the target."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLDER, str(target)], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process
        process.kill()


def test_it_is_held_in_the_block_and_leaves_nothing(target: Path) -> None:
    with lock_path(target) as lock:
        lock.require_held()
        assert lock.file.read_text() == f"{os.getpid()}\n"
        with pytest.raises(BusyError, match=f"process {os.getpid()};"), lock_path(target):
            pytest.fail("it is locked")
        with pytest.raises(BusyError, match=f"process {os.getpid()};"):
            require_unlocked(target)
        lock.require_held()
    assert list(target.parent.iterdir()) == []
    require_unlocked(target)


def test_another_process_is_refused_whatever_the_path_is_called(
    holder: subprocess.Popen[bytes], target: Path, tmp_path: Path
) -> None:
    (tmp_path / "link").symlink_to(target.parent)
    for path in (target, target.parent / "." / "model", tmp_path / "link" / "model"):
        for _ in range(2):  # trying does not unlock it
            with pytest.raises(BusyError, match=f"in use by process {holder.pid}; wait"), lock_path(path):
                pytest.fail("it is locked")
    with lock_path(target.with_name("other")):
        pass


def test_the_lock_of_a_killed_process_is_free_and_its_file_goes_with_the_next(
    holder: subprocess.Popen[bytes], target: Path
) -> None:
    holder.kill()
    holder.wait()
    assert get_lock_file(target).is_file()
    require_unlocked(target)
    with lock_path(target.with_name("other")):  # any next command
        assert not get_lock_file(target).exists()
    with lock_path(target):
        pass
    assert list(target.parent.iterdir()) == []


def test_the_file_of_a_killed_process_is_left_to_a_process_that_locked_it_since(
    holder: subprocess.Popen[bytes], target: Path
) -> None:
    holder.kill()
    holder.wait()
    with lock_path(target) as lock:
        lock.require_held()
        with lock_path(target.with_name("other")):
            lock.require_held()


@pytest.mark.parametrize("replaced", [False, True])
def test_a_deleted_lock_file_is_noticed(target: Path, replaced: bool) -> None:
    with lock_path(target) as lock:
        lock.file.unlink()
        if replaced:
            lock.file.write_text("another's")
        with pytest.raises(EnvironmentFailure, match=r"was deleted while this process was writing to .*model"):
            lock.require_held()


def test_a_folder_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFailure, match="cannot be written: No such file"), lock_path(tmp_path / "no" / "a"):
        pytest.fail("it is not locked")
