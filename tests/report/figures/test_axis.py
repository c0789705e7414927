"""Axes: scales, ticks and labels."""

from __future__ import annotations

import math

import pytest
from matplotlib.figure import Figure

from regzoo.report.figures._axis import PlainFormatter, choose_limits, choose_scale, set_up_axis


@pytest.mark.parametrize(
    ("values", "kind"),
    [
        ([0.1, 9.9], "linear"),
        ([0.1, 10.1], "log"),
        ([0.0, 1.0, 50.0], "linear"),
        ([-1.0, 2.0, 3.0, -900.0], "symlog"),
        ([], "linear"),
        ([math.nan, 1.0], "linear"),
        ([0.0, 0.0], "linear"),
    ],
)
def test_scale(values: list[float], kind: str) -> None:
    assert choose_scale(values) == kind


@pytest.mark.parametrize(
    "values", [[], [0.0], [5.0], [5.0, 5.0 + 1e-13], [1e-12, 2e-12], [-3.0, 7e8], [1e-300, 1e300], [3e-4, 4e-4]]
)
@pytest.mark.parametrize("log", [False, True])
def test_every_axis_has_distinct_ticks_inside_its_limits(values: list[float], log: bool) -> None:
    axes = Figure().add_subplot()
    set_up_axis(axes.xaxis, values, choose_scale(values, log=log))
    low, high = axes.get_xlim()
    assert low < high
    assert all(low < value < high for value in values)
    ticks = list(axes.get_xticks())
    assert 1 <= len(ticks) <= 7
    assert all(low <= tick <= high for tick in ticks)
    assert len({label.get_text() for label in axes.get_xticklabels()}) == len(ticks)


def test_whole_numbers_get_whole_ticks() -> None:
    axes = Figure().add_subplot()
    set_up_axis(axes.xaxis, [2, 3, 4, 5], "linear")
    assert all(tick == int(tick) for tick in axes.get_xticks())


def test_limits_leave_room_on_the_scale_itself() -> None:
    assert choose_limits([0.0, 100.0], "linear", margin=0.1) == (-10.0, 110.0)
    assert choose_limits([1.0, 100.0], "log", margin=0.5) == pytest.approx((0.1, 1000.0))


def test_labels_have_just_enough_digits() -> None:
    assert PlainFormatter().format_ticks([0.1001, 0.1002]) == ["0.1001", "0.1002"]
    assert PlainFormatter().format_ticks([0.0, 0.25, 0.5]) == ["0", "0.25", "0.5"]
    assert PlainFormatter().format_ticks([1e-6, 1e-4, 1e-2]) == ["1e-6", "0.0001", "0.01"]
    assert PlainFormatter().format_ticks([2e7, 1e7]) == ["2e7", "1e7"]
