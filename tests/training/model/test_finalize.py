"""CombinedModel: put together once, and for each run what would have been put together for it alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.core import parse
from regzoo.training.engine import trainer as runs
from regzoo.training.engine.trainer import Trainer, execute_run, load_finished_model
from regzoo.training.model.finalize import CombinedModel
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
STUDY = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")


def run(recipe: str, seed: int) -> Run:
    return Run("replicate", recipe, recipe, 0, seed, 0.01, 2, STUDY.digest)


def trainer(rows: Rows) -> Trainer:
    x, y = rows
    return Trainer(STUDY, {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dropout(0.5) + ensemble(2)", "dropout(0.1) + ensemble(2)"),
        ("dropout(0.5) + mc_dropout(10)", "dropout(0.1) + mc_dropout(10)"),
        ("batch_norm(0.9) + ensemble(2)", "batch_norm(0.5) + ensemble(2)"),
    ],
)
def test_a_run_finds_its_own_weights_and_strengths_in_it(
    first: str, second: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = 0
    put_together = CombinedModel.__init__

    def counting(*given: Any) -> None:
        nonlocal made
        made += 1
        put_together(*given)

    monkeypatch.setattr(runs.CombinedModel, "__init__", counting)
    shared = trainer(rows)
    execute_run(run(first, seed=1), shared)
    record, weights = execute_run(run(second, seed=2), shared)
    again, _ = execute_run(run(second, seed=2), shared)
    assert made == 1
    assert again.metrics == record.metrics
    fresh, _ = execute_run(run(second, seed=2), trainer(rows))
    assert made == 2
    assert record.metrics == fresh.metrics
    combined = shared.combined(parse(second), len(weights))
    execute_run(run(first, seed=3), shared)
    combined.load(parse(second), weights)
    x = shared.data["test"][0]
    alone = STUDY.task.combined_logits(load_finished_model(STUDY, parse(second), weights)(x))
    np.testing.assert_allclose(combined.logits(x), alone, atol=1e-5)  # float32, softmax and logarithm


def test_other_numbers_after_training_are_another_model(rows: Rows) -> None:
    shared = trainer(rows)
    few, many = (shared.combined(parse(f"dropout(0.5) + mc_dropout({n})"), 1) for n in (2, 20))
    assert few is not many
    assert shared.combined(parse("dropout(0.1) + mc_dropout(2)"), 1) is few


def test_what_was_not_used_for_long_makes_room(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(runs, "KEPT", 2)
    shared = trainer(rows)
    two = shared.combined(parse("ensemble(2)"), 2)
    shared.combined(parse("ensemble(3)"), 3)
    assert shared.combined(parse("ensemble(2)"), 2) is two
    shared.combined(parse("ensemble(4)"), 4)
    assert shared.combined(parse("ensemble(2)"), 2) is two
    assert len(shared._combined) == 2
