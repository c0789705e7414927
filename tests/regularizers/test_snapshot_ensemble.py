"""Snapshot ensemble: the learning rate by hand, the saved weights, and a whole run."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Objective, parse
from regzoo.regularizers import SnapshotEnsemble
from regzoo.training.engine.make_model import load_finished_model
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

NLL = "nll"


class Numbered:
    """A model whose weights are the number of the epoch."""

    def __init__(self, learning_rate: float) -> None:
        self.optimizer = keras.optimizers.SGD(learning_rate)
        self.epoch = -1

    def get_weights(self) -> list[int]:
        """Return the number of the epoch."""
        return [self.epoch]


def follow(
    regularizer: SnapshotEnsemble, epochs: int, stopped: int | None = None
) -> tuple[list[float], list[int], float]:
    """Return the learning rate of each epoch, the epochs of the members, and the learning rate afterwards."""
    model, watcher = Numbered(0.8), regularizer.watch(Objective(NLL, "min", epochs))
    rates = []
    for epoch in range(stopped or epochs):
        watcher.begin(epoch, model)
        rates.append(float(model.optimizer.learning_rate))
        model.epoch = epoch
        assert not watcher.epoch(epoch, 0.0, model)
    watcher.finish(model)
    return rates, [weights[0] for weights in watcher.members(model)], float(model.optimizer.learning_rate)


@pytest.mark.parametrize("cycles", [2, 4])
def test_the_learning_rate_falls_and_restarts_in_each_cycle(cycles: int) -> None:
    rates, members, left = follow(SnapshotEnsemble(cycles), 4 * cycles)
    cycle = [0.8 * (1 + math.cos(math.pi * t / 4)) / 2 for t in range(4)]
    assert rates == pytest.approx(cycle * cycles, rel=1e-6)
    assert rates[0] == left == pytest.approx(0.8)
    assert members == [3, 7, 11, 15][:cycles][-3:]


def test_a_cycle_that_is_no_whole_number_of_epochs_restarts_in_the_first_after_its_start() -> None:
    rates, _, _ = follow(SnapshotEnsemble(3), 10)
    # Cycles start at epochs 0, 10/3 and 20/3; epoch 4 lies 2/3 of an epoch after a start, so at 1/5 of the cycle.
    passed = [0, 0.3, 0.6, 0.9, 0.2, 0.5, 0.8, 0.1, 0.4, 0.7]
    assert rates == pytest.approx([0.8 * (1 + math.cos(math.pi * share)) / 2 for share in passed], rel=1e-6)


@pytest.mark.parametrize(
    ("regularizer", "epochs", "members"),
    [
        (SnapshotEnsemble(4), 8, [3, 5, 7]),
        (SnapshotEnsemble(4, last=2), 8, [5, 7]),
        (SnapshotEnsemble(4, last=9), 8, [1, 3, 5, 7]),
        (SnapshotEnsemble(3, last=9), 10, [3, 6, 9]),  # 10 / 3 epochs a cycle: the last one ends with the training
        (SnapshotEnsemble(1), 5, [4]),
        (SnapshotEnsemble(5), 2, [0, 1]),  # no more cycles than epochs
    ],
)
def test_the_last_snapshots_are_the_members(regularizer: SnapshotEnsemble, epochs: int, members: list[int]) -> None:
    assert follow(regularizer, epochs)[1] == members


def test_a_stopped_training_counts_its_last_weights() -> None:
    assert follow(SnapshotEnsemble(2), 8, stopped=6)[1] == [3, 5]
    assert follow(SnapshotEnsemble(2), 8, stopped=4)[1] == [3]
    assert follow(SnapshotEnsemble(1), 8, stopped=1)[1] == [0]


def test_a_run_averages_its_snapshots(rows: Any) -> None:
    x, y = rows
    setup = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, NLL, "test")
    trainer = Trainer(setup, {"train": (x[:36], y[:36]), "validation": (x[36:], y[36:]), "test": (x[36:], y[36:])})
    recipe = "snapshot_ensemble(3)"
    record, weights = execute_run(Run("replicate", recipe, recipe, 0, 5, 0.05, 6, setup.digest), trainer)
    assert (record.status, len(weights)) == ("ok", 3)
    assert not np.allclose(weights[0][0], weights[1][0])
    apart = []
    for member in weights:
        model = load_finished_model(setup, parse("none"), [member])
        apart.append(model.predict(x, verbose=0))
    together = load_finished_model(setup, parse(recipe), weights).predict(x, verbose=0)
    np.testing.assert_allclose(together, np.mean(apart, 0), atol=5e-7)  # some float32 roundings of numbers near 1
    found = -np.log(together[np.arange(36, 60), y[36:]]).mean()
    assert record.metrics["test"][NLL] == pytest.approx(found, abs=1e-5)
    # The learning rate was given back: the baseline's next run is what it would have been.
    again = execute_run(Run("replicate", "none", "none", 0, 5, 0.05, 2, setup.digest), trainer)[0]
    fresh = execute_run(Run("replicate", "none", "none", 0, 5, 0.05, 2, setup.digest), Trainer(setup, trainer.data))[0]
    assert again.metrics == fresh.metrics


def test_averages_of_weights_and_early_stopping() -> None:
    for recipe in ("ema(0.9) + snapshot_ensemble(3)", "snapshot_ensemble(3) + swa(0.7)"):
        with pytest.raises(InputError, match="uses the weights at the end of each cycle, not the averages of"):
            regzoo.parse(recipe)
    (sentence,) = regzoo.parse("early_stopping(5) + snapshot_ensemble(3)").clashes()
    assert "early_stopping stops there" in sentence


def test_a_scheduled_learning_rate_is_refused() -> None:
    model = Numbered(0.1)
    model.optimizer = keras.optimizers.SGD(keras.optimizers.schedules.ExponentialDecay(0.1, 10, 0.5))
    with pytest.raises(InputError, match="give the optimizer a number, not a schedule"):
        SnapshotEnsemble(2).watch(Objective(NLL, "min", 4)).begin(0, model)


@pytest.mark.parametrize("loss", [None, "mse"])  # with a loss Keras itself takes the steps
def test_each_of_several_optimizers_has_its_own_learning_rate(loss: str | None) -> None:
    slow, fast = keras.optimizers.SGD(0.1), keras.optimizers.SGD(0.2)
    several = keras.optimizers.MultiOptimizer(lambda variable: slow if "kernel" in variable.path else fast)
    inputs = keras.Input((2,))
    model = regzoo.attach(SnapshotEnsemble(2), keras.Model(inputs, keras.layers.Dense(1)(inputs)), optimizer=several)
    model.compile(several, loss=loss)
    rates: list[tuple[float, float]] = []
    record = keras.callbacks.LambdaCallback(
        on_train_batch_begin=lambda batch, logs: rates.append((float(slow.learning_rate), float(fast.learning_rate)))
    )
    model.fit(np.zeros((4, 2)), np.zeros((4, 1)), epochs=4, callbacks=[record], verbose=0)
    assert rates == pytest.approx(np.outer([1, 0.5, 1, 0.5], [0.1, 0.2]))
    assert (float(slow.learning_rate), float(fast.learning_rate)) == pytest.approx((0.1, 0.2))
    assert len(model.finished().layers) == 4  # the input, two snapshots and their average


def test_fit_leaves_the_average_of_its_snapshots(rows: Any, tmp_path: Path) -> None:
    model = regzoo.build(
        "mlp([8])", "snapshot_ensemble(3, last=2)", input_shape=(5,), classes=3, optimizer=keras.optimizers.Adam(0.05)
    )
    assert model.finished() is model
    after = {}
    note = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, logs: after.update({epoch: model.predict(rows[0], verbose=0)})
    )
    model.fit(*rows, epochs=6, verbose=0, callbacks=[note])
    together = model.finished()
    # Some float32 roundings of numbers near 1.
    np.testing.assert_allclose(together.predict(rows[0], verbose=0), (after[3] + after[5]) / 2, atol=5e-7)
    assert np.array_equal(model.predict(rows[0], verbose=0), after[5])
    assert float(model.optimizer.learning_rate) == pytest.approx(0.05)
    together.save(tmp_path / "together.keras")
    again = keras.models.load_model(tmp_path / "together.keras")
    np.testing.assert_array_equal(again.predict(rows[0], verbose=0), together.predict(rows[0], verbose=0))


def test_every_optimizer_has_a_rate_that_can_be_set(monkeypatch: pytest.MonkeyPatch) -> None:
    schedule = keras.optimizers.schedules.CosineDecay(0.1, 10)
    layers = [keras.layers.Dense(4, "relu"), keras.layers.Dense(3, "softmax")]
    model = regzoo.attach("snapshot_ensemble(3)", keras.Sequential([keras.Input((5,)), *layers]))
    optimizers = [keras.optimizers.SGD(0.1), keras.optimizers.SGD(schedule)]
    watcher = SnapshotEnsemble(3).watch(Objective("nll", "min", epochs=9))
    monkeypatch.setattr("regzoo.regularizers.snapshot_ensemble.list_optimizers", lambda _: optimizers)
    with pytest.raises(InputError, match="give the optimizer a number"):
        watcher.begin(0, model)
