"""Files next to the ledger: what regzoo wrote is replaced, anything else is kept under another name."""

from __future__ import annotations

import os
import resource
import shutil
import threading
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from regzoo.core import EnvironmentFailure
from regzoo.core.errors import MovedAsideWarning
from regzoo.storage.folder import lock_outputs
from regzoo.storage.ledger import FILE, Ledger
from regzoo.storage.outputs import is_output, write_outputs

FIXTURE = Path(__file__).parents[1] / "fixtures" / "format_1"
FILES = {"a.csv": "old\n", "report.html": "old", "figures/b.svg": "old", "figures/c.svg": "old"}
NEWER = {"a.csv": "new\n", "report.html": "new", "figures/b.svg": "new", "figures/c.svg": None}
LISTED = ["a.csv", "figures", "figures/b.svg", FILE, "report.html"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with a ledger and the files that regzoo wrote at first."""
    with Ledger(tmp_path, create=True) as ledger:
        write_outputs(tmp_path, ledger, FILES)
    return tmp_path


@pytest.fixture
def ledger(folder: Path) -> Iterator[Ledger]:
    with Ledger(folder) as opened:
        yield opened


def list_names(folder: Path) -> list[str]:
    """Return every path in a folder, hidden ones too."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*"))


def test_what_regzoo_wrote_is_replaced_and_a_stale_figure_removed(folder: Path, ledger: Ledger) -> None:
    for _ in range(2):
        write_outputs(folder, ledger, NEWER)
        assert list_names(folder) == LISTED
        assert (folder / "a.csv").read_text() == "new\n"
        assert (folder / "figures" / "b.svg").read_text() == "new"
    write_outputs(folder, ledger, FILES)
    assert {name: (folder / name).read_text() for name in FILES} == FILES


def edit(path: Path) -> None:
    path.write_text(path.read_text() + "and a note")


def replace_by_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("mine")


def replace_by_link(path: Path) -> None:
    path.unlink()
    path.symlink_to("/nowhere")


def replace_by_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def empty(path: Path) -> None:
    path.write_text("")


@pytest.mark.parametrize("change", [edit, replace_by_folder, replace_by_link, replace_by_pipe, empty])
@pytest.mark.parametrize("name", ["a.csv", "figures/b.svg", "report.html"])
def test_anything_else_is_kept_under_another_name(
    name: str, change: Callable[[Path], None], folder: Path, ledger: Ledger
) -> None:
    path = folder / name
    change(path)
    kept = path.with_name(f"{path.name}.1" if change is replace_by_folder else f"{path.stem}.1{path.suffix}")
    before = path.lstat()
    sentence = f"{folder}: not written by regzoo, .* {name} is now {kept.relative_to(folder)}$"
    with pytest.warns(MovedAsideWarning, match=sentence):
        write_outputs(folder, ledger, NEWER)
    assert os.path.samestat(kept.lstat(), before)
    assert (folder / name).read_text().strip() == "new"
    write_outputs(folder, ledger, FILES)
    assert list_names(folder / "figures")[-1] == "c.svg"


def test_a_stale_figure_that_someone_changed_is_left_where_it_is(folder: Path, ledger: Ledger) -> None:
    edit(folder / "figures" / "c.svg")
    write_outputs(folder, ledger, NEWER)
    assert (folder / "figures" / "c.svg").read_text() == "oldand a note"


def test_a_file_in_the_place_of_the_figures(folder: Path, ledger: Ledger) -> None:
    shutil.rmtree(folder / "figures")
    (folder / "figures").write_text("mine")
    with pytest.warns(MovedAsideWarning, match=r"figures is now figures\.1$"):
        write_outputs(folder, ledger, NEWER)
    assert (folder / "figures.1").read_text() == "mine"
    assert (folder / "figures" / "b.svg").read_text() == "new"


