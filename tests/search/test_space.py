"""Space: the learning rate and every range of a recipe are axes; numbers are short."""

from __future__ import annotations

import pytest

from regzoo.core import Float, parse
from regzoo.search.space import RATES, make_axes, round_value


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
