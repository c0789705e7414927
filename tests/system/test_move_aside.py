"""`move_aside`: a name is freed, and whatever has it or a name like it is kept."""

from __future__ import annotations

import errno
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from regzoo.core.errors import EnvironmentFailure
from regzoo.system.move_aside import move_aside


def make(path: Path, kind: str) -> None:
    """Make something that can be told from anything else."""
    if kind == "empty folder":
        path.mkdir()
    elif kind == "folder":
        path.mkdir()
        (path / "inside").write_text(path.name)
    elif kind == "link":
        path.symlink_to(f"nowhere-{path.name}")
    else:
        path.write_text(path.name)


def read(path: Path) -> str:
    """Return what `make` was called with."""
    if path.is_symlink():
        return str(path.readlink()).removeprefix("nowhere-")
    if path.is_dir() and not list(path.iterdir()):
        return "a.html"  # nothing can tell an empty folder from another
    return (path / "inside" if path.is_dir() else path).read_text()


@pytest.mark.parametrize("kind", ["file", "folder", "empty folder", "link"])
@pytest.mark.parametrize("taken", ["file", "folder", "link", "empty"])
def test_the_first_free_name_is_taken_and_nothing_is_replaced(kind: str, taken: str, tmp_path: Path) -> None:
    path, first = tmp_path / "a.html", tmp_path / ("a.html.1" if "folder" in kind else "a.1.html")
    make(path, kind)
    first.mkdir() if taken == "empty" else make(first, taken)
    free = move_aside(path)
    assert free.name == ("a.html.2" if "folder" in kind else "a.2.html")
    assert read(free) == "a.html"
    assert list(first.iterdir()) == [] if taken == "empty" else read(first) == first.name
    assert sorted(tmp_path.iterdir()) == sorted([first, free])


@pytest.mark.parametrize("kind", ["file", "folder"])
@pytest.mark.parametrize("name", ["x" * 255, "ü" * 127, "x" * 250 + ".html"])
def test_a_name_that_is_as_long_as_names_may_be(kind: str, name: str, tmp_path: Path) -> None:
    make(tmp_path / name, kind)
    free = move_aside(tmp_path / name)
    assert read(free) == name
    assert list(tmp_path.iterdir()) == [free]


def test_a_name_that_is_not_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xff")
    path.write_text("text")
    assert os.fsencode(move_aside(path).name) == b"\xff.1"


def test_a_file_system_without_hard_links(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> None:
        raise OSError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refuse)
    for name in ("a.html", "a.1.html"):
        make(tmp_path / name, "file")
    assert read(move_aside(tmp_path / "a.html")) == "a.html"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.1.html", "a.2.html"]
    assert read(tmp_path / "a.1.html") == "a.1.html"


def test_a_rename_that_was_killed_half_way_is_finished(tmp_path: Path) -> None:
    make(tmp_path / "a.html", "file")
    os.link(tmp_path / "a.html", tmp_path / "a.1.html")
    assert move_aside(tmp_path / "a.html") == tmp_path / "a.1.html"
    assert [path.name for path in tmp_path.iterdir()] == ["a.1.html"]


def test_a_folder_that_fills_while_it_is_made_free_is_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mkdir = Path.mkdir

    def fill(path: Path, *arguments: Any, **keywords: Any) -> None:
        mkdir(path, *arguments, **keywords)
        if path.name == "a.1":
            (path / "theirs").write_text("theirs")

    make(tmp_path / "a", "folder")
    monkeypatch.setattr(Path, "mkdir", fill)
    assert move_aside(tmp_path / "a") == tmp_path / "a.2"
    assert [path.name for path in (tmp_path / "a.1").iterdir()] == ["theirs"]


def test_another_file_system_or_a_parent_that_cannot_be_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: object) -> None:
        raise OSError(errno.EXDEV, "Invalid cross-device link")

    make(tmp_path / "a", "folder")
    monkeypatch.setattr(Path, "rename", refuse)
    with pytest.raises(EnvironmentFailure, match=r"a cannot be renamed .Invalid cross-device link."):
        move_aside(tmp_path / "a")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


RACER = """
import sys
from pathlib import Path
from regzoo.system.move_aside import move_aside

sys.stdin.readline()
for number in range(40):
    path = Path(sys.argv[1]) / str(number) / "a"
    try:
        move_aside(path)
    except Exception as error:
        assert "No such file" in str(error), error
"""


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["file", "folder"])
def test_many_processes_at_once_lose_nothing(kind: str, tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / str(number)).mkdir()
        make(tmp_path / str(number) / "a", kind)
    command = [sys.executable, "-c", RACER, str(tmp_path)]
    racers = [subprocess.Popen(command, stdin=subprocess.PIPE) for _ in range(4)]
    for racer in racers:
        assert racer.stdin is not None
        racer.stdin.write(b"\n")
        racer.stdin.flush()
    for racer in racers:
        racer.communicate()
        assert racer.returncode == 0
    for number in range(40):
        [kept] = (tmp_path / str(number)).iterdir()
        assert read(kept) == "a"
