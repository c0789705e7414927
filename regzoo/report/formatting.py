"""Words: numbers and lists as a reader wants them."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from regzoo.core.errors import printable
from regzoo.report.board import known, number
from regzoo.stats.power import CAP

MISSING = "–"  # noqa: RUF001 - the dash that tables use for what is not there

LONGEST = 30
"""Labels of more characters are counted, not shown."""

NAMED = 5
"""So are more labels than these."""

_NUMBER = re.compile(r"(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?")


def decimals(spreads: Iterable[float]) -> int:
    """How many decimals show two digits of the typical spread, from 0 to 6; 4 where nothing spreads.

    The typical spread is the median, so that one runaway recipe does not hide the digits of the rest.

    >>> decimals([0.012, 0.03]), decimals([150.0]), decimals([])
    (3, 0, 4)
    """
    found = sorted(spread for spread in spreads if math.isfinite(spread) and spread > 0)
    if not found:
        return 4
    return min(6, max(0, 1 - math.floor(math.log10(found[(len(found) - 1) // 2]))))


def show(value: Any, places: int = 4) -> str:
    """Write a number with ``places`` decimals; very large and very small ones in powers of ten.

    >>> show(0.12345, 3), show(None), show(1.5e9, 3), show(1.5e-7, 3)
    ('0.123', '–', '1.5e+09', '1.5e-07')
    """
    if not known(value):
        return MISSING
    size = abs(number(value))
    if size >= 1e6 or (0 < size < 0.5 * 10.0**-places and size < 1e-3):
        return f"{number(value):.3g}"
    text = f"{number(value):.{places}f}"
    return text.lstrip("-") if float(text) == 0 else text


def strength(value: float) -> str:
    """Write a strength or a learning rate with three significant digits.

    >>> strength(0.000213456), strength(3)
    ('0.000213', '3')
    """
    return f"{value:.3g}"


def seconds(value: Any) -> str:
    """Write a time span.

    >>> seconds(0.031), seconds(12.34), seconds(200), seconds(9000)
    ('0.031 s', '12.3 s', '3 min 20 s', '2 h 30 min')
    """
    if not known(value):
        return MISSING
    time = number(value)
    if time < 99.95:
        return f"{time:.2g} s" if time < 9.95 else f"{time:.3g} s"
    if round(time) < 3600:
        return f"{round(time) // 60} min {round(time) % 60} s"
    return f"{round(time / 60) // 60} h {round(time / 60) % 60} min"


def probability(value: Any) -> str:
    """Write a p value; ``< 0.001`` below that.

    >>> probability(0.0312), probability(1e-9)
    ('0.031', '< 0.001')
    """
    if not known(value):
        return MISSING
    return "< 0.001" if number(value) < 0.001 else f"{number(value):.3f}"


def percent(value: float) -> str:
    """Write a share.

    >>> percent(0.725)
    '72 %'
    """
    return f"{value * 100:.0f} %"


def interval(low: Any, high: Any, places: int) -> str:
    """Write ``low to high``, or nothing if one end is unknown.

    >>> interval(0.1, 0.25, 2)
    '0.10 to 0.25'
    """
    return f"{show(low, places)} to {show(high, places)}" if known(low) and known(high) else ""


def listing(items: Sequence[str], last: str = "and") -> str:
    """Join with commas and a last ``and``.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    return f" {last} ".join(filter(None, [", ".join(items[:-1]), *items[-1:]]))


def plural(count: int, noun: str, many: str = "") -> str:
    """``1 run``, ``2 runs``; ``many`` where it is no ``s`` that makes the plural."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {many or noun + 's'}"


def task(data: Mapping[str, Any]) -> str:
    """Say what is learned from the data that these facts, ``task`` and ``labels``, describe.

    >>> task({"task": "classification", "labels": ["no", "yes"]}), task({"task": "multilabel", "labels": ["a", "b"]})
    ('binary classification into no, yes', 'multilabel: 2 labels')
    >>> task({"task": "classification", "labels": ["a", "b", "c"]})
    'classification into 3 labels: a, b, c'
    """
    labels = [" ".join(printable(str(label)).split()) for label in data["labels"] or ()]
    count = plural(len(labels), "label")
    if data["task"] == "classification" and labels:
        named = ", ".join(labels) if len(labels) <= NAMED and max(map(len, labels)) <= LONGEST else ""
        if named and len(labels) == 2:
            return f"binary classification into {named}"
        return f"classification into {count}" + (f": {named}" if named else "")
    return f"multilabel: {count}" if data["task"] == "multilabel" else str(data["task"])


def code(text: str) -> str:
    """Mark ``text`` as code, in backquotes; those that it holds become apostrophes."""
    return "`" + text.replace("`", "'") + "`"


def short(recipe: str) -> str:
    """Write a recipe with at most three significant digits in its numbers.

    >>> short("dropout(0.31234567) + l2(1e-05)")
    'dropout(0.312) + l2(1e-05)'
    """
    return _NUMBER.sub(lambda found: min(found[0], f"{float(found[0]):.3g}", key=len), recipe)


def decimals_for(spread: float | None, value: float | None) -> int:
    """Return the number of decimals that shows two digits of the spread, or four of the value if nothing spreads.

    >>> decimals_for(0.012, 0.5), decimals_for(None, 0.0123)
    (3, 5)
    """
    size, shown = (spread, 2) if spread else (value, 4)
    return 4 if not size else min(max(shown - 1 - math.floor(math.log10(abs(size))), 0), 8)


def fixed(value: float | None, places: int, sign: str = "") -> str:
    """Write a number with ``places`` decimals, or nothing for None; ``sign="+"`` always shows the sign."""
    return "" if value is None else f"{value:{sign}.{places}f}"


def short_probability(p: float | None) -> str:
    """Write a p-value in a narrow column: ``.034``, ``<.001``, or nothing for None."""
    return "" if p is None else "<.001" if p < 0.001 else f"{p:.3f}".removeprefix("0")


def half_width(low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval; None if an end is unknown."""
    return None if low is None or high is None or math.isnan(high - low) else (high - low) / 2


def gain_with_interval(value: float | None, low: float | None, high: float | None, between: str = " ") -> str:
    """Write a gain and its interval; the gain alone below two pairs, which have no interval.

    >>> gain_with_interval(0.0123, 0.0081, 0.0159), gain_with_interval(0.0123, None, None)
    ('+0.0123 [+0.0081, +0.0159]', '+0.01230')
    """
    places = decimals_for(half_width(low, high), value)
    if half_width(low, high) is None:
        return fixed(value, places, "+")
    return f"{fixed(value, places, '+')}{between}[{fixed(low, places, '+')}, {fixed(high, places, '+')}]"


def verdict_or_needed(verdict: str | None, needed: int | None) -> str:
    """Write the verdict, or the number of replicates that would reach one.

    >>> verdict_or_needed("conclusive", None), verdict_or_needed("inconclusive", 36)
    ('conclusive', '36 needed')
    >>> verdict_or_needed("inconclusive", 1000)
    '1000+ needed'
    """
    if needed is None:
        return verdict or ""
    return f"{CAP}+ needed" if needed >= CAP else f"{needed} needed"
