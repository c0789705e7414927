"""Column preprocessing as TensorFlow operations: the rules of `regzoo.data.columns` in the exported graph."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import tensorflow as tf

from regzoo.data.centering import join_centerings
from regzoo.data.columns import WHOLE, Boolean, Categorical, ColumnRule, Date, Numeric, takes_text
from regzoo.data.numbers import MISSING_INTEGER
from regzoo.data.reading.dates import DAY
from regzoo.data.reading.reading import PLAIN
from regzoo.export.tf_centering import apply_centering
from regzoo.export.tf_reading import clean_text, is_one_of, mark_missing, read_boolean, read_date, read_numbers

_THURSDAY = 3  # weekday of 1970-01-01; Monday is 0


def apply_rules(columns: Mapping[str, Any], rules: tuple[ColumnRule, ...]) -> Any:
    """Return the features (batch, features) of raw ``columns`` by name, each (batch,).

    Columns of numbers are computed together: thousands of operations would take TensorFlow long to prepare.
    """
    blocks, places = [], []
    for group in _group_rules(rules):
        raw = [columns[rules[number].name] for number in group]
        numeric = [rule for number in group if isinstance(rule := rules[number], Numeric)]
        if numeric:
            blocks.append(_compute_numbers(numeric, raw))
            places += [(number, 0) for number in group]
            places += [(number, 1) for number in group if rules[number].missing]
        else:
            (number,) = group
            blocks.append(_compute_text(rules[number], raw[0]))
            places += [(number, feature) for feature in range(len(rules[number].features))]
    order = sorted(range(len(places)), key=places.__getitem__)
    features = tf.concat(blocks, axis=-1)
    return features if order == list(range(len(order))) else tf.gather(features, order, axis=-1)


def _group_rules(rules: tuple[ColumnRule, ...]) -> list[list[int]]:
    """Return the numbers of the rules that are computed together: numbers of one dtype, any other by itself."""
    groups: dict[Any, list[int]] = {}
    for number, rule in enumerate(rules):
        together = isinstance(rule, Numeric) and not takes_text(rule)
        words = (rule.reading or PLAIN).missing
        groups.setdefault((get_dtype(rule).name, words) if together else number, []).append(number)
    return list(groups.values())


def _compute_numbers(rules: Sequence[Numeric], raw: Sequence[Any]) -> Any:
    """Return the numbers of some columns (batch, columns + marked): then, for each that marks them, missing cells."""
    first = rules[0]
    stacked = tf.stack([read_numbers(first, raw[0])] if takes_text(first) else raw, axis=-1)
    numbers = stacked if takes_text(first) else mark_missing(first, stacked)
    missing = tf.equal(numbers, MISSING_INTEGER) if numbers.dtype == tf.int64 else tf.math.is_nan(numbers)
    filled = tf.where(missing, tf.constant([rule.fill for rule in rules], numbers.dtype), numbers)
    values = apply_centering(join_centerings([rule.centering for rule in rules]), filled)
    marked = [number for number, rule in enumerate(rules) if rule.missing]
    return tf.concat([values, tf.cast(tf.gather(missing, marked, axis=-1), tf.float32)], axis=-1) if marked else values


def _compute_text(rule: Any, raw: Any) -> Any:
    """Return the features of a column of text (batch, features)."""
    features, missing = _parse_text(rule, clean_text(raw, rule.reading or PLAIN))
    listed = [*features, *([missing] if rule.missing else [])]
    return tf.stack([tf.cast(feature, tf.float32) for feature in listed], axis=-1)


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
    days = tf.where(missing, filled[0], days)
    seconds = tf.where(missing, tf.constant(filled[1], tf.float64), seconds)
    first, start = rule.first_moment
    if rule.has_fractions:
        elapsed = tf.cast(days - first, tf.float64) + (seconds - start) / DAY
        hours = seconds / 3600
    else:
        fraction = tf.cast(seconds, tf.float32) / tf.constant(DAY, tf.float32)
        elapsed, hours = tf.cast(days - first, tf.float32) + fraction, fraction * 24.0
    weekday = tf.math.floormod(days + _THURSDAY, 7)
    return [elapsed, _find_month(days), weekday, *([hours] if rule.clock else [])], missing


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
