"""Rules that compute features of a table's columns: numeric, boolean, categorical and date.

The exported model applies the same rules in TensorFlow: regzoo/export/tf_columns.py.
"""

from __future__ import annotations

import datetime
import re
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regzoo.data.centering import NEUTRAL, Centering
from regzoo.data.different import factorize
from regzoo.data.numbers import find_missing
from regzoo.data.reading.date_columns import parse_dates
from regzoo.data.reading.dates import DAY, Moment, parse_date
from regzoo.data.reading.numbers import format_number
from regzoo.data.reading.reading import PLAIN, Reading
from regzoo.data.table import Kind, Table

WHOLE = (r"^(-?[0-9]+)\.0$", r"\1")
"""The replacement, pattern and text, that writes a whole number as Python writes an integer; RE2 has the same."""


@dataclass(frozen=True)
class Numeric:
    """A number, 1 feature: itself, with the training median where it is missing.

    Attributes:
        name: name of the column.
        fill: the median.
        missing: whether a second feature is 1 where the number is missing, else 0; True if training had missing cells.
        centering: how the number becomes float32.
        reading: how its cells of text are read; None if they are written as Python writes numbers.
    """

    kind: ClassVar[Kind] = "numeric"
    name: str
    fill: float
    missing: bool
    centering: Centering = NEUTRAL
    reading: Reading | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (self.name, *_name_missing_feature(self))

    @property
    def scaled(self) -> int:
        """Number of features, from the first, that are standardized."""
        return 1

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of numbers ``values`` (n,)."""
        missing = find_missing(values)
        fill = np.array([self.fill])
        centered, filled = (self.centering.transform(given[:, np.newaxis])[:, 0] for given in (values, fill))
        return _stack([np.where(missing, filled, centered)], missing, self.missing)


@dataclass(frozen=True)
class Boolean:
    """True or false, 1 feature: 1 or 0, with the more frequent value of the training part where it is missing.

    Attributes:
        name: name of the column.
        fill: the more frequent value, 1 or 0.
        missing: whether a second feature marks missing cells.
        reading: which further words mean that a value is missing; None for no others.
    """

    kind: ClassVar[Kind] = "boolean"
    name: str
    fill: float
    missing: bool
    reading: Reading | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (self.name, *_name_missing_feature(self))

    @property
    def scaled(self) -> int:
        """Number of standardized features: none."""
        return 0

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,): true or false, in upper or lower case."""
        codes, different = factorize(values)
        lower = np.array([value.lower() for value in different], dtype=object)
        missing = ((lower != "true") & (lower != "false"))[codes]
        return _stack([np.where(missing, self.fill, (lower == "true")[codes])], missing, self.missing)


@dataclass(frozen=True)
class Categorical:
    """A category, one-hot encoded: 1 feature for each category, 1 for the one it is, 0 for all others.

    Attributes:
        name: name of the column.
        categories: the words that are frequent enough in the training part.
        other: whether a further feature is 1 for any other word; True if training had rare words. Without it, a word
            that training did not have is 0 in all features.
        missing: whether a further feature marks missing cells.
        reading: which further words mean that a value is missing; None for no others.
    """

    kind: ClassVar[Kind] = "categorical"
    name: str
    categories: tuple[str, ...]
    other: bool
    missing: bool
    reading: Reading | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        others = (f"{self.name}: other",) if self.other else ()
        return (*(f"{self.name} = {category}" for category in self.categories), *others, *_name_missing_feature(self))

    @property
    def scaled(self) -> int:
        """Number of standardized features: none."""
        return 0

    @property
    def has_numbers(self) -> bool:
        """Whether all categories are whole numbers; then 7.0, as a column of floats has it, is the category 7."""
        return all(re.fullmatch("-?[0-9]+", category) for category in self.categories)

    def read(self, values: NDArray[Any]) -> NDArray[Any]:
        """Return texts (n,) as the categories are written."""
        if not self.has_numbers:
            return values
        return np.array([re.sub(*WHOLE, value) for value in values], dtype=object)

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,)."""
        codes, different = factorize(values)
        different = self.read(different)
        missing = different == ""
        hits = [different == category for category in self.categories]
        others = [~missing & ~np.any(hits, axis=0)] if self.other else []
        return _stack([*hits, *others], missing, self.missing)[codes]


@dataclass(frozen=True)
class Date:
    """A date, 3 features: days since the earliest of the training part, month (1 to 12), weekday (Monday is 0).

    Values are dates that were read, in UTC or without a time zone, with the year first or as the cells have them.
    A cell that is missing or no valid date is filled with the training median.

    Attributes:
        name: name of the column.
        earliest: the day that counts as 0, such as 2024-01-31; with a time, the moment, where training has fractions
            of a second.
        fill: the median.
        clock: whether a fourth feature is the hour of the day with its fraction; True if training has times.
        missing: whether a further feature marks missing cells.
        reading: how its cells of text are read; None for dates with the year, or with dots the day first.
    """

    kind: ClassVar[Kind] = "date"
    name: str
    earliest: str
    fill: str
    clock: bool
    missing: bool
    reading: Reading | None = None

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        names = ("days", "month", "weekday", *(("hour",) if self.clock else ()))
        return (*(f"{self.name}: {name}" for name in names), *_name_missing_feature(self))

    @property
    def scaled(self) -> int:
        """Number of features, from the first, that are standardized."""
        return 4 if self.clock else 3

    @property
    def first_moment(self) -> Moment:
        """The earliest training day, or moment, as days since 1970-01-01 and seconds since midnight."""
        return parse_date(self.earliest) or (0, 0)

    @property
    def has_fractions(self) -> bool:
        """Whether fractions of a second count, so that days and hours are computed in float64."""
        return "T" in self.earliest

    @property
    def fill_moment(self) -> Moment:
        """The median, as days since 1970-01-01 and seconds since midnight."""
        return parse_date(self.fill) or (0, 0)

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,)."""
        days, seconds, found = parse_dates(values.tolist())
        fill = self.fill_moment
        days, seconds = np.where(found, days, fill[0]), np.where(found, seconds, fill[1])
        months = days.astype("datetime64[D]").astype("datetime64[M]").astype(np.int64) % 12 + 1
        first, start = self.first_moment
        elapsed: NDArray[Any]
        hours: NDArray[Any]
        if self.has_fractions:
            elapsed, hours = (days - first) + (seconds - start) / DAY, seconds / 3600
        else:
            fraction = seconds.astype(np.float32) / np.float32(DAY)
            elapsed, hours = (days - first).astype(np.float32) + fraction, fraction * np.float32(24)
        clock = [hours] if self.clock else []
        return _stack([elapsed, months, (days + _THURSDAY) % 7, *clock], ~found, self.missing)


