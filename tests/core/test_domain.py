"""Intervals as in mathematics, and number texts that read back equal."""

from __future__ import annotations

import math

import numpy as np
import pytest

from regzoo.core.domain import Domain, format_literal, is_integer


@pytest.mark.parametrize(
    ("domain", "inside", "outside"),
    [
        ("[0, 1]", (0, 0.5, 1), (-1e-9, 1.0000001)),
        ("[0, 1)", (0, 0.999), (1, -0.1)),
        ("(0, 1]", (1e-300, 1), (0,)),
        ("(0, 1)", (0.5,), (0, 1)),
        ("[0, inf)", (0, 1e308), (math.inf, -math.inf, -5e-324)),
        ("[1, inf)", (1, 10**9), (0, 0.999)),
        ("[-1, inf]", (-1, math.inf), (-math.inf,)),
    ],
)
def test_a_domain_holds_what_its_brackets_say(
    domain: str, inside: tuple[float, ...], outside: tuple[float, ...]
) -> None:
    assert [value in Domain(domain) for value in inside] == [True] * len(inside)
    assert [value in Domain(domain) for value in outside] == [False] * len(outside)
    assert math.nan not in Domain(domain)
    assert str(Domain(domain)) == domain


@pytest.mark.parametrize("text", ["0, 1", "[0 1]", "[0, 1", "", "{0, 1}"])
def test_a_domain_that_is_no_interval_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="written '\\[low, high\\)'"):
        Domain(text)


def test_numbers_read_back_equal() -> None:
    draw = np.random.default_rng(0)
    numbers = [float(m * 10.0**e) for m, e in zip(draw.normal(size=500), draw.integers(-30, 30, 500), strict=True)]
    assert [float(format_literal(number)) for number in numbers] == numbers
    assert [format_literal(number) for number in (0.1, 1e-5, 2.0, 7)] == ["0.1", "1e-05", "2.0", "7"]


def test_whole_numbers_are_finite() -> None:
    assert [is_integer(value) for value in (3, 3.0, -1, 0.5, math.inf, math.nan)] == [
        True,
        True,
        True,
        False,
        False,
        False,
    ]
