"""A CSV file with a header: one row per example, numeric or boolean columns, one column to predict."""

from __future__ import annotations

import csv
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import column_names, from_arrays
from regzoo.data.sources.files import regular
from regzoo.data.sources.roles import NONE, marks, with_roles
from regzoo.language.errors import InputError, did_you_mean

_WHOLE = re.compile(r"0|-?[1-9]\d{0,17}")
_MISSING = ("", "NA", "N/A", "n/a", "NaN", "nan", "NULL", "null", "None")
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def load_table(
    path: Path, target: str | None, roles: Mapping[str, str] = NONE, parts: Mapping[str, Path] = NONE
) -> Dataset:
    """Read the CSV file at ``path``; the column ``target`` is what is predicted, if there is one; others are inputs.

    The target may hold text, booleans or numbers; labels such as ``007`` or ``NA`` stay text.

    Args:
        path: of the file.
        target: name of the column to predict, None if there is none.
        roles: column names by role (group, time, part, weight); these columns are no inputs.
        parts: files with the same columns whose rows are the ``validation`` or ``test`` part.

    Raises:
        InputError: naming the file, the column and the rows, with the way out. With several files, rows are
            counted on from one to the next.
    """
    frames = [_table(file, target, roles) for file in (path, *parts.values())]
    for file, frame in zip(parts.values(), frames[1:], strict=True):
        _same_columns(file, list(frame.columns), path, list(frames[0].columns))
    frame = pd.concat(frames, ignore_index=True)
    name = " + ".join(map(str, (path, *parts.values())))
    labels = None if target is None else pd.Series(_labels(frame[target], Path(name)), name=target)
    data = from_arrays(frame.drop(columns=_apart(target, roles)), labels, name)
    values: dict[str, Any] = {role: frame[column] for role, column in roles.items()}
    places = {role: f"{name}: column {column!r} ({role})" for role, column in roles.items()}
    if parts:
        values["part"] = marks(parts, [len(frame) for frame in frames])
    return with_roles(data, values, {"part": name, **places})


def _apart(target: str | None, roles: Mapping[str, str]) -> list[str]:
    """The columns that are no inputs."""
    return [*([] if target is None else [target]), *roles.values()]


def _table(path: Path, target: str | None, roles: Mapping[str, str]) -> pd.DataFrame:
    """Return the file at ``path``, with target and roles as text; InputError if one of them is not there."""
    apart = _apart(target, roles)
    frame = read_csv(path, text=apart)
    columns = [str(column) for column in frame.columns]
    if target is not None and target not in columns:
        alone = "; are the columns separated by commas?" if len(columns) == 1 else ""
        raise InputError(f"{path}: there is no column {target!r} to predict{alone}.{did_you_mean(target, columns)}")
    for role, column in roles.items():
        if column not in columns:
            raise InputError(f"{path}: there is no column {column!r} for data.{role}.{did_you_mean(column, columns)}")
    if len(columns) == len(apart):
        only = "is the only column" if len(columns) == 1 else "are the only columns"
        raise InputError(f"{path}: {' and '.join(map(repr, apart))} {only}; at least one input is needed")
    return frame


def _same_columns(path: Path, columns: list[str], first: Path, wanted: list[str]) -> None:
    if set(columns) == set(wanted):
        return
    differences = {"lacks": sorted(set(wanted) - set(columns)), "has": sorted(set(columns) - set(wanted))}
    said = " and ".join(f"{verb} {', '.join(map(repr, names))}" for verb, names in differences.items() if names)
    raise InputError(f"{path}: {said}, unlike {first}; all files of one data set need the same columns")


def read_csv(path: Path, text: Collection[str] = ()) -> pd.DataFrame:
    """Return the CSV file at ``path`` as a DataFrame; the columns in ``text`` are left as text.

    Raises:
        InputError: if it is no UTF-8 text, has no rows, rows of different lengths, or a bad header.
    """
    regular(path)
    header, rows = _shape(path)
    column_names(pd.DataFrame(columns=header), str(path))
    if rows == 0:
        raise InputError(f"{path}: has a header and no rows")
    try:
        frame: pd.DataFrame = pd.read_csv(
            path,
            encoding="utf-8-sig",
            index_col=False,
            skipinitialspace=True,
            keep_default_na=False,
            na_values={column: list(_MISSING) for column in header if column not in text},
            low_memory=False,
            dtype={column: str for column in header if column in text},
        )
    except (pd.errors.ParserError, ValueError, OverflowError) as error:
        raise InputError(f"{path}: cannot be read as a table: {error}") from None
    if len(frame) != rows:
        raise InputError(f"{path}: {rows} rows were counted and {len(frame)} read; check the quotes")
    return frame


def _shape(path: Path) -> tuple[list[str], int]:
    """Return header and number of rows, after checking that all rows are of one length."""
    rows = 0
    try:
        with path.open(encoding="utf-8-sig", newline="") as file:
            lines = csv.reader(file, skipinitialspace=True)
            header = next((line for line in lines if line), [])
            for line in lines:
                rows += bool(line)
                if line and len(line) != len(header):
                    found = f"line {lines.line_num} has {len(line)} cells, the header has {len(header)}"
                    raise InputError(f"{path}: {found}; quote cells that hold commas")
    except UnicodeDecodeError as error:
        byte = error.object[error.start]
        raise InputError(f"{path}: is not UTF-8 text (byte 0x{byte:02x}); save it as UTF-8") from None
    except csv.Error as error:
        raise InputError(f"{path}: line {lines.line_num} cannot be read: {error}") from None
    return header, rows


def _labels(cells: pd.Series, path: Path) -> Array:
    """Return the target's cells as whole numbers, numbers or booleans if all of them are, else as text."""
    texts = [str(cell).strip() for cell in cells.tolist()]
    missing = [row for row, cell in enumerate(texts, 1) if not cell]
    if missing:
        where = f"column {cells.name!r} ({len(texts)} rows) has {len(missing)} missing cells"
        raise InputError(f"{path}: {where}, the first in row {missing[0]}; drop these rows")
    different = set(texts)
    if different <= {"True", "False"} or different <= {"true", "false"}:
        return np.array([cell in ("True", "true") for cell in texts])
    if all(_WHOLE.fullmatch(cell) for cell in different):
        return np.array([int(cell) for cell in texts], dtype=np.int64)
    if all(_REAL.fullmatch(cell) and not re.match(r"[+-]?0\d", cell) for cell in different):
        return np.array([float(cell) for cell in texts])
    return np.array(texts)
