"""Read a CSV file with a header: one row per example, columns of any kind, one or several of them to predict."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO

import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.catalog import SEPARATORS, Target
from regzoo.data.dataset import Dataset
from regzoo.data.sources.arrays import read_column_names
from regzoo.data.sources.files import require_file
from regzoo.data.sources.roles import EMPTY
from regzoo.data.sources.table_files import from_frames
from regzoo.data.table import WHITESPACE

ENCODING = "utf-8-sig"

_MAX_SHOWN = 5
_OTHER_FORMATS = {
    b"\xff\xfe": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"PK\x03\x04": "is a spreadsheet or a zip archive, not text; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet, not text; save the table as CSV",
    b"\x1f\x8b": "is compressed; end its name in .gz, or decompress it",
    b"PAR1": "is a Parquet file; write parquet: instead of csv:",
}
"""First bytes of files that are not UTF-8 text, and what the error message says about each."""


def load_csv(
    path: Path,
    target: Target,
    separator: str | None = None,
    encoding: str = ENCODING,
    roles: Mapping[str, str] = EMPTY,
    parts: Mapping[str, Path] = EMPTY,
    drop: Target = None,
) -> Dataset:
    """Read the CSV file at ``path``; all columns but ``target``, ``drop`` and ``roles`` are inputs.

    The target may hold text, booleans or numbers; labels such as ``007`` or ``NA`` stay text. Several target columns
    are several labels, each 0 or 1, or true or false.

    Args:
        path: path of the file.
        target: the column to predict, or several; None if there is none.
        separator: separator of the cells; by default the one of `SEPARATORS` that fits.
        encoding: encoding of the text by its Python name, such as ``cp1252``.
        roles: column names by role (group, time, part, weight); these columns are no inputs.
        parts: files with the same columns whose rows are the ``validation`` or ``test`` part.
        drop: the column to leave out, or several.

    Raises:
        InputError: naming the file, the columns and the rows, with the way out. With several files, row numbers
            continue from one file to the next.
    """
    frames = [(file, read_csv(file, separator, encoding)) for file in (path, *parts.values())]
    return from_frames(frames, target, roles, tuple(parts), drop, as_text=True)


def read_csv(path: Path, separator: str | None = None, encoding: str = ENCODING) -> pd.DataFrame:
    """Return the CSV file at ``path`` as a DataFrame of text; cells are stripped of blanks, nothing else is changed.

    Raises:
        InputError: if it is not text in ``encoding``, has no rows, rows of another length than its header, or a bad
            header.
    """
    require_file(path)
    cells = iterate_csv(path, separator, encoding)
    header = next(cells)
    read_column_names(pd.DataFrame(columns=header), str(path))
    rows = list(cells)
    if not rows:
        raise InputError(f"{path}: has a header and no rows")
    return pd.DataFrame(rows, columns=header, dtype=object)


def iterate_csv(path: Path, separator: str | None = None, encoding: str = ENCODING) -> Iterator[list[str]]:
    """Yield the header and then each row of the CSV file at ``path``, without empty lines.

    Raises:
        InputError: at the end, with the first rows whose length is not that of the header; at once if the text cannot
            be read.
    """
    ragged: list[str] = []
    lines = None
    width = 0
    try:
        with _open(path, encoding) as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            lines = csv.reader(file, delimiter=separator or _guess_separator(first), skipinitialspace=True, strict=True)
            for line in lines:
                if line and not width:
                    width = len(line)
                if line and len(line) != width:
                    ragged.append(f"line {lines.line_num} has {len(line)} cells")
                elif line:
                    yield [cell.strip(WHITESPACE) for cell in line]
            if not width:
                yield []
    except (UnicodeError, LookupError) as error:
        raise InputError(f"{path}: {_describe_encoding_error(path, error, encoding)}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is damaged: {error}; compress it again") from None
    except csv.Error as error:
        where = f"line {lines.line_num}" if lines else "the header"
        raise InputError(f"{path}: {where} cannot be read: {error}; check the quotes") from None
    if ragged:
        more = f", and so do {len(ragged) - _MAX_SHOWN} more lines" if len(ragged) > _MAX_SHOWN else ""
        shown = ", ".join(ragged[:_MAX_SHOWN])
        raise InputError(f"{path}: {shown}, the header has {width}{more}; quote cells that hold commas")


def _guess_separator(header: str) -> str:
    """Return the separator that divides the line ``header`` into the most columns.

    >>> _guess_separator('"a, b";c;d')
    ';'
    """
    return max(
        SEPARATORS, key=lambda separator: len(next(csv.reader([header], delimiter=separator, skipinitialspace=True)))
    )


def _open(path: Path, encoding: str) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _describe_encoding_error(path: Path, error: UnicodeError | LookupError, encoding: str) -> str:
    if isinstance(error, LookupError):
        return f"there is no encoding {encoding!r}; take utf-8, cp1252, latin-1 or utf-16"
    with path.open("rb") as file:
        first = file.read(4)
    for beginning, message in _OTHER_FORMATS.items():
        if first.startswith(beginning):
            return message
    name = "UTF-8" if encoding == ENCODING else encoding
    where = f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else str(error)
    return f"is not {name} text ({where}); save it as UTF-8, or name its encoding, such as cp1252"
