"""Cells of one column, text or typed, as an exported model takes them: read as in training, and checked."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.numbers import LARGEST, LARGEST_EXACT, cast_numbers, find_missing, parse_numbers
from regzoo.data.reading.dates import parse_date
from regzoo.data.reading.numbers import find_shares, format_number, to_plain
from regzoo.data.reading.reading import PLAIN, Reading
from regzoo.data.sources.column_kinds import mark_missing, to_cells
from regzoo.data.table import clean_cell

_TAKES = {"numeric": "numbers", "boolean": "true or false", "date": "dates such as 2024-01-31"}
_PERCENTAGES = "percentages, as text with the sign, such as 12.6 %, where they are below 1"


@dataclass(frozen=True)
class InputColumn:
    """A column that a model takes.

    Attributes:
        kind: ``numeric``, ``boolean``, ``categorical`` or ``date``.
        reading: how its cells of text are read.
        place: file and column in messages.
        takes_missing: whether cells may be missing.
        dtype: the dtype of numbers.
        categories: the words that the model knows, of a column of categories.
    """

    kind: str
    place: str
    reading: Reading = PLAIN
    takes_missing: bool = False
    dtype: str = "float32"
    categories: tuple[str, ...] = ()

    def convert(self, cells: Array, start: int = 0) -> Array:
        """Return ``cells`` (n,), numbers or text, as the model takes them; ``start`` is the first row from 0.

        Raises:
            InputError: if a cell cannot be read; the message has its row.
        """
        if self.kind == "numeric" and cells.dtype.kind in "buif":
            numbers = self._serve(self._mark_missing(cells), start)
            return numbers if self.reading.is_plain else self._format(numbers, start)
        texts = np.array([self._clean(cell) for cell in cells.tolist()], dtype=object)
        numbers = self._parse_numbers(texts)
        wrong = ~self._find_readable(texts, numbers) & ((texts != "") | (not self.takes_missing))
        self._require(~wrong, texts, start, self._describe())
        if self.reading.percent:
            self._require(~find_shares(texts, numbers), texts, start, _PERCENTAGES)
        if self.kind != "numeric":
            return texts
        served = self._serve(numbers, start)
        return served if self.reading.is_plain else texts

    def convert_series(self, series: pd.Series, start: int = 0) -> Array:
        """Return the cells of a column of a DataFrame, of any type, as the model takes them.

        Raises:
            InputError: if a cell cannot be read; the message has its row.
        """
        column = to_cells(series, self.place)
        if column.kind == "date":
            zoned = column.reading is not None and column.reading.zoned
            takes = (True, False) if self.reading.utc else (self.reading.zoned,)
            if self.kind == "date" and zoned not in takes:
                raise InputError(
                    f"{self.place} takes {self._describe()}, received {series.dropna().iloc[0]} in its first row"
                )
            return self.convert(np.array([text and text + "Z" * zoned for text in column.values], dtype=object), start)
        if column.kind == "boolean" and self.kind == "categorical":
            return self.convert(self._write_booleans(column.values), start)
        if column.kind == "numeric" and self.kind != "numeric":
            self._reject_unpadded(series)
            missing = series.isna().to_numpy()
            plain = ["" if gone else str(value) for value, gone in zip(series.tolist(), missing, strict=True)]
            return self.convert(np.array(plain, dtype=object), start)
        return self.convert(column.values, start)

    def _reject_unpadded(self, series: pd.Series) -> None:
        """Raise InputError for numbers, which lost the zeros in front, where categories are such as 007."""
        padded = [word for word in self.categories if re.fullmatch("0[0-9]+", word)]
        if padded and series.notna().any():
            raise InputError(
                f"{self.place} takes words such as {padded[0]!r}, received numbers such as {series.dropna().iloc[0]}; "
                "read the column as text (dtype=str in pandas), which keeps the zeros"
            )

    def _write_booleans(self, values: Array) -> Array:
        """Return ``true`` and ``false`` in ``values`` (n,) as the categories write them, or else as Python does."""
        written = {"true": "True", "false": "False", "": ""}
        written |= {word.lower(): word for word in reversed(self.categories) if word.lower() in ("true", "false")}
        return np.array([written[value] for value in values], dtype=object)

    def _clean(self, cell: Any) -> str:
        text = clean_cell(str(cell))
        return "" if text in self.reading.missing else text

    def _serve(self, numbers: Array, start: int) -> Array:
        exact = "int64" if numbers.dtype == np.int64 else "float64"  # to be written as text
        dtype = self.dtype if self.reading.is_plain else exact
        return to_served(numbers, dtype, self.place, start, self.takes_missing)

    def _mark_missing(self, numbers: Array) -> Array:
        return mark_missing(numbers, self.reading.missing) if self.reading.missing else numbers

    def _format(self, numbers: Array, start: int) -> Array:
        if self.reading.percent:
            shown = np.array([str(number) for number in numbers.tolist()], dtype=object)
            self._require(~find_shares(shown, numbers), shown, start, _PERCENTAGES)
        texts = np.array([format_number(number, self.reading) for number in numbers], dtype=object)
        shown = np.array([str(number) for number in numbers.tolist()], dtype=object)
        self._require((texts != "") | find_missing(numbers), shown, start, self._describe())
        return texts

    def _require(self, fits: Array, texts: Array, start: int, takes: str) -> None:
        """Raise InputError unless all cells, ``texts`` (n,), fit."""
        if not fits.all():
            first = int(np.argmin(fits))
            received = f"received {texts[first][:40]!r} in row {start + first + 1}"
            raise InputError(f"{self.place} takes {takes}, {received}")

    def _parse_numbers(self, texts: Array) -> Array:
        """Return the numbers in ``texts`` (n,), missing for what is none."""
        if self.kind != "numeric":
            return np.full(len(texts), np.nan)
        if self.reading.is_plain:
            numbers = parse_numbers(texts)
            if not (find_missing(numbers) & (texts != "")).any():
                return numbers
        plain = [to_plain(text, self.reading) or "" for text in texts.tolist()]
        return parse_numbers(np.array(plain, dtype=object))

    def _find_readable(self, texts: Array, numbers: Array) -> Array:
        if self.kind == "numeric":
            return ~find_missing(numbers)
        if self.kind == "boolean":
            return np.isin([text.lower() for text in texts], ("true", "false"))
        if self.kind != "date":
            return np.ones(len(texts), dtype=bool)
        order, zoned, named = self.reading.dates, self.reading.zoned, self.reading.named
        return np.array([parse_date(text, order, zoned, named) is not None for text in texts], dtype=bool)

    def _describe(self) -> str:
        takes = _TAKES.get(self.kind, "words")
        if self.reading.clock:
            return f"times such as {format_number(61_200.0, self.reading)}"
        if self.kind == "numeric" and not self.reading.is_plain:
            return f"{takes} such as {format_number(1234.5, self.reading)}"
        if self.kind != "date":
            return takes
        order = "" if self.reading.dates == PLAIN.dates else f" or 03/04/2024, {self.reading.dates}"
        return f"{takes}T17:05+01:00{order}, with a time zone" if self.reading.zoned else f"{takes}{order}"


def to_served(values: Array, dtype: str, place: str, start: int, takes_missing: bool = False) -> Array:
    """Return ``values`` as ``dtype``.

    Raises:
        InputError: if one is infinite or too large, is missing where none may be, or is a float for int64 that is no
            whole number, or too large to be known to the last digit.
    """
    numbers = values.astype(np.float64)
    whole = dtype == "int64" and values.dtype.kind == "f"
    takes = f"numbers up to {LARGEST:g}"
    fits = np.abs(numbers) <= LARGEST
    if whole:  # a larger number was rounded when it became a float, and may stand for any of several
        takes = "whole numbers to the last digit (int64 or Int64 beyond 2**53)"
        fits = (np.abs(numbers) < LARGEST_EXACT) & (numbers == np.floor(numbers))
    wrong = ~fits & ~(takes_missing & find_missing(values))
    if wrong.any():
        row = start + int(np.min(np.nonzero(wrong)[0])) + 1
        raise InputError(f"{place} takes {takes}, received {values[wrong][0]:g} in row {row}")
    return cast_numbers(values, dtype)
