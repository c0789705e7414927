"""Columns: one rule for each kind of column, fitted on training rows, which makes numbers of it.

The exported model follows the same rules in TensorFlow: regzoo/export/tf_columns.py.
"""

from __future__ import annotations

import datetime
import math
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

import numpy as np
from numpy.typing import NDArray

from regzoo.data.dates import DAY, format_date, parse_date
from regzoo.data.table import Kind, Table

MOST = 30
"""A categorical column has at most this many categories of its own; the most frequent, then in order of the text."""


@dataclass(frozen=True)
class Numeric:
    """A number, 1 feature: itself, with the training median where it is missing.

    Attributes:
        name: of the column.
        fill: the median.
        missing: whether a further feature says (1 or 0) that it was missing: if some were in training.
    """

    kind: ClassVar[Kind] = "numeric"
    name: str
    fill: float
    missing: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (self.name, *_missing(self))

    @property
    def scaled(self) -> int:
        """How many of the features, from the first, are standardized."""
        return 1

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of float32 ``values`` (n,)."""
        absent = np.isnan(values)
        return _stack([np.where(absent, np.float32(self.fill), values)], absent, self.missing)


@dataclass(frozen=True)
class Boolean:
    """True or false, 1 feature: 1 or 0, with the more frequent of the training part where it is missing.

    Attributes:
        name: of the column.
        fill: the more frequent, 1 or 0.
        missing: whether a further feature says that it was missing.
    """

    kind: ClassVar[Kind] = "boolean"
    name: str
    fill: float
    missing: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        return (self.name, *_missing(self))

    @property
    def scaled(self) -> int:
        """None of the features is standardized."""
        return 0

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,): true or false in any case of letters."""
        lower = np.array([value.lower() for value in values], dtype=object)
        absent = (lower != "true") & (lower != "false")
        return _stack([np.where(absent, self.fill, lower == "true")], absent, self.missing)


