"""Every command that reads a comparison's folder, with every file in it corrupted in every way.

Each case ends with 2 or 3 and a sentence, or with the right answer; and no file has changed but those that the command
is there to write.
"""

from __future__ import annotations

import contextlib
import io
import os
import random
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from regzoo.cli.app import main
from regzoo.storage.ledger import FILE, Ledger

FIXTURES = Path(__file__).parent / "fixtures"
PAGE = 4096

PICK = int(os.environ.get("REGZOO_TEST_PICK", "5"))
"""One corruption of this many is tried, drawn by chance; REGZOO_TEST_PICK=1 tries them all, in ten minutes."""

FLIPS_PER_PAGE = 14
LENGTHS = (0, 1, 15, 16, 99, 100, 101, 511, 4095, 4096, 4097, 0.25, 0.5, 0.75, 0.9, 0.99, -100, -1)
"""Lengths to which a file is cut: bytes, a share, or bytes less than it has."""

WRITTEN = {"report": ("leaderboard.csv", "report.html", "report.md", "figures")}
"""What a command is there to write, by its first word."""

Answer = tuple[int, str]


@dataclass(frozen=True)
class Corruption:
    """One thing that has happened to one file.

    Attributes:
        file: its path in the comparison's folder.
        how: what happened, in words.
        apply: does it, to the path.
    """

    file: str
    how: str
    apply: Callable[[Path], object]

    def __str__(self) -> str:
        return f"{self.file}: {self.how}"


def flip(place: int, length: int, mask: int) -> Callable[[Path], object]:
    def apply(path: Path) -> None:
        content = bytearray(path.read_bytes())
        for index in range(place, min(place + length, len(content))):
            content[index] ^= mask
        path.write_bytes(content)

    return apply


def overwrite(place: int, length: int, value: int) -> Callable[[Path], object]:
    def apply(path: Path) -> None:
        content = bytearray(path.read_bytes())
        content[place : place + length] = bytes([value]) * len(content[place : place + length])
        path.write_bytes(content)

    return apply


def cut(length: float) -> Callable[[Path], object]:
    def apply(path: Path) -> None:
        content = path.read_bytes()
        path.write_bytes(content[: int(length * len(content)) if 0 < length < 1 else int(length)])

    return apply


def replace(make: Callable[[Path], object]) -> Callable[[Path], object]:
    def apply(path: Path) -> None:
        path.unlink()
        make(path)

    return apply


def make_full_folder(path: Path) -> None:
    path.mkdir()
    (path / "thesis.txt").write_text("years of work")


def list_corruptions(folder: Path, file: str, flips: int) -> Iterator[Corruption]:
    """Yield what may happen to a file; ``flips`` byte regions are flipped in each page, headers included."""
    content, draw = (folder / file).read_bytes(), random.Random(file)
    for page in range(0, len(content), PAGE):
        size = min(PAGE, len(content) - page)
        inside = [draw.randrange(size) for _ in range(flips)]
        places = (
            inside if flips < 5 else [*range(0, min(100 if page == 0 else 12, size), 1 if page == 0 else 2), *inside]
        )
        for place in sorted(set(places)):
            length, mask = draw.choice((1, 1, 1, 4, 64)), draw.choice((0x01, 0x20, 0x80, 0xFF))
            what = f"{length} bytes at {page + place} flipped by {mask:#x}"
            yield Corruption(file, what, flip(page + place, length, mask))
        if flips:
            value = draw.choice((0, 0, 0x0D, 0xFF))
            yield Corruption(file, f"the page at {page} overwritten with {value}", overwrite(page, PAGE, value))
    for shortened in LENGTHS:
        yield Corruption(file, f"cut to {shortened}", cut(shortened))
    other = FIXTURES / "format_1_folds" / file
    if other.is_file():
        yield Corruption(file, "that of another comparison", lambda path: shutil.copyfile(other, path))
    yield Corruption(file, "removed", Path.unlink)
    yield Corruption(file, "replaced by a folder", replace(Path.mkdir))
    yield Corruption(file, "replaced by a folder with a file", replace(make_full_folder))
    yield Corruption(file, "replaced by a link to itself", replace(lambda path: path.symlink_to(path.name)))
    yield Corruption(file, "replaced by a broken link", replace(lambda path: path.symlink_to("nowhere/at/all")))
    yield Corruption(
        file, "in another encoding", lambda path: path.write_bytes(path.read_bytes()[:4000] + b"\xff\xfe\x00")
    )


