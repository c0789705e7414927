"""`Reading`: how the cells of one column of text become numbers or dates; and the keys by which a user decides it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from regzoo.data.reading.units import CURRENCIES, UNITS

DateOrder = Literal["year first", "day first", "month first"]

DATE_ORDERS: tuple[DateOrder, ...] = ("year first", "day first", "month first")

Clock = Literal["", "HH:MM", "HH:MM:SS", "HH:MM AM", "HH:MM:SS AM"]

CLOCKS: tuple[Clock, ...] = ("HH:MM", "HH:MM:SS", "HH:MM AM", "HH:MM:SS AM")
"""Forms of times of day and of durations; those with AM count the hours from 1 to 12."""

DECIMALS = (".", ",")
THOUSANDS = (",", ".", " ", "'")
"""Marks between groups of three digits; the blank stands for all blanks, the apostrophe for both apostrophes."""


@dataclass(frozen=True)
class ReadingKeys:
    """Decisions of the user about all columns; what is left open is found from the cells of each column.

    Attributes:
        decimal: the decimal mark, ``.`` or ``,``.
        thousands: the mark between thousands, one of `THOUSANDS`.
        dates: the order of day, month and year in dates such as 03/04/2024.
        missing: further words that mean that a value is missing.
    """

    decimal: str | None = None
    thousands: str | None = None
    dates: DateOrder | None = None
    missing: tuple[str, ...] = ()


OPEN = ReadingKeys()
"""Keys that leave it to each column how it is read."""


@dataclass(frozen=True)
class Reading:
    """How the cells of one column of text are read.

    Attributes:
        decimal: the decimal mark.
        thousands: the mark between groups of three digits, which a number may also lack; empty if there is none.
        currency: the sign or code that may stand before or after a number; empty if there is none.
        percent: whether a number may be followed by ``%``; 48.7 % is 48.7.
        loose: whether some numbers have blanks around them, or a minus sign, that other programs do not read.
        unit: the unit that may stand after a number, one of `UNITS`; empty if there is none.
        clock: the form of times of day or durations, which are read in seconds; empty if there are none.
        dates: the order of the numbers in dates with ``/`` or ``-`` that do not begin with the year; ``year first``
            if there are none. Dates with dots have the day first.
        named: whether months may have their English names, as in 31 Jan 2024.
        zoned: whether each date has a time zone, as an offset from UTC; such dates are converted to UTC.
        utc: whether some dates are marked as UTC, and none has another time zone; then those without a mark are UTC.
        missing: words that mean that a value is missing, besides `regzoo.data.table.MISSING`.
    """

    decimal: str = "."
    thousands: str = ""
    currency: str = ""
    percent: bool = False
    unit: str = ""
    loose: bool = False
    clock: Clock = ""
    dates: DateOrder = "year first"
    named: bool = False
    zoned: bool = False
    utc: bool = False
    missing: tuple[str, ...] = ()

    @property
    def is_plain(self) -> bool:
        """Whether numbers are written as Python writes them, so that a column of them holds numbers, not text."""
        decorations = (self.thousands, self.currency, self.unit, self.clock)
        return self.decimal == "." and not any(decorations) and not self.percent and not self.loose

    def to_json(self) -> dict[str, Any]:
        """Return the attributes that differ from their default, as JSON values."""
        given = {field.name: getattr(self, field.name) for field in fields(self)}
        differing = {key: value for key, value in given.items() if value != getattr(PLAIN, key)}
        return {key: list(value) if isinstance(value, tuple) else value for key, value in differing.items()}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> Reading:
        """Return the reading that `to_json` converted to ``values``.

        Raises:
            TypeError: if ``values`` are none that it returns.
        """
        allowed: dict[str, Any] = {
            "decimal": DECIMALS,
            "thousands": THOUSANDS,
            "currency": CURRENCIES,
            "percent": (True,),
            "loose": (True,),
            "unit": UNITS,
            "clock": CLOCKS,
            "dates": DATE_ORDERS,
            "named": (True,),
            "zoned": (True,),
            "utc": (True,),
        }
        words = values.get("missing", [])
        wrong = [key for key, value in values.items() if key != "missing" and value not in allowed.get(key, ())]
        if wrong or not isinstance(words, list) or not all(isinstance(word, str) for word in words):
            raise TypeError(f"reading takes how cells are read, received {str(dict(values))[:60]}")
        return Reading(**{**values, "missing": tuple(words)})

    def describe(self, kind: str) -> str:
        """Return in words how cells of this ``kind`` are read; empty if there is nothing to say."""
        words = {
            "numeric": self._describe_numbers(),
            "date": [
                *([] if self.dates == "year first" else [f"dates such as 03/04/2024 are read {self.dates}"]),
                *(["times are converted to UTC from the time zone of each cell"] if self.zoned else []),
                *(["times are UTC, those without a time zone as well"] if self.utc else []),
            ],
        }.get(kind, [])
        return "; ".join(words)

    def _describe_numbers(self) -> list[str]:
        if self.clock:
            return ["times of day or durations are read in seconds"]
        mark = {",": "commas", ".": "dots", " ": "blanks", "'": "apostrophes"}
        parts = [f"with decimal {mark[self.decimal]}"] if self.decimal != "." else []
        parts += [f"with {mark[self.thousands]} between thousands"] if self.thousands else []
        parts += [f"without {sign!r}" for sign in (self.currency, self.unit) if sign]
        parts += ["as the number before the percent sign"] if self.percent else []
        return [f"numbers are read {', '.join(parts)}"] if parts else []


PLAIN = Reading()
"""Numbers as Python writes them, dates with the year or, with dots, the day first."""
