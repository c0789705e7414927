"""The folder of an export: what regzoo wrote and nobody changed is replaced; everything else is refused by name."""

from __future__ import annotations

import json
import os
import shutil
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regzoo import publish, result
from regzoo.cli import app as cli
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError, MovedAsideWarning
from regzoo.export import export as export_module
from regzoo.export.manifest import find_foreign_file
from regzoo.export.target import check_target, open_own_model, open_target
from regzoo.result import Result
from regzoo.storage.ledger import Ledger
from regzoo.system.lock import get_lock_file, lock_path

FORMAT_2_KEYS = ("version", "digest")


@pytest.fixture
def older(finished: Any, tmp_path: Path) -> Path:
    """An older export of the user's."""
    return shutil.copytree(finished.folder / "model", tmp_path / "mine" / "model")


def make_format_1(folder: Path) -> None:
    """Turn an export into one of an older regzoo."""
    values = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    for key in FORMAT_2_KEYS:
        del values[key]
    del values["files"]["README.md"]
    (folder / "recipe.json").write_text(json.dumps(values, indent=2) + "\n", encoding="utf-8")


def refuse(to: Path, comparison: Path) -> str:
    """Return the message with which an export to ``to`` is refused; nothing is written."""
    with pytest.raises(InputError) as caught:
        check_target(to, comparison)
    with pytest.raises(InputError, match="nothing was overwritten"), open_target(to, comparison):
        raise AssertionError("trained")
    return str(caught.value)


@pytest.mark.parametrize("format", [1, 2])
def test_what_regzoo_wrote_and_nobody_changed_is_proven(format: int, finished: Any, older: Path) -> None:
    if format == 1:
        make_format_1(older)
    assert check_target(older, finished.folder) == older


def test_a_format_that_regzoo_does_not_write_any_more_is_known_by_its_keys(finished: Any, older: Path) -> None:
    make_format_1(older)
    values = json.loads((older / "recipe.json").read_text(encoding="utf-8"))
    (older / "recipe.json").write_text(json.dumps({"files": values["files"]}, indent=2) + "\n", encoding="utf-8")
    assert "'recipe.json' is not regzoo's" in refuse(older, finished.folder)


def test_each_damaged_file_is_named(finished: Any, tmp_path: Path, damaged_copies: Any, digest_tree: Any) -> None:
    for copy, file, kind in damaged_copies(finished.folder / "model"):
        before = digest_tree(tmp_path)
        with pytest.raises(InputError) as caught:
            check_target(copy, finished.folder)
        assert repr(file) in str(caught.value) or (kind == "remove" and "no recipe.json" in str(caught.value)), kind
        assert digest_tree(tmp_path) == before


ADDITIONS: dict[str, Callable[[Path], object]] = {
    "file": lambda path: path.write_text("years of work"),
    "empty file": Path.touch,
    "folder": Path.mkdir,
    "pipe": os.mkfifo,
    "link": lambda path: path.symlink_to("/"),
}


@pytest.mark.parametrize("format", [1, 2])
@pytest.mark.parametrize("kind", ADDITIONS)
@pytest.mark.parametrize("place", [".", "variables", "assets"])
@pytest.mark.parametrize("name", ["notes.txt", ".DS_Store", "zzz"])
def test_each_addition_is_named(
    name: str, place: str, kind: str, format: int, finished: Any, older: Path, digest_tree: Any
) -> None:
    if format == 1:
        make_format_1(older)
    (older / place).mkdir(exist_ok=True)
    ADDITIONS[kind](older / place / name)
    before = digest_tree(older.parent)
    assert repr(str(Path(place) / name)) in refuse(older, finished.folder)
    assert digest_tree(older.parent) == before


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"files": {}}', '{"name": "cake", "flour": "200 g"}', "\0", "[" * 10**5]
)
def test_a_recipe_for_a_cake_is_the_users(text: str, finished: Any, tmp_path: Path) -> None:
    (tmp_path / "cake").mkdir()
    (tmp_path / "cake" / "recipe.json").write_text(text)
    assert "recipe.json' is not regzoo's" in refuse(tmp_path / "cake", finished.folder)
    assert (tmp_path / "cake" / "recipe.json").read_text() == text


