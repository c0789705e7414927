"""Running average of the weights: by hand, compared with Keras's, after training, and with other averages."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import Ema
from regzoo.training.engine.program import Program


def averages(weights: list[float], decay: float) -> list[float]:
    """Return the average after each step."""
    rule, found = Ema(decay).rule(Weight("dense/bias", (1,))), []
    average = rule.start(np.array([99.0], np.float32))
    for step, weight in enumerate(weights, start=1):
        w = np.array([weight], np.float32)
        same, average = rule.follow(w, average, step)
        assert np.array_equal(same, w)
        found.append(float(average[0]))
    return found


def test_by_hand() -> None:
    # Steps weighted by 0.5^age; what was there before the first step counts for nothing.
    assert averages([1.0, 4.0, 0.0], 0.5) == pytest.approx([1, (4 + 0.5) / 1.5, (0 + 2 + 0.25) / 1.75], rel=1e-6)
    assert averages([2.0] * 5, 0.999) == pytest.approx([2.0] * 5, rel=1e-6)


def test_decay_0_keeps_every_bit_and_nearly_1_is_finite() -> None:
    weights = [float(np.float32(w)) for w in np.random.default_rng(0).normal(size=5)]
    assert averages(weights, 0.0) == weights
    assert np.isfinite(averages(weights, 1 - 1e-12)).all()  # 1 in float32


def built(recipe: str, optimizer: Any = None) -> Any:
    """Return a small model with SGD."""
    optimizer = optimizer or keras.optimizers.SGD(0.1)
    return regzoo.build("mlp([4])", recipe, input_shape=(5,), classes=3, optimizer=optimizer, seed=1)


def test_fit_ends_with_the_averages_that_follow_from_kerass(rows: Any) -> None:
    steps, decay = 9, 0.8
    options: dict[str, Any] = {"batch_size": 20, "shuffle": False, "verbose": 0, "validation_data": rows}
    ours, theirs = built(f"ema({decay})"), built("none", keras.optimizers.SGD(0.1, use_ema=True, ema_momentum=decay))
    first = built("none")
    first.update(rows[0][:20], rows[1][:20])
    for model in (ours, theirs):
        model.fit(*rows, epochs=3, **options)
    for mine, other, once in zip(ours.get_weights(), theirs.get_weights(), first.get_weights(), strict=True):
        # Keras's starts from the weights after the first step: decay^t of it too much, which ours leaves out.
        expected = (other - decay**steps * once) / (1 - decay**steps)
        np.testing.assert_allclose(mine, expected, atol=1e-5)  # 9 steps of some roundings (6e-8)
    assert len(ours.companions("ema")) == 4  # biases too


def test_decay_0_trains_and_judges_as_the_baseline_does(rows: Any) -> None:
    program, plain = (Program(built(recipe), rows, rows, batch_size=20) for recipe in ("ema(0.9)", "none"))
    objective = program.model.task.objective()
    options: dict[str, Any] = {"seed": 1, "learning_rate": 0.1, "epochs": 3, "objective": objective}
    trained = plain.train(strengths={}, **options)
    assert program.train(strengths={"ema.decay": 0.9}, **options).history != trained.history
    averaged = program.model.get_weights()
    assert not np.allclose(averaged[0], plain.model.get_weights()[0])
    assert program.train(strengths={"ema.decay": 0.0}, **options).history == trained.history
    assert all(map(np.array_equal, program.model.get_weights(), plain.model.get_weights()))


def test_it_clashes_with_swa() -> None:
    for recipe in ("ema(0.9) + swa(0.7)", "swa(0.7) + ema(0.9)"):
        (sentence,) = regzoo.parse(recipe).clashes()
        assert "use one of the two" in sentence
    assert regzoo.parse("dropout(0.5) + ema(0.9)").clashes() == []


@pytest.mark.parametrize("role", ["kernel", "bias", "scale", "embedding"])
def test_the_averages_of_weights_of_every_role_are_judged_and_take_their_place(role: Any) -> None:
    assert Ema.averages
    rule = Ema(0.9).rule(Weight("layer/weight", (3, 4), role))
    assert rule is not None
    assert rule.replaces
