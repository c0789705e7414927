"""Run and Record: identity, and strict JSON there and back."""

from __future__ import annotations

import contextlib
import json
import math
import pickle
import shutil
import sqlite3
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from regzoo.cli.app import main
from regzoo.core import InputError, OnWeights, Recipe, registry
from regzoo.core.weight_rules import Penalty
from regzoo.regularizers import L2, Dropout
from regzoo.training.records import Record, Run, derive_member_seed, list_members

FIXTURES = Path(__file__).parents[1] / "fixtures"

RUN = Run("trial", "dropout + l2", "dropout(0.31) + l2(0.0002)", 2, 17, 0.001, 60, "study")
RECORD = Record(
    RUN,
    "ok",
    metrics={"validation": {"nll": 0.25, "ece": 0.0}, "train": {"nll": 0.1}},
    history={"train": {"nll": [1.0, 0.5]}, "validation": {"nll": [1.1, None]}},
    epochs=2,
    best_epoch=1,
    steps=20,
    fit_seconds=1.5,
    predict_ms=0.25,
    parameters=100,
)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("stage", "replicate"),
        ("name", "dropout"),
        ("recipe_text", "dropout(0.32) + l2(0.0002)"),
        ("number", 3),
        ("seed", 18),
        ("learning_rate", 0.0011),
        ("epochs", 61),
        ("setup", "other"),
        ("bar", (0.5, 0.4)),
        ("fold", 1),
        ("search", 2),
    ],
)
def test_every_field_is_part_of_the_identity_of_a_run(field: str, value: Any) -> None:
    names = {"stage", "name", "recipe_text", "number", "seed", "learning_rate", "epochs", "setup", "bar", "fold"} | {
        "search"
    }
    assert set(vars(RUN)) == names
    assert replace(RUN, **{field: value}).key != RUN.key
    assert replace(RUN).key == RUN.key


def test_the_key_is_the_same_in_every_process_and_version() -> None:
    """Ledgers hold the key: another key for the same run would make every resumed comparison start over."""
    assert RUN.key == "87e2f3877edfcd4913f6cf20"
    assert RUN.training_key == "ee4c31246152730bd42ef39f"


def test_the_same_training_in_another_fold_is_another() -> None:
    assert replace(RUN, fold=1).training_key not in {RUN.training_key, replace(RUN, fold=2).training_key}
    assert replace(RUN, name="other").training_key == RUN.training_key
    assert Record.from_json(replace(RECORD, run=replace(RUN, fold=1)).to_json()).run.fold == 1


def test_a_record_survives_json() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_earlier_attempts_are_kept_and_other_records_have_no_such_key() -> None:
    assert "attempts" not in json.loads(RECORD.to_json())
    failed = Record(RUN, "failed", error="out of luck", fit_seconds=2.0)
    again = RECORD.after(failed)
    assert Record.from_json(again.to_json()) == again
    assert again.attempts == ({"error": "out of luck", "seconds": 2.0},)
    for _ in range(20):
        again = RECORD.after(replace(failed, attempts=again.attempts))
    assert len(again.attempts) == 10


def test_numbers_that_are_not_finite_become_null() -> None:
    record = replace(
        RECORD, metrics={"validation": {"nll": math.nan}}, history={"train": {"nll": [math.inf, -math.inf, 1.0]}}
    )

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads(record.to_json(), parse_constant=refuse)
    assert read["metrics"]["validation"]["nll"] is None
    assert read["history"]["train"]["nll"] == [None, None, 1.0]


def test_the_score_of_an_unfinished_run_is_nan() -> None:
    assert RECORD.score("nll") == 0.25
    assert RECORD.score("nll", "train") == 0.1
    assert RECORD.score("ece") == 0.0
    for lacking in (
        RECORD.score("brier"),
        RECORD.score("nll", "test"),
        replace(RECORD, status="diverged").score("nll"),
        replace(RECORD, status="failed").score("nll"),
        replace(RECORD, metrics={"validation": {"nll": None}}).score("nll"),
    ):
        assert math.isnan(lacking)


