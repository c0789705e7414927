"""A CSV file with a header: one row per example, columns of any kind, one of them to predict."""

from __future__ import annotations

import csv
import gzip
import re
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import IO, Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError, did_you_mean
from regzoo.data.catalog import SEPARATORS, Target, list_columns
from regzoo.data.dataset import Array, Dataset, infer_task
from regzoo.data.sources.arrays import column_names, from_arrays
from regzoo.data.sources.files import require_file
from regzoo.data.sources.frame import describe_cells, reject_near_numbers
from regzoo.data.sources.labels import read_binary_cells
from regzoo.data.sources.roles import EMPTY, attach_roles, mark_parts
from regzoo.data.table import MISSING, WHITESPACE

ENCODING = "utf-8-sig"

_SHOWN = 5
_BEGINNINGS = {
    b"\xff\xfe": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"\xfe\xff": "is UTF-16 text; name its encoding: utf-16, or save it as UTF-8",
    b"PK\x03\x04": "is a spreadsheet or a zip archive, not text; save the table as CSV",
    b"\xd0\xcf\x11\xe0": "is a spreadsheet, not text; save the table as CSV",
    b"\x1f\x8b": "is compressed; end its name in .gz, or decompress it",
    b"PAR1": "is a Parquet file; write parquet: instead of csv:",
}
_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def load_csv(
    path: Path,
    target: Target,
    separator: str | None = None,
    encoding: str = ENCODING,
    roles: Mapping[str, str] = EMPTY,
    parts: Mapping[str, Path] = EMPTY,
    drop: Target = None,
) -> Dataset:
    """Read the CSV file at ``path``; the column ``target`` is what is predicted, if there is one; others are inputs.

    The target may hold text, booleans or numbers; labels such as ``007`` or ``NA`` stay text. Several columns are
    several labels, each 0 or 1, or true or false.

    Args:
        path: of the file.
        target: the column to predict, or several.
        separator: between cells; by default the one of `SEPARATORS` that fits.
        encoding: of the text, as Python calls it, such as ``cp1252``.
        roles: column names by role (group, time, part, weight); these columns are no inputs.
        parts: files with the same columns whose rows are the ``validation`` or ``test`` part.
        drop: the column that is left out, or several.

    Raises:
        InputError: naming the file, the columns and the rows, with the way out. With several files, rows are counted
            on from one to the next.
    """
    frames = [(file, read_csv(file, separator, encoding)) for file in (path, *parts.values())]
    return dataset_from_frames(frames, target, roles, tuple(parts), drop, as_text=True)


def dataset_from_frames(
    frames: Sequence[tuple[Path, pd.DataFrame]],
    target: Target,
    roles: Mapping[str, str],
    parts: Sequence[str],
    drop: Target,
    as_text: bool,
) -> Dataset:
    """Divide a table into inputs, roles and target, whose values are read if they came ``as_text``.

    Args:
        frames: the files it was read from, the first one and those of ``parts``.
        target: the column to predict, or several.
        roles: column names by role.
        parts: what the files after the first one are.
        drop: the column that is left out, or several.
        as_text: whether numbers and booleans came as text.

    Raises:
        InputError: with every problem of the columns and of the target.
    """
    targets = list_columns(target)
    apart = [*targets, *roles.values()]
    frames = [(path, _without(path, frame, list_columns(drop))) for path, frame in frames]
    for path, frame in frames:
        _refuse_columns(path, [str(column) for column in frame.columns], targets, roles, frames[0])
    frame = pd.concat([frame for _, frame in frames], ignore_index=True)
    name = " + ".join(str(path) for path, _ in frames)
    errors = ErrorCollector()
    labels: pd.DataFrame | pd.Series | None = None
    with errors.collect():
        if len(targets) > 1:
            labels = frame[list(targets)].apply(read_binary_cells) if as_text else frame[list(targets)]
        elif targets:
            (column,) = targets
            labels = pd.Series(_labels(frame[column], name), name=column) if as_text else frame[column]
    with errors.collect():
        data = from_arrays(frame.drop(columns=apart), labels, name)
    errors.raise_if_any()
    values: dict[str, Any] = {role: frame[column] for role, column in roles.items()}
    places = {role: f"{name}: column {column!r} ({role})" for role, column in roles.items()}
    if parts:
        values["part"] = mark_parts(parts, [len(frame) for _, frame in frames])
    return attach_roles(data, values, {"part": name, **places})


def _without(path: Path, frame: pd.DataFrame, columns: Sequence[str]) -> pd.DataFrame:
    """Return ``frame`` without ``columns``, none of which is an input, whatever it holds."""
    for column in columns:
        if column not in frame.columns:
            near = did_you_mean(column, map(str, frame.columns))
            raise InputError(f"{path}: there is no column {column!r} to leave out (data.drop).{near}")
    return frame.drop(columns=list(columns))


def _refuse_columns(
    path: Path,
    columns: list[str],
    targets: Sequence[str],
    roles: Mapping[str, str],
    first: tuple[Path, pd.DataFrame],
) -> None:
    """Raise InputError unless targets and roles are among ``columns``, with inputs, and all are those of ``first``."""
    for target in targets:
        if target not in columns:
            alone = "; are the columns separated by commas?" if len(columns) == 1 else ""
            raise InputError(f"{path}: there is no column {target!r} to predict{alone}.{did_you_mean(target, columns)}")
    for role, column in roles.items():
        if column not in columns:
            raise InputError(f"{path}: there is no column {column!r} for data.{role}.{did_you_mean(column, columns)}")
    apart = [*targets, *roles.values()]
    if len(columns) == len(apart):
        only = "is the only column" if len(columns) == 1 else "are the only columns"
        raise InputError(f"{path}: {' and '.join(map(repr, apart))} {only}; at least one input is needed")
    wanted = [str(column) for column in first[1].columns]
    differences = {"lacks": sorted(set(wanted) - set(columns)), "has": sorted(set(columns) - set(wanted))}
    said = [f"{verb} {', '.join(map(repr, names))}" for verb, names in differences.items() if names]
    if said:
        message = f"{' and '.join(said)}, unlike {first[0]}; all files of one data set need the same columns"
        raise InputError(f"{path}: {message}")


