"""The header of a CSV file that a model predicts: columns named as in training, and a header that is no header."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pandas as pd

from regzoo.core.errors import InputError
from regzoo.core.escaping import escape_control_characters
from regzoo.data.sources.column_names import NAMELESS, describe_header, is_header_data, name_columns, require_columns
from regzoo.data.sources.csv_file import iterate_csv
from regzoo.data.sources.files import require_file
from regzoo.data.table import WHITESPACE

SAMPLE = 100
"""Rows that are read before the first is predicted, to compare the header with."""


def open_csv(
    path: Path, encoding: str, wanted: Sequence[str] | None, notify: Callable[[str], None]
) -> tuple[list[str], Iterator[list[str]]]:
    """Return the names of the columns, as `name_columns` makes them, and the rows.

    Args:
        path: path of the file.
        encoding: encoding of the text.
        wanted: the columns that the model takes; None if it takes all, in order, whatever their names.
        notify: is called with a sentence about lines that are left out.

    Raises:
        InputError: if the file cannot be read; if the header looks like a row of data, and ``wanted`` is not there.
    """
    require_file(path)
    lines = iterate_csv(path, None, encoding, lambda sentence: notify(escape_control_characters(sentence)))
    header = next(lines)
    require_columns(header, str(path))
    names = _match_blanks(name_columns(header), wanted or ())
    head = list(itertools.islice(lines, SAMPLE))
    frame = pd.DataFrame(head, columns=names, dtype=object)
    if wanted is None:
        _check_numbers(header, frame, str(path), notify)
    elif not set(wanted) <= set(names) and is_header_data(header, frame, names):
        _raise_row(header, str(path), f"; the model takes {', '.join(map(repr, wanted[:5]))}")
    return names, itertools.chain(head, lines)


def skip_index(names: Sequence[str], columns: int) -> list[str]:
    """Return the names of as many ``columns`` as a model takes in order: without pandas' index, if that is one more."""
    has_index = len(names) == columns + 1 and NAMELESS.fullmatch(names[0])
    return list(names[1:] if has_index else names)


def _match_blanks(names: Sequence[str], wanted: Sequence[str]) -> list[str]:
    """Return ``names``, with those that lack only the blanks around a name in a DataFrame written as there."""
    stripped = {name.strip(WHITESPACE): name for name in wanted if name not in names}
    return [name if name in wanted else stripped.get(name, name) for name in names]


def _check_numbers(header: Sequence[str], frame: pd.DataFrame, place: str, notify: Callable[[str], None]) -> None:
    """Raise InputError if all names are numbers that look like a row; notify if they may be one.

    Numbers that rise or fall from name to name, such as wavelengths, are names unless they lie among the cells below.
    """
    numbers = pd.to_numeric(pd.Series(header, dtype=object), errors="coerce")
    steps = numbers.diff().dropna()
    if numbers.isna().any() or (numbers[0] in (0, 1) and (steps == 1).all()):
        return
    if not ((steps > 0).all() or (steps < 0).all()) or is_header_data(header, frame):
        _raise_row(header, place, "")
    notify(f"{escape_control_characters(place)}: {describe_header(header)} is taken for names, and not predicted")


def _raise_row(header: Sequence[str], place: str, named: str) -> NoReturn:
    what = f"{describe_header(header)} looks like a row of data: put a line with the names of the columns above"
    raise InputError(f"{place}: {what}{named}")