def test_a_run_has_its_recipe_and_parses_each_text_once() -> None:
    assert RUN.recipe == Dropout(0.31) + L2(0.0002)
    assert replace(RUN, seed=18).recipe is RUN.recipe


def test_a_run_is_pickled_as_text() -> None:
    """A worker may have to import the user's classes before it can parse."""
    assert RUN.recipe
    assert b"regularizers" not in pickle.dumps(RUN)
    assert pickle.loads(pickle.dumps(RUN)) == RUN


def test_a_run_of_an_unknown_regularizer_reads_and_survives_json() -> None:
    unknown = Record.from_json(replace(RECORD, run=replace(RUN, recipe_text="vanished(0.5)")).to_json())
    assert unknown.run.recipe_text == "vanished(0.5)"
    assert Record.from_json(unknown.to_json()) == unknown
    assert unknown.run.key != RUN.key
    with pytest.raises(InputError, match="there is no regularizer 'vanished'"):
        _ = unknown.run.recipe


def test_a_class_that_is_registered_again_is_the_one_that_is_parsed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A user who runs a notebook cell with the class a second time means the second class."""
    monkeypatch.setattr(registry, "_registered", {})
    run = replace(RUN, recipe_text="mine")
    kinds = []
    for _ in range(2):

        @registry.register
        @dataclass(frozen=True)
        class Mine(OnWeights):
            """Do nothing."""

            def rule(self, weight: Any) -> Penalty | None:
                return None

        kinds.append(Mine)
        assert run.recipe == Recipe((Mine(),))
        assert type(run.recipe.regularizers[0]) is Mine
    assert kinds[0] is not kinds[1]


def test_the_reading_commands_work_with_unknown_regularizers(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The user registered it in another script, or an older version had it."""
    shutil.copytree(FIXTURES / "format_1", tmp_path / "old")
    with contextlib.closing(sqlite3.connect(tmp_path / "old" / "ledger.sqlite")) as store, store:
        for table in ("records", "notes"):
            store.execute(f"update {table} set body = replace(body, 'dropout', 'vanished')")
        store.execute("update records set name = replace(name, 'dropout', 'vanished')")
    (tmp_path / "old" / "leaderboard.csv").unlink()  # it says otherwise now, so it would be moved aside
    for command in (["leaderboard"], ["leaderboard", "--json"], ["leaderboard", "--csv"], ["failures"], ["report"]):
        monkeypatch.setattr("sys.argv", ["regzoo", *command, str(tmp_path / "old")])
        with contextlib.suppress(SystemExit):
            main()
        read = capsys.readouterr()
        assert read.err == ""
        assert "vanished(" in read.out or command[0] in {"failures", "report"}
    assert "vanished(" in (tmp_path / "old" / "report.md").read_text()


def test_a_run_of_one_training_is_its_own_member() -> None:
    assert list_members(RUN) == [RUN]


def test_members_of_an_ensemble_are_runs_with_seeds_of_their_own() -> None:
    ensemble = replace(RUN, name="ensemble", recipe_text="dropout(0.5) + ensemble(3)")
    first, second, third = list_members(ensemble)
    assert first == replace(RUN, stage="member", name="dropout(0.5)", recipe_text="dropout(0.5)", number=0)
    assert [second, third] == [replace(first, seed=derive_member_seed(17, number)) for number in (1, 2)]
    assert len({first.seed, second.seed, third.seed}) == 3


def test_a_long_error_is_kept_shortened(tmp_path: Path) -> None:
    long = "ValueError: " + "x" * 5_000_000 + " at the end"
    for record in (Record(RUN, "failed", error=long), replace(Record(RUN, "failed"), error=long)):
        assert record.error is not None
        assert record.error.startswith("ValueError: xxx")
        assert record.error.endswith("xxx at the end")
        assert "\n... 4,996,023 characters left out ...\n" in record.error
        assert len(record.to_json()) < 6_000
        assert Record.from_json(record.to_json()) == record
        assert Record(RUN, "ok").after(record).attempts[0]["error"] == record.error
    text = "x" * 4_000
    assert Record(RUN, "failed", error=text).error == text
