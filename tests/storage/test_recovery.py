"""What is intact of a damaged ledger is saved, and only the rest is made again."""

from __future__ import annotations

import contextlib
import errno
import random
import re
import resource
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import regzoo
from regzoo.core import EnvironmentFailure, InputError, Objective
from regzoo.core.errors import BusyError
from regzoo.storage.ledger import FILE, Ledger
from regzoo.storage.recovery import recover_comparison, recover_rows, write_recovered
from regzoo.storage.sqlite.header import DamagedLedgerError
from regzoo.system.lock import lock_path
from regzoo.training.records import Record, Run

FIXTURES = Path(__file__).parents[1] / "fixtures"
PAGE = 4096
SMALL: dict[str, Any] = {
    "backbone": "mlp([4])",
    "recipes": ["none", "l2(0.001)"],
    "training": {"epochs": 2, "learning_rate": 0.01},
    "vary": ["seed"],
    "replicates": 3,
    "workers": 0,
}

Harm = Callable[[bytearray], None]


def upgraded(name: str, tmp_path: Path) -> Path:
    """Return a copy of a fixture in the newest format."""
    folder = Path(shutil.copytree(FIXTURES / name, tmp_path / "mine"))
    Ledger(folder, create=True).__exit__()
    return folder


def harm(folder: Path, how: Harm) -> None:
    content = bytearray((folder / FILE).read_bytes())
    how(content)
    (folder / FILE).write_bytes(content)


def zero(page: int) -> Harm:
    def call(content: bytearray) -> None:
        content[page * PAGE : (page + 1) * PAGE] = bytes(len(content[page * PAGE : (page + 1) * PAGE]))

    return call


def truncate(share: float) -> Harm:
    def call(content: bytearray) -> None:
        del content[int(share * len(content)) :]

    return call


def flip(seed: int, count: int = 8) -> Harm:
    def call(content: bytearray) -> None:
        for place in random.Random(seed).sample(range(len(content)), count):
            content[place] ^= 0xFF

    return call


def records_of(folder: Path) -> list[Record]:
    with Ledger(folder) as ledger:
        return ledger.records()


HARMS = (
    [zero(page) for page in range(26)] + [truncate(share) for share in (0.85, 0.9, 0.95)] + [flip(n) for n in range(9)]
)


