"""Program: traced once, and the same training as Keras's fit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import Objective, Recipe, parse
from regzoo.training.engine import batching as batching_module
from regzoo.training.engine.program import Program, Training
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import make_optimizer
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]
THREE = Task("classification", 3)
NLL = THREE.objective()


def split_rows(rows: Rows) -> tuple[Rows, Rows]:
    """Return 50 training rows, so that batches of 16 leave a last one of 2, and 10 validation rows."""
    x, y = rows
    return (x[:50], y[:50]), (x[50:], y[50:])


def make_program(recipe: str, rows: Rows, optimizer: Any = None, task: Task = THREE, batch_size: int = 16) -> Program:
    model = build_model("mlp([8])", parse(recipe), task, rows[0].shape[1:])
    model.compile(optimizer or make_optimizer("adam", 0.5))
    return Program(model, *split_rows(rows), batch_size=batch_size)


def train(program: Program, recipe: str, **given: Any) -> Training:
    options = {"seed": 3, "learning_rate": 0.01, "epochs": 3, "objective": program.model.task.objective()}
    return program.train(strengths=parse(recipe).dials(), **{**options, **given})


def train_and_get_weights(program: Program, recipe: str, **given: Any) -> list[np.ndarray]:
    train(program, recipe, **given)
    return program.model.get_weights()


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


@pytest.mark.parametrize(
    "recipe",
    ["dropout(0.5) + l2(0.01)", "batch_norm(0.9)", "weight_decay(0.1) + gaussian_noise(0.3)"],
)
def test_fit_and_program_give_the_same_weights_on_the_same_batches(
    recipe: str, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Program, "draw_order", lambda self, seed, epoch: np.arange(self.rows, dtype=np.int32))
    ours = train_and_get_weights(make_program(recipe, rows), recipe)
    model = build_model("mlp([8])", parse(recipe), THREE, (5,), seed=3)
    model.compile(make_optimizer("adam", 0.01))
    (x, y), validation = split_rows(rows)
    model.fit(x, y, validation_data=validation, batch_size=16, epochs=3, shuffle=False, verbose=0)
    for one, other in zip(ours, model.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("dropout(0.5) + l2(0.01)", "dropout(linear(0.5, 0.0, epochs=2)) + l2(0.0001)"),
        ("batch_norm(0.5)", "batch_norm(0.95)"),
        ("weight_decay(0.0) + gaussian_noise(0.0)", "weight_decay(0.1) + gaussian_noise(0.2)"),
    ],
)
def test_turned_dials_train_the_weights_of_a_fresh_build_bit_for_bit(first: str, second: str, rows: Rows) -> None:
    """Two dials in a model: one that did not turn would show, since each has an effect."""
    used = make_program(first, rows)
    before = train_and_get_weights(used, first)
    turned = train_and_get_weights(used, second)
    assert equal(turned, train_and_get_weights(make_program(second, rows), second))
    assert not equal(turned, before)
    assert used.traces == 1
    assert equal(train_and_get_weights(used, first), before)  # and back


def test_dials_at_their_neutral_values_train_the_weights_of_the_baseline(rows: Rows) -> None:
    baseline = train_and_get_weights(make_program("none", rows), "none")
    program = make_program("gaussian_noise(0.3) + dropout(0.5)", rows)
    for partly in ("gaussian_noise(0.0) + dropout(0.5)", "gaussian_noise(0.3) + dropout(0.0)"):
        assert not equal(train_and_get_weights(program, partly), baseline)
    assert equal(train_and_get_weights(program, "gaussian_noise(0.0) + dropout(0.0)"), baseline)


def test_schedules_turn_without_retracing(rows: Rows) -> None:
    recipe = "dropout(linear(0.8, 0.0, epochs=4)) + l2(step(0.1, 0.0, epochs=2))"
    program = make_program(recipe, rows)
    train(program, recipe, epochs=6)
    assert program.traces == 1
    assert program.model.dials == {"dropout.rate": 0.0, "l2.strength": 0.0}
    train(program, recipe, epochs=2)
    assert program.model.dials == pytest.approx({"dropout.rate": 0.6, "l2.strength": 0.1})


@pytest.mark.parametrize("memory", [None, 0])
def test_nothing_is_traced_after_the_first_run(memory: int | None, rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever the strengths, schedules, seeds, learning rates, epochs, watchers and rows to predict."""
    model = build_model("mlp([8])", parse("dropout(0.5) + l2(0.01)"), THREE, (5,))
    model.compile(make_optimizer("adam"))
    program = Program(model, *split_rows(rows), batch_size=16, memory=memory)
    calls = 0
    step = model.update

    def counting(*given: Any) -> Any:
        nonlocal calls
        calls += 1
        return step(*given)

    monkeypatch.setattr(model, "update", counting)  # Python runs it only while tracing
    train(program, "dropout(0.5) + l2(0.01)")
    for recipe, given in (
        ("dropout(0.1) + l2(0.1)", {"seed": 4, "noise": 5}),
        ("dropout(linear(0.8, 0.0, epochs=4)) + l2(0.1)", {"epochs": 5}),
        ("dropout(0.5) + l2(step(0.1, 0.0, epochs=2))", {"learning_rate": 0.1, "epochs": 1}),
    ):
        train(program, recipe, **given, watchers=[parse("early_stopping(1)").regularizers[0].watch(NLL)])  # type: ignore[attr-defined]
        for count in (1, 7, 60):
            assert program.logits(rows[0][:count]).shape == (count, 3)
    assert (program.traces, calls) == (1, 0)


