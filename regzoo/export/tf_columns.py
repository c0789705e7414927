"""Columns in TensorFlow: what regzoo/data/columns.py does to raw columns, as operations of the exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric
from regzoo.data.dates import DAY, GERMAN, ISO
from regzoo.data.table import MISSING

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_THURSDAY = 3  # 1970-01-01


def features(columns: Mapping[str, Any], rules: tuple[ColumnRule, ...]) -> Any:
    """Return the features (batch, features) of raw ``columns`` by name, each (batch,)."""
    parts = [part for rule in rules for part in _parts(rule, columns[rule.name])]
    return tf.stack([tf.cast(part, tf.float32) for part in parts], axis=-1)


def _parts(rule: ColumnRule, raw: Any) -> list[Any]:
    """The features of one column, each (batch,)."""
    if isinstance(rule, Numeric):
        absent = tf.math.is_nan(raw)
        parts = [tf.where(absent, tf.constant(rule.fill, tf.float32), raw)]
    else:
        text = _tidy(raw)
        parts, absent = _read(rule, text)
    return [*parts, *([absent] if rule.missing else [])]


def _read(rule: Boolean | Categorical | Date, text: Any) -> tuple[list[Any], Any]:
    if isinstance(rule, Boolean):
        return _boolean(rule, text)
    return _categorical(rule, text) if isinstance(rule, Categorical) else _date(rule, text)


def _tidy(raw: Any) -> Any:
    text = tf.strings.strip(raw)
    return tf.where(_one_of(text, MISSING), "", text)


def _one_of(text: Any, words: tuple[str, ...]) -> Any:
    return tf.reduce_any(tf.equal(text[:, None], tf.constant(words, tf.string)), axis=-1)


def _boolean(rule: Boolean, text: Any) -> tuple[list[Any], Any]:
    lower = tf.strings.lower(text)
    true = tf.equal(lower, "true")
    absent = ~(true | tf.equal(lower, "false"))
    return [tf.where(absent, tf.constant(rule.fill, tf.float32), tf.cast(true, tf.float32))], absent


def _categorical(rule: Categorical, text: Any) -> tuple[list[Any], Any]:
    absent = tf.equal(text, "")
    hits = [tf.equal(text, category) for category in rule.categories]
    others = [~absent & ~_one_of(text, rule.categories)] if rule.other else []
    return [*hits, *others], absent


def _date(rule: Date, text: Any) -> tuple[list[Any], Any]:
    text = tf.strings.regex_replace(text, GERMAN, r"\3-\2-\1")
    absent = ~_is_date(text)
    year, month, day, hour, minute, second = _numbers(tf.where(absent, rule.fill, text))
    days = _days(year, month, day)
    fraction = tf.cast(3600 * hour + 60 * minute + second, tf.float32) / tf.constant(DAY, tf.float32)
    parts = [tf.cast(days - rule.first_day, tf.float32) + fraction, month, tf.math.floormod(days + _THURSDAY, 7)]
    return [*parts, *([fraction * 24.0] if rule.clock else [])], absent


def _numbers(text: Any) -> list[Any]:
    """Year, month, day, hour, minute and second, each (batch,) int32, of dates that match."""
    return [tf.strings.to_number(tf.strings.regex_replace(text, ISO, rf"0\{part}"), tf.int32) for part in range(1, 7)]


def _is_date(text: Any) -> Any:
    """Whether each text is a date that there is, with a time that there is."""
    matches = tf.strings.regex_full_match(text, ISO)
    year, month, day, hour, minute, second = _numbers(tf.where(matches, text, "1970-01-01"))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = tf.gather(tf.constant(_LENGTHS), tf.clip_by_value(month - 1, 0, 11))
    last = lengths + tf.cast(leap & tf.equal(month, 2), tf.int32)
    there = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)
    return matches & there & (hour < 24) & (minute < 60) & (second < 60)


def _days(year: Any, month: Any, day: Any) -> Any:
    """Days since 1970-01-01 of dates in the Gregorian calendar, int32.

    Reference: Howard Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    """
    year = tf.where(month <= 2, year - 1, year)  # years that begin in March
    passed = (153 * ((month + 9) % 12) + 2) // 5 + day - 1  # days since the first of March
    return 365 * year + year // 4 - year // 100 + year // 400 + passed - 719_468


def dtype_of(rule: ColumnRule) -> tf.DType:
    """How a column is served: numbers as float32, all others as text."""
    return tf.float32 if rule.kind == "numeric" else tf.string
