"""Parse dates such as 2024-01-31, 2024/1/31, 31.1.2024 or 2024-01-31T17:05, and format them."""

from __future__ import annotations

import datetime
import re

DAY_FIRST = r"^([0-9]{1,2})\.([0-9]{1,2})\.([0-9]{4})"
"""Day, month and year with dots between them; such dates are rewritten with the year first."""

ISO = (
    r"^([0-9]{4})[-/]([0-9]{1,2})[-/]([0-9]{1,2})"
    r"(?:[T ]([0-9]{1,2}):([0-9]{2})(?::([0-9]{2})(?:\.[0-9]+)?)?)?(?:Z|\+00:00)?$"
)
"""Year, month, day, and perhaps hour, minute, second; both patterns mean the same to TensorFlow (RE2)."""

DAY = 86_400

Moment = tuple[int, int]
"""Days since 1970-01-01, and seconds since midnight."""

_EPOCH = datetime.date(1970, 1, 1).toordinal()


def parse_date(text: str) -> Moment | None:
    """Return day and time of ``text``, without fractions of a second; None if it is not a valid date.

    Times are taken as they are written: Z and +00:00 may follow; text with another time zone is not a date.

    >>> parse_date("1970-01-02T00:01"), parse_date("2.1.1970"), parse_date("2023-02-30"), parse_date("soon")
    ((1, 60), (1, 0), None, None)
    """
    found = re.match(ISO, re.sub(DAY_FIRST, r"\3-\2-\1", text), re.ASCII)
    if found is None or text.endswith("\n"):
        return None
    year, month, day, hour, minute, second = (int(number or 0) for number in found.groups())
    try:
        days = datetime.date(year, month, day).toordinal() - _EPOCH
        datetime.time(hour, minute, second)
    except ValueError:
        return None
    return days, 3600 * hour + 60 * minute + second


def format_date(when: Moment) -> str:
    """Return ``when`` as text that `parse_date` parses.

    >>> format_date((1, 60)), format_date((0, 0))
    ('1970-01-02T00:01:00', '1970-01-01')
    """
    days, seconds = when
    date = datetime.date.fromordinal(_EPOCH + days).isoformat()
    time = f"T{datetime.timedelta(seconds=seconds)!s:0>8}" if seconds else ""
    return date + time
