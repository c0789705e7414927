"""Early stopping: when it stops, which weights it restores, and that fit and Program agree."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError, Objective
from regzoo.regularizers import Dropout, EarlyStopping, SnapshotEnsemble
from regzoo.training.engine.program import Program

NAN = math.nan


class Numbered:
    """A model whose weights are the number of the epoch."""

    def __init__(self) -> None:
        self.weights = [-1]

    def get_weights(self) -> list[int]:
        """Return the number of the epoch."""
        return list(self.weights)

    def set_weights(self, weights: list[int]) -> None:
        """Set the number."""
        self.weights = list(weights)


def follow(regularizer: EarlyStopping, scores: Sequence[float], direction: str = "min") -> tuple[int, int]:
    """Return the number of epochs until it stops, and the epoch whose weights remain (-1: those from before)."""
    model, watcher = Numbered(), regularizer.watch(Objective("nll", direction))  # type: ignore[arg-type]
    epochs = 0
    for epoch, score in enumerate(scores):
        model.weights, epochs = [epoch], epochs + 1
        if watcher.epoch(epoch, score, model):
            break
    watcher.finish(model)
    return epochs, model.weights[0]


@pytest.mark.parametrize(
    ("regularizer", "direction", "scores", "epochs", "best"),
    [
        (EarlyStopping(2), "min", [3, 2, 1, 2, 3, 0], 5, 2),
        (EarlyStopping(3), "min", [3, 2, 1, 2, 3, 0], 6, 5),
        (EarlyStopping(1), "min", [1, 1, 0], 2, 0),  # a tie is no improvement
        (EarlyStopping(5), "min", [3, 2, 1], 3, 2),
        (EarlyStopping(2), "max", [1, 2, 3, 2, 1, 9], 5, 2),
        (EarlyStopping(2), "max", [-3, -2, -1, -2, -1], 5, 2),
        (
            EarlyStopping(2, min_delta=0.5),
            "min",
            [3, 2.6, 2.4, 2.1, 1.9, 1.8],
            5,
            2,
        ),  # 2.4 counts, from 3; 1.9 does not
        (EarlyStopping(2, min_delta=0.5), "max", [1, 1.4, 1.6, 1.9, 2.1], 5, 2),
        (EarlyStopping(2), "min", [NAN, 2, 1, NAN, NAN, 0], 5, 2),
        (EarlyStopping(2), "max", [NAN, 1, 2, NAN, NAN], 5, 2),
        (EarlyStopping(3), "min", [2, NAN, 1, NAN, 3, 3], 6, 2),
    ],
)
def test_it_stops_after_patience_and_keeps_the_best(
    regularizer: EarlyStopping, direction: str, scores: Sequence[float], epochs: int, best: int
) -> None:
    assert follow(regularizer, scores, direction) == (epochs, best)


def test_nan_from_the_first_epoch_is_no_improvement_and_never_restored() -> None:
    # Two epochs without improvement end it; there is nothing good to go back to, so the weights stay as they are.
    assert follow(EarlyStopping(2), [NAN, NAN, NAN]) == (2, 1)
    assert follow(EarlyStopping(2), [math.inf, math.inf, 1]) == (2, 1)


def test_every_run_has_a_fresh_watcher() -> None:
    regularizer = EarlyStopping(2)
    assert [follow(regularizer, scores) for scores in ([1, 2, 3], [9, 8, 9, 9])] == [(3, 0), (4, 1)]


def spoiling(rows: Any) -> tuple[Any, Any]:
    """Return validation rows on which every training step makes the model worse: the classes are reversed."""
    x, y = rows
    return x, 2 - y


def built(recipe: str, backbone: str = "mlp([4])") -> Any:
    """Return a small model with plain SGD."""
    return regzoo.build(backbone, recipe, input_shape=(5,), classes=3, optimizer=keras.optimizers.SGD(0.1), seed=1)


def test_fit_stops_and_restores(rows: Any) -> None:
    stopped, once = built("early_stopping(2)"), built("none")
    options: dict[str, Any] = {"batch_size": 8, "shuffle": False, "verbose": 0}
    history = stopped.fit(*rows, epochs=20, validation_data=spoiling(rows), **options).history
    once.fit(*rows, epochs=1, **options)
    assert history["val_loss"] == sorted(history["val_loss"])
    assert len(history["val_loss"]) == 3
    assert all(map(np.array_equal, stopped.get_weights(), once.get_weights()))


def test_program_stops_and_restores_as_fit_does(rows: Any) -> None:
    program = Program(built("none"), rows, spoiling(rows), batch_size=8)
    objective = program.model.task.objective()
    options: dict[str, Any] = {"strengths": {}, "seed": 1, "learning_rate": 0.1, "objective": objective}
    watcher = EarlyStopping(2).watch(objective)
    assert program.train(epochs=20, watchers=[watcher], **options).epochs == 3
    stopped = program.model.get_weights()
    program.train(epochs=1, **options)
    assert all(map(np.array_equal, stopped, program.model.get_weights()))


def test_fit_survives_a_validation_that_is_never_a_number(rows: Any) -> None:
    model = built("early_stopping(2)", "mlp([4], activation=tanh)")  # a relu makes 0 of NaN
    x, y = rows
    history = model.fit(x, y, epochs=9, validation_data=(np.full_like(x, NAN), y), verbose=0).history
    assert len(history["val_loss"]) == 2
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_fit_without_validation_is_refused(rows: Any) -> None:
    with pytest.raises(InputError, match="early_stopping watches validation: pass validation_data to fit"):
        built("early_stopping(2)").fit(*rows, verbose=0)


def test_patience_may_be_searched_and_not_scheduled() -> None:
    with pytest.raises(InputError, match="patience cannot be scheduled"):
        regzoo.parse("early_stopping(linear(9, 3, epochs=5))")
    with pytest.raises(InputError, match=r"patience must lie in \[1, inf\), received 0"):
        EarlyStopping(0)


def test_it_warns_of_cycles_alone() -> None:
    assert "early_stopping stops there" in str(EarlyStopping(5).warn_recipe([Dropout(0.5), SnapshotEnsemble(3)]))
    assert EarlyStopping(5).warn_recipe([Dropout(0.5)]) is None