def test_the_same_seed_gives_the_same_history(rows: Rows) -> None:
    recipe = "dropout(0.5) + gaussian_noise(0.1)"
    program = make_program(recipe, rows)
    first, other, again = (train(program, recipe, seed=seed) for seed in (3, 4, 3))
    assert first.history == again.history != other.history
    assert train(make_program(recipe, rows), recipe).history == first.history


@pytest.mark.slow
def test_noise_can_have_its_own_seed(rows: Rows) -> None:
    program = make_program("dropout(0.5)", rows)
    same, other = (train_and_get_weights(program, "dropout(0.5)", noise=noise) for noise in (3, 4))
    assert equal(same, train_and_get_weights(program, "dropout(0.5)"))
    assert not equal(other, same)
    plain = make_program("none", rows)
    without_noise = train_and_get_weights(plain, "none")
    assert equal(train_and_get_weights(plain, "none", noise=4), without_noise)  # order and weights follow the seed


def test_every_epoch_sees_every_row_once_in_a_new_order(rows: Rows) -> None:
    program = make_program("none", rows)
    orders = [program.draw_order(3, 0), program.draw_order(3, 1), program.draw_order(4, 0)]
    for order in orders:
        assert sorted(order) == list(range(50))
    assert len({tuple(order) for order in orders}) == 3


def test_a_smaller_last_batch_is_trained_on(rows: Rows) -> None:
    program = make_program("none", rows)
    train(program, "none", epochs=3)
    assert program.steps == 4  # 16 + 16 + 16 + 2
    assert int(program.model.optimizer.iterations) == 12


def test_one_step_of_gradient_descent_by_hand(numbers: Rows) -> None:
    """Of the last layer, on hidden units H: w' = w - rate * 2/n H'(Hw + b - y), b' = b - rate * 2 mean(Hw + b - y)."""
    x, y = numbers[0], ((numbers[1] - 300.0) / 50.0).astype(np.float32)
    model = build_model("mlp(widths=[4], activation=relu)", Recipe(), Task("regression", 1), (5,))
    model.compile(keras.optimizers.SGD(0.1))
    program = Program(model, (x, y), (x, y), batch_size=60)
    model.reset(3)
    start = [w.astype(np.float64) for w in model.get_weights()]
    hidden = np.maximum(x @ start[0] + start[1], 0)
    residual = hidden @ start[2][:, 0] + start[3] - y
    program.train(strengths={}, seed=3, learning_rate=0.1, epochs=1, objective=Objective("rmse", "min"))
    _, _, kernel, bias = model.get_weights()
    np.testing.assert_allclose(kernel[:, 0], start[2][:, 0] - 0.1 * 2 * hidden.T @ residual / 60, atol=1e-5)
    np.testing.assert_allclose(bias, start[3] - 0.1 * 2 * residual.mean(), atol=1e-5)


def test_history_holds_the_metrics_of_the_model_after_each_epoch(rows: Rows) -> None:
    program = make_program("dropout(0.5)", rows)
    training = train(program, "dropout(0.5)", epochs=2)
    assert training.epochs == 2
    assert list(training.history) == ["train", "validation"]
    for part, (x, y) in zip(training.history, split_rows(rows), strict=True):
        values = THREE.measure(THREE.encode(tf.constant(y)), program.logits(x), THREE.tracked_metrics())
        assert {name: curve[-1] for name, curve in training.history[part].items()} == pytest.approx(
            {name: float(value) for name, value in values.items()}, abs=1e-6
        )


def test_evaluation_in_chunks_gives_the_same_numbers(rows: Rows, monkeypatch: pytest.MonkeyPatch) -> None:
    whole = make_program("none", rows)
    plain = train(whole, "none").history
    monkeypatch.setattr(batching_module, "CHUNK", 7)  # 50 rows: seven chunks of 7 and one of 1
    chunked = make_program("none", rows)
    found = train(chunked, "none").history
    for part, curves in plain.items():
        for name, curve in curves.items():
            assert found[part][name] == pytest.approx(curve, abs=1e-6)
    np.testing.assert_allclose(chunked.logits(rows[0]), whole.logits(rows[0]), atol=1e-6)


def test_early_stopping_restores_the_best_epoch(rows: Rows) -> None:
    recipe = parse("early_stopping(3)")
    program = make_program("none", rows)
    watchers = [regularizer.watch(NLL) for regularizer in recipe]  # type: ignore[attr-defined]
    training = train(program, "none", epochs=300, learning_rate=0.1, watchers=watchers)
    curve = training.history["validation"]["nll"]
    best = int(np.argmin(curve))
    assert training.epochs == len(curve) == best + 1 + 3 < 300
    x, y = split_rows(rows)[1]
    value = float(THREE.measure(THREE.encode(tf.constant(y)), program.logits(x))["nll"])
    assert value == pytest.approx(curve[best], abs=1e-6)


def test_a_loss_of_nan_ends_the_training(rows: Rows) -> None:
    program = make_program("none", rows, keras.optimizers.SGD(0.1))
    training = train(program, "none", learning_rate=1e30, epochs=50)
    assert training.epochs < 50
    assert not np.isfinite(training.history["train"]["nll"][-1])
    after = train(program, "none")  # a diverged run leaves no trace
    assert after.history == train(make_program("none", rows, keras.optimizers.SGD(0.1)), "none").history


def test_a_cnn_trains_on_images(images: Rows) -> None:
    model = build_model("cnn(filters=[2], dense=4)", parse("dropout(0.5)"), THREE, (8, 8, 1))
    model.compile(keras.optimizers.Adam())
    program = Program(model, *split_rows(images), batch_size=16)
    training = train(program, "dropout(0.2)", epochs=20)
    nll = training.history["train"]["nll"]
    assert nll[-1] < 0.8 * nll[0]
