"""Strengths read from a recipe with numbers, whatever their kind."""

from __future__ import annotations

import pytest

from regzoo.comparison.chosen_strengths import read_strengths
from regzoo.report.findings.strengths import SearchedRange, find_log_strengths, read_ranges


def test_dials_counts_and_pairs() -> None:
    recipe = "dropout(0.31) + l1_l2(l1=0.001, l2=0.0001) + early_stopping(12)"
    assert read_strengths(recipe) == {
        "dropout.rate": 0.31,
        "l1_l2.l1": 0.001,
        "l1_l2.l2": 0.0001,
        "early_stopping.patience": 12.0,
    }


def test_schedules_and_ranges_are_no_numbers() -> None:
    assert read_strengths("dropout(rate=linear(0.5, 0.0, epochs=20)) + l2") == {}


@pytest.mark.parametrize("recipe", ["none", "", "what is (this"])
def test_nothing_to_read(recipe: str) -> None:
    assert read_strengths(recipe) == {}


def test_a_regularizer_unknown_here_is_read_as_written() -> None:
    assert read_strengths("my_own(0.5, decay=2) + l2(0.1)") == {"my_own.1": 0.5, "my_own.decay": 2.0, "l2.1": 0.1}


def test_ranges_and_scales() -> None:
    ranges = read_ranges("dropout(0.1..0.5) + l2 + gaussian_noise(0.2)")
    assert ranges == {"dropout.rate": SearchedRange(0.1, 0.5, False), "l2.strength": SearchedRange(1e-6, 1e-2, True)}
    assert find_log_strengths("dropout + l2") == {"l2.strength"}


def test_a_regularizer_that_stands_twice_has_strengths_of_its_own_in_each_place() -> None:
    recipe = "l2(0.1..0.5, on=conv) + l2(0.2, on='head') + dropout(0.25, on=dense)"
    assert read_strengths(recipe) == {"l2['head'].strength": 0.2, "dropout.rate": 0.25}
    assert read_ranges(recipe) == {"l2[conv].strength": SearchedRange(0.1, 0.5, True)}
    assert find_log_strengths(recipe) == {"l2[conv].strength", "l2['head'].strength"}


@pytest.mark.parametrize(
    ("range_", "value", "edge"),
    [
        (SearchedRange(0.0, 1.0, False), 0.02, True),
        (SearchedRange(0.0, 1.0, False), 0.021, False),
        (SearchedRange(1e-6, 1e-2, True), 1.1e-6, True),  # 1 % of the way on a log scale
        (SearchedRange(1e-6, 1e-2, True), 2e-6, False),  # 7.5 %
        (SearchedRange(1e-6, 1e-2, True), 0.99e-2, True),
    ],
)
def test_edges(range_: SearchedRange, value: float, edge: bool) -> None:
    assert range_.at_edge(value) is edge