@dataclass(frozen=True)
class Categorical:
    """One of several words, 1 feature each: 1 for the word it is, 0 for all others.

    Attributes:
        name: of the column.
        categories: the words that are frequent enough in the training part.
        other: whether a further feature is 1 for any other word, because training had rare ones; without it, a word
            that training did not have is 0 in all.
        missing: whether a further feature says that it was missing.
    """

    kind: ClassVar[Kind] = "categorical"
    name: str
    categories: tuple[str, ...]
    other: bool
    missing: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        others = (f"{self.name}: other",) if self.other else ()
        return (*(f"{self.name} = {category}" for category in self.categories), *others, *_missing(self))

    @property
    def scaled(self) -> int:
        """None of the features is standardized."""
        return 0

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,)."""
        absent = values == ""
        hits = [values == category for category in self.categories]
        others = [~absent & ~np.any(hits, axis=0)] if self.other else []
        return _stack([*hits, *others], absent, self.missing)


@dataclass(frozen=True)
class Date:
    """A day, 3 features: days since the earliest of the training part, month (1 to 12), weekday (Monday is 0).

    Where it is missing, or no date that there is, the training median stands in.

    Attributes:
        name: of the column.
        earliest: the day that counts as 0, such as 2024-01-31.
        fill: the median.
        clock: whether a fourth feature is the hour of the day with its fraction: if training has times.
        missing: whether a further feature says that it was missing.
    """

    kind: ClassVar[Kind] = "date"
    name: str
    earliest: str
    fill: str
    clock: bool
    missing: bool

    @property
    def features(self) -> tuple[str, ...]:
        """Names of the features."""
        parts = ("days", "month", "weekday", *(("hour",) if self.clock else ()))
        return (*(f"{self.name}: {part}" for part in parts), *_missing(self))

    @property
    def scaled(self) -> int:
        """How many of the features, from the first, are standardized."""
        return 4 if self.clock else 3

    @property
    def first_day(self) -> int:
        """The earliest training day, in days since 1970-01-01."""
        when = parse_date(self.earliest)
        return when[0] if when else 0

    def transform(self, values: NDArray[Any]) -> NDArray[np.float32]:
        """Return the features (n, features) of the texts ``values`` (n,)."""
        found = [parse_date(value) for value in values]
        fill = parse_date(self.fill)
        days, seconds = np.array([when or fill for when in found], dtype=np.int64).reshape(-1, 2).T
        months = [datetime.date.fromordinal(ordinal).month for ordinal in (days + _ORDINAL).tolist()]
        fraction = seconds.astype(np.float32) / np.float32(DAY)
        parts = [(days - self.first_day).astype(np.float32) + fraction, np.array(months), (days + _THURSDAY) % 7]
        clock = [fraction * np.float32(24)] if self.clock else []
        return _stack([*parts, *clock], np.array([when is None for when in found], dtype=bool), self.missing)


ColumnRule = Numeric | Boolean | Categorical | Date

RULES: dict[str, type[ColumnRule]] = {rule.kind: rule for rule in (Numeric, Boolean, Categorical, Date)}

_ORDINAL = datetime.date(1970, 1, 1).toordinal()
_THURSDAY = datetime.date(1970, 1, 1).weekday()


def compute_features(table: Table, rules: tuple[ColumnRule, ...]) -> NDArray[np.float32]:
    """Return the features of ``table`` (n, features), not yet standardized."""
    return np.concatenate([rule.transform(table.column(rule.name)) for rule in rules], axis=1)


def rule_to_json(rule: ColumnRule) -> dict[str, Any]:
    """Return ``rule`` as JSON can hold it."""
    return {"kind": rule.kind, **asdict(rule)}


def rule_from_json(fields: dict[str, Any]) -> ColumnRule:
    """Return the rule that `rule_to_json` gave as ``fields``."""
    given: dict[str, Any] = {
        key: tuple(value) if isinstance(value, list) else value for key, value in fields.items() if key != "kind"
    }
    return RULES[fields["kind"]](**given)


def fit_columns(table: Table, rows: NDArray[Any]) -> tuple[tuple[ColumnRule, ...], tuple[str, ...]]:
    """Fit a rule for each column on ``rows`` of ``table``.

    Returns:
        The rules of the columns that training can use, and a sentence for each thing that was repaired or left out.
    """
    rules: list[ColumnRule] = []
    said: list[str] = []
    for name, kind, values in zip(table.columns, table.kinds, table.values, strict=True):
        rule, sentences = _fit(name, kind, values[rows])
        rules += [rule] if rule else []
        elsewhere = int(_gaps(kind, np.delete(values, rows)).sum())
        if rule and elsewhere:
            sentences.append(f"{elsewhere} cells outside the training part are missing; they follow the same rule")
        said += [f"column {name!r}: {sentence}" for sentence in sentences]
    return tuple(rules), tuple(said)


def _fit(name: str, kind: Kind, values: NDArray[Any]) -> tuple[ColumnRule | None, list[str]]:
    """Return the rule for training ``values`` (n,), None if they are of no use, and what is to be said of it."""
    absent = _gaps(kind, values)
    gaps, present = int(absent.sum()), values[~absent]
    if not len(present):
        return None, [f"left out: all {len(values)} training cells are missing"]
    if not gaps and (present == present[0]).all():
        return None, [f"left out: all {len(values)} training cells are {_short(present[0])}"]
    if kind == "categorical":
        return _categorical(name, present, gaps)
    if kind == "date":
        return _date(name, present, gaps)
    numbers = present.astype(np.float64) if kind == "numeric" else present == "true"
    fill = float(np.median(numbers)) if kind == "numeric" else float(np.mean(numbers) >= 0.5)
    shown = f"{fill:g}" if kind == "numeric" else str(bool(fill)).lower()
    said = [_filled(gaps, len(values), f"the {'median' if kind == 'numeric' else 'more frequent'} {shown}")]
    return (Numeric if kind == "numeric" else Boolean)(name, fill, gaps > 0), said if gaps else []


def _gaps(kind: Kind, values: NDArray[Any]) -> NDArray[np.bool_]:
    return np.isnan(values) if kind == "numeric" else values == ""


def _categorical(name: str, present: NDArray[Any], gaps: int) -> tuple[Categorical | None, list[str]]:
    rows = len(present) + gaps
    least = max(3, math.ceil(rows / 200))
    counts = Counter(present.tolist())
    frequent = {word: count for word, count in counts.items() if count >= least}
    if 2 * sum(frequent.values()) < len(present):
        many = f"{len(counts)} different texts in {len(present)} training cells, most of them in fewer than {least}"
        return None, [f"left out, it looks like an identifier or free text: {many}"]
    kept = sorted(frequent, key=lambda word: (-frequent[word], word))[:MOST]
    others = len(counts) - len(kept)
    said = [f"{len(kept)} words of {least} or more training rows became columns of 0 and 1"]
    said += [f"{others} rarer ones share one called other"] if others else []
    said += [f"{gaps} missing training cells have their own"] if gaps else []
    return Categorical(name, tuple(sorted(kept)), others > 0, gaps > 0), ["; ".join(said)]


def _date(name: str, present: NDArray[Any], gaps: int) -> tuple[Date, list[str]]:
    moments = sorted(when for when in map(parse_date, present) if when)
    clock = any(seconds for _, seconds in moments)
    rule = Date(name, format_date((moments[0][0], 0)), format_date(moments[len(moments) // 2]), clock, gaps > 0)
    parts = "month, weekday and hour" if clock else "month and weekday"
    said = [f"dates became days since {rule.earliest}, {parts}"]
    return rule, said + ([_filled(gaps, len(present) + gaps, f"the median {rule.fill}")] if gaps else [])


def _filled(gaps: int, rows: int, value: str) -> str:
    return f"{gaps} of {rows} training cells are missing; they are filled with {value} and marked"


def _short(value: Any) -> str:
    return repr(value[:40]) if isinstance(value, str) else f"{value:g}"


def _missing(rule: ColumnRule) -> tuple[str, ...]:
    return (f"{rule.name}: missing",) if rule.missing else ()


def _stack(parts: list[NDArray[Any]], absent: NDArray[Any], marked: bool) -> NDArray[np.float32]:
    """Return (n, parts), float32, followed by the mark of what is missing."""
    return np.stack([*parts, *([absent] if marked else [])], axis=1).astype(np.float32)
