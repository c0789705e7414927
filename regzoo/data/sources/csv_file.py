"""Read a CSV file with a header: one row per example, columns of any kind, one or several of them to predict."""

from __future__ import annotations

import csv
import gzip
import zlib
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.catalog import Target, list_columns
from regzoo.data.dataset import Dataset
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.sources.column_names import require_columns
from regzoo.data.sources.csv_columns import read_matrices
from regzoo.data.sources.csv_rows import Notify, allow_long_cells, discard, iterate_rows, open_feed
from regzoo.data.sources.csv_scan import scan_csv
from regzoo.data.sources.files import require_bytes, require_file
from regzoo.data.sources.roles import EMPTY
from regzoo.data.sources.table_files import from_frames
from regzoo.data.sources.text_lines import is_packed, iterate_lines, open_text
from regzoo.system.memory import get_available_memory

ENCODING = "utf-8-sig"

BYTES_PER_CELL = (100, 40)
"""Peak memory of a cell besides its letters, measured: a cell of several letters, and one of a single letter."""

SHARE = 0.8
"""Of the available memory, what a table may take while it is read."""

_PACKED = {
    b"\x1f\x8b": "is compressed with gzip; end its name in .gz, or decompress it",
    b"BZh": "is compressed with bzip2; decompress it, or compress it with gzip",
    b"\xfd7zXZ": "is compressed with xz; decompress it, or compress it with gzip",
    b"\x28\xb5\x2f\xfd": "is compressed with zstd; decompress it, or compress it with gzip",
}
"""First bytes of compressed files, and what the error message says about each; such a file is never read as text."""

_OTHER_FORMATS = {
    b"\xff\xfe": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"PK\x03\x04": "is a spreadsheet or a zip archive, not text; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet, not text; save the table as CSV",
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
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
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
        inputs: the inputs of a user's own model, as for `from_arrays`.
        form: what the inputs are.

    Raises:
        InputError: naming the file, the columns and the rows, with the way out. With several files, row numbers
            continue from one file to the next.
    """
    notes: list[str] = []
    files = [path, *parts.values()]
    chosen = {*list_columns(target), *roles.values()}
    plain = _read_plain(files, separator, encoding, chosen, form) if inputs is None else None
    tables = plain or [read_csv(file, separator, encoding, notes.append) for file in files]
    frames = list(zip(files, tables, strict=True))
    return from_frames(frames, target, roles, tuple(parts), drop, as_text=True, inputs=inputs, form=form, notes=notes)


def _read_plain(
    files: Sequence[Path], separator: str | None, encoding: str, chosen: Collection[str], form: InputForm
) -> list[pd.DataFrame] | None:
    """Return the tables of plain files, see `read_matrices`; None if one of them is to be read row by row."""
    matrices, available = [], get_available_memory() * SHARE
    for path in files:
        require_file(path)
        _reject_packed(path)
        matrix = scan_csv(path, separator, encoding, available)
        if matrix is None:
            return None
        require_columns(matrix.header, str(path))
        matrices.append(matrix)
        available -= matrix.size
    return read_matrices(matrices, chosen, form, available)


def read_csv(
    path: Path, separator: str | None = None, encoding: str = ENCODING, notify: Notify = discard
) -> pd.DataFrame:
    """Return the CSV file at ``path`` as a DataFrame of text; cells are stripped of blanks, nothing else is changed.

    Columns keep their names, several of which may be the same or empty, see `name_frame`. ``notify`` is called with a
    sentence about lines that are left out.

    Raises:
        InputError: if it is not text in ``encoding``, has no rows, or rows of another length than its header.
    """
    require_file(path)
    cells = iterate_csv(path, separator, encoding, notify)
    header = next(cells)
    require_columns(header, str(path))
    rows = _collect_rows(cells, path)
    if not rows:
        raise InputError(f"{path}: has a header and no rows")
    return pd.DataFrame(rows, columns=header, dtype=object)


def _collect_rows(cells: Iterator[list[str]], path: Path) -> list[list[str]]:
    """Return all rows; InputError as soon as they, and the table that is made of them, do not fit into memory."""
    available = get_available_memory() * SHARE
    table = "unpacks to a table that takes" if is_packed(path) else "holds a table that takes"
    way_out = "take fewer rows or columns, or free some memory"
    require_bytes(path.stat().st_size, available, str(path), table, way_out)
    rows, size = [], 0
    for row in cells:
        rows.append(row)
        text = "".join(row)
        short = len(text) <= len(row)  # Python keeps each word of one letter once
        size += len(row) * BYTES_PER_CELL[short] + len(text) * (1 if text.isascii() else 4)
        if size > available:
            require_bytes(size, available, str(path), table, way_out)
    return rows


def iterate_csv(
    path: Path, separator: str | None = None, encoding: str = ENCODING, notify: Notify = discard
) -> Iterator[list[str]]:
    """Yield the header and then each row of the CSV file at ``path``, see `iterate_rows`.

    Args:
        path: path of the file.
        separator: separator of the cells; by default the one that a line ``sep=`` names, or the one that fits.
        encoding: encoding of the text.
        notify: is called at the end with a sentence about each kind of lines that are left out.

    Raises:
        InputError: at the end, with the first rows whose length is not that of the header; at once if the text cannot
            be read.
    """
    feed = None
    _reject_packed(path)
    try:
        with open_text(path, encoding) as file, allow_long_cells():
            feed = open_feed(iterate_lines(file, path), separator)
            yield from iterate_rows(feed, str(path), notify)
    except InputError:
        raise
    except (UnicodeError, LookupError, ValueError) as error:  # ValueError: a NUL in the name of the encoding
        raise InputError(f"{path}: {_describe_encoding_error(path, error, encoding)}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is damaged: {error}; compress it again") from None
    except csv.Error as error:
        where = f"line {feed.number}" if feed else "the header"
        raise InputError(f"{path}: {where} cannot be read: {error}; check the quotes") from None


def _reject_packed(path: Path) -> None:
    """Raise InputError if the file is compressed and its name does not end in ``.gz``."""
    first = _read_first_bytes(path)
    for beginning, message in _PACKED.items():
        if first.startswith(beginning) and not is_packed(path):
            raise InputError(f"{path}: {message}")


def _read_first_bytes(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(8)


def _describe_encoding_error(path: Path, error: ValueError | LookupError, encoding: str) -> str:
    if not isinstance(error, UnicodeError):
        return f"there is no encoding {encoding[:40]!r}; take utf-8, cp1252, latin-1 or utf-16"
    first = _read_first_bytes(path)
    for beginning, message in _OTHER_FORMATS.items():
        if first.startswith(beginning):
            return message
    name = "UTF-8" if encoding == ENCODING else encoding
    where = f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else str(error)
    return f"is not {name} text ({where}); save it as UTF-8, or name its encoding, such as cp1252"
