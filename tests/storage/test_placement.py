"""Where a comparison's folder may lie: anything that cannot work is refused by a sentence, and nothing is written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from regzoo.core import EnvironmentFailure, InputError
from regzoo.storage.ledger import FILE, Ledger
from regzoo.storage.placement import find_repeated, require_own_repetitions, require_placeable

OTHER_PROGRAM = "import sqlite3, sys; sqlite3.connect(sys.argv[1]).execute('create table books (title text)')"

NAMES = [b"e", b"a b\n", b"x" * 255, "ü€😀".encode(), b"-", b"e.1", b"~", b"*"]


def make_comparison(folder: Path) -> Path:
    """Make a folder with an empty ledger."""
    folder.mkdir(parents=True, exist_ok=True)
    Ledger(folder, create=True).__exit__()
    return folder


def snapshot(folder: Path) -> set[tuple[str, int]]:
    """Return what lies in ``folder``, with the times at which it was changed."""
    return {(str(path), path.lstat().st_mtime_ns) for path in folder.rglob("*")}


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("name", NAMES)
def test_folders_of_any_name_that_are_new_empty_or_hold_a_comparison(name: bytes, fresh: bool, tmp_path: Path) -> None:
    folder = tmp_path / "reports" / os.fsdecode(name)
    require_placeable(folder, fresh)
    folder.mkdir(parents=True)
    require_placeable(folder, fresh)
    make_comparison(folder)
    (folder / "notes.txt").write_text("mine")
    before = snapshot(tmp_path)
    require_placeable(folder, fresh)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize(
    ("files", "named"),
    [
        (["thesis.txt"], "thesis.txt"),
        (["config.yaml"], "config.yaml"),
        (["b", ".hidden"], ".hidden"),
        (["leaderboard.csv", "report.html"], "leaderboard.csv"),
        (["model/"], "model"),
    ],
)
def test_foreign_files_are_refused_by_name_and_untouched(
    files: list[str], named: str, fresh: bool, tmp_path: Path
) -> None:
    for name in files:
        (tmp_path / name).mkdir() if name.endswith("/") else (tmp_path / name).write_text("years of work")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=rf"holds '{named}' and no comparison .*choose another folder with --out"):
        require_placeable(tmp_path, fresh)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("fresh", [False, True])
def test_what_a_killed_process_left_is_no_obstacle(fresh: bool, tmp_path: Path) -> None:
    for name in (".lock", ".regzoo-lock", ".config.yaml.regzoo-1a2b3c4d", f".{FILE}.regzoo-1a2b3c4d"):
        (tmp_path / name).touch()
    require_placeable(tmp_path, fresh)


@pytest.mark.parametrize("fresh", [False, True])
@pytest.mark.parametrize("kind", ["text", "empty", "folder", "another program's", "link"])
def test_a_ledger_that_is_not_regzoos_is_refused_by_name_and_untouched(kind: str, fresh: bool, tmp_path: Path) -> None:
    path = tmp_path / "mine" / FILE
    path.parent.mkdir()
    if kind == "folder":
        path.mkdir()
    elif kind == "link":
        make_comparison(tmp_path / "other")
        path.symlink_to(tmp_path / "other" / FILE)
    elif kind == "another program's":
        subprocess.run([sys.executable, "-c", OTHER_PROGRAM, str(path)], check=True)
    else:
        path.write_text("text" if kind == "text" else "")
    before = snapshot(tmp_path)
    with pytest.raises(InputError, match=rf"{path} is not a regzoo ledger"):
        require_placeable(path.parent, fresh)
    assert snapshot(tmp_path) == before


@pytest.mark.parametrize("fresh", [False, True])
def test_paths_that_cannot_be_a_folder(fresh: bool, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    for name, words in (
        ("file", "is a file"),
        ("file/below", "cannot be made, because .*file is a file"),
        ("a", "cannot be a folder"),
        ("x" * 256, "cannot be a folder .File name too long"),
        ("nul\0", "cannot be a folder"),
        (os.fsdecode(b"\xff"), "is not UTF-8, and TensorFlow writes no model there"),
    ):
        with pytest.raises(InputError, match=words):
            require_placeable(tmp_path / name, fresh)


@pytest.mark.parametrize("fresh", [False, True])
def test_the_folder_of_another_comparison(fresh: bool, tmp_path: Path) -> None:
    outer = make_comparison(tmp_path / "outer")
    (tmp_path / "link").symlink_to(outer)
    for inner in (outer / "model", outer / "a" / "b", tmp_path / "link" / "c"):
        with pytest.raises(InputError, match=rf"lies in the folder of another comparison, {outer}; choose"):
            require_placeable(inner, fresh)


@pytest.mark.parametrize("name", ["~", "~/reports/e", "~someone"])
def test_a_home_folder_that_no_shell_has_replaced(name: str) -> None:
    with pytest.raises(InputError, match="begins with ~, which only a shell replaces by a home folder"):
        require_placeable(Path(name), fresh=False)


def test_root_is_foreign() -> None:
    with pytest.raises(InputError, match=r"/ holds '.*' and no comparison"):
        require_placeable(Path("/"), fresh=True)


@pytest.mark.parametrize(("out", "current"), [(".", "e"), ("..", "e/sub"), ("../..", "e/a/b"), ("../e", "e")])
def test_the_current_folder_may_be_used_but_not_renamed(
    out: str, current: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    make_comparison(tmp_path / "e")
    (tmp_path / current).mkdir(parents=True, exist_ok=True)
    monkeypatch.chdir(tmp_path / current)
    require_placeable(Path(out), fresh=False)
    with pytest.raises(InputError, match=r"--fresh renames the folder .*not possible because .*current folder"):
        require_placeable(Path(out), fresh=True)


def test_fresh_in_an_empty_current_folder_renames_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    require_placeable(Path(), fresh=True)


def test_home_and_mount_points_are_not_renamed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_comparison(tmp_path / "e")
    monkeypatch.setenv("HOME", str(folder / "home"))
    with pytest.raises(InputError, match="your home folder is in it"):
        require_placeable(folder, fresh=True)
    monkeypatch.setenv("HOME", str(tmp_path))
    require_placeable(folder, fresh=True)
    monkeypatch.setattr("os.path.ismount", lambda path: path == folder)
    with pytest.raises(InputError, match="it is a mount point"):
        require_placeable(folder, fresh=True)
    require_placeable(folder, fresh=False)


def test_what_is_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = make_comparison(tmp_path / "e")
    monkeypatch.setattr(os, "access", lambda path, _: path != tmp_path)  # root may write everywhere
    require_placeable(folder, fresh=False)
    with pytest.raises(EnvironmentFailure, match=rf"--fresh renames the folder .*{tmp_path} is read-only"):
        require_placeable(folder, fresh=True)
    with pytest.raises(EnvironmentFailure, match=f"{tmp_path} is read-only"):
        require_placeable(tmp_path / "new" / "folder", fresh=False)


def test_a_link_to_a_folder_is_followed(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to("disk/e")
    require_placeable(tmp_path / "link", fresh=True)
    make_comparison(tmp_path / "disk" / "e")
    require_placeable(tmp_path / "link", fresh=True)


def test_only_repetitions_lie_in_the_folder_of_a_comparison(tmp_path: Path) -> None:
    folder = make_comparison(tmp_path / "a")
    for name in ("claims/seed_1", "claims/seed_12"):
        require_placeable(folder / name, fresh=False)
        assert find_repeated(folder / name) == folder
    for name in ("claims", "claims/seed_x", "claims/seed_1/seed_2", "claims/seed_1/claims/seed_2", "other/seed_1"):
        assert find_repeated(folder / name) is None
        with pytest.raises(InputError, match="lies in the folder of another comparison"):
            require_placeable(folder / name, fresh=False)
    require_own_repetitions(folder)
    for name in ("seed_1", ".DS_Store"):
        (folder / "claims" / name).mkdir(parents=True)
    require_own_repetitions(folder)
    (folder / "claims" / "seed_two").mkdir()
    with pytest.raises(InputError, match=r"holds 'seed_two', which is no repetition of the comparison: .*rename it"):
        require_own_repetitions(folder)
