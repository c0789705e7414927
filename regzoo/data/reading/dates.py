"""Parse dates such as 2024-01-31, 31.1.2024, 01/31/2024 5:05 PM, 31 Jan 2024 or 2024-01-31T17:05-05:00; format them.

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

_MONTHS = ("jan(?:uary)?", "feb(?:ruary)?", "mar(?:ch)?", "apr(?:il)?", "may", "june?", "july?", "aug(?:ust)?",
           "sept?(?:ember)?", "oct(?:ober)?", "nov(?:ember)?", "dec(?:ember)?")  # fmt: skip
_WEEKDAY = "(?:(?:mon|tues?|wed(?:nes)?|thu(?:rs?)?|fri|sat(?:ur)?|sun)(?:day)?,? +)?"

NAMED_MONTHS = tuple(
    step
    for number, month in enumerate(_MONTHS, 1)
    for step in (
        (rf"(?i)^{_WEEKDAY}([0-9]{{1,2}})[ .-]*{month}[ .,-]+([0-9]{{4}})", rf"\2-{number:02}-\1"),
        (rf"(?i)^{_WEEKDAY}{month}\.?[ -]+([0-9]{{1,2}}),?[ -]+([0-9]{{4}})", rf"\2-{number:02}-\1"),
    )
)
"""Replacements that put the year first where the month has its English name."""

_HAS_MONTH = re.compile(rf"(?i)(?:^|[^a-z])(?:{'|'.join(_MONTHS)})(?:[^a-z]|$)")
_HAS_UTC = re.compile(r"(?:Z|UTC|GMT|[+-]00(?::?00)?)$")

_DAY = r"([0-9]{4})[-/.]([0-9]{1,2})[-/.]([0-9]{1,2})"
_TIME = r"(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2}(?:[.,][0-9]+)?))?(?: ?[AaPp][Mm])?)?"

LOCAL = rf"^{_DAY}{_TIME}(?: ?(?:Z|UTC|GMT|[+-]00(?::?00)?))?$"
"""Year, month, day, and perhaps hour, minute, second with its fraction, in UTC or without a time zone."""

ZONED = rf"^{_DAY}{_TIME} ?(?:Z|UTC|GMT|([+-])([0-9]{{2}}):?([0-9]{{2}})?)$"
"""The same, and the offset from UTC: sign, hours, minutes; without them for UTC itself."""

MORNING, AFTERNOON = r".*[0-9] ?[Aa][Mm].*", r".*[0-9] ?[Pp][Mm].*"
"""What a text that matches `LOCAL` or `ZONED` matches as well if its hours are counted from 1 to 12."""

DAY = 86_400
_LAST_NANOSECOND = 59.999999999

Moment = tuple[int, float]
"""Days since 1970-01-01, and seconds since midnight: a whole number, if they have no fraction."""

_EPOCH = datetime.date(1970, 1, 1).toordinal()

FIRST, LAST = datetime.date.min.toordinal() - _EPOCH, datetime.date.max.toordinal() - _EPOCH
"""The days of 0001-01-01 and 9999-12-31."""


@functools.cache
def _compile(zoned: bool) -> re.Pattern[str]:
    return re.compile(ZONED if zoned else LOCAL, re.ASCII)


def has_month_name(text: str) -> bool:
    """Return True if ``text`` holds the English name of a month, or its abbreviation.

    >>> has_month_name("3-Mar-2024"), has_month_name("marmalade")
    (True, False)
    """
    return _HAS_MONTH.search(text) is not None


def is_marked_utc(text: str) -> bool:
    """Return True if the date ``text`` ends with a mark of UTC.

    >>> is_marked_utc("2024-01-31T17:05Z"), is_marked_utc("2024-01-31 17:05+00:00"), is_marked_utc("2024-01-31")
    (True, True, False)
    """
    return _HAS_UTC.search(text[10:]) is not None


def parse_date(text: str, order: DateOrder = "year first", zoned: bool = False, named: bool = False) -> Moment | None:
    """Return day and time of ``text``; None if it is not a valid date.

    Args:
        text: a date, perhaps with a time. With the year first, or with dots and the day first, it is always read.
        order: what comes first in dates such as 03/04/2024; with ``year first`` they are none.
        zoned: whether the text has a time zone, from which it is converted to UTC. Otherwise times are taken as they
            are written; Z, UTC and +00:00 may follow, and text with another time zone is not a date.
        named: whether months may have their English names.

    >>> parse_date("1970-01-02T00:01"), parse_date("2.1.1970"), parse_date("2023-02-30"), parse_date("soon")
    ((1, 60), (1, 0), None, None)
    >>> parse_date("02/01/1970", "day first"), parse_date("1970-01-01 00:00-05:00", zoned=True)
    ((1, 0), (0, 18000))
    >>> parse_date("Thu, 1 Jan 1970 00:00:00.25", named=True)
    (0, 0.25)
    """
    if named:
        for pattern, replacement in NAMED_MONTHS:
            text = re.sub(pattern, replacement, text)
    if not text[:4].isdigit():  # the year is not first
        for pattern, replacement in REWRITTEN[order]:
            text = re.sub(pattern, replacement, text)
    found = _compile(zoned).match(text)
    if found is None or text.endswith("\n"):
        return None
    year, month, day, hour, minute = (int(number or 0) for number in found.groups()[:5])
    second, fraction = int((found[6] or "0")[:2]), float(f"0.{(found[6] or '')[3:]}0")
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
    return (days, seconds + fraction if fraction else seconds) if FIRST <= days <= LAST else None


def format_date(when: Moment) -> str:
    """Return ``when`` as text that `parse_date` parses, to the nanosecond.

    >>> format_date((1, 60)), format_date((0, 0)), format_date((0, 1.25))
    ('1970-01-02T00:01:00', '1970-01-01', '1970-01-01T00:00:01.25')
    """
    days, seconds = when
    date = datetime.date.fromordinal(_EPOCH + days).isoformat()
    if not seconds:
        return date
    minutes, rest = divmod(seconds, 60)
    hours, minutes = divmod(int(minutes), 60)
    second = f"{min(rest, _LAST_NANOSECOND):012.9f}".rstrip("0").rstrip(".")
    return f"{date}T{hours:02}:{minutes:02}:{second}"
