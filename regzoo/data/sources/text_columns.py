"""Columns of text, parsed: the kind that most cells agree on, their values, and which cells are odd."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.column_fitting import count_least
from regzoo.data.dataset import Array
from regzoo.data.numbers import LARGEST, count_merged, find_missing, parse_numbers, require_distinct
from regzoo.data.reading.date_columns import rewrite_dates
from regzoo.data.reading.find import Found, find_clocks, find_dates, find_numbers
from regzoo.data.reading.messages import describe_cells, describe_rival, describe_unmarked, reject_near_numbers
from regzoo.data.reading.numbers import find_shares, to_plain
from regzoo.data.reading.reading import OPEN, PLAIN, Reading, ReadingKeys
from regzoo.data.table import Kind

MOSTLY = 0.9
"""A column with at least this share of numbers (or dates) is numeric (or a date) with a few wrong cells."""

MANY, FEW_WORDS = 20, 3
"""So is a column with more than 20 different numbers (or dates) and at most 3 other words, which mark missing cells."""

_CODE = re.compile(r"0[0-9]+")
_MAX_SHOWN = 5

MOST_ODD_WORDS = 20
"""Different odd words of a column that count as missing at most, where a key says how the column is read."""

MIN_DIFFERENT = 10
"""So is a column of at least ten different texts, most of them numbers (or dates), that would else be left out."""


class Column(NamedTuple):
    """A column as it was read.

    Attributes:
        kind: what it holds; None for text that was not read yet.
        values: (n,) numbers, NaN where one is missing; else text, ``""`` where it is missing.
        reading: how its cells of text are read; None as Python and ISO 8601 write them.
        warning: which cells were not read and count as missing; empty if all were.
    """

    kind: Kind | None
    values: Array
    reading: Reading | None = None
    warning: str = ""

    def mark_odd(self, cells: Array, odd: Array, what: str) -> Column | None:
        """Return the column with the words of its ``odd`` cells (n,) as missing, and a warning; None if many differ."""
        words = tuple(dict.fromkeys(cells[odd].tolist()))
        if not words or len(words) > MOST_ODD_WORDS:
            return None if words else self
        reading = self.reading or PLAIN
        marked = replace(reading, missing=(*reading.missing, *words))
        return self._replace(reading=marked, warning=f"{describe_cells(cells, odd, what)}; they count as missing")


def require_finite(values: Array, where: str) -> Array:
    """Return ``values`` (n,); a missing number is NaN.

    Raises:
        InputError: if a number is infinite or too large, with its row.
    """
    if values.dtype.kind != "f":
        return values
    large = np.abs(values) > LARGEST
    if large.any():
        what = "infinite" if np.isinf(values[large]).any() else f"beyond {LARGEST:g}"
        first = int(np.argmax(large)) + 1
        raise InputError(f"{where} has {large.sum()} values that are {what}, the first in row {first}; correct them")
    return values


def parse_cells(cells: Array, where: str, keys: ReadingKeys = OPEN, way_out: str = "") -> Column:
    """Return the kind of a column of texts (n,), and its values; ``way_out`` ends the message about odd cells.

    Raises:
        InputError: if most cells are numbers or dates and others are not, or if they can be read in two ways.
    """
    codes, different = pd.factorize(cells)
    rows = np.bincount(codes, minlength=len(different)) * (different != "")
    marks = Reading(missing=keys.missing) if keys.missing else None
    number = parse_numbers(different)
    dots = any("." in text for text in different) and (keys.decimal == "," or keys.thousands == ".")
    if (~find_missing(number) | (different == "")).all() and not dots:
        padded = [text for text in different if _CODE.fullmatch(text)]
        if padded and len({len(text) for text in different if text}) == 1:
            return Column("categorical", cells, marks)
        _require_different(different, number, where)
        return Column("numeric", require_finite(number[codes], where), marks)
    lower = [text.lower() for text in different]
    if set(lower) <= {"true", "false", ""}:
        return Column("boolean", np.array(lower, dtype=object)[codes], marks)
    readings = {
        "numbers": find_numbers(different, rows, keys),
        "dates": find_dates(different, rows, keys),
        "times": find_clocks(different, rows),
    }
    decided = {"numbers": keys.decimal is not None or keys.thousands is not None, "dates": keys.dates is not None}
    for what, found in readings.items():
        if found is not None and _are_most(found.fits, different, rows):
            column = _convert(different, found, what, where, keys)
            odd = ~found.fits[codes] & (cells != "")
            marked = column.mark_odd(cells, odd, f"{where} holds {what}") if decided.get(what) and not way_out else None
            _require_all(cells, ~odd | (marked is not None), f"{where} holds {what}", way_out)
            column = marked or column
            if found.reading.utc:
                unmarked = describe_unmarked(cells, found.fits[codes], where)
                column = column._replace(warning="; ".join(filter(None, [column.warning, unmarked])))
            return column._replace(values=column.values[codes])
    reject_near_numbers(different, rows, where, _is_free_text(rows))
    return Column("categorical", cells, marks)


def _require_different(texts: Array, numbers: Array, where: str) -> None:
    """Raise InputError if fewer than half of the numbers in ``texts`` (n,) are different as ``numbers`` (n,)."""
    if len(np.unique(numbers)) == len(texts):
        return
    require_distinct(*count_merged(texts, numbers), texts[0], where)


def _require_all(cells: Array, fits: Array, what: str, way_out: str) -> None:
    """Raise InputError unless all ``cells`` (n,) fit; the message has the odd ones with their rows, and ways out."""
    if fits.all():
        return
    words = list(dict.fromkeys(cells[~fits].tolist()))
    if any(re.search("[0-9]", word) for word in words):  # (5.00) or 2024-13-01 is a value, and no mark of a missing one
        missing = "correct them: write them as the others, or leave them empty if they are missing"
    else:
        shown = ", ".join(word if word.isalnum() else repr(word) for word in words[:_MAX_SHOWN])
        missing = f"correct them, or leave them empty or list them if they are missing (data.missing: [{shown}])"
    raise InputError(f"{describe_cells(cells, ~fits, what)}; {way_out or missing}")


def _are_most(fits: Array, different: Array, rows: Array) -> bool:
    """Return True if enough cells fit that the column is of this kind, with a few wrong cells.

    So it is if the column would else be left out as free text, for want of words that occur often.
    """
    present, share = different != "", rows[fits].sum() / max(1, rows.sum())
    if share >= MOSTLY or ((fits & present).sum() > MANY and (~fits & present).sum() <= FEW_WORDS):
        return True
    return bool(len(rows) >= MIN_DIFFERENT and share > 1 / 2 and _is_free_text(rows))


def _is_free_text(rows: Array) -> bool:
    """Return True if most cells hold words that occur seldom; ``rows`` (n,): in how many rows each word occurs."""
    return bool(2 * rows[rows >= count_least(int(rows.sum()))].sum() < rows.sum())


def _convert(different: Array, found: Found, what: str, where: str, keys: ReadingKeys) -> Column:
    """Return the ``different`` cells of a column (n,) in the form that was ``found``; others are missing."""
    reading = found.reading
    if found.rival is not None:
        raise InputError(f"{where} {describe_rival(different[found.fits].tolist(), found)}")
    if what == "numbers" and reading.is_plain and find_missing(parse_numbers(different[found.fits])).any():
        reading = replace(reading, loose=True)
    plain = replace(reading, utc=False) == PLAIN  # such cells stay as they are
    kept = None if reading == PLAIN and not keys.missing else replace(reading, missing=keys.missing)
    if what == "dates" and plain:
        return Column("date", np.where(found.fits, different, "").astype(object), kept)
    if what == "dates":
        return Column("date", rewrite_dates(different.tolist(), reading.dates, reading.zoned, reading.named), kept)
    plain_texts = np.array([to_plain(text, reading) or "" for text in different.tolist()], dtype=object)
    numbers = parse_numbers(plain_texts)
    _require_different(plain_texts, numbers, where)
    if reading.percent:
        _reject_shares(different[found.fits], numbers[found.fits], where)
    return Column("numeric", require_finite(numbers, where), kept)


def _reject_shares(texts: Array, numbers: Array, where: str) -> None:
    """Raise InputError if one of ``texts`` (n,), some of which have a percent sign, may be a share: 0.126 or 12.6 %."""
    share = find_shares(texts, numbers)
    if share.any():
        shown = texts[share][0]
        raise InputError(
            f"{where} has percent signs, and {shown!r} without one, which may be {shown} % or a share; write the sign "
            "in all cells or in none"
        )
