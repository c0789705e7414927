"""Strengths are read from a recipe with numbers, whatever kind they are."""

from __future__ import annotations

import pytest

from regzoo.report.findings.strengths import Searched, logarithmic, read, searched


def test_dials_counts_and_pairs() -> None:
    recipe = "dropout(0.31) + l1_l2(l1=0.001, l2=0.0001) + early_stopping(12)"
    assert read(recipe) == {
        "dropout.rate": 0.31,
        "l1_l2.l1": 0.001,
        "l1_l2.l2": 0.0001,
        "early_stopping.patience": 12.0,
    }


def test_schedules_and_ranges_are_no_numbers() -> None:
    assert read("dropout(rate=linear(0.5, 0.0, epochs=20)) + l2") == {}


@pytest.mark.parametrize("recipe", ["none", None, "what is (this"])
def test_nothing_to_read(recipe: str | None) -> None:
    assert read(recipe) == {}


def test_a_regularizer_unknown_here_is_read_as_written() -> None:
    assert read("my_own(0.5, decay=2) + l2(0.1)") == {"my_own.1": 0.5, "my_own.decay": 2.0, "l2.1": 0.1}


def test_ranges_and_scales() -> None:
    ranges = searched("dropout(0.1..0.5) + l2 + gaussian_noise(0.2)")
    assert ranges == {"dropout.rate": Searched(0.1, 0.5, False), "l2.strength": Searched(1e-6, 1e-2, True)}
    assert logarithmic("dropout + l2") == {"l2.strength"}


@pytest.mark.parametrize(
    ("range_", "value", "edge"),
    [
        (Searched(0.0, 1.0, False), 0.02, True),
        (Searched(0.0, 1.0, False), 0.021, False),
        (Searched(1e-6, 1e-2, True), 1.1e-6, True),  # 1 % of the way on a log scale
        (Searched(1e-6, 1e-2, True), 2e-6, False),  # 7.5 %
        (Searched(1e-6, 1e-2, True), 0.99e-2, True),
    ],
)
def test_edges(range_: Searched, value: float, edge: bool) -> None:
    assert range_.edge(value) is edge
