"""Recommendations are concrete enough to type."""

from __future__ import annotations

from typing import Any

import pytest

from regzoo.comparison.coverage import Coverage
from regzoo.report.findings.diagnosis import diagnose
from regzoo.report.findings.recommendations import recommend

ONE_SEARCH = Coverage(1, 8, True, 5, 5)
SURE: dict[str, Any] = {"gain": 0.5, "gain_low": 0.25, "gain_high": 0.75, "verdict": "conclusive"}


@pytest.fixture
def recommendations(make_row: Any, make_leaderboard: Any, make_comparison: Any) -> Any:
    """Return the function that gives the recommendations for rows, baseline added."""

    def made(*rows: dict[str, Any], coverage: Coverage = ONE_SEARCH, **run: Any) -> str:
        made = make_leaderboard([make_row(**given) for given in rows] + [make_row("none", rank=9, tier=2, mean=1.0)])
        return " ".join(recommend(made, diagnose(made, [], make_comparison()), coverage, **run))

    return made


def test_more_replicates_or_equally_good(recommendations: Any) -> None:
    open_: dict[str, Any] = {"name": "l2", "rank": 1, "tier": 1, "mean": 0.5, "gain": 0.1, "verdict": "inconclusive"}
    assert "Set `replicates: 31`" in recommendations(open_ | {"replicates_needed": 31})
    assert "as equally good" in recommendations(open_ | {"replicates_needed": 1000})


def test_a_wider_range(recommendations: Any) -> None:
    text = recommendations(
        {"name": "dropout(0.1..0.5)", "recipe": "dropout(0.499)", "rank": 1, "tier": 1, "mean": 0.5, **SURE}
    )
    assert (
        "Widen the range of `dropout.rate`: the best value found, 0.499, lies at the edge of the searched range, 0.1 "
        "to 0.5." in text
    )


def test_a_wider_range_of_what_a_strength_does_in_a_run(recommendations: Any) -> None:
    row = {"name": "weight_decay", "recipe": "weight_decay(0.35)", "rank": 1, "tier": 1, "mean": 0.5, **SURE}
    assert (
        "Widen the range of `weight_decay.decay`: the best value found, 0.35, lies at the edge of the searched range, "
        "0.0007 to 0.7 / (learning rate x steps)." in recommendations(row, learning_rate=0.001, steps=2000)
    )
    assert "Widen" not in recommendations(row, learning_rate=0.001, steps=1000)


def test_both_at_once_unless_that_was_tried(recommendations: Any) -> None:
    rows = [{"name": name, "rank": i, "tier": 1, "mean": 0.5, **SURE} for i, name in enumerate(("dropout", "l2"), 1)]
    assert "Combine two recipes of the first tier: `dropout + l2`" in recommendations(*rows)
    assert "Combine two" not in recommendations(
        *rows, {"name": "l2 + dropout", "rank": 3, "tier": 1, "mean": 0.6, **SURE}
    )
    assert "Combine two" not in recommendations(rows[0], rows[1] | {"tier": 2})


def test_a_clear_answer_needs_no_more(recommendations: Any) -> None:
    assert (
        recommendations({"name": "l2", "rank": 1, "tier": 1, "mean": 0.5, **SURE})
        == "No further step is needed: use `l2`."
    )


def test_what_is_unfinished_comes_first(recommendations: Any) -> None:
    text = recommendations({"name": "l2", "rank": 1, "tier": 1, "mean": 0.5, **SURE}, {"name": "dropout"})
    assert text == "Run the same command again: it continues with the recipes not measured yet."


def test_a_recipe_that_does_not_beat_the_baseline_is_not_recommended(recommendations: Any) -> None:
    equal = {"name": "l2", "rank": 1, "tier": 1, "mean": 0.5, **SURE, "verdict": "equivalent"}
    assert "use `l2`" not in recommendations(equal)
