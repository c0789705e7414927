"""Numbers, lists of words and recipes as text."""

from __future__ import annotations

import math

import pytest

from regzoo.core import formatting


def test_what_is_unknown_is_a_dash() -> None:
    for value in (None, math.nan, math.inf):
        assert formatting.format_number(value) == formatting.format_duration(value) == formatting.MISSING
        assert formatting.format_p_value(value) == formatting.format_integer(value) == formatting.MISSING
        assert formatting.format_interval(0.1, value, 2) == ""


@pytest.mark.parametrize("value", [0.00025, -0.00025, 20000.0, 123456.0, 1e-7, -2.5e6, 0.0, 12.5])
@pytest.mark.parametrize("digits", [1, 3, 15])
def test_a_tick_keeps_the_digits_that_it_is_given(value: float, digits: int) -> None:
    text = formatting.format_tick(value, digits)
    assert float(text) == float(formatting.format_significant(value, digits))
    assert "e+" not in text
    assert "e0" not in text


def test_lists_need_no_comma_below_three_items() -> None:
    assert [formatting.format_list(items) for items in ([], ["a"], ["a", "b"])] == ["", "a", "a and b"]
    assert formatting.format_list(["a", "b", "c"], "or") == "a, b or c"
