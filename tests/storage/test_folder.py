"""A comparison's folder: one process at a time writes to it, and files of others are left alone."""

from __future__ import annotations

import errno
import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError
from regzoo.storage.folder import archive_existing, lock_folder, lock_outputs, require_unlocked
from regzoo.storage.ledger import FILE, Ledger
from regzoo.system.lock import lock_path
from regzoo.system.temporary_folder import remove_abandoned

OLD_LOCK = ".lock"

HOLDER = """
import sys
from pathlib import Path
from regzoo.storage import folder

with getattr(folder, sys.argv[2])(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""

Hold = Callable[..., "subprocess.Popen[bytes]"]


@pytest.fixture
def hold() -> Iterator[Hold]:
    """Start another process that locks a folder; return it."""
    processes = []

    def start(folder: Path, lock: str = "lock_folder") -> subprocess.Popen[bytes]:
        command = [sys.executable, "-c", HOLDER, str(folder), lock]
        process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        processes.append(process)
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        return process

    yield start
    for process in processes:
        process.kill()
        process.communicate()


def make_comparison(folder: Path) -> Path:
    """Make a folder with an empty ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    Ledger(folder, create=True).__exit__()
    return folder


def list_names(folder: Path) -> list[str]:
    """Return the names in a folder."""
    return sorted(path.name for path in folder.iterdir())


