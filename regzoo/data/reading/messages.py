"""Messages about cells that are not read: which they are, in which rows, and the way out."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.core.errors import InputError
from regzoo.data.reading.dates import is_marked_utc
from regzoo.data.reading.find import Found
from regzoo.data.reading.numbers import parse_number
from regzoo.data.reading.units import UNITS

Array = NDArray[Any]

_NUMBER = r"[(+\u2212-]{0,2}[0-9]+(?:[.,' \u00a0\u202f\u2019][0-9]{3})*(?:[.,][0-9]+)?\)?"
_UNIT = r"(?:[^0-9A-Za-z\s]|[A-Z]{3}|kr|zł)"
_DECORATED = re.compile(rf"(?:{_UNIT}{{1,3}}\s?)?{_NUMBER}(?:\s?{_UNIT})?")
_CLOCK = r"(?:[T ,]+[0-9]{1,2}:[0-9:.]+ ?(?:[AaPp]\.?[Mm]\.?)?(?: ?(?:[A-Za-z/_]+|[+-][0-9:]{2,5}))?)?"
_MONTH = r"(?:jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec)[a-z]*[.,]?"
_SLASHED = re.compile(rf"[0-9]{{1,2}}[/.-][0-9]{{1,2}}[/.-][0-9]{{2,4}}{_CLOCK}")
_DATED = re.compile(
    rf"(?:[a-z]+,? )?(?:[0-9]{{1,2}}[ .-]*{_MONTH}[ -]*|{_MONTH}[ -]*[0-9]{{1,2}}[ ,-]+)[0-9]{{2,4}}{_CLOCK}"
    rf"|[0-9]{{4}}[-/.][0-9]{{1,2}}[-/.][0-9]{{1,2}}{_CLOCK}",
    re.IGNORECASE,
)

_YEAR_LAST = re.compile(rf"(?:[a-z]+,? )?{_MONTH} [0-9]{{1,2}}{_CLOCK} [0-9]{{4}}", re.IGNORECASE)
_CLOCKED = re.compile(
    r"[+-]?(?:[0-9]+ ?days?,? ?\+?)?[0-9]+:[0-9]{2}(?::[0-9]{2}(?:[.,][0-9]+)?)?(?: ?[AaPp]\.?[Mm]\.?)?"
)
_WITH_UNIT = re.compile(rf"{_NUMBER}\s?(?:{'|'.join(map(re.escape, UNITS))})")
_COMPACT = re.compile(
    r"[0-9]{8}[T ]?[0-9]{4,6}Z?|[0-9]{4}[-/][0-9]{2}|[0-9]{4}-?W[0-9]{2}(?:-?[1-7])?|[0-9]{4}-?Q[1-4]"
    r"|Q[1-4][ -/][0-9]{4}|P(?:[0-9.]+[YMWD])*(?:T(?:[0-9.]+[HMS])+)?"
)
_CODED = re.compile(r"[+-]?(?:0[xX][0-9A-Fa-f]+|0[bB][01]+|0[oO][0-7]+|[0-9]+(?:_[0-9]+)+|[0-9.]+[dD][+-]?[0-9]+)")

_FORMS = (
    (_DECORATED, "a number in a form that is not read, or not that of the others; write 1234.5"),
    (
        _SLASHED,
        "a date in a form that is not read; write 2024-01-31, or the year with four digits and the same order in all "
        "rows (data.dates: day first, or month first)",
    ),
    (
        _DATED,
        "a date in a form that is not read; write 2024-01-31 or 2024-01-31T17:05, in all rows with a time zone such as "
        "+01:00 or in none",
    ),
    (
        _CLOCKED,
        "a time in a form that is not read, or not that of the others; write 17:05:00 in all rows, with seconds",
    ),
    (_WITH_UNIT, "a number with a unit, and others have another one; write all in one unit"),
)
"""Forms that are refused, since numbers and dates are meant."""

_WAY_OUT = "or leave the column out (data.drop in a config)"

_FORMS_OF_FREE_TEXT = (
    (_YEAR_LAST, f"a date in a form that is not read; write 2024-01-31T17:05, {_WAY_OUT}"),
    (_COMPACT, f"a date or a duration in a form that is not read; write 2024-01-31 or 17:05:00, {_WAY_OUT}"),
    (_CODED, f"a number in a form that is not read; write 1234.5, {_WAY_OUT}"),
)
"""Forms that are refused in columns that would be left out, as they hold too many different words for categories."""


def describe_cells(cells: Array, wrong: Array, what: str) -> str:
    """Return in words which of ``cells`` (n,) are ``wrong`` (n,), with the rows of the first of them."""
    bad = np.flatnonzero(wrong)
    shown = ", ".join(f"{cells[row][:40]!r} in row {row + 1}" for row in bad[:5])
    more = f" and {len(bad) - 5} more" if len(bad) > 5 else ""
    return f"{what} but for {len(bad)} cell{'s' if len(bad) > 1 else ''}: {shown}{more}"


def describe_rival(texts: list[str], found: Found) -> str:
    """Return in words in which two ways cells are read, and the keys that decide it."""
    first, second = found.reading, found.rival
    if second is None:
        return ""
    if first.dates != second.dates:
        return (
            f"holds {texts[0]!r} and no date that tells day and month apart; say which is first "
            "(data.dates: day first, or month first)"
        )
    shown = next(text for text in texts if parse_number(text, first) != parse_number(text, second))
    meanings = " or ".join(f"{parse_number(shown, form):g}" for form in (first, second))
    return (
        f"holds {shown!r}, which may be {meanings}; say which mark it has "
        f"(data.thousands: {(first.thousands or second.thousands)!r}, or data.decimal: {second.decimal!r})"
    )


def describe_unmarked(cells: Array, fits: Array, where: str) -> str:
    """Return in words which of the dates among ``cells`` (n,) have no mark of UTC, while others do; empty for none."""
    unmarked = fits & ~np.array([is_marked_utc(cell) for cell in cells.tolist()], dtype=bool)
    what = f"{where} holds dates marked as UTC (Z)"
    return f"{describe_cells(cells, unmarked, what)}, which count as UTC too; mark all" if unmarked.any() else ""


def reject_near_numbers(texts: Array, counts: Array, where: str, is_free_text: bool) -> None:
    """Raise InputError if most of the different ``texts`` (n,) look like numbers or dates in a form that is not read.

    Args:
        texts: the different cells.
        counts: in how many rows each occurs.
        where: the column in messages.
        is_free_text: whether they are too different for categories, so that the column would be left out.
    """
    for pattern, what in (*_FORMS, *(_FORMS_OF_FREE_TEXT if is_free_text else ())):
        fits = np.array([pattern.fullmatch(text) is not None for text in texts.tolist()], dtype=bool)
        if counts[fits].sum() >= 0.9 * counts.sum() > 0:
            raise InputError(f"{where} holds {texts[fits][0][:40]!r}, {what}")
