"""CombinedModel: built once for a structure, and equal to a model built for one run alone."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.core import parse
from regzoo.training.engine import trainer as trainer_module
from regzoo.training.engine.combined_model import CombinedModel
from regzoo.training.engine.make_model import load_finished_model
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
SETUP = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")


def make_run(recipe: str, seed: int) -> Run:
    return Run("replicate", recipe, recipe, 0, seed, 0.01, 2, SETUP.digest)


def make_trainer(rows: Rows) -> Trainer:
    x, y = rows
    return Trainer(SETUP, {"train": (x[:36], y[:36]), "validation": (x[36:48], y[36:48]), "test": (x[48:], y[48:])})


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dropout(0.5) + ensemble(2)", "dropout(0.1) + ensemble(2)"),
        ("dropout(0.5) + mc_dropout(10)", "dropout(0.1) + mc_dropout(10)"),
        ("batch_norm(0.9) + ensemble(2)", "batch_norm(0.5) + ensemble(2)"),
    ],
)
def test_a_shared_model_has_the_weights_and_strengths_of_each_run(
    first: str, second: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    built = 0
    initialize = CombinedModel.__init__

    def counting(*given: Any) -> None:
        nonlocal built
        built += 1
        initialize(*given)

    monkeypatch.setattr(CombinedModel, "__init__", counting)
    shared = make_trainer(rows)
    execute_run(make_run(first, seed=1), shared)
    record, weights = execute_run(make_run(second, seed=2), shared)
    again, _ = execute_run(make_run(second, seed=2), shared)
    assert built == 1
    assert again.metrics == record.metrics
    fresh, _ = execute_run(make_run(second, seed=2), make_trainer(rows))
    assert built == 2
    assert record.metrics == fresh.metrics
    combined = shared.get_combined_model(parse(second), len(weights))
    execute_run(make_run(first, seed=3), shared)
    combined.load(parse(second), weights)
    x = shared.data["test"][0]
    alone = SETUP.task.to_logits(load_finished_model(SETUP, parse(second), weights)(x))
    np.testing.assert_allclose(combined.logits(x), alone, atol=1e-5)  # float32, softmax and logarithm


def test_another_strength_after_training_needs_another_model(rows: Rows) -> None:
    shared = make_trainer(rows)
    few, many = (shared.get_combined_model(parse(f"dropout(0.5) + mc_dropout({n})"), 1) for n in (2, 20))
    assert few is not many
    assert shared.get_combined_model(parse("dropout(0.1) + mc_dropout(2)"), 1) is few


def test_the_least_recently_used_model_is_dropped(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(trainer_module, "MAX_PROGRAMS", 2)
    shared = make_trainer(rows)
    two = shared.get_combined_model(parse("ensemble(2)"), 2)
    shared.get_combined_model(parse("ensemble(3)"), 3)
    assert shared.get_combined_model(parse("ensemble(2)"), 2) is two
    shared.get_combined_model(parse("ensemble(4)"), 4)
    assert shared.get_combined_model(parse("ensemble(2)"), 2) is two
    assert len(shared._combined_models) == 2
