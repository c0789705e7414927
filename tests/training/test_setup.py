"""TrainingSetup: equal setups have equal digests, and the digest depends on every field but the folds."""

from __future__ import annotations

import json
from dataclasses import fields, replace
from typing import Any

import pytest

from regzoo.core.cells import Cells
from regzoo.data.inputs import InputSpec
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.setup import FoldSetup, TrainingSetup
from regzoo.training.task import Task

SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 32, "nll", "digest")


def test_equal_setups_have_equal_digests() -> None:
    assert replace(SETUP).digest == SETUP.digest


CHANGES: list[tuple[str, Any]] = [
    ("backbone", "mlp([9])"),
    ("task", Task("classification", 4)),
    ("task", Task("regression", 3)),
    ("task", Task("classification", 3, 2.0)),
    ("input_shape", (6,)),
    ("optimizer", "sgd"),
    ("batch_size", 16),
    ("rank_by", "error"),
    ("data", "another digest"),
    ("class_weight", "balanced"),
    ("jit_compile", True),
    ("loss", "huber"),
    ("inputs", (InputSpec("tokens", (None,), "int32"),)),
    ("cells", Cells.from_sizes([(1, 0), (0, 4)])),
    ("vocabulary_size", 100),
    ("schedule", "cosine(learning_rate, 0.0, epochs=9)"),
    ("model", OwnModel("net", "fresh", "0123", (), 10)),
]


@pytest.mark.parametrize(("field", "value"), CHANGES)
def test_another_value_gives_another_digest(field: str, value: Any) -> None:
    assert replace(SETUP, **{field: value}).digest != SETUP.digest


def test_every_field_but_the_folds_is_changed_above() -> None:
    """So a field that is added must be given its place in the identity."""
    assert {field for field, _ in CHANGES} == {field.name for field in fields(TrainingSetup)} - {"folds"}
    changed = {name for _, task in CHANGES if isinstance(task, Task) for name in vars(task)}
    assert changed == {field.name for field in fields(Task)}


def test_a_fold_has_its_own_task_and_inputs_and_changes_no_digest() -> None:
    """More replicates need more folds, and earlier runs still count."""
    folds = (FoldSetup(Task("regression", 1, 2.0), (6,)), FoldSetup(Task("regression", 1, 3.0), (5,)))
    setup = replace(SETUP, folds=folds)
    assert setup.digest == SETUP.digest
    assert setup.for_fold(0) == SETUP
    assert setup.for_fold(2) == replace(SETUP, task=folds[1].task, input_shape=(5,))


def test_cells_travel_in_json_and_without_any_nothing_is_added() -> None:
    first, second = Cells.from_sizes([(1, 1), (0, 3)]), Cells.from_sizes([(0, 2), (0, 3)])
    setup = replace(SETUP, cells=first, folds=(FoldSetup(SETUP.task, (5,), second), FoldSetup(SETUP.task, (5,))))
    assert TrainingSetup.from_json(json.loads(json.dumps(setup.to_json()))) == setup
    assert setup.for_fold(1).cells == second
    assert setup.for_fold(2).cells is None
    assert "cells" not in json.dumps(replace(SETUP, folds=(FoldSetup(SETUP.task, (5,)),)).to_json())
