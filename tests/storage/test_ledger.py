"""`Ledger`: nothing that was written is lost, changed or averaged."""

from __future__ import annotations

import errno
import json
import math
import resource
import sqlite3
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.core import EnvironmentFailure, InputError, Objective
from regzoo.storage.ledger import FILE, Ledger
from regzoo.storage.sqlite.formats import VERSION
from regzoo.training.records import Record, Run

NLL = Objective("nll", "min")


def record(number: int = 0, score: float = 0.5, stage: Any = "replicate", **given: Any) -> Record:
    """Return a finished record of dropout."""
    run = Run(stage, "dropout", "dropout(0.5)", number, 100 + number, 0.001, 3, "study")
    return replace(Record(run, "ok", metrics={"validation": {"nll": score, "accuracy": score}}), **given)


def weights(value: float, members: int = 1) -> list[list[np.ndarray]]:
    """Return the weights of ``members``, which differ."""
    return [[np.full((2, 3), value + member, np.float32), np.array([member], np.int64)] for member in range(members)]


def test_records_come_back_in_the_order_in_which_they_were_made(tmp_path: Path) -> None:
    made = [record(2), record(0, stage="trial"), record(1, status="failed", metrics={}, error="out of luck")]
    with Ledger(tmp_path, create=True) as ledger:
        for one in made:
            ledger.add(one, NLL)
        assert ledger.records() == made
    with Ledger(tmp_path) as ledger:
        assert ledger.records() == made


def test_the_whole_history_is_kept(tmp_path: Path) -> None:
    history: Any = {"train": {"nll": [0.1 + 0.2, 1e-300]}, "validation": {"nll": [None, 0.3]}}
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(history=history), NLL)
        assert ledger.records()[0].history == history


def test_a_run_is_written_once(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(score=0.5), NLL)
        with pytest.raises(sqlite3.IntegrityError):
            ledger.add(record(score=0.4), NLL, weights(1.0))
        assert [one.score("nll") for one in ledger.records()] == [0.5]
        with pytest.raises(InputError):
            ledger.load_best_replicate("dropout")  # the refused record's weights are not there either: one commit


def test_a_failed_run_that_is_made_again_supersedes_its_record_and_comes_last(tmp_path: Path) -> None:
    failed = record(0, status="failed", metrics={}, error="the worker was killed", fit_seconds=2.0)
    again = record(0, 0.3).after(failed)
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(failed, NLL, seconds=3.0)
        ledger.add(record(1), NLL)
        ledger.add(again, NLL, weights(1.0), seconds=5.5)
        assert ledger.records() == [record(1), again]
        assert ledger.records()[1].attempts == ({"error": "the worker was killed", "seconds": 2.0},)
        assert ledger.load_best_replicate("dropout")[0] == again
        with pytest.raises(sqlite3.IntegrityError):
            ledger.add(again, NLL)
    with Ledger(tmp_path) as ledger:
        assert ledger.records() == [record(1), again]


def test_each_record_can_be_read_as_soon_as_it_is_added(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        for count in range(3):
            ledger.add(record(count), NLL, weights(1.0))
            with Ledger(tmp_path) as other:
                assert len(other.records()) == count + 1


def test_only_the_weights_of_the_best_replicate_are_kept(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        for number, score in enumerate([0.5, 0.3, 0.4, math.nan]):
            ledger.add(record(number, score), NLL, weights(score, members=2))
        best, members = ledger.load_best_replicate("dropout")
        assert best.run.number == 1
        assert len(members) == 2
        for member, wanted in zip(members, weights(0.3, members=2), strict=True):
            for one, other in zip(member, wanted, strict=True):
                np.testing.assert_array_equal(one, other)
                assert one.dtype == other.dtype
    with sqlite3.connect(tmp_path / FILE) as store:
        assert store.execute("select count(*) from weights").fetchone() == (1,)
    store.close()


def test_the_objective_decides_which_replicate_is_best(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        for number, score in enumerate([0.5, 0.7, 0.6]):
            ledger.add(record(number, score), Objective("accuracy", "max"), weights(score))
        assert ledger.load_best_replicate("dropout")[0].run.number == 1


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 1, 0), (1, 2, 0)])
def test_of_equal_replicates_the_first_is_kept_whichever_finished_first(order: tuple[int, ...], tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        for number in order:
            ledger.add(record(number, 0.5), NLL, weights(float(number)))
        kept, members = ledger.load_best_replicate("dropout")
    assert kept.run.number == 0
    assert members[0][0][0, 0] == 0.0


def test_no_weights_are_kept_of_trials_or_of_what_did_not_finish(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(0, stage="trial"), NLL, weights(1.0))
        ledger.add(record(1, status="diverged"), NLL, weights(1.0))
        ledger.add(record(2, status="failed"), NLL, None)
        with pytest.raises(InputError, match="'dropout' has no finished replicate here"):
            ledger.load_best_replicate("dropout")


def test_many_weights_keep_their_order(tmp_path: Path) -> None:
    many = [[np.array([member, index]) for index in range(12)] for member in range(11)]
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(), NLL, many)
        _, found = ledger.load_best_replicate("dropout")
    assert [[array.tolist() for array in member] for member in found] == [
        [[member, index] for index in range(12)] for member in range(11)
    ]


def test_notes_are_replaced_and_strict_json(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        assert ledger._get_note("added later") is None
        ledger._set_note("added later", {"seconds": 1.0})
        ledger._set_note("added later", {"seconds": math.inf, "labels": (np.int64(1), "a")})
        assert ledger._get_note("added later") == {"seconds": None, "labels": [1, "a"]}


def test_everything_in_the_file_is_strict_json(tmp_path: Path) -> None:
    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(score=math.nan, fit_seconds=math.inf), NLL)
        ledger._set_note("a", math.nan)
    with sqlite3.connect(tmp_path / FILE) as store:
        bodies = [row[0] for name in ("records", "notes") for row in store.execute(f"select body from {name}")]
    store.close()
    assert len(bodies) == 2
    for body in bodies:
        json.loads(body, parse_constant=refuse)


