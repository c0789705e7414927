"""Parse times of day and durations such as 17:05, 5:05:30 PM, 26:30:00 or 1 days 02:30:00 as seconds; format them.

All patterns mean the same to TensorFlow (RE2), where the exported graph parses the same text.
"""

from __future__ import annotations

import re

import numpy as np

from regzoo.data.reading.reading import Clock

WHOLE_DAYS = (r"^([+-]?[0-9]{1,9}) ?days?$", r"\1 days 0:00:00")
"""The replacement, pattern and text, that gives whole days, as pandas writes them, a clock."""

_DAYS = r"([+-]?)(?:([0-9]{1,9}) ?days?,? ?\+?)?"
_SECOND = r":([0-5][0-9](?:[.,][0-9]+)?)"

PATTERNS: dict[Clock, str] = {
    "HH:MM": rf"^{_DAYS}([0-9]{{1,7}}):([0-5][0-9])()()$",
    "HH:MM:SS": rf"^{_DAYS}([0-9]{{1,7}}):([0-5][0-9]){_SECOND}()$",
    "HH:MM AM": r"^()()(0?[1-9]|1[0-2]):([0-5][0-9])() ?([AaPp])\.?[Mm]\.?$",
    "HH:MM:SS AM": rf"^()()(0?[1-9]|1[0-2]):([0-5][0-9]){_SECOND} ?([AaPp])\.?[Mm]\.?$",
}
"""Sign, days, hours, minutes, seconds, the first letter of AM or PM; the sign is that of days, if there are any."""

DAY = 86_400


def parse_clock(text: str, clock: Clock) -> float | None:
    """Return the seconds of a time of day, since midnight, or of a duration; None if ``text`` is not of this form.

    >>> parse_clock("8:30", "HH:MM"), parse_clock("08:30:15.5", "HH:MM:SS"), parse_clock("12:05 am", "HH:MM AM")
    (30600.0, 30615.5, 300.0)
    >>> parse_clock("-1 day, 23:00:00", "HH:MM:SS"), parse_clock("-0:30:00", "HH:MM:SS")
    (-3600.0, -1800.0)
    """
    found = re.fullmatch(PATTERNS[clock], re.sub(*WHOLE_DAYS, text))
    if found is None:
        return None
    sign, days, hour, minute, second, half = found.groups()
    hours = int(hour) % 12 + 12 * (half in "Pp") if half else int(hour)
    seconds = (3600 * hours + 60 * int(minute)) + float((second or "0").replace(",", "."))
    factor = -1 if sign == "-" else 1
    return factor * DAY * int(days) + seconds if int(days or 0) else factor * seconds


def format_clock(seconds: float, clock: Clock) -> str | None:
    """Return text that `parse_clock` reads as ``seconds``, to the last bit; None if the form does not hold them.

    >>> format_clock(30615.5, "HH:MM:SS"), format_clock(-1800.0, "HH:MM:SS"), format_clock(46800.0, "HH:MM AM")
    ('8:30:15.5', '-0:30:00', '1:00 PM')
    >>> format_clock(30615.5, "HH:MM") is None
    True
    """
    minutes, rest = divmod(abs(seconds), 60)
    hours, minutes = divmod(int(minutes), 60)
    second = np.format_float_positional(rest, unique=True, trim="-")
    end = "" if "SS" not in clock else f":{'0' * (rest < 10)}{second}"
    if (rest and not end) or hours > 9_999_999 or ("AM" in clock and not 0 <= seconds < DAY):
        return None
    if "AM" in clock:
        return f"{(hours - 1) % 12 + 1}:{minutes:02}{end} {'PM' if hours >= 12 else 'AM'}"
    return f"{'-' * (seconds < 0)}{hours}:{minutes:02}{end}"
