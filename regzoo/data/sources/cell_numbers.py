"""Numbers in the cells of a column, read many at a time from the bytes of a file: rounded as Python rounds them."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

import numpy as np
from numpy.typing import NDArray

from regzoo.data.numbers import LARGEST_EXACT
from regzoo.data.sources.cell_texts import factorize_cells
from regzoo.data.table import MISSING

Array = NDArray[Any]

LONGEST = 40
"""Characters of the longest cell that is read as a number here."""

ROWS = 2**15
"""Cells that are read at a time: what is computed of them fits into a processor's cache."""

_PLAIN = re.compile(rb"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
_CODE = re.compile(rb"0[0-9]+")
_MISSING = frozenset(word.encode() for word in MISSING)
_MOST_DIGITS, _SURE_DIGITS = 19, 15  # of a mantissa in uint64; of decimals that are different in float64
_SMALLEST = 1e-290  # smaller numbers have fewer digits in float64
_POWERS = 10.0 ** np.arange(23)  # exact in float64
_LONG = np.cumprod(np.array([1] + [10] * 27, dtype=np.longdouble))  # exact with a mantissa of 64 bits or more
_HAS_LONG = np.finfo(np.longdouble).nmant >= 63


@dataclass
class _Column:
    """Facts about the cells of a column that were read so far.

    Attributes:
        known: the numbers of cells that are no plain decimals, by their bytes; NaN for marks of missing ones.
        digits: the most digits of a cell.
    """

    known: dict[bytes, float] = field(default_factory=dict)
    digits: int = 0


def read_numbers(buffer: Array, starts: Array, lengths: Array) -> Array | None:
    """Return the numbers in the cells of a column, (n,) float64, NaN where one is missing; None if others read them.

    Others do unless all cells are decimal numbers below 2**53, as Python writes them, or mean that one is missing; if
    they may be codes, as 007 is; and if different numbers may be the same in float64.

    Args:
        buffer: the bytes of the file, and at least `LONGEST` more.
        starts: (n,) position of the first byte of each cell.
        lengths: (n,) bytes of each cell, which has no blanks at its ends.
    """
    if not len(lengths) or int(lengths.max()) > LONGEST:
        return None
    numbers, column = np.empty(len(starts)), _Column()
    for first in range(0, len(starts), ROWS):
        rows = slice(first, first + ROWS)
        block = _read_block(buffer, starts[rows].astype(np.int64), lengths[rows].astype(np.int64), column)
        if block is None:
            return None
        numbers[rows] = block
    there = numbers[~np.isnan(numbers)]
    if len(there) and not float(np.abs(there).max()) < LARGEST_EXACT:
        return None
    if column.digits > _SURE_DIGITS and 2 * len(np.unique(there)) < factorize_cells(buffer, starts, lengths)[1]:
        return None
    return numbers


def _read_block(buffer: Array, starts: Array, lengths: Array, column: _Column) -> Array | None:
    """Return the numbers in some cells, None if there is one that is no number, or begins with a 0 like a code."""
    mantissa, point, digits, plain = _read_digits(buffer, starts, lengths)
    first = buffer[starts]
    signed = ((first == ord("-")) | (first == ord("+"))) & (lengths > 0)
    if (plain & (first == ord("0")) & (lengths > 1) & (point < 0) & ~signed).any():
        return None
    decimals = np.where(point < 0, 0, lengths - 1 - point)
    column.digits = max(column.digits, int(digits.max()))
    numbers, sure = _divide(mantissa, decimals)
    sure &= plain & (digits <= _MOST_DIGITS)
    np.negative(numbers, where=first == ord("-"), out=numbers)
    numbers[lengths == 0] = np.nan
    for row in np.flatnonzero(~sure & (lengths > 0)).tolist():
        cell = buffer[starts[row] : starts[row] + lengths[row]].tobytes()
        if cell not in column.known:
            if cell not in _MISSING and (not _PLAIN.fullmatch(cell) or _CODE.fullmatch(cell)):
                return None
            column.known[cell] = np.nan if cell in _MISSING else float(cell)
            column.digits = max(column.digits, _count_digits(cell))
        numbers[row] = column.known[cell]
    return numbers


def _read_digits(buffer: Array, starts: Array, lengths: Array) -> tuple[Array, Array, Array, Array]:
    """Return the digits of each cell as a number, the position of the point, and how many digits count.

    The position is -1 if there is none. Digits count from the first that is not 0; the number overflows beyond 19. The
    last array tells which cells are a sign, digits and a point, and nothing else.
    """
    rows = len(starts)
    mantissa, digits = np.zeros(rows, np.uint64), np.zeros(rows, np.int64)
    point, any_digit, plain = np.full(rows, -1), np.zeros(rows, bool), np.ones(rows, bool)
    for position in range(int(lengths.max())):
        inside = lengths > position
        byte = buffer[starts + position]
        digit = byte - np.uint8(ord("0"))
        is_digit = (digit < 10) & inside
        np.add(mantissa * np.uint64(10), digit, where=is_digit, out=mantissa)
        any_digit |= is_digit
        digits += is_digit & (mantissa > 0)
        is_point = (byte == ord(".")) & inside & (point < 0)
        point[is_point] = position
        allowed = is_digit | is_point | ~inside
        plain &= allowed | (byte == ord("-")) | (byte == ord("+")) if position == 0 else allowed
    return mantissa, point, digits, plain & any_digit


def _count_digits(cell: bytes) -> int:
    """Return how many digits of a number count; as many as a cell may have if it is too small to have all of them."""
    if cell in _MISSING:
        return 0
    mantissa = re.split(rb"[eE]", cell)[0].lstrip(b"+-0.")
    small = abs(float(cell)) < _SMALLEST
    return LONGEST if mantissa and small else sum(chr(byte).isdigit() for byte in mantissa)


def _divide(mantissa: Array, decimals: Array) -> tuple[Array, Array]:
    """Return mantissa / 10**decimals, rounded once, and where it surely is the nearest of float64."""
    numbers = mantissa.astype(np.float64)
    short = (mantissa < LARGEST_EXACT) & (decimals < len(_POWERS))  # both are exact, so that one rounding is left
    numbers /= _POWERS[np.minimum(decimals, len(_POWERS) - 1)]
    if short.all() or not _HAS_LONG:
        return numbers, short
    rest = np.flatnonzero(~short & (decimals < len(_LONG)))
    quotients = mantissa[rest].astype(np.longdouble) / _LONG[decimals[rest]]
    numbers[rest] = quotients.astype(np.float64)
    # A second rounding is that of the exact quotient, unless the first one ended halfway between two neighbors.
    halfway = 2 * np.abs(quotients - numbers[rest]) == np.spacing(numbers[rest])
    short[rest] = ~halfway
    return numbers, short