def test_a_file_that_says_the_same_already_is_regzoos(tmp_path: Path) -> None:
    """So a comparison of a version that kept no digests goes on as before."""
    folder = Path(shutil.copytree(FIXTURE, tmp_path / "e"))
    with Ledger(folder) as ledger:
        write_outputs(folder, ledger, {"leaderboard.csv": (FIXTURE / "leaderboard.csv").read_text()})
        write_outputs(folder, ledger, {"leaderboard.csv": "new"})
        assert is_output(folder, ledger, "config.yaml")
    assert list_names(folder) == ["config.yaml", "leaderboard.csv", FILE]
    assert (folder / "leaderboard.csv").read_text() == "new"


def test_a_copy_of_the_folder_knows_its_files(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    copied = Path(shutil.copytree(folder, tmp_path_factory.mktemp("copy") / "e"))
    with Ledger(copied) as ledger:
        write_outputs(copied, ledger, NEWER)
    assert list_names(copied) == LISTED


def test_a_full_disk_leaves_every_file_old_or_new(folder: Path, ledger: Ledger) -> None:
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (60_000, limits[1]))
    try:
        with pytest.raises(EnvironmentFailure, match=r"report\.html cannot be written .*is the disk full\?"):
            write_outputs(folder, ledger, NEWER | {"report.html": "new" * 30_000})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert list_names(folder) == sorted([*LISTED, "figures/c.svg"])
    assert [(folder / name).read_text() for name in FILES] == ["new\n", "old", "old", "old"]
    write_outputs(folder, ledger, NEWER)
    assert list_names(folder) == LISTED


def test_what_was_moved_is_said_even_if_the_rest_fails(
    folder: Path, ledger: Ledger, monkeypatch: pytest.MonkeyPatch
) -> None:
    edit(folder / "a.csv")
    monkeypatch.setattr("regzoo.storage.outputs.write_text_atomic", fail)
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        with pytest.raises(EnvironmentFailure, match="no luck"):
            write_outputs(folder, ledger, NEWER)
    assert [str(each.message).rpartition(": ")[2] for each in caught] == ["a.csv is now a.1.csv"]


def fail(*_: object) -> None:
    raise EnvironmentFailure("no luck")


def test_a_folder_that_is_taken_away_is_not_made_again(folder: Path, ledger: Ledger, tmp_path: Path) -> None:
    elsewhere = tmp_path.with_name(tmp_path.name + "-elsewhere")

    class Leaving(dict[str, str | None]):
        def items(self):  # type: ignore[no-untyped-def]
            for number, item in enumerate(super().items()):
                if number == 2:
                    folder.rename(elsewhere)
                yield item

    with pytest.raises(EnvironmentFailure, match="was removed, renamed or replaced while"):
        write_outputs(folder, ledger, Leaving(NEWER))
    assert not folder.exists()
    assert list_names(elsewhere) == sorted([*LISTED, "figures/c.svg"])
    elsewhere.rename(folder)


@pytest.mark.parametrize("name", [".a.csv.regzoo-0123abcd", ".report.html.4711", "figures/.b.svg.regzoo-0123abcd"])
def test_what_killed_processes_left_is_removed(name: str, folder: Path, ledger: Ledger) -> None:
    (folder / name).write_text("half")
    write_outputs(folder, ledger, NEWER)
    assert list_names(folder) == LISTED


@pytest.mark.parametrize("name", [".a.csv.bak", ".a.csv.regzoo", "a.csv.4711", ".other.4711", ".a.csv.regzoo-notes"])
def test_other_hidden_files_are_left_alone(name: str, folder: Path, ledger: Ledger) -> None:
    (folder / name).write_text("mine")
    write_outputs(folder, ledger, NEWER)
    assert (folder / name).read_text() == "mine"


def test_two_writers_wait_for_each_other(folder: Path, ledger: Ledger) -> None:
    with lock_outputs(folder):
        waiting = threading.Thread(target=write_new, args=(folder,))
        waiting.start()
        waiting.join(0.1)
        assert waiting.is_alive()
        assert (folder / "a.csv").read_text() == "old\n"
    waiting.join()
    assert (folder / "a.csv").read_text() == "new\n"


def write_new(folder: Path) -> None:
    with Ledger(folder) as ledger:
        write_outputs(folder, ledger, NEWER)