ColumnRule = Numeric | Boolean | Categorical | Date

RULES: dict[str, type[ColumnRule]] = {rule.kind: rule for rule in (Numeric, Boolean, Categorical, Date)}

_THURSDAY = datetime.date(1970, 1, 1).weekday()


def takes_text(rule: ColumnRule) -> bool:
    """Return True if the exported model takes text for the column, which it reads itself."""
    return rule.kind != "numeric" or not (rule.reading or PLAIN).is_plain


def format_cells(rule: ColumnRule, values: NDArray[Any]) -> NDArray[Any]:
    """Return ``values`` (n,), as a `Table` holds them, as the exported model takes them; numbers that it takes stay."""
    if rule.kind == "numeric" and takes_text(rule):
        texts = [format_number(value, rule.reading or PLAIN) for value in values]
        return np.where(find_missing(values), "", np.array(texts, dtype=object))
    if rule.kind == "date" and rule.reading is not None and rule.reading.zoned:
        return np.array([value and f"{value}Z" for value in values], dtype=object)
    return values


def describe_readings(rules: tuple[ColumnRule, ...]) -> tuple[str, ...]:
    """Return a sentence for each column whose text is not read as Python and ISO 8601 write it."""
    readings = [(rule, rule.reading.describe(rule.kind)) for rule in rules if rule.reading is not None]
    return tuple(f"column {rule.name!r}: {words}" for rule, words in readings if words)


def compute_features(table: Table, rules: tuple[ColumnRule, ...]) -> NDArray[np.float32]:
    """Return the features of ``table`` (n, features), not yet standardized."""
    features = np.empty((len(table), sum(len(rule.features) for rule in rules)), np.float32)
    first = 0
    for rule in rules:
        last = first + len(rule.features)
        features[:, first:last] = rule.transform(table.column(rule.name))
        first = last
    return features


def rule_to_json(rule: ColumnRule) -> dict[str, Any]:
    """Return ``rule`` as JSON values, without a reading or centering if it has none, as older versions wrote it."""
    values: dict[str, Any] = {"kind": rule.kind, **asdict(rule)}
    del values["reading"]
    if isinstance(rule, Numeric):
        del values["centering"]
        values |= {} if rule.centering.is_neutral else {"centering": rule.centering.to_json()}
    return values if rule.reading is None else {**values, "reading": rule.reading.to_json()}


def rule_from_json(fields: dict[str, Any]) -> ColumnRule:
    """Return the rule that `rule_to_json` converted to ``fields``."""
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items() if key != "kind"
    }
    if "centering" in given:
        given["centering"] = Centering.from_json(given["centering"])
    if "reading" in given:
        given["reading"] = Reading.from_json(given["reading"])
    return RULES[fields["kind"]](**given)


def _name_missing_feature(rule: ColumnRule) -> tuple[str, ...]:
    return (f"{rule.name}: missing",) if rule.missing else ()


def _stack(features: list[NDArray[Any]], missing: NDArray[Any], marked: bool) -> NDArray[np.float32]:
    """Return (n, features), float32; if ``marked``, ``missing`` is the last feature."""
    return np.stack([*features, *([missing] if marked else [])], axis=1).astype(np.float32)