@pytest.mark.parametrize("format_", [2, 3])
@pytest.mark.parametrize("number", range(len(HARMS)))
def test_whatever_is_recovered_is_what_was_there_and_reads(number: int, format_: int, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    if format_ == 3:
        upgraded("format_1", tmp_path)
    else:
        shutil.copytree(FIXTURES / "format_1", folder)
    whole = {record.run.key: record for record in records_of(folder)}
    harm(folder, HARMS[number])
    before = {path.name: path.read_bytes() for path in folder.iterdir()}
    recovery = recover_comparison(folder, tmp_path / "saved")
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == before
    saved = {record.run.key: record for record in records_of(tmp_path / "saved")}
    if format_ == 3:
        assert saved.items() <= whole.items()
    assert saved.keys() <= whole.keys()
    assert len(saved) >= 4
    assert saved.keys() == recovery.rows["records"].keys()
    with Ledger(tmp_path / "saved") as ledger:
        ledger.get_comparison_info()
        for name in recovery.rows["weights"]:
            record, weights = ledger.load_best_replicate(name)
            assert record.run.name == name
            assert weights[0][0].dtype == np.float32
    assert (tmp_path / "saved" / "config.yaml").read_bytes() == before["config.yaml"]


def test_an_intact_ledger_is_recovered_whole(tmp_path: Path) -> None:
    folder = upgraded("format_1_folds", tmp_path)
    assert recover_comparison(folder, tmp_path / "saved").describe() == "16 of 16 runs, 3 of 3 models, 12 of 12 notes"
    assert records_of(tmp_path / "saved") == records_of(folder)


def test_a_lost_page_loses_only_its_rows_even_where_sqlite_reads_nothing(tmp_path: Path) -> None:
    folder = upgraded("format_1", tmp_path)
    harm(folder, zero(0))  # the header and the list of tables
    with pytest.raises(InputError, match=r"is not a regzoo ledger, or its beginning is damaged.*regzoo recover"):
        Ledger(folder)
    assert recover_comparison(folder, tmp_path / "saved").describe() == "20 of 20 runs, 4 of 4 models, 6 of 6 notes"


def test_what_is_lost_is_counted(tmp_path: Path) -> None:
    folder = upgraded("format_1", tmp_path)
    damage_rows(folder, "update records set status = 'failed' where number = 7")
    with pytest.raises(DamagedLedgerError, match="is damaged") as caught:
        records_of(folder)
    assert re.search(rf"regzoo recover {folder} --to {folder}-recovered$", str(caught.value))
    assert recover_comparison(folder, tmp_path / "saved").describe().startswith("19 of 20 runs, ")


def test_the_config_is_taken_from_the_ledger_if_the_file_is_lost(tmp_path: Path) -> None:
    folder = upgraded("format_1", tmp_path)
    (folder / "config.yaml").write_bytes(b"\xff\x00")
    recover_comparison(folder, tmp_path / "saved")
    with Ledger(folder) as ledger:
        facts = ledger.get_comparison_info()
    assert facts is not None
    assert (tmp_path / "saved" / "config.yaml").read_text() == facts.config


TARGETS: dict[str, tuple[str, str]] = {
    "there": ("there", "exists: choose a new folder with --to"),
    "inside of it": ("mine/new", "lies in the folder of another comparison"),
    "a link that leads nowhere": ("link", "exists"),
    "in another comparison": ("other/new", "lies in the folder of another comparison"),
    "below a file": ("file/new", "is a file"),
    "links in a circle": ("circle/new", "cannot be a folder"),
    "a name that is too long": ("n" * 300, "cannot be a folder"),
    "no UTF-8": ("new\udcff", "not UTF-8"),
    "a home folder that no shell has replaced": ("~/new", "begins with ~"),
}


@pytest.mark.parametrize("kind", list(TARGETS))
def test_the_new_folder_must_be_new_and_no_folder_of_another_comparison(
    kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, (name, message) = upgraded("format_1", tmp_path), TARGETS[kind]
    shutil.copytree(FIXTURES / "format_1_folds", tmp_path / "other")
    (tmp_path / "there").mkdir()
    (tmp_path / "file").write_text("years of work")
    (tmp_path / "link").symlink_to("nowhere")
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.chdir(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises((InputError, EnvironmentFailure), match=message) as raised:
        recover_comparison(folder, Path(name))
    assert "--out" not in str(raised.value)
    assert sorted(tmp_path.rglob("*")) == before


def test_a_failed_recovery_names_the_target_and_leaves_no_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, target = upgraded("format_1", tmp_path), tmp_path / "a" / "b" / "saved"

    def fail(*_: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device", "/a/hidden/file")

    monkeypatch.setattr("regzoo.storage.recovery.write_recovered", fail)
    with pytest.raises(EnvironmentFailure, match=f"^{target} cannot be written .*make room"):
        recover_comparison(folder, target)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine"]
    monkeypatch.undo()
    with lock_path_of_new(target), pytest.raises(BusyError, match="in use by process"):
        recover_comparison(folder, target)
    recover_comparison(folder, target)
    assert sorted(path.name for path in target.parent.iterdir()) == ["saved"]


def test_a_ledger_that_cannot_be_written_is_called_by_the_name_that_was_given(tmp_path: Path) -> None:
    folder, before = upgraded("format_1", tmp_path), resource.getrlimit(resource.RLIMIT_FSIZE)
    recovery = recover_rows(folder / FILE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (50_000, before[1]))
    try:
        with pytest.raises(EnvironmentFailure, match=f"^{tmp_path}/saved/{FILE} cannot be written"):
            write_recovered(recovery, folder, tmp_path / "saved")
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@contextlib.contextmanager
def lock_path_of_new(target: Path) -> Iterator[None]:
    """Lock ``target``, whose folder is made."""
    target.parent.mkdir(parents=True)
    with lock_path(target):
        yield


@pytest.mark.parametrize("content", [None, b"", b"thesis " * 9999, b"\r" * 99999])
def test_nothing_is_written_where_nothing_was(content: bytes | None, tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    if content is not None:
        (tmp_path / "mine" / FILE).write_bytes(content)
    with pytest.raises(InputError, match=r"holds no comparison|nothing that is intact"):
        recover_comparison(tmp_path / "mine", tmp_path / "saved")
    with pytest.raises(InputError, match=r"holds no comparison|is inside of"):
        recover_comparison(tmp_path / "mine", tmp_path / "mine" / "saved")
    assert sorted(path.name for path in tmp_path.rglob("*")) == [FILE] * (content is not None) + ["mine"]


def damage_rows(folder: Path, sql: str) -> None:
    with contextlib.closing(sqlite3.connect(folder / FILE)) as store, store:
        store.execute(sql)


@pytest.mark.parametrize(
    ("sql", "left"),
    [
        ("select 1", [0, 1, 2]),
        ("update weights set score = score + 1", [0, 2]),  # so the best is made again, and its model kept
        ("update records set status = 'failed' where body like '%\"number\": 1%'", [0, 2]),
        ("update records set status = 'failed' where body like '%\"number\": 2%'", [0, 1]),
        ("update notes set body = 'x'; update weights set score = 9", []),  # which one is best is unknown
        ("update notes set body = 'x'", [0, 1, 2]),
    ],
)
def test_every_recipe_has_the_model_of_its_best_replicate_in_the_end(sql: str, left: list[int], tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    made = [
        Record(Run("replicate", "l2", "l2(0.1)", number, 1, 0.1, 1, "s"), "ok", {"validation": {"nll": score}})
        for number, score in enumerate((0.5, 0.3, 0.4))
    ]
    objective = Objective("nll", "min")
    weights = [[[np.full(3, number)]] for number in range(3)]
    with Ledger(FIXTURES / "format_1") as other:
        facts = other.get_comparison_info()
    assert facts is not None
    with Ledger(tmp_path / "mine", create=True) as ledger:
        ledger.set_comparison_info(facts)
        for record, arrays in zip(made, weights, strict=True):
            ledger.add(record, objective, arrays)
    with contextlib.closing(sqlite3.connect(tmp_path / "mine" / FILE)) as store:
        store.executescript(sql)
    recover_comparison(tmp_path / "mine", tmp_path / "saved")
    assert [record.run.number for record in records_of(tmp_path / "saved")] == left
    with Ledger(tmp_path / "saved", create=True) as ledger:
        for record, arrays in zip(made, weights, strict=True):
            if record.run.number not in left:
                ledger.add(record, objective, arrays)
        best, members = ledger.load_best_replicate("l2")
    assert (best.run.number, members[0][0][0]) == (1, 1)


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_only_the_lost_runs_are_made_again(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    whole = regzoo.compare(*rows, out="mine", name="mine", **SMALL)
    before = {record.run.key: record for record in whole.records}
    damage_rows(tmp_path / "mine", "update records set status = 'failed' where number in (2, 5)")
    with pytest.raises(DamagedLedgerError):
        regzoo.compare(*rows, out="mine", name="mine", **SMALL)
    recovery = recover_comparison(Path("mine"), Path("saved"))
    assert len(recovery.rows["records"]) + recovery.again == 6
    again = regzoo.compare(*rows, out="saved", name="mine", **SMALL)
    kept = {record.run.key: record for record in again.records if record == before[record.run.key]}
    assert kept.keys() >= recovery.rows["records"].keys()
    assert len(again.records) == 8
    assert Path("saved/leaderboard.csv").read_bytes() == Path("mine/leaderboard.csv").read_bytes()
