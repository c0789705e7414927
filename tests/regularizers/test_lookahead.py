"""Lookahead: by hand, the neutral alpha, and k = 1."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.core import Weight
from regzoo.regularizers import Lookahead


def walked(steps: list[float], k: int, alpha: float) -> list[float]:
    """Return a weight after each step; it starts at 0 and each step adds its number."""
    rule = Lookahead(k, alpha).rule(Weight("dense/bias", (1,)))
    w = np.zeros(1, np.float32)
    slow, found = rule.start(w), []
    for number, step in enumerate(steps, start=1):
        w, slow = rule.follow(np.array(w) + np.float32(step), slow, number)
        found.append(float(w[0]))
    return found


def test_by_hand() -> None:
    # Up to 2, halfway back to 1; up to 3, halfway back to 2.
    assert walked([1, 1, 1, 1, 1], k=2, alpha=0.5) == [1, 1, 2, 2, 3]
    assert walked([1, 1, 1], k=3, alpha=0.25) == [1, 2, 0.75]


def test_the_ends_of_alpha() -> None:
    steps = [float(step) for step in np.random.default_rng(0).normal(size=6).astype(np.float32)]
    assert walked(steps, k=2, alpha=1.0) == walked(steps, k=100, alpha=0.5)
    assert walked(steps, k=2, alpha=0.0)[1::2] == [0.0, 0.0, 0.0]
    assert Lookahead().neutral() == Lookahead(1, 1.0)


def test_with_k_1_it_is_a_smaller_learning_rate(by_hand: Callable[[str], Any]) -> None:
    ours, plain = by_hand("lookahead(k=1, alpha=0.5)"), by_hand("none")
    plain.optimizer.learning_rate.assign(0.25)
    for weight, slow in ours.companions("lookahead"):
        slow.assign(weight)
    for model in (ours, plain):
        for _ in range(3):
            model.update(np.array([[1.0, 0.5]], np.float32), np.array([[1.0]], np.float32))
    for mine, theirs in zip(ours.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(mine, theirs, rtol=1e-5)


def test_fit_goes_back_in_every_kth_step(rows: Any) -> None:
    def fitted(recipe: str, epochs: int) -> list[np.ndarray]:
        model = regzoo.build("mlp([4])", recipe, (5,), 3, optimizer=keras.optimizers.SGD(0.1), seed=1)
        if epochs:
            model.fit(*rows, batch_size=20, epochs=epochs, shuffle=False, verbose=0)
        return model.get_weights()

    start, plain, ours = fitted("none", 0), fitted("none", 1), fitted("lookahead(k=3, alpha=0.25)", 1)
    for before, after, mine in zip(start, plain, ours, strict=True):  # an epoch has 3 steps
        np.testing.assert_allclose(mine, before + 0.25 * (after - before), atol=1e-6)


def test_a_run_starts_where_its_weights_do(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "lookahead(k=5, alpha=0.5)", input_shape=(5,), classes=3)
    for _ in range(5):
        model.update(*rows)
    model.reset(3)
    pairs = model.companions("lookahead")
    assert len(pairs) == 4  # biases too
    assert all(np.array_equal(weight, slow) for weight, slow in pairs)


def test_fit_starts_where_weights_were_set_and_goes_on_where_it_was_saved(rows: Any, tmp_path: Path) -> None:
    options = {"batch_size": 20, "shuffle": False, "verbose": 0}
    model = regzoo.build("mlp([4])", "lookahead(k=4, alpha=0.0)", input_shape=(5,), classes=3)
    mine = [weight + 1 for weight in model.get_weights()]
    model.set_weights(mine)
    model.fit(*rows, epochs=4, **options)  # 12 steps: the last goes back to the start
    assert all(map(np.array_equal, model.get_weights(), mine))
    for batch in (slice(0, 20), slice(20, 40), slice(40, 60)):  # steps 13 to 15
        model.update(rows[0][batch], rows[1][batch])
    model.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert not np.array_equal(loaded.get_weights()[0], mine[0])
    loaded.update(rows[0][:20], rows[1][:20])  # step 16
    assert all(map(np.array_equal, loaded.get_weights(), mine))


def test_a_training_between_two_moves_back_is_judged_as_after_one(rows: Any) -> None:
    model = regzoo.build("mlp([4])", "lookahead(k=5, alpha=0.25)", input_shape=(5,), classes=3)
    slow, after = model.get_weights(), []
    keep = keras.callbacks.LambdaCallback(on_train_batch_end=lambda batch, logs: after.append(model.get_weights()))
    model.fit(*rows, batch_size=20, epochs=1, shuffle=False, callbacks=[keep], verbose=0)  # 3 steps
    for before, last, judged in zip(slow, after[-1], model.get_weights(), strict=True):
        np.testing.assert_allclose(judged, before + 0.25 * (last - before), atol=1e-6)


def test_alpha_1_keeps_every_bit(rows: Any) -> None:
    plain, ours = (regzoo.build("mlp([4])", r, (5,), 3) for r in ("none", "lookahead(k=5, alpha=1.0)"))
    for model in (plain, ours):
        model.fit(*rows, batch_size=20, epochs=2, shuffle=False, verbose=0)
    assert all(map(np.array_equal, plain.get_weights(), ours.get_weights()))


def test_k_is_a_count() -> None:
    with pytest.raises(regzoo.InputError, match="lookahead: k takes a whole number"):
        Lookahead(2.5, 0.5)
    assert list(Lookahead(5, 0.5).dials()) == ["alpha"]


def test_weights_between_two_moves_are_not_those_that_are_judged() -> None:
    assert Lookahead.averages
