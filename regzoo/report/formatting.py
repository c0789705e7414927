"""Numbers, lists and recipe names as text: for the report, the figures and the terminal."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TypeGuard

from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.errors import escape_control_characters
from regzoo.stats.power import CAP

MISSING = "–"  # noqa: RUF001 - the dash that tables show for a missing value

MAX_LABEL_LENGTH = 30
"""Labels are counted, not listed, if one has more characters than this."""

MAX_LABELS = 5
"""Labels are counted, not listed, if there are more than this."""

_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?")


def is_known(value: float | None) -> TypeGuard[float]:
    """Return True for a finite number, False for None, NaN and infinities."""
    return value is not None and math.isfinite(value)


def float_or_nan(value: float | None) -> float:
    """Return ``value`` as a float; NaN for None and infinities.

    >>> float_or_nan(None), float_or_nan(3)
    (nan, 3.0)
    """
    return float(value) if is_known(value) else math.nan


def choose_decimals(spreads: Iterable[float]) -> int:
    """Return how many decimals show two digits of the typical spread: 0 to 6, and 4 if nothing spreads.

    The typical spread is the median, so one runaway recipe does not hide the digits of the others.

    >>> choose_decimals([0.012, 0.03]), choose_decimals([150.0]), choose_decimals([])
    (3, 0, 4)
    """
    found = sorted(spread for spread in spreads if math.isfinite(spread) and spread > 0)
    if not found:
        return 4
    return min(6, max(0, 1 - math.floor(math.log10(found[(len(found) - 1) // 2]))))


def choose_leaderboard_decimals(leaderboard: Leaderboard) -> int:
    """Return how many decimals its scores and gains need; paired gains may be known more precisely than scores."""
    rows = leaderboard.measured
    scores = [float_or_nan(row.high) - float_or_nan(row.low) for row in rows]
    gains = [float_or_nan(row.gain_high) - float_or_nan(row.gain_low) for row in rows]
    found = [choose_decimals(width / 2 for width in widths) for widths in (scores, gains) if any(w > 0 for w in widths)]
    return max(found, default=choose_decimals([]))


def choose_cell_decimals(spread: float | None, value: float | None) -> int:
    """Return how many decimals show two digits of the spread, or four of the value if nothing spreads.

    >>> choose_cell_decimals(0.012, 0.5), choose_cell_decimals(None, 0.0123)
    (3, 5)
    """
    size, shown = (spread, 2) if spread else (value, 4)
    return 4 if not size else min(max(shown - 1 - math.floor(math.log10(abs(size))), 0), 8)


def format_number(value: float | None, decimals: int = 4) -> str:
    """Write a number with ``decimals`` decimals; very large and very small ones in powers of ten.

    >>> format_number(0.12345, 3), format_number(None), format_number(1.5e9, 3), format_number(1.5e-7, 3)
    ('0.123', '–', '1.5e+09', '1.5e-07')
    """
    if not is_known(value):
        return MISSING
    size = abs(value)
    if size >= 1e6 or (0 < size < 0.5 * 10.0**-decimals and size < 1e-3):
        return f"{value:.3g}"
    text = f"{value:.{decimals}f}"
    return text.lstrip("-") if float(text) == 0 else text


def format_fixed(value: float | None, decimals: int, sign: str = "") -> str:
    """Write a number with exactly ``decimals`` decimals, or nothing for None; ``sign="+"`` always shows the sign."""
    return "" if value is None else f"{value:{sign}.{decimals}f}"


def format_strength(value: float) -> str:
    """Write a strength or a learning rate with three significant digits.

    >>> format_strength(0.000213456), format_strength(3)
    ('0.000213', '3')
    """
    return f"{value:.3g}"


def format_duration(seconds: float | None) -> str:
    """Write a duration.

    >>> format_duration(0.031), format_duration(12.34), format_duration(200), format_duration(9000)
    ('0.031 s', '12.3 s', '3 min 20 s', '2 h 30 min')
    """
    if not is_known(seconds):
        return MISSING
    if seconds < 99.95:
        return f"{seconds:.2g} s" if seconds < 9.95 else f"{seconds:.3g} s"
    if round(seconds) < 3600:
        return f"{round(seconds) // 60} min {round(seconds) % 60} s"
    return f"{round(seconds / 60) // 60} h {round(seconds / 60) % 60} min"


def format_p_value(p: float | None) -> str:
    """Write a p-value.

    >>> format_p_value(0.0312), format_p_value(1e-9)
    ('0.031', '< 0.001')
    """
    if not is_known(p):
        return MISSING
    return "< 0.001" if p < 0.001 else f"{p:.3f}"


def format_percent(share: float, decimals: int = 0) -> str:
    """Write a share as a percentage.

    >>> format_percent(0.725), format_percent(0.725, 1)
    ('72 %', '72.5 %')
    """
    return f"{share * 100:.{decimals}f} %"


def format_interval(low: float | None, high: float | None, decimals: int) -> str:
    """Write ``low to high``, or nothing if an end is unknown.

    >>> format_interval(0.1, 0.25, 2)
    '0.10 to 0.25'
    """
    if not (is_known(low) and is_known(high)):
        return ""
    return f"{format_number(low, decimals)} to {format_number(high, decimals)}"


def compute_half_width(low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval; None if an end is unknown."""
    return None if low is None or high is None or math.isnan(high - low) else (high - low) / 2


