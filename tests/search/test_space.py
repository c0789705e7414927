"""Search space: the axes of a recipe, short numbers, and grids that are evenly spread."""

from __future__ import annotations

import pytest

from regzoo.core import Choice, Float, Int, parse
from regzoo.search.space import RATES, Axis, make_axes, make_grid, round_value

RATE = Axis("dropout.rate", Float(0.0, 0.6), log=False)
STRENGTH = Axis("l2.strength", Float(1e-6, 1e-2), log=True)
MEMBERS = Axis("ensemble.members", Choice((2, 5)), log=False)


def test_the_learning_rate_comes_first_and_is_in_every_space() -> None:
    found = make_axes(parse("dropout(0.1..0.5) + l2"), RATES)
    assert [(axis.name, axis.log) for axis in found] == [
        ("learning_rate", True),
        ("dropout.rate", False),
        ("l2.strength", True),
    ]
    assert found[1].range == Float(0.1, 0.5)
    assert make_axes(parse("none"), RATES) == found[:1]
    assert make_axes(parse("dropout(0.5)"), 0.001) == []


@pytest.mark.parametrize(
    ("value", "short"), [(0.30000000000000004, 0.3), (0.000123456, 0.0001235), (98765.0, 98760.0), (0.0, 0.0)]
)
def test_numbers_have_four_significant_digits(value: float, short: float) -> None:
    assert round_value(value) == short


def test_grids_by_hand() -> None:
    def rates(*space: Axis, trials: int) -> list[tuple[float, ...]]:
        return [tuple(point.values()) for point in make_grid(space, trials)]

    assert rates(RATE, trials=4) == [(0.0,), (0.2,), (0.4,), (0.6,)]
    assert rates(RATE, trials=1) == [(0.3,)]
    assert rates(STRENGTH, trials=3) == [(1e-6,), (1e-4,), (1e-2,)]
    assert rates(Axis("n", Int(3, 5), False), trials=3) == [(3,), (4,), (5,)]
    assert rates(Axis("n", Int(3, 5), False), trials=99) == [(3,), (4,), (5,)]
    assert rates(MEMBERS, trials=2) == [(2,), (5,)]
    assert rates(RATE, MEMBERS, trials=4) == [(0.0, 2), (0.0, 5), (0.6, 2), (0.6, 5)]
    # 2 x 3 levels are the fewest that hold 5 points; the ends are always included
    five = rates(Axis("a", Float(0, 1), False), Axis("b", Float(0, 1), False), trials=5)
    assert len(set(five)) == 5
    assert (five[0], five[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_grids_have_decimal_numbers() -> None:
    assert [point["x"] for point in make_grid([Axis("x", Float(0.0, 0.5), False)], 6)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
