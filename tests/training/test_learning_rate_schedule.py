"""Schedules of the learning rate: Keras's own, texts there and back, what is refused, and training by them."""

from __future__ import annotations

import itertools
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError, parse
from regzoo.training.clashes import reject_schedule
from regzoo.training.engine.program import Program
from regzoo.training.learning_rate_schedule import LearningRateSchedule, ScheduledRate, read_scheduled_rate
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import make_optimizer
from regzoo.training.task import Task

START, END, EPOCHS = 0.1, 0.003, 12
IN_KERAS = {
    "linear": keras.optimizers.schedules.PolynomialDecay(START, EPOCHS, END, power=1.0),
    "cosine": keras.optimizers.schedules.CosineDecay(START, EPOCHS, alpha=END / START),
    "exponential": keras.optimizers.schedules.ExponentialDecay(START, EPOCHS, END / START),
    "step": keras.optimizers.schedules.PiecewiseConstantDecay([EPOCHS - 1], [START, END]),
}


@pytest.mark.parametrize("kind", IN_KERAS)
def test_it_is_that_of_keras_with_an_epoch_as_a_step(kind: str) -> None:
    schedule = LearningRateSchedule(kind, END, EPOCHS)
    ours = [schedule.compute(START, epoch) for epoch in range(EPOCHS + 1)]
    theirs = [float(IN_KERAS[kind](epoch)) for epoch in range(EPOCHS + 1)]
    np.testing.assert_allclose(ours, theirs, rtol=1e-5)  # Keras computes in float32
    assert schedule.compute(START, EPOCHS + 5) == pytest.approx(END)
    warm = LearningRateSchedule(kind, END, EPOCHS + 3, warmup=3)
    rising = [START / 4, START / 2, 3 * START / 4]
    assert [warm.compute(START, epoch) for epoch in range(EPOCHS + 4)] == pytest.approx([*rising, *ours])


def test_a_warmup_alone_ends_at_the_start() -> None:
    schedule = LearningRateSchedule("constant", warmup=1)
    assert [schedule.compute(0.2, epoch) for epoch in range(4)] == [0.1, 0.2, 0.2, 0.2]


def test_texts_are_read_back() -> None:
    kinds = [("constant", None), ("linear", 0.0), ("cosine", 1e-5), ("exponential", 0.001), ("step", 0.01)]
    for (kind, end), epochs, warmup in itertools.product(kinds, (None, 30), (0, 5)):
        if (kind == "step" and epochs is None) or (kind == "constant" and epochs is not None):
            continue
        schedule = LearningRateSchedule(kind, end, epochs, warmup)
        assert LearningRateSchedule.parse(str(schedule)) == schedule
        if end is not None or warmup:
            written = ScheduledRate(0.25, schedule)
            assert read_scheduled_rate(str(written), float) == written


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("cosin(0.1)", "'cosin' is no schedule .* Did you mean 'cosine'"),
        ("cosine()", "needs start"),
        ("cosine(0.1, -1)", "end takes a number from 0, received -1"),
        ("cosine(0.1, 0.1..0.2)", "end takes a number from 0, received 0.1..0.2"),
        ("cosine(0.1, 0, 2.5)", "epochs takes a whole number from 1, received 2.5"),
        ("cosine(0.1, 0, true)", "epochs takes a whole number from 1, received true"),
        ("cosine(0.1, edn=0)", "no 'edn'. Did you mean 'end'"),
        ("cosine(0.1, start=1)", "received start twice"),
        ("cosine(0.1, 0, 5, 6)", "received 4 values"),
        ("cosine(cosine(0.1))", r"start takes a number or a range, received cosine\(...\)"),
        ("cosine(learning_rate)", "start takes a number or a range, received learning_rate"),
        ("exponential(0.1, 0)", "end takes a number above 0, received 0"),
        ("step(0.1, 0.01)", "step needs epochs"),
        ("warmup(5)", "warmup needs schedule"),
        ("warmup(0, 0.1)", "whole number from 1, received 0"),
        ("warmup(5, warmup(5, 0.1))", "a schedule warms up once"),
        ("cosine(0.1", r"expected '\)'"),
    ],
)
def test_what_is_no_schedule_is_refused(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_scheduled_rate(text, float)


def test_a_training_has_time_for_its_schedule() -> None:
    step, warm = LearningRateSchedule("step", 0.01, 30), LearningRateSchedule("cosine", 0.0, warmup=5)
    assert step.find_problem(31) is None
    assert "ends before the step at epoch 30" in str(step.find_problem(30))
    assert warm.find_problem(6) is None
    assert "leaves none of 5" in str(warm.find_problem(5))


def test_a_regularizer_that_sets_the_rate_itself_is_refused() -> None:
    reject_schedule(parse("snapshot_ensemble(3)"), None)
    reject_schedule(parse("dropout(0.5)"), "cosine(learning_rate, 0.0, epochs=9)")
    with pytest.raises(InputError, match="snapshot_ensemble sets the learning rate"):
        reject_schedule(parse("dropout(0.5) + snapshot_ensemble(3)"), "cosine(learning_rate, 0.0, epochs=9)")


def test_a_program_trains_as_fit_does_with_the_same_rates_and_retraces_nothing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    random, task = np.random.default_rng(0), Task("classification", 3)
    x, y = random.normal(size=(40, 5)).astype(np.float32), random.integers(0, 3, 40).astype(np.int32)
    monkeypatch.setattr(Program, "draw_order", lambda self, seed, epoch: np.arange(self.rows, dtype=np.int32))
    model = build_model("mlp([8])", parse("none"), task, (5,))
    model.compile(make_optimizer("sgd", 0.5))
    program = Program(model, (x[:32], y[:32]), (x[32:], y[32:]), batch_size=16)
    schedule = LearningRateSchedule("cosine", 0.0, 4, warmup=1)
    given: dict[str, Any] = {"strengths": {}, "seed": 3, "epochs": 4, "objective": task.objective()}
    program.train(**given, learning_rate=0.3)
    program.train(**given, learning_rate=0.1, schedule=schedule)
    assert program.traces == 1
    stock = build_model("mlp([8])", parse("none"), task, (5,), seed=3)
    stock.compile(make_optimizer("sgd", 9.0))
    rates = keras.callbacks.LearningRateScheduler(lambda epoch, _: schedule.compute(0.1, epoch))
    stock.fit(x[:32], y[:32], batch_size=16, epochs=4, shuffle=False, verbose=0, callbacks=[rates])
    for one, other in zip(program.model.get_weights(), stock.get_weights(), strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
