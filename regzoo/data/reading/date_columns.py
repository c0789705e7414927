"""Parse many dates at once: those that are written as ISO 8601 writes them all together, others one by one."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.data.reading.dates import DAY, FIRST, LAST, Moment, format_date, parse_date
from regzoo.data.reading.reading import DateOrder

Array = NDArray[Any]

_DAY, _MOMENT, _ZULU, _OFFSET = 10, 19, 20, 25  # lengths of 2024-01-31, 2024-01-31T17:05:00, the same with Z, +01:00
_SIGNS = ((4, "-"), (7, "-"), (13, ":"), (16, ":"))
_LENGTHS = np.array([31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31])


def parse_dates(
    texts: Sequence[str], order: DateOrder = "year first", zoned: bool = False, named: bool = False
) -> tuple[Array, Array, Array]:
    """Return what `parse_date` makes of each of ``texts``: days, int64, seconds, float64, and which are dates, (n,).

    >>> days, seconds, found = parse_dates(["1970-01-02T00:01:00", "soon"])
    >>> days.tolist(), seconds.tolist(), found.tolist()
    ([1, 0], [60.0, 0.0], [True, False])
    """
    days, seconds, found = np.zeros(len(texts), np.int64), np.zeros(len(texts)), np.zeros(len(texts), bool)
    lengths = np.array([len(text) for text in texts], dtype=np.int64)
    known = np.isin(lengths, (_ZULU, _OFFSET) if zoned else (_DAY, _MOMENT))
    rows = np.flatnonzero(known)
    if len(rows):
        letters = np.array([texts[row] for row in rows.tolist()], dtype=f"U{_OFFSET}").view(np.uint32)
        days[rows], seconds[rows], found[rows] = _parse_iso(letters.reshape(len(rows), _OFFSET).T, lengths[rows])
    for row in np.flatnonzero(~found).tolist():
        when = parse_date(texts[row], order, zoned, named)
        days[row], seconds[row] = when or (0, 0)
        found[row] = when is not None
    return days, seconds, found


def make_moment(day: int, second: float) -> Moment:
    """Return a day and a time as `parse_date` returns them: whole seconds as a whole number."""
    return int(day), int(second) if second == int(second) else float(second)


def rewrite_dates(texts: Sequence[str], order: DateOrder, zoned: bool, named: bool) -> Array:
    """Return dates as `format_date` writes them, (n,) objects; ``""`` for text that is none, see `parse_dates`."""
    days, seconds, found = parse_dates(texts, order, zoned, named)
    moments = zip(days[found].tolist(), seconds[found].tolist(), strict=True)
    written = [format_date(make_moment(*moment)) for moment in moments]
    dates = np.full(len(texts), "", dtype=object)
    dates[found] = np.array(written, dtype=object)
    return dates


def _parse_iso(letters: Array, lengths: Array) -> tuple[Array, Array, Array]:
    """Return days and seconds of texts, the letters of each a column of (25, n), and which are dates, each (n,)."""
    clock = lengths >= _MOMENT
    valid = np.ones(len(lengths), bool)
    for position, sign in _SIGNS:
        valid &= (letters[position] == ord(sign)) | (~clock if position > _DAY else False)
    valid &= (letters[_DAY] == ord("T")) | (letters[_DAY] == ord(" ")) | ~clock
    year, month, day = (_read(letters, *place, valid) for place in ((0, 4), (5, 7), (8, 10)))
    hour, minute, second = (_read(letters, *place, valid, clock) for place in ((11, 13), (14, 16), (17, 19)))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    last = _LENGTHS[np.clip(month, 1, 12) - 1] + (leap & (month == 2))
    valid &= (year > 0) & (month > 0) & (month < 13) & (day > 0) & (day <= last)
    valid &= (hour < 24) & (minute < 60) & (second < 60)
    seconds = 3600 * hour + 60 * minute + second - _read_offset(letters, lengths, valid)
    days = _count_days(year, month, day) + seconds // DAY
    valid &= (days >= FIRST) & (days <= LAST)
    return days, seconds % DAY, valid


def _read_offset(letters: Array, lengths: Array, valid: Array) -> Array:
    """Return the seconds that are to be subtracted to come to UTC; (n,) ``valid`` is False where there is no offset."""
    zulu, given = lengths == _ZULU, lengths == _OFFSET
    valid &= (letters[_MOMENT] == ord("Z")) | ~zulu
    west, east = letters[_MOMENT] == ord("-"), letters[_MOMENT] == ord("+")
    valid &= ((west | east) & (letters[22] == ord(":"))) | ~given
    hours, minutes = (_read(letters, *place, valid, given) for place in ((20, 22), (23, 25)))
    valid &= (hours < 24) & (minutes < 60)
    return np.where(west, -1, 1) * (3600 * hours + 60 * minutes)


def _read(letters: Array, start: int, stop: int, valid: Array, there: Any = True) -> Array:
    """Return the number at some positions, 0 where it is not ``there``; ``valid`` is False where it is none."""
    number = np.zeros(letters.shape[1], np.int64)
    for letter in letters[start:stop]:
        digit = letter.astype(np.int64) - ord("0")
        valid &= ((digit >= 0) & (digit < 10)) | np.logical_not(there)
        number = number * 10 + digit
    return np.where(there, number, 0)


def _count_days(year: Array, month: Array, day: Array) -> Array:
    """Return the days since 1970-01-01 of dates in the Gregorian calendar.

    Reference: Howard Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    """
    year = np.where(month <= 2, year - 1, year)  # count years from March
    days = (153 * ((month + 9) % 12) + 2) // 5 + day - 1  # days since March 1
    return 365 * year + year // 4 - year // 100 + year // 400 + days - 719_468