def test_a_folder_without_a_ledger_is_refused_and_stays_as_it_is(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"holds no comparison \(ledger\.sqlite is missing\)"):
        Ledger(tmp_path)
    with pytest.raises(InputError, match="holds no comparison"):
        Ledger(tmp_path / "nowhere")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [True, False])
def test_the_format_of_another_version_is_refused(create: bool, tmp_path: Path) -> None:
    Ledger(tmp_path, create=True).__exit__()
    with sqlite3.connect(tmp_path / FILE) as store:
        store.execute(f"pragma user_version = {VERSION + 1}")
    store.close()
    with pytest.raises(InputError, match=f"has format {VERSION + 1}, this regzoo reads {VERSION}"):
        Ledger(tmp_path, create=create)


def test_a_ledger_appears_complete(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def stop(*_: object) -> None:
        assert not (tmp_path / FILE).exists()
        raise KeyboardInterrupt

    monkeypatch.setattr("regzoo.storage.sqlite.store._make_tables", stop)
    with pytest.raises(KeyboardInterrupt):
        Ledger(tmp_path, create=True)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("create", [True, False])
def test_a_file_that_is_no_ledger_is_refused_and_stays_as_it_is(create: bool, tmp_path: Path) -> None:
    (tmp_path / FILE).write_text("not a store " * 100)
    with pytest.raises(InputError, match=r"is not a regzoo ledger"):
        Ledger(tmp_path, create=create)
    assert (tmp_path / FILE).read_text() == "not a store " * 100


def test_a_ledger_that_cannot_be_opened_is_not_the_users_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def deny(*_: object) -> int:  # root may open any file
        raise PermissionError(errno.EACCES, "Permission denied")

    Ledger(tmp_path, create=True).__exit__()
    monkeypatch.setattr("os.open", deny)
    with pytest.raises(EnvironmentFailure, match=r"ledger\.sqlite cannot be opened \(Permission denied\)"):
        Ledger(tmp_path)


FORMAT_1 = """
create table records (
    number integer primary key, key text not null unique, stage text not null, name text not null,
    status text not null, body text not null
);
create table weights (
    name text primary key, key text not null, score real not null, replicate integer not null, body blob not null
);
create table notes (name text primary key, body text not null);
insert into notes values ('names', '["none"]');
pragma user_version = 1;
"""


def test_an_older_format_is_upgraded_and_keeps_what_it_holds(tmp_path: Path) -> None:
    store = sqlite3.connect(tmp_path / FILE)
    store.executescript(FORMAT_1)
    one = record()
    body = json.loads(one.to_json())
    del body["run"]["bar"]  # as format 1 wrote it
    row = (one.run.key, "replicate", "dropout", "ok", json.dumps(body))
    with store:
        store.execute("insert into records (key, stage, name, status, body) values (?, ?, ?, ?, ?)", row)
    store.close()
    with Ledger(tmp_path) as ledger:
        assert ledger._get_note("names") == ["none"]
        assert ledger.records() == [one]
        ledger.add(record(1), NLL, weights(1.0), shared=True)
        assert ledger.list_training_keys() == {record(1).run.training_key}
    with Ledger(tmp_path) as ledger:
        assert [each.run.number for each in ledger.records()] == [0, 1]


def test_shared_trainings_are_kept_until_they_are_dropped(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(0, stage="trial"), NLL, weights(1.0))
        assert ledger.list_training_keys() == set()
        ledger.add(record(1, stage="member"), NLL, weights(2.0, members=2), shared=True)
        kept, left = ledger.load_training(record(1).run.training_key)
        assert kept.run.stage == "member"
        np.testing.assert_array_equal(left[1][0], np.full((2, 3), 3.0, np.float32))
        ledger.drop_trainings()
        assert ledger.list_training_keys() == set()
        assert len(ledger.records()) == 2


def test_a_full_disk_costs_the_new_record_only(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(0), NLL, weights(1.0))
        pages = ledger._store.rows.connection.execute("pragma page_count").fetchone()[0]
        ledger._store.rows.connection.execute(f"pragma max_page_count = {pages + 2}")
        large = [[np.zeros(100_000, np.float32)]]
        with pytest.raises(EnvironmentFailure, match=r"ledger\.sqlite cannot be written \(database or disk is full\)"):
            ledger.add(record(1), NLL, large, shared=True)
        with pytest.raises(EnvironmentFailure, match="disk is full"):
            ledger._set_note("names", "x" * 100_000)
        assert ledger.records() == [record(0)]
        ledger._store.rows.connection.execute(f"pragma max_page_count = {pages + 1000}")
        ledger.add(record(1), NLL, large, shared=True)
        assert ledger.records() == [record(0), record(1)]


def test_a_full_disk_does_not_prevent_reading(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True) as ledger:
        ledger.add(record(0), NLL, [[np.zeros(100_000, np.float32)]], shared=True)
        ledger._store.rows.connection.execute("pragma secure_delete = off")  # where it is on, deleting needs space too
        before = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, before[1]))  # no file may be larger
        try:
            with pytest.raises(EnvironmentFailure, match=r"ledger\.sqlite cannot be written .*is the disk full"):
                ledger.drop_trainings()
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, before)
        assert ledger.list_training_keys() == set()
        assert ledger.load_best_replicate("dropout")[0] == record(0)
