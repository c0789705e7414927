"""Rows of the leaderboard, tasks and directions in words: for the report, the figures and the terminal."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.comparison.nested_recipes import find_nested_recipes
from regzoo.core.escaping import escape_control_characters
from regzoo.core.formatting import (
    choose_decimals,
    float_or_nan,
    format_code,
    format_count,
    format_integer,
    format_short_list,
    shorten_recipe,
)
from regzoo.stats.paired import name_verdict
from regzoo.stats.power import CAP
from regzoo.storage.info import ComparisonInfo

MAX_LABEL_LENGTH = 30
"""Labels are counted, not listed, if one has more characters than this."""

TIE = "tie"
"""The verdict on a recipe that can have lost to the baseline only by an unlucky search."""

MAX_LABELS = 5
"""Labels are counted, not listed, if there are more than this."""


def choose_leaderboard_decimals(leaderboard: Leaderboard) -> int:
    """Return how many decimals its scores and gains need; paired gains may be known more precisely than scores."""
    rows = leaderboard.measured
    scores = [float_or_nan(row.high) - float_or_nan(row.low) for row in rows]
    gains = [float_or_nan(row.gain_high) - float_or_nan(row.gain_low) for row in rows]
    found = [choose_decimals(width / 2 for width in widths) for widths in (scores, gains) if any(w > 0 for w in widths)]
    return max(found, default=choose_decimals([]))


def format_verdict(verdict: str | None, gain: float | None, needed: int | None) -> str:
    """Write the verdict, or the number of replicates that would reach one.

    >>> format_verdict("conclusive", 0.1, None), format_verdict("inconclusive", 0.1, 36)
    ('better', '36 needed')
    >>> format_verdict("inconclusive", 0.1, 1000)
    '1,000+ needed'
    """
    if needed is None:
        return name_verdict(verdict, gain)
    return f"{format_integer(CAP)}+ needed" if needed >= CAP else f"{needed} needed"


def list_nested_ties(leaderboard: Leaderboard, comparison: ComparisonInfo) -> tuple[Row, ...]:
    """Return the recipes that lost to the baseline here, but only by unlucky searches; see `find_nested_recipes`."""
    nested = find_nested_recipes((row.name for row in leaderboard.measured), comparison.searches)
    return tuple(
        row
        for row in leaderboard.measured
        if row.name in nested and row.gain is not None and row.gain < 0 and row.verdict == "inconclusive"
    )


def describe_nested_ties(leaderboard: Leaderboard, comparison: ComparisonInfo) -> tuple[str, ...]:
    """Say which recipes lost to the baseline, but can have lost only by an unlucky search; nothing if none did."""
    ties = list_nested_ties(leaderboard, comparison)
    if not ties:
        return ()
    names, base = format_short_list([format_code(row.name) for row in ties], most=8), format_code(leaderboard.baseline)
    spaces, they, counts, them = "their search spaces hold", "they do", "count as ties", "them"
    if len(ties) == 1:
        spaces, they, counts, them = "its search space holds", "it does", "counts as a tie", "it"
    return (
        f"{names} {counts} with {base}: {spaces} the point at which {they} nothing, so only a search that missed it "
        f"makes {them} lose.",
    )


def format_recipe(row: Row) -> str:
    """Write the recipe with its strengths, marked as code; a placebo by its name."""
    return format_code(row.name if row.is_placebo else shorten_recipe(row.recipe))


def format_direction(direction: str) -> str:
    """Write ``lower is better`` for ``min``, ``higher is better`` for ``max``.

    >>> format_direction("min")
    'lower is better'
    """
    return "lower is better" if direction == "min" else "higher is better"


def describe_losses(row: Row) -> str:
    """Say how many replicates of a recipe diverged or failed, or why it has no score; empty if nothing is missing."""
    lost = {"diverged": row.diverged, "failed": row.failed}
    if row.mean is None and not any(lost.values()):
        return "not measured yet" if row.status == "pending" else row.status
    return ", ".join(f"{runs} of {row.replicates} {word}" for word, runs in lost.items() if runs)


def describe_task(task: str, labels: Sequence[object]) -> str:
    """Say what is learned.

    >>> describe_task("classification", ["no", "yes"]), describe_task("multilabel", ["a", "b"])
    ('binary classification into no, yes', 'multilabel: 2 labels')
    >>> describe_task("classification", ["a", "b", "c"])
    'classification into 3 labels: a, b, c'
    """
    names = [" ".join(escape_control_characters(str(label)).split()) for label in labels]
    count = format_count(len(names), "label")
    if task == "classification" and names:
        listed = ", ".join(names) if len(names) <= MAX_LABELS and max(map(len, names)) <= MAX_LABEL_LENGTH else ""
        if listed and len(names) == 2:
            return f"binary classification into {listed}"
        return f"classification into {count}" + (f": {listed}" if listed else "")
    return f"multilabel: {count}" if task == "multilabel" else task
