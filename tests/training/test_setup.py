"""TrainingSetup: equal setups have equal digests, and the digest depends on every field but the folds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from regzoo.training.setup import FoldSetup, TrainingSetup
from regzoo.training.task import Task

SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 32, "nll", "digest")


def test_equal_setups_have_equal_digests() -> None:
    assert replace(SETUP).digest == SETUP.digest


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("backbone", "mlp([9])"),
        ("task", Task("classification", 4)),
        ("task", Task("regression", 3)),
        ("input_shape", (6,)),
        ("optimizer", "sgd"),
        ("batch_size", 16),
        ("rank_by", "error"),
        ("data", "another digest"),
    ],
)
def test_another_value_gives_another_digest(field: str, value: Any) -> None:
    assert replace(SETUP, **{field: value}).digest != SETUP.digest


def test_a_fold_has_its_own_task_and_inputs_and_changes_no_digest() -> None:
    """More replicates need more folds, and earlier runs still count."""
    folds = (FoldSetup(Task("regression", 1, 2.0), (6,)), FoldSetup(Task("regression", 1, 3.0), (5,)))
    setup = replace(SETUP, folds=folds)
    assert setup.digest == SETUP.digest
    assert setup.of_fold(0) == SETUP
    assert setup.of_fold(2) == replace(SETUP, task=folds[1].task, input_shape=(5,))