def test_a_new_folder_is_made_and_goes_again_if_nothing_is_written(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "new"
    for _ in range(2):
        with lock_folder(folder) as held:
            held.require_held()
            assert len(list(folder.iterdir())) == 1
        assert list_names(tmp_path) == []
    with lock_folder(folder):
        (folder / "file").write_text("text")
    assert list_names(folder) == ["file"]


def test_a_folder_in_use_is_refused_with_the_process_that_holds_it(hold: Hold, tmp_path: Path) -> None:
    holder = hold(tmp_path / "held")
    (tmp_path / "link").symlink_to("held")
    words = rf"in use by process {holder.pid}; wait for it"
    for path in (tmp_path / "held", tmp_path / "link"):
        with pytest.raises(BusyError, match=words), lock_folder(path):
            pytest.fail("it is locked")
        with pytest.raises(BusyError, match=words):
            require_unlocked(path)
    assert issubclass(BusyError, EnvironmentFailure)


def test_the_parent_need_not_be_writable(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_comparison(tmp_path / "e")
    tmp_path.chmod(0o555)
    try:
        with lock_folder(folder):
            assert list_names(tmp_path) == ["e"]
    finally:
        tmp_path.chmod(0o755)


def test_outputs_can_be_written_while_runs_are_made_and_by_one_process(
    hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_comparison(tmp_path / "e")
    hold(folder)
    with lock_outputs(folder):
        pass
    writer = hold(folder, "lock_outputs")
    monkeypatch.setattr("regzoo.storage.folder._OUTPUTS_TIMEOUT", 0.0)
    with pytest.raises(BusyError, match=f"process {writer.pid}"), lock_outputs(folder):
        pytest.fail("it is locked")


@pytest.mark.parametrize("target", ["runs", "outputs", "model", "claims"])
def test_a_comparison_in_use_is_not_moved_aside(
    target: str, hold: Hold, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_comparison(tmp_path / "held")
    monkeypatch.setattr("regzoo.storage.folder._OUTPUTS_TIMEOUT", 0.0)
    if target in ("model", "claims"):
        with lock_path(folder / target), pytest.raises(BusyError, match=f"process {os.getpid()}"):
            archive_existing(folder)
    else:
        holder = hold(folder, "lock_folder" if target == "runs" else "lock_outputs")
        with pytest.raises(BusyError, match=f"process {holder.pid}"):
            archive_existing(folder)
    assert list_names(tmp_path) == ["held"]
    assert (folder / FILE).is_file()


def test_the_lock_of_a_killed_process_does_not_count_and_goes_with_the_next_command(hold: Hold, tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    for renamed in (False, True):
        holder = hold(folder)
        holder.kill()
        holder.wait()
        assert len(list_names(folder)) == 2
        if renamed:  # the list of abandoned files names the old path: only a command in the folder can know
            folder = folder.rename(tmp_path / "f")
            with lock_folder(folder):
                pass
        else:
            remove_abandoned()
        assert list_names(folder) == [FILE]


@pytest.mark.parametrize("content", ["", "1\n", "4000000\n"])
def test_the_lock_file_of_an_older_regzoo_is_removed(content: str, tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    (folder / OLD_LOCK).write_text(content)
    require_unlocked(folder)
    with lock_folder(folder):
        pass
    assert list_names(folder) == [FILE]


def test_a_lock_that_an_older_regzoo_holds_counts(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    with (folder / OLD_LOCK).open("w+") as file:
        file.write("123\n")
        file.flush()
        fcntl.flock(file, fcntl.LOCK_EX)
        with pytest.raises(BusyError, match="in use by process 123;"), lock_folder(folder):
            pytest.fail("it is locked")
        with pytest.raises(BusyError, match="in use by process 123;"):
            archive_existing(folder)
    assert list_names(folder) == [OLD_LOCK, FILE]


@pytest.mark.parametrize("name", [OLD_LOCK])
def test_a_file_of_the_users_called_like_the_old_lock_is_kept(name: str, tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    (folder / name).write_text("mine")
    with lock_folder(folder):
        pass
    assert (folder / name).read_text() == "mine"


@pytest.mark.parametrize("what", ["lock", "ledger", "replaced ledger", "folder", "renamed", "replaced"])
def test_what_is_taken_away_is_noticed_and_not_made_again(what: str, tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    words = {
        "lock": "lock file .* was deleted",
        "ledger": "ledger.sqlite was deleted or replaced",
        "replaced ledger": "ledger.sqlite was deleted or replaced",
    }.get(what, "folder .* was removed, renamed or replaced")
    with pytest.raises(EnvironmentFailure, match=words), lock_folder(folder) as held:  # noqa: PT012
        held.require_held()
        if what == "lock":
            [lock] = folder.glob(".*")
            lock.unlink()
        elif "ledger" in what:
            (folder / FILE).rename(folder / "other")
        elif what == "folder":
            shutil.rmtree(folder)
        else:
            folder.rename(tmp_path / "elsewhere")
        if what == "replaced":
            make_comparison(folder)
        if what == "replaced ledger":
            Ledger(folder, create=True).__exit__()
        raise OSError(errno.ENOENT, "whatever fails next")
    there = {"folder": [], "renamed": ["elsewhere"], "replaced": ["e", "elsewhere"]}.get(what, ["e"])
    assert list_names(tmp_path) == there
    assert [name for each in tmp_path.iterdir() for name in list_names(each) if name.startswith(".")] == []


def test_another_failure_is_raised_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(OSError, match="another"), lock_folder(tmp_path / "e"):
        raise OSError("another")


def test_files_next_to_a_ledger_are_left_alone(tmp_path: Path) -> None:
    make_comparison(tmp_path)
    (tmp_path / "notes.txt").write_text("mine")
    with lock_folder(tmp_path):
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_comparison_is_moved_to_a_free_name(tmp_path: Path) -> None:
    for wanted in ("e.1", "e.2"):
        make_comparison(tmp_path / "e")
        (tmp_path / "e" / OLD_LOCK).write_text("")
        assert archive_existing(tmp_path / "e") == tmp_path / wanted
        assert list_names(tmp_path / wanted) == [FILE]
        assert not (tmp_path / "e").exists()


def test_links_in_the_folder_go_with_it(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "e")
    (folder / "model").symlink_to("/nowhere/at/all")
    (folder / "report").symlink_to(tmp_path)
    assert archive_existing(folder) == tmp_path / "e.1"
    assert list_names(tmp_path / "e.1") == [FILE, "model", "report"]


def test_a_link_is_kept_and_what_it_names_is_moved(tmp_path: Path) -> None:
    make_comparison(tmp_path / "disk" / "e")
    (tmp_path / "e").symlink_to("disk/e")
    assert archive_existing(tmp_path / "e") == tmp_path / "disk" / "e.1"
    with lock_folder(tmp_path / "e"):
        make_comparison(tmp_path / "e")
    assert list_names(tmp_path / "disk") == ["e", "e.1"]
    assert (tmp_path / "e").is_symlink()


def test_other_folders_are_not_moved(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert archive_existing(tmp_path / "mine") is None
    assert archive_existing(tmp_path / "nowhere") is None
    assert (tmp_path / "mine" / "thesis.txt").is_file()


def test_a_folder_on_another_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    folder = make_comparison(tmp_path / "e")
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(EnvironmentFailure, match=r"cannot be renamed .Invalid cross-device link.*nothing is deleted"):
        archive_existing(folder)
    assert list_names(tmp_path) == ["e"]
    assert list_names(folder) == [FILE]


def test_input_errors_are_raised_as_they_are(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="other data"), lock_folder(tmp_path / "e"):
        raise InputError("other data")
    assert list_names(tmp_path) == []


STARTING_OVER = """
import os, sys
from pathlib import Path
from regzoo.core.errors import BusyError
from regzoo.storage.folder import lock_folder
from regzoo.storage.ledger import Ledger

folder = Path(sys.argv[1])
sys.stdin.readline()
for number in range(10):
    try:
        with lock_folder(folder, fresh=True) as held:
            Ledger(folder, create=True).__exit__()
            held.require_held()
            with (folder / "mine").open("x") as file:
                file.write(f"{os.getpid()} {number}")
            held.require_held()
            print(os.getpid(), number, flush=True)
    except BusyError:
        pass
"""


@pytest.mark.slow
def test_several_that_start_over_at_once_lose_nothing(tmp_path: Path) -> None:
    command = [sys.executable, "-c", STARTING_OVER, str(tmp_path / "e")]
    pipes: Any = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    processes = [subprocess.Popen(command, **pipes) for _ in range(3)]
    for process in processes:
        assert process.stdin is not None
        process.stdin.write("\n")
        process.stdin.flush()
    done = [process.communicate()[0] for process in processes]
    assert [process.returncode for process in processes] == [0, 0, 0]
    finished = sorted(line for text in done for line in text.splitlines())
    assert len(finished) >= 10
    assert sorted(path.read_text() for path in tmp_path.glob("*/mine")) == finished
    assert all(list_names(folder) == [FILE, "mine"] for folder in tmp_path.iterdir())