def test_it_is_refused_before_anything_is_loaded(
    finished: Any, older: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def load(*_: Any) -> None:
        raise AssertionError("loaded")

    monkeypatch.setattr(result, "import_tensorflow", load)
    monkeypatch.setattr(result, "load_dataset", load)
    (older / "notes.txt").write_text("years of work")
    monkeypatch.setattr(sys, "argv", ["regzoo", "export", str(finished.folder), "--to", str(older), "--refit"])
    with pytest.raises(SystemExit) as done:
        cli.main()
    assert done.value.code == 2
    assert "nothing was overwritten; choose another path ('notes.txt' is not part of it)" in capfd.readouterr().err


def list_places(comparison: Path, folder: Path) -> dict[str, tuple[Path | str, str]]:
    """Return paths where no model may be written, and words of the message."""
    (folder / "file").write_text("years of work")
    os.mkfifo(folder / "pipe")
    (folder / "nowhere").symlink_to("gone")
    (folder / "loop").symlink_to("loop")
    (folder / "here").symlink_to(".")
    (folder / "empty").mkdir()
    (folder / "a" / "b").mkdir(parents=True)
    shutil.copytree(comparison, folder / "other")
    return {
        "current folder": (".", "holds the current folder"),
        "no name": ("", "holds the current folder"),
        "a way back": ("a/..", "holds the current folder"),
        "a way back from nothing": ("new/..", "holds the current folder"),
        "above": ("..", "holds the current folder"),
        "root": ("/", "holds the current folder"),
        "a link to the current folder": ("here", "holds the current folder"),
        "home": ("~", "begins with ~"),
        "below home": ("~/model", "begins with ~"),
        "comparison": (comparison, "holds the comparison itself"),
        "above the comparison": (comparison.parent, "holds the comparison itself"),
        "in the comparison": (comparison / "mine", "lies in a comparison's own folder"),
        "its own model": (comparison / "model", "lies in a comparison's own folder"),
        "another comparison's model": (folder / "other" / "model", "lies in a comparison's own folder"),
        "deep in the comparison": (comparison / "figures" / "a" / "b", "lies in a comparison's own folder"),
        "file": ("file", "it is a file"),
        "file with a slash": ("file/", "it is a file"),
        "pipe": ("pipe", "it is a file"),
        "device": ("/dev/null", "it is a file"),
        "link nowhere": ("nowhere", "is a link that leads nowhere"),
        "link to itself": ("loop", "leads nowhere"),
        "through a link to itself": ("loop/model", "cannot be written"),
        "empty folder": ("empty", "it is empty"),
        "folder": ("a/", "it holds 'b' and no recipe.json"),
        "below a file": ("file/model", "cannot be written"),
        "long name": ("x" * 300, "cannot be written"),
        "NUL": ("a\0b", "without NUL"),
        "not UTF-8": ("a\udcff", "in UTF-8"),
    }


def test_no_model_is_written_where_other_things_are(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest_tree: Any
) -> None:
    (tmp_path / "work").mkdir()
    monkeypatch.chdir(tmp_path / "work")
    comparison = tmp_path / "reports" / "flowers"
    shutil.copytree(finished.folder, comparison)
    places = list_places(comparison, tmp_path / "work")
    before = digest_tree(tmp_path)
    for to, words in places.values():
        with pytest.raises((InputError, EnvironmentFailure)) as caught, open_target(Path(to), comparison):
            raise AssertionError(f"{to!r} was accepted")
        assert words in str(caught.value)
        assert digest_tree(tmp_path) == before


def test_a_failure_removes_the_folders_that_it_made(finished: Any, tmp_path: Path) -> None:
    for error in (KeyboardInterrupt, InputError):
        with pytest.raises(error), open_target(tmp_path / "a" / "b" / "model", finished.folder):
            raise error
    assert list(tmp_path.iterdir()) == []


def test_what_appears_while_a_model_is_made_is_kept_and_so_is_the_model(
    finished: Any, older: Path, tmp_path: Path
) -> None:
    def export_while_someone_writes(to: Path, write: Callable[[Path], object]) -> Path:
        with open_target(to, finished.folder) as target:
            (target.temporary / "card").write_text("mine")
            write(to)
        return target.path

    def add_notes(to: Path) -> None:
        to.mkdir(exist_ok=True)
        (to / "notes.txt").write_text("years of work")

    for to in (older, tmp_path / "new"):
        with pytest.warns(MovedAsideWarning, match=rf"nothing was overwritten.*'notes.txt'.*the model is {to}\.1$"):
            path = export_while_someone_writes(to, add_notes)
        assert path == to.with_name(f"{to.name}.1")
        assert (path / "card").read_text() == "mine"
        assert (to / "notes.txt").read_text() == "years of work"
    with pytest.warns(MovedAsideWarning, match="it is a file"):
        assert export_while_someone_writes(tmp_path / "file", lambda to: to.write_text("")).name == "file.1"
    names = ["file", "file.1", "mine", "new", "new.1"]
    assert sorted(path.name for path in tmp_path.iterdir()) == names
    assert sorted(path.name for path in older.parent.iterdir()) == ["model", "model.1"]


def test_one_export_at_a_time_writes_to_a_name(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def train(*_: Any) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr(export_module, "refit_recipe", train)
    (tmp_path / "link").symlink_to("model")
    with open_target(tmp_path / "model", finished.folder) as target:
        with pytest.raises(BusyError, match="is in use by process"), open_target(tmp_path / "model", finished.folder):
            raise AssertionError("two at once")
        monkeypatch.setattr(sys, "argv", ["regzoo", "export", str(finished.folder), "--to", str(tmp_path / "model")])
        with pytest.raises(SystemExit) as done:
            cli.main()
        assert done.value.code == 3
        assert "is in use by process" in capfd.readouterr().err
        (target.temporary / "card").write_text("mine")
    assert [path.name for path in (tmp_path / "model").iterdir()] == ["card"]


def test_a_deleted_lock_stops_an_export(finished: Any, tmp_path: Path) -> None:
    to = tmp_path / "model"
    with pytest.raises(EnvironmentFailure, match=r"the lock file .* was deleted"), open_target(to, finished.folder):
        get_lock_file(to).unlink()
    assert list(tmp_path.iterdir()) == []


def write_own(folder: Path) -> None:
    with open_own_model(folder, lambda _: True) as temporary:
        (temporary / "new").write_text("new")


@pytest.mark.parametrize("present", ["model", "empty folder", "nothing"])
def test_a_comparison_replaces_its_own_unchanged_model(present: str, older: Path, digest_tree: Any) -> None:
    if present != "model":
        shutil.rmtree(older)
    if present == "empty folder":
        older.mkdir()
    write_own(older)  # a warning would be an error
    assert digest_tree(older.parent).keys() == {"model", "model/new"}


def replace_by_file(folder: Path) -> None:
    shutil.rmtree(folder)
    folder.write_text("years of work")


def replace_by_link(folder: Path) -> None:
    folder.rename(folder.with_name("other"))
    folder.symlink_to("other")


CHANGES: dict[str, Callable[[Path], object]] = {
    "file": replace_by_file,
    "link": replace_by_link,
    "format 1": make_format_1,
    "added": lambda folder: (folder / "notes.txt").write_text("years of work"),
    "changed": lambda folder: (folder / "README.md").write_text("years of work"),
    "recipe": lambda folder: (folder / "recipe.json").write_text("{}"),
}


@pytest.mark.parametrize("change", CHANGES)
def test_a_comparison_moves_aside_what_is_not_its_own_model(change: str, older: Path, digest_tree: Any) -> None:
    CHANGES[change](older)
    before = digest_tree(older.parent)
    with pytest.warns(MovedAsideWarning, match=f"what was there is now {older}.1"):
        write_own(older)
    after = digest_tree(older.parent)
    moved = {
        name.replace("model", "model.1", 1) if name.split("/")[0] == "model" else name: v for name, v in before.items()
    }
    assert {name: value for name, value in after.items() if name not in ("model", "model/new")} == moved
    assert (older / "new").read_text() == "new"


def test_an_unchanged_model_of_another_comparison_is_moved_aside_too(older: Path) -> None:
    with pytest.warns(MovedAsideWarning, match="it is another model"), open_own_model(older, lambda _: False):
        pass
    assert find_foreign_file(older.with_name("model.1")) is None


@pytest.mark.slow
def test_only_a_replicate_in_the_ledger_is_the_comparisons_own(finished: Any, mixed: Any, older: Path) -> None:
    with Ledger(finished.folder) as ledger:
        assert export_module._is_own_model(ledger, older)
        assert not export_module._is_own_model(ledger, mixed.folder / "model")
        values = json.loads((older / "recipe.json").read_text(encoding="utf-8"))
        for key, value in (("refit", {}), ("format", "onnx"), ("seed", 1), ("metrics", None)):
            (older / "recipe.json").write_text(json.dumps({**values, key: value}), encoding="utf-8")
            assert not export_module._is_own_model(ledger, older)


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_a_comparison_that_is_published_again_keeps_what_was_added_to_its_model(
    finished: Any, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "flowers")
    (folder / "model" / "notes.txt").write_text("years of work")
    with pytest.warns(MovedAsideWarning, match=r"'notes.txt' is not part of it\): what was there is now"):
        publish.publish(folder)
    assert (folder / "model.1" / "notes.txt").read_text() == "years of work"
    assert find_foreign_file(folder / "model") is None
    publish.publish(folder)  # replaces its own model without a word
    assert capfd.readouterr().err == ""
    assert sorted(path.name for path in folder.glob("model*")) == ["model", "model.1"]
    with lock_path(folder / "model"), pytest.raises(BusyError):
        publish.publish(folder)
    assert [path.name for path in folder.glob(".*") if path.name != ".lock"] == []


def test_an_export_of_no_comparison_makes_no_folder(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="holds no comparison"):
        Result(tmp_path / "nothing").export(tmp_path / "a" / "model")
    assert list(tmp_path.iterdir()) == []
