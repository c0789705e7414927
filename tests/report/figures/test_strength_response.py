"""Numbers of the figure of score against strength."""

from __future__ import annotations

import math
from typing import Any

from regzoo.report.figures.strength_response import info


def test_every_trial_for_each_strength_that_varied(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    def trial(number: int, recipe: str, score: float | None, **given: Any) -> Any:
        return make_record("dropout + l2 + ensemble", score, recipe=recipe, stage="trial", number=number, **given)

    records = [
        trial(0, "dropout(0.5) + l2(0.001) + ensemble(3)", 0.2, learning_rate=0.01),
        trial(1, "dropout(0.1) + l2(0.001) + ensemble(5)", 0.3, learning_rate=0.001),
        trial(2, "dropout(0.3) + l2(0.001) + ensemble(3)", None, status="failed", learning_rate=0.01),
        make_record(
            "dropout + l2 + ensemble", 0.25, recipe="dropout(0.5) + l2(0.001) + ensemble(3)", learning_rate=0.01
        ),
    ]
    found = info(
        make_leaderboard([make_row("dropout + l2 + ensemble"), make_row("none")]), records, make_comparison()
    ).panels
    assert [p.strength for p in found] == ["dropout.rate", "ensemble.members", "learning_rate"]  # l2 did not vary
    assert found[0].points == ((0.1, 0.3), (0.5, 0.2))
    assert found[0].lost == (0.3,)
    assert found[0].chosen == 0.5
    assert found[1].points == ((3.0, 0.2), (5.0, 0.3))
    assert found[1].lost == (3.0,)
    assert [p.log for p in found] == [False, False, True]


def test_a_declared_scale_is_kept_and_nothing_is_chosen_before_the_replicates(
    make_row: Any, make_leaderboard: Any, make_record: Any, make_comparison: Any
) -> None:
    records = [make_record("l2", 0.1, recipe=f"l2({v})", stage="trial", number=i) for i, v in enumerate((0.001, 0.002))]
    (panel,) = info(make_leaderboard([make_row("l2")]), records, make_comparison()).panels
    assert panel.log
    assert math.isnan(panel.chosen)
