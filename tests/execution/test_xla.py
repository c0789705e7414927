"""XLA: trains like the program without it, only with other random numbers; and is used where it was measured faster."""

from __future__ import annotations

from dataclasses import replace
from multiprocessing.connection import Connection
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError, parse
from regzoo.execution.xla import Decision, decide, measure_xla
from regzoo.training.engine.program import Program
from regzoo.training.engine.trainer import Trainer
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import compiled_optimizer
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
THREE = Task("classification", 3)
STUDY = TrainingSetup("mlp([4])", THREE, (5,), "adam", 16, "nll", "test")


def trained(recipe: str, rows: Rows, jit_compile: bool = True, seed: int = 3, memory: int | None = None) -> Any:
    """A program that was trained on 50 rows: three batches of 16 and one of 2."""
    x, y = rows
    model = build_model("mlp([4])", parse(recipe), THREE, (5,))
    model.compile(compiled_optimizer("adam"))
    made = Program(model, (x[:50], y[:50]), (x[50:], y[50:]), 16, jit_compile=jit_compile, memory=memory)
    options: dict[str, Any] = {"learning_rate": 0.01, "epochs": 2, "objective": THREE.objective()}
    made.train(strengths=parse(recipe).dials(), seed=seed, **options)
    return made


def test_without_noise_the_weights_are_the_same_to_rounding(rows: Rows) -> None:
    """8 steps of Adam of at most 3.2 learning rates each; gradients may differ by 1e-5 of themselves."""
    plain, compiled = (trained("l2(0.01)", rows, jit) for jit in (False, True))
    assert int(compiled.model.optimizer.iterations) == 8
    for one, other in zip(compiled.model.get_weights(), plain.model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, rtol=0, atol=8 * 3.2 * 0.01 * 1e-5)


def test_with_noise_the_same_seed_gives_the_same_weights(rows: Rows) -> None:
    recipe = "dropout(0.5)"
    made = trained(recipe, rows)
    first = made.model.get_weights()
    options: dict[str, Any] = {"learning_rate": 0.01, "epochs": 2, "objective": THREE.objective()}
    for strength, seed, same in ((0.5, 3, True), (0.5, 4, False), (0.4, 3, False), (0.5, 3, True)):
        made.train(strengths={"dropout.rate": strength}, seed=seed, **options)
        assert same == all(np.array_equal(a, b) for a, b in zip(made.model.get_weights(), first, strict=True))
    assert made.traces == 1
    streamed = trained(recipe, rows, memory=0).model.get_weights()
    for one, other in zip(streamed, first, strict=True):
        np.testing.assert_array_equal(one, other)


def test_what_it_cannot_compile_is_named(rows: Rows) -> None:
    with pytest.raises(
        InputError, match=r"XLA cannot compile mixup\(0.4\): it has no StatelessRandomGammaV3; set train"
    ):
        trained("mixup(0.4)", rows)


def test_other_errors_are_not_blamed_on_it(rows: Rows) -> None:
    x, y = rows
    model = build_model("mlp([4])", parse("none"), THREE, (5,))
    model.compile(compiled_optimizer("adam"))
    made = Program(model, (x, y), (x, y), 16, jit_compile=True)
    with pytest.raises(tf.errors.InvalidArgumentError):
        made._trained(np.full(60, 60, np.int32))  # there is no row number 60


def test_a_study_says_whether_it_is_used(rows: Rows) -> None:
    compiled = replace(STUDY, jit_compile=True)
    assert compiled.digest != STUDY.digest
    x, y = rows
    program = Trainer(compiled, {"train": (x[:16], y[:16]), "validation": (x, y)}).program(parse("none"))
    epoch = program._epoch.get_concrete_function().graph.as_graph_def()
    assert [f for f in epoch.library.function if f.attr["_XlaMustCompile"].b]


def test_clearly_faster_decides() -> None:
    assert decide(2.0, 1.0, 3.0) == Decision(True, 2.0, 1.0, 3.0, "a step takes 1 ms with XLA and 2 ms without")
    assert not decide(1.0, 0.95, 3.0).jit_compile  # within the noise
    assert not decide(1.0, 40.0, 65.0).jit_compile


def test_it_is_measured_in_bounded_time_beside_this_process(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    waited: list[float] = []

    def never(_: Connection, seconds: float) -> bool:
        waited.append(seconds)
        return False

    monkeypatch.setattr(Connection, "poll", never)
    decision = measure_xla(STUDY, {"train": rows}, limit=0.0)
    assert waited == [0.0]
    assert (decision.jit_compile, decision.xla_ms, decision.compile_seconds) == (False, None, None)
    assert decision.eager_ms > 0
    assert decision.reason == "XLA is not ready within 0 s"


@pytest.mark.slow
def test_both_ways_are_timed(rows: Rows) -> None:
    decision = measure_xla(replace(STUDY, jit_compile=True), {"train": rows}, limit=600.0)
    assert decision.xla_ms is not None
    assert decision.compile_seconds is not None
    assert decision == decide(decision.eager_ms, decision.xla_ms, decision.compile_seconds)
    assert decision.compile_seconds > decision.xla_ms / 1e3
