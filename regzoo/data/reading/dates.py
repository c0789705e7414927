"""Parse dates such as 2024-01-31, 31.1.2024, 01/31/2024 5:05 PM or 2024-01-31T17:05-05:00, and format them.

All patterns mean the same to TensorFlow (RE2), where the exported graph parses the same text.
"""

from __future__ import annotations

import datetime
import functools
import re

from regzoo.data.reading.reading import DateOrder

_DOTTED = (r"^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})", r"\3-\2-\1")

REWRITTEN: dict[DateOrder, tuple[tuple[str, str], ...]] = {
    "year first": (_DOTTED,),
    "day first": ((r"^([0-9]{1,2})[-/.]([0-9]{1,2})[-/.]([0-9]{4})", r"\3-\2-\1"),),
    "month first": (_DOTTED, (r"^([0-9]{1,2})[-/]([0-9]{1,2})[-/]([0-9]{4})", r"\3-\1-\2")),
}
"""Replacements, pattern and text, that put the year first."""

_DAY = r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"
_TIME = r"(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:[.,][0-9]+)?)?(?: ?[AaPp][Mm])?)?"

LOCAL = rf"^{_DAY}{_TIME}(?: ?(?:Z|UTC|GMT|[+-]00(?::?00)?))?$"
"""Year, month, day, and perhaps hour, minute, second, in UTC or without a time zone."""

ZONED = rf"^{_DAY}{_TIME} ?(?:Z|UTC|GMT|([+-])([0-9]{{2}}):?([0-9]{{2}})?)$"
"""The same, and the offset from UTC: sign, hours, minutes; without them for UTC itself."""

MORNING, AFTERNOON = r".*[0-9] ?[Aa][Mm].*", r".*[0-9] ?[Pp][Mm].*"
"""What a text that matches `LOCAL` or `ZONED` matches as well if its hours are counted from 1 to 12."""

DAY = 86_400

Moment = tuple[int, int]
"""Days since 1970-01-01, and seconds since midnight."""

_EPOCH = datetime.date(1970, 1, 1).toordinal()

FIRST, LAST = datetime.date.min.toordinal() - _EPOCH, datetime.date.max.toordinal() - _EPOCH
"""The days of 0001-01-01 and 9999-12-31."""


@functools.cache
def _compile(zoned: bool) -> re.Pattern[str]:
    return re.compile(ZONED if zoned else LOCAL, re.ASCII)


def parse_date(text: str, order: DateOrder = "year first", zoned: bool = False) -> Moment | None:
    """Return day and time of ``text``, without fractions of a second; None if it is not a valid date.

    Args:
        text: a date, perhaps with a time. With the year first, or with dots and the day first, it is always read.
        order: what comes first in dates such as 03/04/2024; with ``year first`` they are none.
        zoned: whether the text has a time zone, from which it is converted to UTC. Otherwise times are taken as they
            are written; Z, UTC and +00:00 may follow, and text with another time zone is not a date.

    >>> parse_date("1970-01-02T00:01"), parse_date("2.1.1970"), parse_date("2023-02-30"), parse_date("soon")
    ((1, 60), (1, 0), None, None)
    >>> parse_date("02/01/1970", "day first"), parse_date("1970-01-01 00:00-05:00", zoned=True)
    ((1, 0), (0, 18000))
    """
    if not text[:4].isdigit():  # the year is not first
        for pattern, replacement in REWRITTEN[order]:
            text = re.sub(pattern, replacement, text)
    found = _compile(zoned).match(text)
    if found is None or text.endswith("\n"):
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in found.groups()[:6])
    if ("m" in text or "M" in text) and (half := re.fullmatch(MORNING, text) or re.fullmatch(AFTERNOON, text)):
        if not 1 <= hour <= 12:
            return None
        hour = hour % 12 + (0 if half.re.pattern == MORNING else 12)
    try:
        days = datetime.date(year, month, day).toordinal() - _EPOCH
        datetime.time(hour, minute, second)
    except ValueError:
        return None
    seconds = days * DAY + 3600 * hour + 60 * minute + second
    if zoned and found[7]:
        hours, minutes = int(found[8]), int(found[9] or 0)
        if hours > 23 or minutes > 59:
            return None
        seconds -= (1 if found[7] == "+" else -1) * (3600 * hours + 60 * minutes)
    days, seconds = divmod(seconds, DAY)
    return (days, seconds) if FIRST <= days <= LAST else None


def format_date(when: Moment) -> str:
    """Return ``when`` as text that `parse_date` parses.

    >>> format_date((1, 60)), format_date((0, 0))
    ('1970-01-02T00:01:00', '1970-01-01')
    """
    days, seconds = when
    date = datetime.date.fromordinal(_EPOCH + days).isoformat()
    time = f"T{datetime.timedelta(seconds=seconds)!s:0>8}" if seconds else ""
    return date + time
