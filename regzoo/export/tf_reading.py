"""Text read as numbers, times, dates, true and false in TensorFlow: `regzoo.data.reading` in the exported graph.

A cell that is neither missing nor readable is an error of the call, as it is one in training and in `predict`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import tensorflow as tf

from regzoo.data.columns import Boolean, ColumnRule, Date, Numeric
from regzoo.data.numbers import LARGEST, MISSING_INTEGER, find_missing, parse_numbers
from regzoo.data.reading.clocks import PATTERNS, WHOLE_DAYS, format_clock
from regzoo.data.reading.dates import AFTERNOON, FIRST, LAST, LOCAL, MORNING, NAMED_MONTHS, REWRITTEN, ZONED
from regzoo.data.reading.dates import DAY as SECONDS
from regzoo.data.reading.numbers import list_number_steps, make_number_pattern
from regzoo.data.reading.reading import PLAIN, Clock, Reading
from regzoo.data.table import MISSING

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)


def clean_text(raw: Any, reading: Reading) -> Any:
    """Return text (batch,) without blanks at its ends, ``""`` where it means that the value is missing."""
    text = tf.strings.strip(raw)
    return tf.where(is_one_of(text, (*MISSING, *reading.missing)), "", text)


def is_one_of(text: Any, words: tuple[str, ...]) -> Any:
    """Return (batch,) where ``text`` is one of ``words``."""
    return tf.reduce_any(tf.equal(text[:, None], tf.constant(words, tf.string)), axis=-1)


def mark_missing(rule: Numeric, raw: Any) -> Any:
    """Return numbers (batch, ...), missing as well where they are among those that mean that the value is missing."""
    words = parse_numbers(np.array((rule.reading or PLAIN).missing, dtype=object))
    marks = words[~find_missing(words)].astype(raw.dtype.as_numpy_dtype)
    if not len(marks):
        return raw
    marked = tf.reduce_any(tf.equal(raw[..., None], tf.constant(marks)), axis=-1)
    return tf.where(marked, tf.constant(MISSING_INTEGER if raw.dtype == tf.int64 else np.nan, raw.dtype), raw)


def read_numbers(rule: Numeric, raw: Any) -> Any:
    """Return the numbers in raw text (batch,), in the dtype of the column's centering, where they may be missing."""
    reading = rule.reading or PLAIN
    text = clean_text(raw, reading)
    if reading.clock:
        return tf.cast(_read_clock(rule, reading.clock, text), rule.centering.dtype)
    missing, pattern = tf.equal(text, ""), make_number_pattern(reading)
    matches = tf.strings.regex_full_match(text, pattern)
    plain = _require(rule, "numbers as in training", text, matches | missing)
    for step, replacement in list_number_steps(reading):
        plain = tf.strings.regex_replace(plain, step, replacement)
    if rule.centering.dtype == "int64":
        return tf.strings.to_number(tf.where(missing, str(MISSING_INTEGER), plain), tf.int64)
    numbers = tf.strings.to_number(tf.where(missing, "nan", plain), tf.float64)
    checked = _require(rule, f"numbers up to {LARGEST:g}", text, missing | (tf.abs(numbers) <= LARGEST))
    with tf.control_dependencies([checked]):
        numbers = tf.identity(numbers)
    if reading.percent:  # without a sign, 0.126 may be 12.6 %
        share = (tf.abs(numbers) < 1) & (numbers != 0) & ~tf.strings.regex_full_match(text, ".*%")
        with tf.control_dependencies([_require(rule, "percentages with the sign", text, ~share)]):
            numbers = tf.identity(numbers)
    return tf.cast(numbers, rule.centering.dtype)


def read_boolean(rule: Boolean, text: Any) -> tuple[Any, Any]:
    """Return where cleaned text (batch,) is true, and where it is missing."""
    lower, missing = tf.strings.lower(text), tf.equal(text, "")
    true = tf.equal(lower, "true")
    lower = _require(rule, "true or false", lower, missing | true | tf.equal(lower, "false"))
    return tf.equal(lower, "true"), missing


def read_date(rule: Date, text: Any) -> tuple[Any, Any, Any]:
    """Return days since 1970-01-01 and seconds since midnight of cleaned text, and where it is missing, each (batch,).

    Days are int32, seconds float64. Where it is missing, the moment is any.
    """
    reading, missing = rule.reading or PLAIN, tf.equal(text, "")
    pattern, written = ZONED if reading.zoned else LOCAL, text
    for step, replacement in (*(NAMED_MONTHS if reading.named else ()), *REWRITTEN[reading.dates]):
        written = tf.strings.regex_replace(written, step, replacement)
    matches = tf.strings.regex_full_match(written, pattern)
    written = tf.where(matches, written, "1970-01-01Z")
    year, month, day, hour, minute = (_get_field(written, pattern, group) for group in range(1, 6))
    second, fraction = _read_second(written, pattern)
    hour, is_hour = _read_hour(written, hour)
    exists = _is_day(year, month, day) & is_hour & (minute < 60) & (second < 60)
    offset, is_offset = _read_offset(written) if reading.zoned else (0, True)
    seconds = 3600 * hour + 60 * minute + second - offset
    days = _count_days(year, month, day) + tf.math.floordiv(seconds, SECONDS)
    valid = matches & exists & is_offset & (days >= FIRST) & (days <= LAST)
    takes = "dates such as 2024-01-31T17:05+01:00, with a time zone" if reading.zoned else "dates such as 2024-01-31"
    checked = _require(rule, takes, text, valid | missing)
    with tf.control_dependencies([checked]):
        return tf.identity(days), tf.cast(tf.math.floormod(seconds, SECONDS), tf.float64) + fraction, missing


