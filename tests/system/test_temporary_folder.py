"""`TemporaryFolder`: it is removed with its owner, however the owner ends, and never while the owner lives."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from regzoo.system import temporary_folder
from regzoo.system.temporary_folder import PREFIX, SIBLING, TemporaryFolder, private_tempdir, temporary_sibling

OWNER = """
import sys
from regzoo.system.temporary_folder import TemporaryFolder

folder = TemporaryFolder()
(folder.path / "file").write_text("text")
print(folder.path, flush=True)
sys.stdin.readline()
"""


@pytest.fixture(autouse=True)
def tempdir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The default folder of `tempfile`, which is empty."""
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def owner(tempdir: Path) -> Iterator[subprocess.Popen[str]]:
    """Another process that has a temporary folder and ends when it is sent a line."""
    command = [sys.executable, "-c", OWNER]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert Path(process.stdout.readline().strip()).parent == tempdir
        yield process
        process.kill()


def test_it_goes_with_its_object_or_before(tempdir: Path) -> None:
    first, second = TemporaryFolder(), TemporaryFolder()
    assert sorted(tempdir.iterdir()) == sorted([first.path, second.path])
    assert all(folder.path.name.startswith(PREFIX) for folder in (first, second))
    (second.path / "file").write_text("text")
    del second
    assert list(tempdir.iterdir()) == [first.path]
    first.remove()
    first.remove()
    assert list(tempdir.iterdir()) == []


def test_it_goes_when_its_process_exits(owner: subprocess.Popen[str], tempdir: Path) -> None:
    owner.communicate("\n")
    assert owner.returncode == 0
    assert list(tempdir.iterdir()) == []


def test_it_stays_while_its_owner_lives_and_the_next_process_removes_it_after_a_kill(
    owner: subprocess.Popen[str], tempdir: Path
) -> None:
    [theirs] = tempdir.iterdir()
    ours = TemporaryFolder()
    assert (theirs / "file").read_text() == "text"
    owner.kill()
    owner.wait()
    assert theirs.is_dir()
    other = TemporaryFolder()
    assert sorted(tempdir.iterdir()) == sorted([ours.path, other.path])


def test_a_fork_of_the_owner_leaves_it_alone(tempdir: Path) -> None:
    ours = TemporaryFolder()
    child = os.fork()
    if child == 0:
        ours.remove()
        os._exit(0)
    os.waitpid(child, 0)
    assert ours.path.is_dir()
    ours.remove()
    assert not ours.path.exists()


def test_folders_of_others_and_links_are_left_alone(tempdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tempdir / "regzoo-tmpdir").mkdir()
    (tempdir / f"{PREFIX}file").touch()
    (tempdir / f"{PREFIX}link").symlink_to(tempdir / "regzoo-tmpdir")
    (tempdir / f"{PREFIX}theirs").mkdir()
    monkeypatch.setattr("os.getuid", lambda: -1)
    temporary_folder.remove_abandoned()
    assert len(list(tempdir.iterdir())) == 4
    monkeypatch.undo()
    monkeypatch.setattr("tempfile.tempdir", str(tempdir))
    temporary_folder.remove_abandoned()
    names = sorted(path.name for path in tempdir.iterdir())
    assert names == [f"{PREFIX}file", f"{PREFIX}link", "regzoo-tmpdir"]


def test_without_locks_it_is_never_taken_for_abandoned(tempdir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise OSError("this file system has no locks")

    monkeypatch.setattr("fcntl.flock", refuse)
    first, second = TemporaryFolder(), TemporaryFolder()
    assert first.path.is_dir()
    for folder in (first, second):
        folder.remove()
    assert list(tempdir.iterdir()) == []


def test_tempfile_uses_it_while_the_block_runs(tempdir: Path) -> None:
    def fail() -> None:
        with private_tempdir():
            kept, path = tempfile.mkstemp()
            os.close(kept)
            assert Path(path).parent.parent == tempdir
            assert Path(path).parent.name.startswith(PREFIX)
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert tempfile.gettempdir() == str(tempdir)
    assert list(tempdir.iterdir()) == []


def test_blocks_of_two_threads_may_overlap(tempdir: Path) -> None:
    inside, outside = threading.Event(), threading.Event()

    def work() -> None:
        with private_tempdir():
            inside.set()
            outside.wait(60)

    thread = threading.Thread(target=work)
    with private_tempdir():
        ours = tempfile.gettempdir()
        thread.start()
        inside.wait(60)
        assert tempfile.gettempdir() not in (ours, str(tempdir))
    assert Path(tempfile.gettempdir()).is_dir()  # the other thread's
    outside.set()
    thread.join()
    assert tempfile.gettempdir() == str(tempdir)
    assert list(tempdir.iterdir()) == []


WRITER = """
import os
import signal
import sys
from pathlib import Path
from regzoo.system.temporary_folder import temporary_sibling

target = Path(os.fsdecode(sys.argv[1]))
with temporary_sibling(target) as file, temporary_sibling(target) as folder:
    file.write_text("half")
    folder.mkdir()
    (folder / "file").write_text("half")
    os.kill(os.getpid(), signal.SIGKILL)
"""


@pytest.fixture
def elsewhere(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("elsewhere")


def test_a_sibling_is_removed_at_the_end_unless_it_was_renamed(elsewhere: Path, tempdir: Path) -> None:
    target = elsewhere / "report.html"
    with temporary_sibling(target) as first, temporary_sibling(target) as second, temporary_sibling(target) as third:
        assert len({first, second, third}) == 3
        assert {path.parent for path in (first, second, third)} == {elsewhere}
        assert all(path.name.startswith(f".report.html{SIBLING}") for path in (first, second, third))
        first.write_text("whole")
        first.replace(target)
        second.mkdir()
        (second / "file").write_text("half")
    assert list(elsewhere.iterdir()) == [target]
    with pytest.raises(FileExistsError), temporary_sibling(target) as path:  # noqa: PT012  # it is left while there is something
        path.mkdir()
        (elsewhere / "report.html").mkdir()
    assert list(elsewhere.iterdir()) == [target]
    assert list(tempdir.iterdir()) == []


def test_a_sibling_of_any_name_goes_with_the_next_command_after_a_kill(elsewhere: Path, tempdir: Path) -> None:
    names = [b"model", b"new\nline", b"not \xff UTF-8", b"x" * 255]
    for name in names:
        target = os.fsencode(elsewhere) + b"/" + name
        assert subprocess.run([sys.executable, "-c", WRITER, target], check=False).returncode == -9
    assert len(list(elsewhere.iterdir())) == 2  # of the last one
    TemporaryFolder().remove()
    assert list(elsewhere.iterdir()) == list(tempdir.iterdir()) == []


def test_nothing_else_is_removed_by_a_list_that_names_it(elsewhere: Path, tempdir: Path) -> None:
    (elsewhere / "mine").write_text("mine")
    folder = TemporaryFolder()
    folder.adopt(elsewhere / "mine")
    (elsewhere / f"a{SIBLING}link").symlink_to(elsewhere / "mine")
    folder.adopt(elsewhere / f"a{SIBLING}link")
    folder.remove()
    assert (elsewhere / "mine").read_text() == "mine"
