"""Messages about cells that are not read: which they are, in which rows, and the way out."""

from __future__ import annotations

import re
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.core.errors import InputError
from regzoo.data.reading.find import Found
from regzoo.data.reading.numbers import parse_number

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
)


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


def reject_near_numbers(texts: Array, counts: Array, where: str) -> None:
    """Raise InputError if most of the different ``texts`` (n,) look like numbers or dates in a form that is not read.

    Args:
        texts: the different cells.
        counts: in how many rows each occurs.
        where: the column in messages.
    """
    for pattern, what in _FORMS:
        fits = np.array([pattern.fullmatch(text) is not None for text in texts.tolist()], dtype=bool)
        if counts[fits].sum() >= 0.9 * counts.sum() > 0:
            raise InputError(f"{where} holds {texts[fits][0][:40]!r}, {what}")
