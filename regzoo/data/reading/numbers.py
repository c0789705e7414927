"""Numbers in text: decimal and thousands marks, currencies, units, per cent. Patterns are those of Python and RE2."""

from __future__ import annotations

import functools
import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.data.reading.clocks import format_clock, parse_clock
from regzoo.data.reading.reading import Reading
from regzoo.data.reading.units import CURRENCIES, UNITS

Array = NDArray[Any]

BLANK = "[ \u00a0\u202f]"
SIGN = "[+\u2212-]"

_ANY_CURRENCY = "|".join(re.escape(sign) for sign in CURRENCIES)
_FIND_CURRENCY = re.compile(
    rf"^{SIGN}?{BLANK}?({_ANY_CURRENCY})(?=[0-9 \u00a0\u202f.,+\u2212-])|(?<=[0-9 \u00a0\u202f.,])({_ANY_CURRENCY})$"
)
_FIND_UNIT = re.compile(rf"(?<=[0-9 \u00a0\u202f.,])({'|'.join(map(re.escape, UNITS))})$")
_MARKS = {" ": BLANK, "'": "['\u2019]"}


def find_currency(text: str) -> str:
    """Return the currency that ``text`` begins or ends with; empty if there is none.

    >>> find_currency("-€ 5"), find_currency("5,50 kr"), find_currency("cake")
    ('€', 'kr', '')
    """
    found = _FIND_CURRENCY.search(text)
    return (found[1] or found[2]) if found else ""


def find_unit(text: str) -> str:
    """Return the unit that ``text`` ends with, behind a number; empty if there is none.

    >>> find_unit("0.1 kg"), find_unit("5km/h"), find_unit("cake")
    ('kg', 'km/h', '')
    """
    found = _FIND_UNIT.search(text)
    return found[1] if found else ""


@functools.cache
def make_number_pattern(reading: Reading) -> str:
    """Return the pattern of a whole cell that is a number."""
    decimal, mark = re.escape(reading.decimal), _mark(reading.thousands)
    whole = "[0-9]+"
    if mark:
        whole = rf"(?:[1-9][0-9]{{0,2}}(?:{mark}[0-9]{{3}})+|[0-9]+)"
    if reading.thousands == ",":
        whole = rf"(?:[1-9][0-9]?(?:,[0-9]{{2}})+,[0-9]{{3}}|{whole})"  # lakh and crore
    number = rf"(?:{whole}(?:{decimal}[0-9]*)?|{decimal}[0-9]+)(?:[eE][+-]?[0-9]{{1,3}})?"
    currency = re.escape(reading.currency)
    before = rf"(?:{SIGN}?(?:{BLANK}?{currency}{BLANK}?)?|{currency}{BLANK}?{SIGN})" if currency else f"{SIGN}?"
    units = [*([currency] if currency else []), *(["%"] if reading.percent else [])]
    units += [re.escape(reading.unit)] if reading.unit else []
    after = rf"(?:{BLANK}?(?:{'|'.join(units)}))?" if units else ""
    return f"{BLANK}*{before}{number}{after}{BLANK}*"


@functools.cache
def list_number_steps(reading: Reading) -> tuple[tuple[str, str], ...]:
    """Return the replacements, pattern and text, that make a plain number of a cell that matches the pattern."""
    unit = [rf"{re.escape(reading.unit)}{BLANK}*$"] if reading.unit else []  # 5e3 km has an e that is none of a unit
    removed = [*unit, BLANK, *([re.escape(reading.currency)] if reading.currency else [])]
    removed += ["%"] if reading.percent else []
    removed += [mark] if (mark := _mark(reading.thousands)) else []
    steps = [("|".join(removed), "")]
    steps += [(re.escape(reading.decimal), ".")] if reading.decimal != "." else []
    return (*steps, ("\u2212", "-"))


def to_plain(text: str, reading: Reading) -> str | None:
    """Return the number in ``text`` as Python writes numbers; None if it is none."""
    if reading.clock:
        seconds = parse_clock(text, reading.clock)
        return None if seconds is None else repr(seconds)
    if re.fullmatch(make_number_pattern(reading), text) is None:
        return None
    for pattern, replacement in list_number_steps(reading):
        text = re.sub(pattern, replacement, text)
    return text


def parse_number(text: str, reading: Reading) -> float | None:
    """Return the number in ``text``; None if it is none.

    >>> parse_number("1.234,50 €", Reading(",", ".", "€")), parse_number("1.23,5", Reading(",", "."))
    (1234.5, None)
    """
    plain = to_plain(text, reading)
    return None if plain is None else float(plain)


def find_shares(texts: Array, numbers: Array) -> NDArray[np.bool_]:
    """Return which cells of a column of percentages (n,) may be shares: 0.126 without a sign, next to 12.6 %."""
    without = np.array(["%" not in text for text in texts.tolist()], dtype=bool)
    return without & (numbers != 0) & (np.abs(numbers) < 1)


def format_number(number: Any, reading: Reading) -> str:
    """Return text that `parse_number` reads as ``number``, to the last bit; empty for NaN, and for no such time.

    >>> format_number(1234.5, Reading(",", ".")), format_number(float("nan"), Reading(","))
    ('1234,5', '')
    >>> format_number(0.5, Reading(percent=True))
    '0.5 %'
    >>> format_number(30600.0, Reading(clock="HH:MM"))
    '8:30'
    """
    plain = number.item() if hasattr(number, "item") else number
    if plain != plain:
        return ""
    if reading.clock:
        return format_clock(plain, reading.clock) or ""
    unit = f" {reading.unit}" if reading.unit else " %" if reading.percent else ""
    return repr(plain).replace(".", reading.decimal) + unit


def _mark(thousands: str) -> str:
    return _MARKS.get(thousands) or re.escape(thousands)
