"""XLA: a compiled program trains as it does without XLA, except for other random numbers."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError, parse
from regzoo.training.engine.program import Program
from regzoo.training.engine.trainer import Trainer
from regzoo.training.model.build import build_model
from regzoo.training.model.judged import JudgedWeights
from regzoo.training.optimizers import make_optimizer
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
THREE = Task("classification", 3)
SETUP = TrainingSetup("mlp([4])", THREE, (5,), "adam", 16, "nll", "test")


def train_program(recipe: str, rows: Rows, jit_compile: bool = True, seed: int = 3, memory: int | None = None) -> Any:
    """Return a program trained on 50 rows: three batches of 16 and one of 2."""
    x, y = rows
    model = build_model("mlp([4])", parse(recipe), THREE, (5,))
    model.compile(make_optimizer("adam"))
    program = Program(model, (x[:50], y[:50]), (x[50:], y[50:]), 16, jit_compile=jit_compile, memory=memory)
    options: dict[str, Any] = {"learning_rate": 0.01, "epochs": 2, "objective": THREE.objective()}
    program.train(strengths=parse(recipe).dials(), seed=seed, **options)
    return program


@pytest.mark.slow
def test_without_noise_the_weights_are_equal_up_to_rounding(rows: Rows) -> None:
    """8 steps of Adam of at most 3.2 learning rates each; gradients may differ by 1e-5 of themselves."""
    plain, compiled = (train_program("l2(0.01)", rows, jit) for jit in (False, True))
    assert int(compiled.model.optimizer.iterations) == 8
    for one, other in zip(compiled.model.get_weights(), plain.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=8 * 3.2 * 0.01 * 1e-5)


@pytest.mark.slow
def test_with_noise_the_same_seed_gives_the_same_weights(rows: Rows) -> None:
    recipe = "dropout(0.5)"
    program = train_program(recipe, rows)
    first = program.model.get_weights()
    options: dict[str, Any] = {"learning_rate": 0.01, "epochs": 2, "objective": THREE.objective()}
    for strength, seed, same in ((0.5, 3, True), (0.5, 4, False), (0.4, 3, False), (0.5, 3, True)):
        program.train(strengths={"dropout.rate": strength}, seed=seed, **options)
        assert same == all(np.array_equal(a, b) for a, b in zip(program.model.get_weights(), first, strict=True))
    assert program.traces == 1
    streamed = train_program(recipe, rows, memory=0).model.get_weights()
    for one, other in zip(streamed, first, strict=True):
        np.testing.assert_array_equal(one, other)


def test_the_operation_that_xla_cannot_compile_is_named(rows: Rows) -> None:
    with pytest.raises(
        InputError, match=r"XLA cannot compile mixup\(0.4\): it has no StatelessRandomGammaV3; set train"
    ):
        train_program("mixup(0.4)", rows)


def test_other_errors_are_not_attributed_to_xla(rows: Rows) -> None:
    x, y = rows
    model = build_model("mlp([4])", parse("none"), THREE, (5,))
    model.compile(make_optimizer("adam"))
    program = Program(model, (x, y), (x, y), 16, jit_compile=True)
    program._order = np.full(60, 60, np.int32)  # there is no row number 60
    with pytest.raises(tf.errors.InvalidArgumentError):
        program._train_epoch(0, JudgedWeights(model))


def test_a_setup_decides_whether_xla_is_used(rows: Rows) -> None:
    compiled = replace(SETUP, jit_compile=True)
    assert compiled.digest != SETUP.digest
    x, y = rows
    program = Trainer(compiled, {"train": (x[:16], y[:16]), "validation": (x, y)}).get_program(parse("none"))
    epoch = program._epoch.get_concrete_function().graph.as_graph_def()
    assert [f for f in epoch.library.function if f.attr["_XlaMustCompile"].b]


@pytest.mark.parametrize("weighted", ["rows", "classes"])
@pytest.mark.slow
def test_row_and_class_weights_count_as_they_do_without_xla(weighted: str, rows: Rows) -> None:
    """4 steps of Adam of at most 3.2 learning rates each; gradients may differ by 1e-5 of themselves."""
    x, y = rows
    weight = np.linspace(0.1, 1.9, 50, dtype=np.float32) if weighted == "rows" else compute_balanced_weights(y[:50])
    data = {"train": (x[:50], y[:50], weight), "validation": (x[50:], y[50:]), "test": (x[50:], y[50:])}
    found = []
    for jit_compile, parts in ((True, data), (False, data), (True, {**data, "train": data["train"][:2]})):
        trainer = Trainer(replace(SETUP, class_weight="balanced", jit_compile=jit_compile), parts)
        program = trainer.get_program(parse("l2(0.01)"))
        options: dict[str, Any] = {"learning_rate": 0.01, "epochs": 1, "objective": THREE.objective()}
        program.train(strengths=parse("l2(0.01)").dials(), seed=3, **options)
        found.append(program.model.get_weights())
    compiled, plain, unweighted = found
    for one, other in zip(compiled, plain, strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=4 * 3.2 * 0.01 * 1e-5)
    assert not all(np.allclose(one, other, atol=1e-4) for one, other in zip(compiled, unweighted, strict=True))


def compute_balanced_weights(y: np.ndarray) -> np.ndarray:
    """Return the weights with which each of three classes counts equally."""
    return (len(y) / (3 * np.bincount(y)))[y].astype(np.float32)
