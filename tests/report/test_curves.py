"""Mean learning curves over runs that differ in length."""

from __future__ import annotations

import math

from regzoo.report.curves import average_curves


def test_the_mean_ends_where_fewer_than_half_of_the_runs_go_on() -> None:
    assert average_curves([(1.0,) * 9, (3.0,) * 2, (5.0,) * 4]) == (3.0, 3.0, 3.0, 3.0)


def test_an_epoch_without_a_number_is_a_gap() -> None:
    mean = average_curves([(math.nan, 1.0)])
    assert math.isnan(mean[0])
    assert mean[1] == 1.0