def format_gain(gain: float | None, low: float | None, high: float | None, between: str = " ") -> str:
    """Write a gain and its interval; the gain alone below two pairs, which have no interval.

    >>> format_gain(0.0123, 0.0081, 0.0159), format_gain(0.0123, None, None)
    ('+0.0123 [+0.0081, +0.0159]', '+0.01230')
    """
    decimals = choose_cell_decimals(compute_half_width(low, high), gain)
    if compute_half_width(low, high) is None:
        return format_fixed(gain, decimals, "+")
    ends = f"[{format_fixed(low, decimals, '+')}, {format_fixed(high, decimals, '+')}]"
    return f"{format_fixed(gain, decimals, '+')}{between}{ends}"


def format_verdict(verdict: str | None, needed: int | None) -> str:
    """Write the verdict, or the number of replicates that would reach one.

    >>> format_verdict("conclusive", None), format_verdict("inconclusive", 36), format_verdict("inconclusive", 1000)
    ('conclusive', '36 needed', '1,000+ needed')
    """
    if needed is None:
        return verdict or ""
    return f"{CAP:,}+ needed" if needed >= CAP else f"{needed} needed"


def format_list(items: Sequence[str], last: str = "and") -> str:
    """Join with commas and a last ``and``.

    >>> format_list(["a", "b", "c"])
    'a, b and c'
    """
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def format_short_list(items: Sequence[str], most: int = 4) -> str:
    """Join at most ``most`` items with ``and``; if there are more, count the rest.

    >>> format_short_list(["a", "b", "c", "d", "e"])
    'a, b, c and 2 more'
    """
    shown = most - 1
    return format_list(items if len(items) <= most else [*items[:shown], f"{len(items) - shown} more"])


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Write ``1 run`` or ``2 runs``; give ``plural`` if it is not formed with an ``s``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {plural or noun + 's'}"


def format_direction(direction: str) -> str:
    """Write ``lower is better`` for ``min``, ``higher is better`` for ``max``."""
    return "lower is better" if direction == "min" else "higher is better"


def format_code(text: str) -> str:
    """Mark ``text`` as code with backquotes; backquotes in it become apostrophes."""
    return "`" + text.replace("`", "'") + "`"


def shorten_recipe(recipe: str) -> str:
    """Write a recipe with at most three significant digits in its numbers.

    >>> shorten_recipe("dropout(0.31234567) + l2(1e-05)")
    'dropout(0.312) + l2(1e-05)'
    """
    return _NUMBER.sub(lambda found: min(found[0], f"{float(found[0]):.3g}", key=len), recipe)


def format_recipe(row: Row) -> str:
    """Write the recipe with its strengths, marked as code; a placebo by its name."""
    return format_code(row.name if row.is_placebo else shorten_recipe(row.recipe))


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
