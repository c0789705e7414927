"""Ranges: ends, text form, and refused values."""

from __future__ import annotations

import math
import re
from collections.abc import Callable

import pytest

from regzoo.core import Choice, Float, Int
from regzoo.core.grammar import read_value


@pytest.mark.parametrize(
    ("written", "meant", "values"),
    [
        ("0.1..0.5", Float(0.1, 0.5), (0.1, 0.5)),
        ("1e-06..0.01", Float(1e-6, 1e-2), (1e-6, 1e-2)),
        ("3..30", Int(3, 30), (3, 30)),
        ("-2.0..3.0", Float(-2, 3), (-2.0, 3.0)),
        ("0.1|0.2|0.5", Choice((0.1, 0.2, 0.5)), (0.1, 0.2, 0.5)),
        ("2|5", Choice((2, 5)), (2, 5)),
    ],
)
def test_a_range_is_written_and_read(written: str, meant: Float | Int | Choice, values: tuple[float, ...]) -> None:
    assert str(meant) == written
    assert read_value(written) == meant
    assert meant.values() == values


def test_a_mixed_range_is_real() -> None:
    assert read_value("0..1.5") == Float(0.0, 1.5)


@pytest.mark.parametrize(
    ("make", "reason"),
    [
        (lambda: Float(0.5, 0.1), "a range goes from low to high, received 0.5..0.1"),
        (lambda: Float(0.5, 0.5), "a range goes from low to high, received 0.5..0.5"),
        (lambda: Float(math.nan, 1), "a range goes from low to high, received nan..1.0"),
        (lambda: Int(3, 3), "a range goes from low to high, received 3..3"),
        (
            lambda: Int(1, 2.5),  # type: ignore[arg-type]  # users may pass it
            "whole ends, received 1..2.5",
        ),
        (
            lambda: Int(1, math.inf),  # type: ignore[arg-type]
            "whole ends, received 1..inf",
        ),
        (lambda: Choice((0.1,)), "at least two different numbers, received 0.1"),
        (lambda: Choice((0.1, 0.2, 0.1)), "at least two different numbers, received 0.1|0.2|0.1"),
    ],
)
def test_a_range_that_holds_no_choice_is_refused(make: Callable[[], object], reason: str) -> None:
    with pytest.raises(ValueError, match=re.escape(reason)):
        make()