def _require(rule: ColumnRule, takes: str, text: Any, readable: Any) -> Any:
    """Return ``text`` (batch,) if all of it is ``readable`` (batch,); else the call fails."""
    message = [f"column {rule.name!r} takes {takes}, received", tf.boolean_mask(text, ~readable)[:1]]
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(readable), message)]):
        return tf.identity(text)


def _get_field(text: Any, pattern: str, group: int) -> Any:
    """Return the number in a group of digits of ``pattern``, 0 where it is left out, int32."""
    return tf.strings.to_number(tf.strings.regex_replace(text, pattern, rf"0\{group}"), tf.int32)


def _read_hour(text: Any, hour: Any) -> tuple[Any, Any]:
    """Return hours from 0 to 23 where they are followed by AM or PM, and whether they exist."""
    afternoon = tf.strings.regex_full_match(text, AFTERNOON)
    half = afternoon | tf.strings.regex_full_match(text, MORNING)
    exists = tf.where(half, (hour >= 1) & (hour <= 12), hour < 24)
    return tf.where(half, hour % 12 + 12 * tf.cast(afternoon, tf.int32), hour), exists


def _read_second(text: Any, pattern: str) -> tuple[Any, Any]:
    """Return whole seconds, int32, and their fraction, float64; 0 where they are left out."""
    written = tf.strings.regex_replace(text, pattern, r"0\6")
    whole = tf.strings.to_number(tf.strings.regex_replace(written, "[.,].*$", ""), tf.int32)
    digits = tf.strings.regex_replace(written, "^[0-9]*[.,]?", "0.")
    return whole, tf.strings.to_number(tf.strings.join([digits, "0"]), tf.float64)


def _read_clock(rule: Numeric, clock: Clock, text: Any) -> Any:
    """Return the seconds, float64, of cleaned text (batch,), NaN where it is missing."""
    missing, pattern = tf.equal(text, ""), PATTERNS[clock]
    plain = tf.strings.regex_replace(text, *WHOLE_DAYS)
    matches = tf.strings.regex_full_match(plain, pattern)
    plain = _require(rule, f"times such as {format_clock(61_200, clock)}", plain, matches | missing)
    plain = tf.where(missing, "0:00:00", plain)
    sign, days, hour, minute, second, half = (
        tf.where(missing, "", tf.strings.regex_replace(plain, pattern, rf"\{group}")) for group in range(1, 7)
    )
    second = tf.strings.regex_replace(second, ",", ".")
    days, hour, minute, second = (
        tf.strings.to_number(tf.strings.join(["0", part]), tf.float64) for part in (days, hour, minute, second)
    )
    afternoon = tf.cast(tf.equal(tf.strings.lower(half), "p"), tf.float64)
    hour = tf.where(tf.equal(half, ""), hour, tf.math.floormod(hour, 12) + 12 * afternoon)
    seconds = (3600 * hour + 60 * minute) + second
    factor = tf.where(tf.equal(sign, "-"), tf.constant(-1.0, tf.float64), 1.0)
    total = tf.where(days > 0, factor * SECONDS * days + seconds, factor * seconds)
    return tf.where(missing, tf.constant(np.nan, tf.float64), total)


def _read_offset(text: Any) -> tuple[Any, Any]:
    """Return the seconds that are to be subtracted to come to UTC, and whether there is such an offset."""
    west = tf.equal(tf.strings.regex_replace(text, ZONED, r"\7"), "-")
    hours, minutes = _get_field(text, ZONED, 8), _get_field(text, ZONED, 9)
    seconds = 3600 * hours + 60 * minutes
    return tf.where(west, -seconds, seconds), (hours < 24) & (minutes < 60)


def _is_day(year: Any, month: Any, day: Any) -> Any:
    """Return True for each day that exists."""
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = tf.gather(tf.constant(_LENGTHS), tf.clip_by_value(month - 1, 0, 11))
    last = lengths + tf.cast(leap & tf.equal(month, 2), tf.int32)
    return (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)


def _count_days(year: Any, month: Any, day: Any) -> Any:
    """Return the days since 1970-01-01 of dates in the Gregorian calendar, int32.

    Reference: Howard Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    """
    year = tf.where(month <= 2, year - 1, year)  # count years from March
    days = (153 * ((month + 9) % 12) + 2) // 5 + day - 1  # days since March 1
    return 365 * year + year // 4 - year // 100 + year // 400 + days - 719_468
