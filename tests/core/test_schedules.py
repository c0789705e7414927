"""Schedules: values computed by hand, ends inside the domain, text form."""

from __future__ import annotations

import math

import pytest

from regzoo.core import Constant, Cosine, InputError, Linear, Schedule, Step, parse
from regzoo.regularizers import Dropout


@pytest.mark.parametrize(
    ("schedule", "values"),
    [
        (Constant(0.3), [0.3, 0.3, 0.3, 0.3, 0.3]),
        (Linear(0.5, 0.0, epochs=2), [0.5, 0.25, 0.0, 0.0, 0.0]),
        (Linear(0.0, 1.0, epochs=4), [0.0, 0.25, 0.5, 0.75, 1.0]),
        # (1 - cos(pi t)) / 2 of the way at t = 0, 1/4, 1/2, 3/4, 1
        (
            Cosine(0.5, 0.0, epochs=4),
            [0.5, 0.25 + 0.25 * math.sqrt(0.5), 0.25, 0.25 - 0.25 * math.sqrt(0.5), 0.0],
        ),
        (Step(0.5, 0.1, epochs=3), [0.5, 0.5, 0.5, 0.1, 0.1]),
    ],
)
def test_values_by_hand(schedule: Schedule, values: list[float]) -> None:
    # The sums hold two float64 products: a few roundings of 1e-16.
    assert [schedule.value(epoch) for epoch in range(5)] == pytest.approx(values, abs=1e-15)


@pytest.mark.parametrize("kind", [Linear, Cosine, Step])
def test_the_ends_are_met_exactly_and_kept(kind: type[Linear]) -> None:
    schedule = kind(0.7, 0.3, epochs=7)
    assert schedule.value(0) == 0.7
    assert {schedule.value(epoch) for epoch in (7, 8, 1000)} == {0.3}
    assert schedule.values() == (0.7, 0.3)


@pytest.mark.parametrize(
    "text",
    [
        "dropout(constant(0.5))",
        "dropout(linear(0.5, 0.0, epochs=20))",
        "dropout(cosine(0.0, 0.5, epochs=1))",
        "dropout(step(0.5, 0.1, epochs=3))",
    ],
)
def test_a_schedule_is_read_and_written(text: str) -> None:
    assert str(parse(text)) == text


def test_all_spellings_of_a_schedule_are_one() -> None:
    wanted = Dropout(Linear(0.5, 0.0, epochs=20))
    for text in ("rate=linear(0.5, 0.0, 20)", "linear(start=0.5, end=0, epochs=20)", "linear(.5,0,epochs=20.0)"):
        assert parse(f"dropout({text})").regularizers == (wanted,)


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("linear(0.5, 0, epochs=0)", "linear: a schedule lasts a whole number of epochs from 1, received epochs=0"),
        ("linear(0.5, 0, epochs=2.5)", "linear: a schedule lasts a whole number of epochs from 1"),
        ("cosine(0.5, 0, epochs=inf)", "cosine: a schedule lasts a whole number of epochs from 1, received epochs=inf"),
        ("step(0.5, 0, epochs=nan)", "step: a schedule lasts a whole number of epochs from 1, received epochs=nan"),
        ("linear(0.5, 0)", "linear is written linear(0.5, 0.0, epochs=20)"),
        ("linear(0.5, 0, epoch=3)", "linear is written linear(0.5, 0.0, epochs=20)"),
        ("linear(0.1..0.5, 0, epochs=3)", "linear is written linear(0.5, 0.0, epochs=20)"),
        ("constant(0.5, 0.1)", "constant is written constant(0.5)"),
        ("linaer(0.5, 0, epochs=3)", "there is no schedule 'linaer'. Did you mean 'linear'?"),
        ("linear(0.5, 1.5, epochs=3)", "dropout: rate must lie in [0, 1], received 1.5"),
        ("linear(nan, 0.5, epochs=3)", "dropout: rate must lie in [0, 1], received nan"),
    ],
)
def test_a_schedule_that_makes_no_sense_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(f"dropout({text})")
    assert reason in str(raised.value)
