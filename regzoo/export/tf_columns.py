"""Column preprocessing as TensorFlow operations: the rules of `regzoo.data.columns` in the exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric
from regzoo.data.dates import DAY, DAY_FIRST, ISO
from regzoo.data.numbers import MISSING_INTEGER
from regzoo.data.table import MISSING
from regzoo.export.tf_centering import apply_centering

_LENGTHS = (31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31)
_THURSDAY = 3  # weekday of 1970-01-01; Monday is 0


def apply_rules(columns: Mapping[str, Any], rules: tuple[ColumnRule, ...]) -> Any:
    """Return the features (batch, features) of raw ``columns`` by name, each (batch,)."""
    features = [feature for rule in rules for feature in _compute_column(rule, columns[rule.name])]
    return tf.stack([tf.cast(feature, tf.float32) for feature in features], axis=-1)


def _compute_column(rule: ColumnRule, raw: Any) -> list[Any]:
    """Return the features of one column, each (batch,)."""
    if isinstance(rule, Numeric):
        missing = tf.equal(raw, MISSING_INTEGER) if raw.dtype == tf.int64 else tf.math.is_nan(raw)
        filled = tf.where(missing, tf.constant(rule.fill, raw.dtype), raw)
        features = [apply_centering(rule.centering, filled[:, tf.newaxis])[:, 0]]
    else:
        features, missing = _parse_text(rule, _clean_text(raw))
    return [*features, *([missing] if rule.missing else [])]


def _parse_text(rule: Boolean | Categorical | Date, text: Any) -> tuple[list[Any], Any]:
    """Return the features of cleaned text (batch,), and where it is missing or unreadable."""
    if isinstance(rule, Boolean):
        return _parse_boolean(rule, text)
    return _encode_categorical(rule, text) if isinstance(rule, Categorical) else _parse_date(rule, text)


def _clean_text(raw: Any) -> Any:
    text = tf.strings.strip(raw)
    return tf.where(_is_one_of(text, MISSING), "", text)


def _is_one_of(text: Any, words: tuple[str, ...]) -> Any:
    return tf.reduce_any(tf.equal(text[:, None], tf.constant(words, tf.string)), axis=-1)


def _parse_boolean(rule: Boolean, text: Any) -> tuple[list[Any], Any]:
    lower = tf.strings.lower(text)
    true = tf.equal(lower, "true")
    missing = ~(true | tf.equal(lower, "false"))
    return [tf.where(missing, tf.constant(rule.fill, tf.float32), tf.cast(true, tf.float32))], missing


def _encode_categorical(rule: Categorical, text: Any) -> tuple[list[Any], Any]:
    missing = tf.equal(text, "")
    hits = [tf.equal(text, category) for category in rule.categories]
    others = [~missing & ~_is_one_of(text, rule.categories)] if rule.other else []
    return [*hits, *others], missing


def _parse_date(rule: Date, text: Any) -> tuple[list[Any], Any]:
    text = tf.strings.regex_replace(text, DAY_FIRST, r"\3-\2-\1")
    missing = ~_is_date(text)
    year, month, day, hour, minute, second = _split_date(tf.where(missing, rule.fill, text))
    days = _count_days(year, month, day)
    fraction = tf.cast(3600 * hour + 60 * minute + second, tf.float32) / tf.constant(DAY, tf.float32)
    elapsed = tf.cast(days - rule.first_day, tf.float32) + fraction
    weekday = tf.math.floormod(days + _THURSDAY, 7)
    return [elapsed, month, weekday, *([fraction * 24.0] if rule.clock else [])], missing


def _split_date(text: Any) -> list[Any]:
    """Return year, month, day, hour, minute and second of well-formed dates, each (batch,) int32."""
    fields = (tf.strings.regex_replace(text, ISO, rf"0\{group}") for group in range(1, 7))
    return [tf.strings.to_number(field, tf.int32) for field in fields]


def _is_date(text: Any) -> Any:
    """Return True for each text that is an existing date, with an existing time if it has one."""
    matches = tf.strings.regex_full_match(text, ISO)
    year, month, day, hour, minute, second = _split_date(tf.where(matches, text, "1970-01-01"))
    leap = (year % 4 == 0) & ((year % 100 != 0) | (year % 400 == 0))
    lengths = tf.gather(tf.constant(_LENGTHS), tf.clip_by_value(month - 1, 0, 11))
    last = lengths + tf.cast(leap & tf.equal(month, 2), tf.int32)
    exists = (year >= 1) & (month >= 1) & (month <= 12) & (day >= 1) & (day <= last)
    return matches & exists & (hour < 24) & (minute < 60) & (second < 60)


def _count_days(year: Any, month: Any, day: Any) -> Any:
    """Return the days since 1970-01-01 of dates in the Gregorian calendar, int32.

    Reference: Howard Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html#days_from_civil
    """
    year = tf.where(month <= 2, year - 1, year)  # count years from March
    days = (153 * ((month + 9) % 12) + 2) // 5 + day - 1  # days since March 1
    return 365 * year + year // 4 - year // 100 + year // 400 + days - 719_468


def get_dtype(rule: ColumnRule) -> tf.DType:
    """Return the dtype that a column is served as: that of its centering for numbers, string for all others."""
    return tf.as_dtype(rule.centering.dtype) if isinstance(rule, Numeric) else tf.string
