"""Column preprocessing as TensorFlow operations: the rules of `regzoo.data.columns` in the exported graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import tensorflow as tf

from regzoo.data.columns import WHOLE, Boolean, Categorical, ColumnRule, Date, Numeric, takes_text
from regzoo.data.numbers import MISSING_INTEGER
from regzoo.data.reading.dates import DAY
from regzoo.data.reading.reading import PLAIN
from regzoo.export.tf_centering import apply_centering
from regzoo.export.tf_reading import clean_text, is_one_of, mark_missing, read_boolean, read_date, read_numbers

_THURSDAY = 3  # weekday of 1970-01-01; Monday is 0


def apply_rules(columns: Mapping[str, Any], rules: tuple[ColumnRule, ...]) -> Any:
    """Return the features (batch, features) of raw ``columns`` by name, each (batch,)."""
    features = [feature for rule in rules for feature in _compute_column(rule, columns[rule.name])]
    return tf.stack([tf.cast(feature, tf.float32) for feature in features], axis=-1)


def _compute_column(rule: ColumnRule, raw: Any) -> list[Any]:
    """Return the features of one column, each (batch,)."""
    if isinstance(rule, Numeric):
        numbers = read_numbers(rule, raw) if takes_text(rule) else mark_missing(rule, raw)
        missing = tf.equal(numbers, MISSING_INTEGER) if numbers.dtype == tf.int64 else tf.math.is_nan(numbers)
        filled = tf.where(missing, tf.constant(rule.fill, numbers.dtype), numbers)
        features = [apply_centering(rule.centering, filled[:, tf.newaxis])[:, 0]]
    else:
        features, missing = _parse_text(rule, clean_text(raw, rule.reading or PLAIN))
    return [*features, *([missing] if rule.missing else [])]


def _parse_text(rule: Boolean | Categorical | Date, text: Any) -> tuple[list[Any], Any]:
    """Return the features of cleaned text (batch,), and where it is missing."""
    if isinstance(rule, Boolean):
        return _parse_boolean(rule, text)
    return _encode_categorical(rule, text) if isinstance(rule, Categorical) else _compute_date(rule, text)


def _parse_boolean(rule: Boolean, text: Any) -> tuple[list[Any], Any]:
    true, missing = read_boolean(rule, text)
    return [tf.where(missing, tf.constant(rule.fill, tf.float32), tf.cast(true, tf.float32))], missing


def _encode_categorical(rule: Categorical, text: Any) -> tuple[list[Any], Any]:
    text = tf.strings.regex_replace(text, *WHOLE) if rule.has_numbers else text
    missing = tf.equal(text, "")
    hits = [tf.equal(text, category) for category in rule.categories]
    others = [~missing & ~is_one_of(text, rule.categories)] if rule.other else []
    return [*hits, *others], missing


def _compute_date(rule: Date, text: Any) -> tuple[list[Any], Any]:
    filled = rule.fill_moment
    days, seconds, missing = read_date(rule, text)
    days, seconds = tf.where(missing, filled[0], days), tf.where(missing, filled[1], seconds)
    fraction = tf.cast(seconds, tf.float32) / tf.constant(DAY, tf.float32)
    elapsed = tf.cast(days - rule.first_day, tf.float32) + fraction
    weekday = tf.math.floormod(days + _THURSDAY, 7)
    return [elapsed, _find_month(days), weekday, *([fraction * 24.0] if rule.clock else [])], missing


def _find_month(days: Any) -> Any:
    """Return the month, 1 to 12, of days since 1970-01-01 in the Gregorian calendar, int32.

    Reference: Howard Hinnant 2013, https://howardhinnant.github.io/date_algorithms.html#civil_from_days
    """
    day = tf.math.floormod(days + 719_468, 146_097)  # of an era of 400 years, from March 1
    year = (day - day // 1460 + day // 36_524 - day // 146_096) // 365
    month = (5 * (day - (365 * year + year // 4 - year // 100)) + 2) // 153  # from March
    return tf.where(month < 10, month + 3, month - 9)


def get_dtype(rule: ColumnRule) -> tf.DType:
    """Return the dtype that a column is served as: that of its centering for numbers, string for text that is read."""
    return tf.string if takes_text(rule) or not isinstance(rule, Numeric) else tf.as_dtype(rule.centering.dtype)