def read_csv(path: Path, separator: str | None = None, encoding: str = ENCODING) -> pd.DataFrame:
    """Return the CSV file at ``path`` as a DataFrame of text, as it is written but for blanks around cells.

    Raises:
        InputError: if it is no text in ``encoding``, has no rows, rows of another length than its header, or a bad one.
    """
    require_file(path)
    cells = iterate_csv(path, separator, encoding)
    header = next(cells)
    column_names(pd.DataFrame(columns=header), str(path))
    rows = list(cells)
    if not rows:
        raise InputError(f"{path}: has a header and no rows")
    return pd.DataFrame(rows, columns=header, dtype=object)


def iterate_csv(path: Path, separator: str | None = None, encoding: str = ENCODING) -> Iterator[list[str]]:
    """Yield the header and then each row of the CSV file at ``path``; empty lines are passed over.

    Raises:
        InputError: at the end, with the first rows whose length is not that of the header; at once if the text cannot
            be read.
    """
    ragged: list[str] = []
    lines = None
    try:
        with _opened(path, encoding) as file:
            first = next((line for line in file if line.strip()), "")
            file.seek(0)
            lines = csv.reader(file, delimiter=separator or _separator(first), skipinitialspace=True, strict=True)
            width = 0
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
        raise InputError(f"{path}: {_undecoded(path, error, encoding)}") from None
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise InputError(f"{path}: is damaged: {error}; compress it again") from None
    except csv.Error as error:
        where = f"line {lines.line_num}" if lines else "the header"
        raise InputError(f"{path}: {where} cannot be read: {error}; check the quotes") from None
    if ragged:
        more = f", and so do {len(ragged) - _SHOWN} more lines" if len(ragged) > _SHOWN else ""
        raise InputError(
            f"{path}: {', '.join(ragged[:_SHOWN])}, the header has {width}{more}; quote cells that hold commas"
        )


def _separator(header: str) -> str:
    """Return what separates the columns of the line ``header``.

    >>> _separator('"a, b";c;d')
    ';'
    """
    return max(
        SEPARATORS, key=lambda separator: len(next(csv.reader([header], delimiter=separator, skipinitialspace=True)))
    )


def _opened(path: Path, encoding: str) -> IO[str]:
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, newline="")
    return path.open(encoding=encoding, newline="")


def _undecoded(path: Path, error: UnicodeError | LookupError, encoding: str) -> str:
    if isinstance(error, LookupError):
        return f"there is no encoding {encoding!r}; take utf-8, cp1252, latin-1 or utf-16"
    with path.open("rb") as file:
        first = file.read(4)
    for beginning, what in _BEGINNINGS.items():
        if first.startswith(beginning):
            return what
    name = "UTF-8" if encoding == ENCODING else encoding
    where = f"byte 0x{error.object[error.start]:02x}" if isinstance(error, UnicodeDecodeError) else str(error)
    return f"is not {name} text ({where}); save it as UTF-8, or name its encoding, such as cp1252"


def _labels(cells: pd.Series, name: str) -> Array:
    """Return the target's cells as whole numbers, numbers or booleans if all of them are, else as text."""
    texts, where = cells.tolist(), f"{name}: column {cells.name!r} ({len(cells)} rows)"
    different = set(texts)
    said = different - set(MISSING)
    nothing = set(MISSING) if said and all(map(_is_plain, said)) else {""}  # NA among words is one of them
    missing = [row for row, cell in enumerate(texts, 1) if cell in nothing]
    if missing:
        words = ", ".join(repr(word) for word in sorted(different & nothing) if word)
        written, renamed = (f" ({words})", ", or rename it if it is a class") if words else ("", "")
        raise InputError(
            f"{where} has {len(missing)} missing cells{written}, the first in row {missing[0]}; "
            f"drop these rows{renamed}"
        )
    if different <= {"True", "False"} or different <= {"true", "false"}:
        return np.array([cell in ("True", "true") for cell in texts])
    if all(_WHOLE.fullmatch(cell) for cell in different):
        return np.array([int(cell) for cell in texts], dtype=np.int64)
    if all(_REAL.fullmatch(cell) and not re.match(r"[+-]?0\d", cell) for cell in different):
        return np.array([float(cell) for cell in texts])
    if infer_task(np.unique(texts, return_inverse=True)[1]) != "classification":
        _refuse_odd_numbers(np.array(texts, dtype=object), where)
    return np.array(texts)


def _is_plain(cell: str) -> bool:
    """Whether a cell is a number, true or false."""
    return cell in ("True", "False", "true", "false") or _REAL.fullmatch(cell) is not None


def _refuse_odd_numbers(texts: Array, where: str) -> None:
    """Raise InputError if texts (n,), too many to be classes, are numbers but for some, or look like numbers."""
    wrong = np.array([_REAL.fullmatch(text) is None for text in texts])
    if wrong.any() and len(set(texts[~wrong])) > len(set(texts[wrong])):
        raise InputError(f"{describe_cells(texts, wrong, f'{where} holds numbers')}; mend them, or drop these rows")
    if wrong.any():
        reject_near_numbers(texts[wrong], where)
