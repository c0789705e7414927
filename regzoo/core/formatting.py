"""Numbers, lists of words and recipes as text: for the report, the figures, the model card and the terminal.

A recipe's own numbers are written by ``format_literal`` of ``regzoo.core.domain``, which loses no digit.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Sequence
from typing import TypeGuard

MISSING = "–"  # noqa: RUF001 - the dash that tables show for a missing value

_NUMBER = re.compile(r"""(?<![\w.])\d+\.\d+(?:e[+-]?\d+)?|'[^']*'|"[^"]*\"""")
"""A decimal in a recipe, or the name of a layer in quotes, which may hold one."""


def is_known(value: float | None) -> TypeGuard[float]:
    """Return True for a finite number, False for None, NaN and infinities.

    >>> is_known(0.0), is_known(None), is_known(math.nan)
    (True, False, False)
    """
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


def choose_cell_decimals(spread: float | None, value: float | None) -> int:
    """Return how many decimals show two digits of the spread, or four of the value if nothing spreads.

    >>> choose_cell_decimals(0.012, 0.5), choose_cell_decimals(None, 0.0123)
    (3, 5)
    """
    size, shown = (spread, 2) if spread else (value, 4)
    if not size or not math.isfinite(size):
        return 4
    return min(max(shown - 1 - math.floor(math.log10(abs(size))), 0), 8)


def format_number(value: float | None, decimals: int = 4) -> str:
    """Write a number with ``decimals`` decimals; very large and very small ones in powers of ten.

    >>> format_number(0.12345, 3), format_number(None), format_number(1.5e9, 3), format_number(1.5e-7, 3)
    ('0.123', '–', '1.5e+09', '1.5e-07')
    """
    if not is_known(value):
        return MISSING
    size = abs(value)
    if size >= 1e6 or (0 < size < 0.5 * 10.0**-decimals and size < 1e-3):
        return format_significant(value, 3)
    text = format_fixed(value, decimals)
    return text.lstrip("-") if float(text) == 0 else text


def format_fixed(value: float | None, decimals: int, sign: str = "") -> str:
    """Write a number with exactly ``decimals`` decimals, or nothing for None; ``sign="+"`` always shows the sign.

    >>> format_fixed(0.125, 1), format_fixed(3, 0, "+"), format_fixed(None, 2)
    ('0.1', '+3', '')
    """
    return "" if value is None else f"{value:{sign}.{decimals}f}"


def format_significant(value: float, digits: int) -> str:
    """Write a number with at most ``digits`` significant digits.

    >>> format_significant(0.123456, 4), format_significant(12345.6, 4), format_significant(3, 4)
    ('0.1235', '1.235e+04', '3')
    """
    return f"{value:.{digits}g}"


def format_strength(value: float) -> str:
    """Write a strength or a learning rate with three significant digits.

    >>> format_strength(0.000213456), format_strength(3)
    ('0.000213', '3')
    """
    return format_significant(value, 3)


def format_rough(value: float | None) -> str:
    """Write a number rounded to two significant digits, with commas between thousands.

    >>> format_rough(0.0234), format_rough(1234.5), format_rough(None)
    ('0.023', '1,200', '–')
    """
    return MISSING if value is None else f"{float(format_significant(value, 2)):,g}"


def format_tick(value: float, digits: int = 3) -> str:
    """Write a number for an axis with at most ``digits`` significant digits; powers of ten are short and late.

    >>> format_tick(0.00025), format_tick(20000), format_tick(1e-7), format_tick(1e6)
    ('0.00025', '20000', '1e-7', '1e6')
    """
    text = format_significant(value, digits)
    mantissa, mark, power = text.partition("e")
    if mark and -5 < int(power) < 6:  # 0.00025 and 20000 read better than 2.5e-4 and 2e4
        return format_fixed(float(text), max(0, len(mantissa.partition(".")[2]) - int(power)))
    return f"{mantissa}e{int(power)}" if mark else text


def format_integer(value: float | None) -> str:
    """Write the nearest whole number, with commas between thousands.

    >>> format_integer(1234567), format_integer(1234.5), format_integer(None)
    ('1,234,567', '1,234', '–')
    """
    return f"{round(value):,}" if is_known(value) else MISSING


def format_count(count: int, noun: str, plural: str = "") -> str:
    """Write ``1 run`` or ``2 runs``; give ``plural`` if it is not formed with an ``s``.

    >>> format_count(1, "run"), format_count(2000, "run"), format_count(2, "class", "classes")
    ('1 run', '2,000 runs', '2 classes')
    """
    return f"{format_integer(count)} {noun if count == 1 else plural or noun + 's'}"


def format_bytes(size: float) -> str:
    """Return a number of bytes in words.

    >>> format_bytes(1_530_000_000), format_bytes(100_000_000), format_bytes(8_000_000), format_bytes(2560)
    ('1.5 GB', '0.1 GB', '8.0 MB', '2560 bytes')
    """
    if size >= 1e6:
        return f"{size / 1e9:,.1f} GB" if size >= 1e8 else f"{size / 1e6:,.1f} MB"
    return f"{size:.0f} bytes"


def format_duration(seconds: float | None) -> str:
    """Write a duration.

    >>> format_duration(0.031), format_duration(12.34), format_duration(200), format_duration(9000)
    ('0.031 s', '12.3 s', '3 min 20 s', '2 h 30 min')
    """
    if not is_known(seconds):
        return MISSING
    if seconds < 99.95:
        return f"{format_significant(seconds, 2 if seconds < 9.95 else 3)} s"
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
    return "< 0.001" if p < 0.001 else format_fixed(p, 3)


def format_percent(share: float, decimals: int = 0, unit: str = " %") -> str:
    """Write a share as a percentage.

    >>> format_percent(0.725), format_percent(0.725, 1), format_percent(0.2, unit="%")
    ('72 %', '72.5 %', '20%')
    """
    return format_fixed(share * 100, decimals) + unit


def format_interval(low: float | None, high: float | None, decimals: int) -> str:
    """Write ``low to high``, or nothing if an end is unknown.

    >>> format_interval(0.1, 0.25, 2)
    '0.10 to 0.25'
    """
    if not (is_known(low) and is_known(high)):
        return ""
    return f"{format_number(low, decimals)} to {format_number(high, decimals)}"


def compute_half_width(low: float | None, high: float | None) -> float | None:
    """Return half the width of an interval; None if an end is unknown.

    >>> compute_half_width(0.5, 1.5), compute_half_width(0.5, None)
    (0.5, None)
    """
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


def format_code(text: str) -> str:
    """Mark ``text`` as code with backquotes; backquotes in it become apostrophes.

    >>> format_code("l2(0.1)")
    '`l2(0.1)`'
    """
    return "`" + text.replace("`", "'") + "`"


def shorten_recipe(recipe: str) -> str:
    """Write a recipe with at most three significant digits in its numbers.

    >>> shorten_recipe("dropout(0.1234567, on='block 0.1234567')")
    "dropout(0.123, on='block 0.1234567')"
    >>> shorten_recipe("dropout(0.31234567) + l2(1e-05)")
    'dropout(0.312) + l2(1e-05)'
    """

    def shorten(found: re.Match[str]) -> str:
        return found[0] if found[0][0] in "'\"" else min(found[0], format_strength(float(found[0])), key=len)

    return _NUMBER.sub(shorten, recipe)
