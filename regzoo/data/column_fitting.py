"""Fit a rule for each column of a table on the training rows; report what is filled in or left out."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.core.errors import ErrorCollector
from regzoo.core.formatting import format_significant
from regzoo.data.centering import fit_centering
from regzoo.data.columns import Boolean, Categorical, ColumnRule, Date, Numeric
from regzoo.data.different import factorize
from regzoo.data.matching import require_complete
from regzoo.data.numbers import cast_numbers, find_missing
from regzoo.data.reading.date_columns import make_moment, parse_dates
from regzoo.data.reading.dates import format_date
from regzoo.data.table import Kind, Table
from regzoo.data.vocabulary import are_sentences

MAX_CATEGORIES = 30
"""A categorical column has at most this many categories: the most frequent ones, and of equals the first in order."""


def fit_columns(table: Table, rows: NDArray[Any]) -> tuple[tuple[ColumnRule, ...], tuple[str, ...]]:
    """Fit a rule for each column on ``rows`` of ``table``.

    Returns:
        The rules of the columns that training can use, and a sentence for each repair and each column left out.
    """
    rules: list[ColumnRule] = []
    notes: list[str] = []
    for name, kind, values in zip(table.columns, table.kinds, table.values, strict=True):
        rule, sentences = _fit_column(name, kind, values[rows])
        rules += [rule] if rule else []
        elsewhere = int(_find_missing(kind, np.delete(values, rows)).sum())
        if rule and elsewhere:
            sentences.append(f"{elsewhere} cells outside the training part are missing; they follow the same rule")
        notes += [f"column {name!r}: {sentence}" for sentence in sentences]
    return tuple(rules), tuple(notes)


def keep_columns(table: Table, rows: NDArray[Any], source: str) -> tuple[tuple[ColumnRule, ...], tuple[str, ...]]:
    """Return rules that leave numbers as they are, and make 0 and 1 of booleans.

    Raises:
        InputError: with every column of words or dates, and every one with a missing cell.
    """
    errors = ErrorCollector()
    with errors.collect():
        require_complete(table, source)
    for name, kind in zip(table.columns, table.kinds, strict=True):
        if kind in ("categorical", "date"):
            errors.messages.append(
                f"{source}: column {name!r} holds {'dates' if kind == 'date' else 'words'}, and the model takes "
                "numbers as they are; leave it out (data.drop), take a model with an input of text of this name, or "
                "let regzoo encode it (data.scale: standardize)"
            )
    errors.raise_if_any()
    kept: list[ColumnRule] = []
    for name, kind in zip(table.columns, table.kinds, strict=True):
        if kind == "numeric":
            kept.append(Numeric(name, float(np.median(table.column(name)[rows].astype(np.float64))), missing=False))
        else:
            kept.append(Boolean(name, float(np.mean(table.column(name)[rows] == "true") >= 0.5), missing=False))
    return tuple(kept), ()


def _fit_column(name: str, kind: Kind, values: NDArray[Any]) -> tuple[ColumnRule | None, list[str]]:
    """Return the rule for training ``values`` (n,), None if they are of no use, and sentences about them."""
    missing = _find_missing(kind, values)
    n_missing, present = int(missing.sum()), values[~missing]
    if not len(present):
        return None, [f"left out: all {len(values)} training cells are missing"]
    if not n_missing and (present == present[0]).all():
        return None, [f"left out: all {len(values)} training cells are {_shorten(present[0])}"]
    if kind == "categorical":
        return _fit_categorical(name, present, n_missing)
    if kind == "date":
        return _fit_date(name, present, n_missing)
    if kind == "numeric":
        return _fit_numeric(name, present, n_missing)
    fill = float(np.mean(present == "true") >= 0.5)
    shown = f"the more frequent {str(bool(fill)).lower()}"
    return Boolean(name, fill, n_missing > 0), _describe_gaps(n_missing, len(values), shown)


def _fit_numeric(name: str, present: NDArray[Any], n_missing: int) -> tuple[Numeric | None, list[str]]:
    centering, noise = fit_centering(present[:, np.newaxis])
    if noise and not n_missing:
        return None, [f"left out: all {len(present)} training cells are {_shorten(present[0])} but for rounding errors"]
    if centering.dtype == "int64":
        fill: float = int(np.partition(present, len(present) // 2)[len(present) // 2])
    else:
        fill = float(np.median(cast_numbers(present, centering.dtype).astype(np.float64)))
    shown = f"the median {format_significant(fill, 6)}"
    return Numeric(name, fill, n_missing > 0, centering), _describe_gaps(n_missing, len(present) + n_missing, shown)


def _find_missing(kind: Kind, values: NDArray[Any]) -> NDArray[np.bool_]:
    return find_missing(values) if kind == "numeric" else values == ""


def _explain_text(present: NDArray[Any]) -> str:
    """Return how to use a column of sentences; empty for any other."""
    if not are_sentences(present.tolist()):
        return ""
    return "; to compare on its words, leave out the other columns (data.drop) and set data.kind: text"


def _fit_categorical(name: str, present: NDArray[Any], n_missing: int) -> tuple[Categorical | None, list[str]]:
    least = count_least(len(present) + n_missing)
    codes, different = factorize(present)
    counts = dict(zip(different.tolist(), np.bincount(codes).tolist(), strict=True))
    frequent = {word: count for word, count in counts.items() if count >= least}
    if 2 * sum(frequent.values()) < len(present):
        shown = _shorten(str(present[0]))
        reason = f"{len(counts)} different texts, such as {shown}, in {len(present)} training cells, most of them in "
        reason += f"fewer than {least}{_explain_text(present)}"
        return None, [f"left out, it looks like an identifier or free text: {reason}"]
    kept = sorted(frequent, key=lambda word: (-frequent[word], word))[:MAX_CATEGORIES]
    n_others = len(counts) - len(kept)
    notes = [f"{len(kept)} words of {least} or more training rows became columns of 0 and 1"]
    notes += [f"{n_others} rarer ones share one called other"] if n_others else []
    notes += [f"{n_missing} missing training cells have their own"] if n_missing else []
    return Categorical(name, tuple(sorted(kept)), n_others > 0, n_missing > 0), ["; ".join(notes)]


def count_least(rows: int) -> int:
    """Return in how many of ``rows`` training rows a word occurs at least that has a column of its own."""
    return max(3, math.ceil(rows / 200))


def _fit_date(name: str, present: NDArray[Any], n_missing: int) -> tuple[Date, list[str]]:
    days, seconds, found = parse_dates(present.tolist())
    days, seconds = days[found], seconds[found]
    order = np.lexsort((seconds, days))
    first, median = (make_moment(days[row], seconds[row]) for row in (order[0], order[len(order) // 2]))
    clock = bool(seconds.any())
    earliest = format_date((first[0], 0))
    if (seconds % 1).any():
        earliest = format_date(first) if first[1] else f"{earliest}T00:00:00"
    rule = Date(name, earliest, format_date(median), clock, n_missing > 0)
    features = "month, weekday and hour" if clock else "month and weekday"
    notes = [f"dates became days since {rule.earliest}, {features}"]
    notes += _describe_gaps(n_missing, len(present) + n_missing, f"the median {rule.fill}")
    return rule, notes


def _describe_gaps(n_missing: int, rows: int, value: str) -> list[str]:
    filled = f"{n_missing} of {rows} training cells are missing; they are filled with {value} and marked"
    return [filled] if n_missing else []


def _shorten(value: Any) -> str:
    return repr(value[:40]) if isinstance(value, str) else format_significant(value, 6)
