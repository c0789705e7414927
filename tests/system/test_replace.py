"""`replace_output`: only an older output of the same kind is replaced, at whatever kind of path."""

from __future__ import annotations

import os
import resource
from pathlib import Path

import pytest

from regzoo.core.errors import EnvironmentFailure, InputError
from regzoo.system.lock import lock_path
from regzoo.system.replace import OutputKind, replace_output, require_replaceable

KIND = OutputKind("test output", lambda content: content.startswith(b"ours"))


def test_an_older_output_is_replaced_and_folders_are_made(tmp_path: Path) -> None:
    path = tmp_path / "new" / "folder" / "a.txt"
    for content in (b"ours 1", b"ours 2", b"no mark", b"no mark"):
        replace_output(path, content, KIND)
        assert path.read_bytes() == content
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("content", [b"", b"mine", b"\xff\x00", b" ours"])
def test_another_file_is_refused_by_name_and_unchanged(content: bytes, tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_bytes(content)
    with pytest.raises(InputError, match=r"mine\.txt exists and is not a test output as regzoo writes it.* remove it"):
        replace_output(tmp_path / "mine.txt", b"ours", KIND)
    assert (tmp_path / "mine.txt").read_bytes() == content
    assert len(list(tmp_path.iterdir())) == 1


def test_folders_pipes_and_devices_are_refused(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "folder").mkdir()
    for path, what in ((tmp_path / "folder", "a folder"), (tmp_path / "pipe", "no ordinary file")):
        with pytest.raises(InputError, match=f"{path} is {what}; choose the path of a file for the test output"):
            replace_output(path, b"ours", KIND)
    with pytest.raises(InputError, match="/dev/null is no ordinary file"):
        replace_output(Path("/dev/null"), b"ours", KIND)


def test_a_link_is_kept_and_its_target_replaced(tmp_path: Path) -> None:
    (tmp_path / "target").write_bytes(b"ours 1")
    (tmp_path / "link").symlink_to("target")
    (tmp_path / "new").symlink_to("folder/made")
    replace_output(tmp_path / "link", b"ours 2", KIND)
    replace_output(tmp_path / "new", b"ours 3", KIND)
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_bytes() == b"ours 2"
    assert (tmp_path / "folder" / "made").read_bytes() == b"ours 3"


def test_links_in_a_circle_names_that_are_too_long_and_nul(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for path in (tmp_path / "a", tmp_path / ("x" * 256), tmp_path / "a\0b", Path("~/a")):
        with pytest.raises(InputError, match=r"cannot be written|begins with ~"):
            replace_output(path, b"ours", KIND)


@pytest.mark.parametrize("name", [b"x" * 255, b"\xff\n", "😀".encode() * 63])
def test_names_of_any_kind(name: bytes, tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(name)
    replace_output(path, b"ours", KIND)
    assert [os.fsencode(each.name) for each in tmp_path.iterdir()] == [name]


def test_a_file_that_another_process_writes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").write_bytes(b"ours")
    monkeypatch.setattr("regzoo.system.lock.time.monotonic", iter(range(0, 1000, 20)).__next__)
    with lock_path(tmp_path / "a"), pytest.raises(EnvironmentFailure, match=f"in use by process {os.getpid()}"):
        replace_output(tmp_path / "a", b"ours 2", KIND)


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"ours")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (5000, limits[1]))
    try:
        with pytest.raises(EnvironmentFailure, match=r"a cannot be written \(File too large\): is the disk full\?"):
            replace_output(tmp_path / "a", b"ours" * 10_000, KIND)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a", b"ours")]


def test_nothing_there_is_fine(tmp_path: Path) -> None:
    require_replaceable(tmp_path / "no" / "file", KIND)
