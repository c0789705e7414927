"""Comparison of scores by an objective."""

from __future__ import annotations

import math

import pytest

from regzoo.core import Objective


@pytest.mark.parametrize(
    ("direction", "score", "than", "better"),
    [
        ("min", 0.1, 0.2, True),
        ("min", 0.2, 0.2, False),
        ("max", 0.3, 0.2, True),
        ("max", 0.1, 0.2, False),
        ("min", math.nan, 0.2, False),
        ("max", math.nan, -math.inf, False),
        ("min", 9.9, math.nan, True),
        ("max", -9.9, math.nan, True),
        ("min", math.nan, math.nan, False),
    ],
)
def test_nan_is_worse_than_everything(direction: str, score: float, than: float, better: bool) -> None:
    assert Objective("nll", direction).is_better(score, than) is better  # type: ignore[arg-type]


def test_any_real_score_improves_upon_the_worst() -> None:
    for direction in ("min", "max"):
        objective = Objective("nll", direction)
        assert objective.is_better(-1e308, objective.worst) is objective.is_better(1e308, objective.worst) is True
        assert not objective.is_better(objective.worst, objective.worst)
