"""Turn tables read from files into a `Dataset`: choose inputs, target and roles, and read the target's values."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError, did_you_mean
from regzoo.data.catalog import Target, list_columns
from regzoo.data.dataset import Array, Dataset, infer_task
from regzoo.data.different import factorize
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.reading.find import find_numbers
from regzoo.data.reading.numbers import parse_number
from regzoo.data.reading.reading import Reading, ReadingKeys
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.column_names import describe_data_header, name_frame
from regzoo.data.sources.labels import read_binary_cells
from regzoo.data.sources.plain_types import concat_plain
from regzoo.data.sources.roles import attach_roles, mark_parts
from regzoo.data.sources.text_columns import parse_cells
from regzoo.data.table import MISSING

_INTEGER = re.compile(r"0|-?[1-9]\d*")
_PADDED = re.compile(r"[+-]?0\d")
_REAL = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?")


def from_frames(
    frames: Sequence[tuple[Path, pd.DataFrame]],
    target: Target,
    roles: Mapping[str, str],
    parts: Sequence[str],
    drop: Target,
    as_text: bool,
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
    notes: Sequence[str] = (),
) -> Dataset:
    """Join tables and divide their columns into inputs, roles and target.

    Args:
        frames: files with their tables: the main file first, then those of ``parts``.
        target: the column to predict, or several.
        roles: column names by role.
        parts: the part that each file after the first one holds.
        drop: the column to leave out, or several.
        as_text: whether all cells are text, so that the target's numbers and booleans still have to be read.
        inputs: the inputs of a user's own model, as for `from_arrays`.
        form: what the inputs are.
        notes: what was done to the tables while they were read.

    Raises:
        InputError: with every problem of the columns and of the target.
    """
    targets = list_columns(target)
    named = [name_frame(frame, str(path), [*targets, *roles.values()], list_columns(drop)) for path, frame in frames]
    for (path, given), one in zip(frames, named, strict=True):
        columns = [str(column) for column in one.frame.columns]
        _require_columns(path, columns, targets, roles, given)
        _require_same_columns(path, one.frame, (frames[0][0], named[0].frame))
    frames = [(path, one.frame) for (path, _), one in zip(frames, named, strict=True)]
    joined = concat_plain([frame for _, frame in frames])
    name = " + ".join(str(path) for path, _ in frames)
    errors, read = ErrorCollector(), list[Reading]()
    y: pd.DataFrame | pd.Series | None = None
    with errors.collect():
        if len(targets) > 1:
            y = joined[list(targets)].apply(read_binary_cells) if as_text else joined[list(targets)]
        elif targets:
            (column,) = targets
            y = (
                pd.Series(_read_target(joined[column], name, form.keys, read), name=column)
                if as_text
                else joined[column]
            )
    with errors.collect():
        data = from_arrays(joined.drop(columns=[*targets, *roles.values()]), y, name, inputs=inputs, form=form)
    errors.raise_if_any()
    values: dict[str, Any] = {role: joined[column] for role, column in roles.items()}
    places = {role: f"{name}: column {column!r} ({role})" for role, column in roles.items()}
    if parts:
        values["part"] = mark_parts(parts, [len(frame) for _, frame in frames])
    descriptions = filter(None, (reading.describe("numeric") for reading in read))
    target_notes = (f"{name}: column {data.target!r}: {words}" for words in descriptions)
    data = replace(
        data,
        notes=(*notes, *(note for one in named for note in one.notes), *target_notes, *data.notes),
        warnings=tuple(dict.fromkeys([*(warning for one in named for warning in one.warnings), *data.warnings])),
    )
    return attach_roles(data, values, {"part": name, **places}, form.keys)


def _require_columns(
    path: Path, columns: list[str], targets: Sequence[str], roles: Mapping[str, str], given: pd.DataFrame
) -> None:
    """Raise InputError unless targets and roles are among ``columns`` and leave at least one input.

    ``given`` is the table as it was read, whose header may be a row of data.
    """
    for target in targets:
        if target not in columns:
            alone = "; are the columns separated by commas?" if len(columns) == 1 else ""
            why = alone or describe_data_header(given)
            raise InputError(f"{path}: there is no column {target!r} to predict{why}.{did_you_mean(target, columns)}")
    for role, column in roles.items():
        if column not in columns:
            what = f"there is no column {column!r} for data.{role}{describe_data_header(given)}"
            raise InputError(f"{path}: {what}.{did_you_mean(column, columns)}")
    no_inputs = [*targets, *roles.values()]
    if len(columns) == len(no_inputs):
        only = "is the only column" if len(columns) == 1 else "are the only columns"
        raise InputError(f"{path}: {' and '.join(map(repr, no_inputs))} {only}; at least one input is needed")


def _require_same_columns(path: Path, frame: pd.DataFrame, first: tuple[Path, pd.DataFrame]) -> None:
    """Raise InputError unless ``frame`` has the columns of the ``first`` file."""
    columns, expected = set(map(str, frame.columns)), set(map(str, first[1].columns))
    differences = {"lacks": sorted(expected - columns), "has": sorted(columns - expected)}
    found = [f"{verb} {', '.join(map(repr, names))}" for verb, names in differences.items() if names]
    if found:
        message = f"{' and '.join(found)}, unlike {first[0]}; all files of one data set need the same columns"
        raise InputError(f"{path}: {message}")


def _read_target(cells: pd.Series, name: str, keys: ReadingKeys, read: list[Reading]) -> Array:
    """Return the target's cells as integers, floats or booleans if all of them are, else as text.

    Numbers with decimal commas, thousands marks, a currency or a percent sign are read as in any column, unless they
    are so few that they are classes, which keep the name that the data gives them. How they are read is added to
    ``read``.
    """
    texts, where = cells.tolist(), f"{name}: column {cells.name!r} ({len(cells)} rows)"
    _require_no_missing(texts, where, keys)
    different = set(texts)
    if different <= {"True", "False"} or different <= {"true", "false"}:
        return np.array([cell in ("True", "true") for cell in texts])
    dots = (keys.decimal == "," or keys.thousands == ".") and any("." in text for text in different)
    if all(_INTEGER.fullmatch(cell) for cell in different):
        return _read_whole_numbers(texts, where)
    if all(_REAL.fullmatch(cell) and not _PADDED.match(cell) for cell in different) and not dots:
        return np.array([float(cell) for cell in texts])
    if any(_PADDED.match(cell) for cell in different):
        return np.array(texts)
    if infer_task(factorize(np.array(texts, dtype=object))[0]) == "classification":
        numbers = _read_few_numbers(texts, keys, read)
        return np.array(texts) if numbers is None else numbers
    column = parse_cells(np.array(texts, dtype=object), where, keys, "correct them, or drop these rows")
    if column.kind != "numeric":
        return np.array(texts)
    read += [column.reading] if column.reading is not None else []
    return column.values.astype(np.float64)


def _read_few_numbers(texts: list[str], keys: ReadingKeys, read: list[Reading]) -> Array | None:
    """Return few different texts as numbers if all of them are, and not all are whole; else None: they are classes."""
    codes, different = pd.factorize(np.array(texts, dtype=object))
    found = find_numbers(different, np.bincount(codes), keys)
    if found is None or found.rival is not None or not found.fits.all():
        return None
    numbers = np.array([parse_number(text, found.reading) for text in different], dtype=np.float64)
    if (numbers == np.floor(numbers)).all():
        return None
    read.append(found.reading)
    return numbers[codes]


def _require_no_missing(texts: list[str], where: str, keys: ReadingKeys) -> None:
    """Raise InputError if a target is missing; among words, NA and its like are words, among numbers they are not."""
    different = set(texts)
    present = different - set(MISSING)
    nothing = set(MISSING) if present and all(map(_is_number_or_boolean, present)) else {""}
    nothing |= set(keys.missing)
    missing = [row for row, cell in enumerate(texts, 1) if cell in nothing]
    if missing:
        words = ", ".join(repr(word) for word in sorted(different & nothing) if word)
        shown, renamed = (f" ({words})", ", or rename it if it is a class") if words else ("", "")
        raise InputError(
            f"{where} has {len(missing)} missing cells{shown}, the first in row {missing[0]}; drop these rows{renamed}"
        )


def _read_whole_numbers(texts: list[str], where: str) -> Array:
    """Return int64, or float64 beyond its range; InputError if different numbers would be the same."""
    numbers = [int(text) for text in texts]
    limits = np.iinfo(np.int64)
    if limits.min <= min(numbers) and max(numbers) <= limits.max:
        return np.array(numbers, dtype=np.int64)
    floats = np.array([float(text) for text in texts])
    if len(np.unique(floats)) < len(set(numbers)):
        raise InputError(f"{where} holds whole numbers beyond 2**63; write such labels as text, with a letter")
    return floats


def _is_number_or_boolean(cell: str) -> bool:
    return cell in ("True", "False", "true", "false") or _REAL.fullmatch(cell) is not None
