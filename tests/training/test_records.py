"""Run and Record: identity, and strict JSON there and back."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from typing import Any

import pytest

from regzoo.training.records import Record, Run

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
        ("recipe", "dropout(0.32) + l2(0.0002)"),
        ("number", 3),
        ("seed", 18),
        ("learning_rate", 0.0011),
        ("epochs", 61),
        ("setup", "other"),
        ("bar", (0.5, 0.4)),
        ("fold", 1),
    ],
)
def test_every_field_is_part_of_a_runs_identity(field: str, value: Any) -> None:
    names = {"stage", "name", "recipe", "number", "seed", "learning_rate", "epochs", "setup", "bar", "fold"}
    assert set(vars(RUN)) == names
    assert replace(RUN, **{field: value}).key != RUN.key
    assert replace(RUN).key == RUN.key


def test_the_key_is_the_same_in_every_process_and_version() -> None:
    """Ledgers hold it: another key for the same run would make every resumed comparison begin anew."""
    assert RUN.key == "87e2f3877edfcd4913f6cf20"
    assert RUN.training_key == "ee4c31246152730bd42ef39f"


def test_the_same_training_in_another_cut_is_another() -> None:
    assert replace(RUN, fold=1).training_key not in {RUN.training, replace(RUN, fold=2).training_key}
    assert replace(RUN, name="other").training_key == RUN.training_key
    assert Record.from_json(replace(RECORD, run=replace(RUN, fold=1)).to_json()).run.fold == 1


def test_a_record_survives_json() -> None:
    assert Record.from_json(RECORD.to_json()) == RECORD


def test_what_is_not_finite_becomes_null() -> None:
    record = replace(
        RECORD, metrics={"validation": {"nll": math.nan}}, history={"train": {"nll": [math.inf, -math.inf, 1.0]}}
    )

    def refuse(constant: str) -> None:
        raise AssertionError(constant)

    read = json.loads(record.to_json(), parse_constant=refuse)
    assert read["metrics"]["validation"]["nll"] is None
    assert read["history"]["train"]["nll"] == [None, None, 1.0]


def test_the_score_of_what_did_not_finish_is_no_number() -> None:
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
