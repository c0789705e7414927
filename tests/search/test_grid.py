"""Grids: evenly spread, never more points than there are, in decimal numbers."""

from __future__ import annotations

from regzoo.core import Choice, Float, Int
from regzoo.search.grid import make_grid
from regzoo.search.space import Axis

RATE = Axis("dropout.rate", Float(0.0, 0.6), log=False)
STRENGTH = Axis("l2.strength", Float(1e-6, 1e-2), log=True)
MEMBERS = Axis("ensemble.members", Choice((2, 5)), log=False)


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
    # 2 x 3 levels are the fewest that hold 5 points; the ends are always among them
    five = rates(Axis("a", Float(0, 1), False), Axis("b", Float(0, 1), False), trials=5)
    assert len(set(five)) == 5
    assert (five[0], five[-1]) == ((0.0, 0.0), (1.0, 1.0))


def test_grids_have_decimal_numbers() -> None:
    assert [point["x"] for point in make_grid([Axis("x", Float(0.0, 0.5), False)], 6)] == [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