def pick(corruptions: Iterable[Corruption]) -> Iterator[Corruption]:
    """Yield one of ``PICK`` corruptions."""
    draw = random.Random(PICK)
    return (each for each in corruptions if draw.randrange(PICK) == 0)


def call(*arguments: object) -> tuple[int, str, str]:
    """Call ``regzoo`` in this process: its exit code, stdout and stderr."""
    out, err = io.StringIO(), io.StringIO()
    with pytest.MonkeyPatch.context() as patch, contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        patch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as exited:
            main()
    return int(exited.value.code or 0), out.getvalue(), err.getvalue()


def look(folder: Path, apart: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return every file, link and folder below ``folder`` with its content, except those ``apart`` at the top."""
    found: dict[str, Any] = {}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder)
        if name.parts[0] in apart:
            continue
        if path.is_symlink():
            found[str(name)] = path.readlink()
        elif path.is_file():
            found[str(name)] = (path.stat().st_mtime_ns, path.read_bytes())
        else:
            found[str(name)] = "folder"
    return found


def restore(folder: Path, whole: Path) -> None:
    """Make ``folder`` a copy of ``whole`` again."""
    shutil.rmtree(folder, ignore_errors=True)
    shutil.copytree(whole, folder, symlinks=True)


class Attack:
    """The commands on a copy of one comparison, and their answers while nothing is corrupted."""

    def __init__(self, whole: Path, folder: Path, commands: list[tuple[object, ...]]) -> None:
        self.whole, self.folder, self.commands = whole, folder, commands
        self.answers: dict[int, str] = {}
        self.outputs: dict[int, dict[str, Any]] = {}
        for number, command in enumerate(commands):
            restore(folder, whole)
            code, out, err = call(*command)
            assert (code, err) == (0, ""), (command, err)
            self.answers[number] = out
            self.outputs[number] = self._read_outputs(command)
        self.tried = self.answered = 0

    def find_fault(self, corruption: Corruption, number: int) -> str | None:
        """Return what a command does wrong after a corruption; None if it does right."""
        command = self.commands[number]
        restore(self.folder, self.whole)
        corruption.apply(self.folder / corruption.file)
        apart = WRITTEN.get(str(command[0]), ())
        before = look(self.folder, apart)
        code, out, err = call(*command)
        self.tried += 1
        where = f"{corruption}; {' '.join(map(str, command[:1]))}"
        after = look(self.folder, apart)
        kept = command[0] == "report" and after.items() >= before.items()  # a changed report is moved aside
        if after != before and not kept:
            return f"{where}: files changed"
        if "Traceback" in err or "defect" in err or "\x1b" in out + err:
            return f"{where}: {code} {err[-300:]}"
        if code in (2, 3):
            return None if err.startswith(("Error: ", "Failed: ")) and len(err) > 30 else f"{where}: {code} {err!r}"
        if code != 0 or out != self.answers[number]:
            return f"{where}: another answer: {code} {out[:200]} {err[-300:]}"
        self.answered += 1
        if not self._read_outputs(command).items() >= self.outputs[number].items():
            return f"{where}: another report"
        return None

    def _read_outputs(self, command: tuple[object, ...]) -> dict[str, Any]:
        names = WRITTEN.get(str(command[0]), ())
        files = (path for name in names for path in [self.folder / name, *sorted((self.folder / name).rglob("*"))])
        return {str(path.relative_to(self.folder)): path.read_bytes() for path in files if path.is_file()}


@pytest.fixture(scope="module")
def attack(tmp_path_factory: pytest.TempPathFactory) -> Attack:
    """The commands that need no TensorFlow."""
    top = tmp_path_factory.mktemp("corruption")
    whole, folder = Path(shutil.copytree(FIXTURES / "format_1", top / "whole")), top / "mine"
    Ledger(whole, create=True).__exit__()
    assert call("report", whole)[0] == 0
    return Attack(
        whole,
        folder,
        [
            ("leaderboard", folder, "--json"),
            ("leaderboard", folder, "--csv"),
            ("failures", folder),
            ("leaderboard", folder),
            ("compare-runs", folder, FIXTURES / "format_1_folds", "--json"),
            ("compare-runs", FIXTURES / "format_1_folds", folder),
            ("report", folder),
        ],
    )


def list_files(folder: Path) -> list[str]:
    files = sorted(str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file())
    figures = [file for file in files if file.startswith("figures")]
    return [file for file in files if file not in figures[1:]]  # they are all alike


def is_other_ledger(corruption: Corruption) -> bool:
    """Return True if the folder then is another comparison's, whose answer is right."""
    return corruption.file == FILE and corruption.how == "that of another comparison"


@pytest.mark.slow
def test_no_corruption_of_the_ledger_ends_with_a_traceback_or_another_answer(attack: Attack) -> None:
    faults, draw = [], random.Random(12)
    for corruption in pick(list_corruptions(attack.whole, FILE, FLIPS_PER_PAGE)):
        if not is_other_ledger(corruption):
            chosen = {draw.choice((0, 1, 1, 3)), draw.choice((2, 2, 2, 2, 2, 2, 4, 5, 6))}
            faults += [attack.find_fault(corruption, number) for number in chosen]
    assert list(filter(None, faults)) == []
    assert attack.tried > 2_000 / PICK
    assert attack.answered > 20  # or it proves little


@pytest.mark.slow
def test_no_corruption_of_another_file_ends_with_a_traceback_or_another_answer(attack: Attack) -> None:
    faults = []
    for file in list_files(attack.whole):
        if file != FILE:
            for number, corruption in enumerate(pick(list_corruptions(attack.whole, file, 1))):
                faults.append(attack.find_fault(corruption, 6 if number % 3 == 0 else number % 4))
    assert list(filter(None, faults)) == []


@pytest.fixture(scope="module")
def in_this_process() -> Iterator[None]:
    """Make runs in this process, and spare the process that verifies a model."""
    from regzoo.execution.serial import SerialExecutor
    from regzoo.export import export as export_module
    from regzoo.export.verify import Parity

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("regzoo.comparison.runner.ProcessPool", lambda *_, **__: SerialExecutor())
        patch.setattr(export_module, "verify_parity", lambda *_: Parity(1, (1, 7), 0.0, True))
        yield


def sample_corruptions(folder: Path, file: str, count: int) -> list[Corruption]:
    """Return some of all kinds."""
    found = [each for each in list_corruptions(folder, file, 6) if not is_other_ledger(each)]
    flips = [each for each in found if "flipped" in each.how or "overwritten" in each.how]
    others = [each for each in found if each not in flips]
    draw = random.Random(file)
    return [*draw.sample(flips, min(count, len(flips))), *draw.sample(others, min(count, len(others)))]


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_comparing_again_changes_nothing_of_a_damaged_comparison(finished: Any, tmp_path: Path) -> None:
    folder, faults = tmp_path / "flowers", []
    for file, count in ((FILE, 10), ("config.yaml", 4)):
        for corruption in sample_corruptions(finished.folder, file, count):
            restore(folder, finished.folder)
            corruption.apply(folder / file)
            before = look(folder, (".lock",))
            code, _, err = call("compare", finished.config, "--out", folder, "--quiet")
            quiet = err == "" or "kept under another name" in err  # a config that was changed is moved aside
            if "Traceback" in err or "defect" in err or (code == 0) != quiet:
                faults.append(f"{corruption}: {code} {err}")
            elif code == 0:
                if (folder / "leaderboard.csv").read_bytes() != (finished.folder / "leaderboard.csv").read_bytes():
                    faults.append(f"{corruption}: another leaderboard")
            elif look(folder, (".lock",)) != before:
                faults.append(f"{corruption}: {err} files changed")
    assert faults == []


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_what_is_exported_from_a_damaged_comparison_is_right_or_nothing(finished: Any, tmp_path: Path) -> None:
    folder, faults = tmp_path / "flowers", []
    for corruption in sample_corruptions(finished.folder, FILE, 12):
        restore(folder, finished.folder)
        corruption.apply(folder / FILE)
        before = look(folder)
        code, _, err = call("export", folder, "--to", tmp_path / "model")
        if "Traceback" in err or "defect" in err or look(folder) != before:
            faults.append(f"{corruption}: {code} {err}")
        if (code == 0) != (tmp_path / "model").exists():
            faults.append(f"{corruption}: {code}, but the model says otherwise")
        shutil.rmtree(tmp_path / "model", ignore_errors=True)
    assert faults == []


@pytest.mark.slow
@pytest.mark.usefixtures("in_this_process")
def test_a_damaged_config_is_planned_right_or_refused(finished: Any, tmp_path: Path) -> None:
    folder = tmp_path / "flowers"
    shutil.copy(finished.config.parent / "flowers.csv", tmp_path)
    attack = Attack(finished.folder, folder, [("plan", folder / "config.yaml", "--json")])
    found = [attack.find_fault(each, 0) for each in sample_corruptions(finished.folder, "config.yaml", 14)]
    assert [fault for fault in found if fault is not None and "another answer: 0" not in fault] == []
