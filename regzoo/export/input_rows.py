"""Input rows of an exported model: read from a CSV or NPZ file in chunks, checked and named as the model takes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.escaping import escape_control_characters
from regzoo.data.dataset import Array
from regzoo.data.dates import parse_date
from regzoo.data.numbers import cast_numbers, find_missing, parse_numbers
from regzoo.data.sources.column_kinds import LARGEST
from regzoo.data.sources.npz import read_npz
from regzoo.data.table import clean_cell
from regzoo.export.csv_header import open_csv, skip_index
from regzoo.export.exported_model import ExportedModel, NamedArrays
from regzoo.export.own_inputs import CheckNames, read_own_archive, read_own_csv

CHUNK = 1024
"""Number of rows that are read, predicted and written at a time; fewer if a row is large."""

CHUNK_VALUES = 2**22
"""Most numbers that go into the model at a time: 27 photographs of 224 x 224, whose layers then fit into memory."""

OTHER_SUFFIXES = (".parquet", ".npy", ".xlsx", ".xls", ".json", ".gz", ".zip", ".png", ".jpg", ".jpeg")
"""Suffixes of files that are certainly no CSV files; any other suffix but ``.npz`` is taken for one."""


def read_chunks(
    model: ExportedModel, path: Path, encoding: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield the rows of the file at ``path`` as the served inputs, by name.

    Args:
        model: the model that takes them.
        path: a CSV file or an archive.
        encoding: encoding of a CSV file.
        notify: is called with a sentence about columns that are ignored.

    Raises:
        InputError: while iterating, if a column is missing or a cell is not of its column's kind.
    """
    several = model.array_kind is not None and len(model.array_shape) > 1 and model.array_shape[1:] != (1,)
    if several and not is_archive(path):
        raise InputError(f"{path}: the model takes {model.array_kind}; give them as the array x of an .npz archive")
    check_file_type(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    if model.dtypes:
        return _read_own_inputs(
            model, path, encoding, lambda wanted, given: _check_columns(path, wanted, given, notify), notify
        )
    return _read_archive(model, path, notify) if is_archive(path) else _read_csv(model, path, encoding, notify)


def _read_own_inputs(
    model: ExportedModel, path: Path, encoding: str, check: CheckNames, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    if is_archive(path):
        return read_own_archive(model, path, CHUNK, CHUNK_VALUES, check)
    return read_own_csv(model, path, encoding, CHUNK, check, notify)


def is_archive(path: Path) -> bool:
    """Return True if ``path`` is named as an .npz archive."""
    return path.suffix.lower() == ".npz"


def check_file_type(path: Path) -> None:
    """Raise InputError if ``path`` is named as neither a CSV file nor an .npz archive."""
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise InputError(f"{path}: predict reads and writes CSV files and .npz archives, no {path.suffix} files")


def _read_csv(model: ExportedModel, path: Path, encoding: str, notify: Callable[[str], None]) -> Iterator[NamedArrays]:
    """Yield the rows of a CSV file as the served inputs."""
    header, lines = open_csv(path, encoding, None if model.array_kind else list(model.inputs.values()), notify)
    wanted = skip_index(header, model.array_shape[0]) if model.array_kind else list(model.inputs.values())
    if model.array_kind and model.array_shape[0] != len(wanted):
        raise InputError(f"{path}: has {len(header)} columns, the model takes {model.array_shape[0]}, in order")
    _check_columns(path, wanted, header, notify)
    indices = [header.index(column) for column in wanted]
    count = 0
    while rows := list(itertools.islice(lines, CHUNK)):
        columns = {name: np.array([row[i] for row in rows], object) for name, i in zip(wanted, indices, strict=True)}
        yield _convert_columns(model, columns, path, count)
        count += len(rows)
    if not count:
        raise InputError(f"{path}: has a header and no rows")


def _read_archive(model: ExportedModel, path: Path, notify: Callable[[str], None]) -> Iterator[NamedArrays]:
    """Yield the rows of an archive as the served inputs."""
    arrays = read_npz(path)
    wanted = ["x"] if model.array_kind else list(model.inputs.values())
    if "x" in arrays and wanted != ["x"] and set(wanted).isdisjoint(arrays):
        columns = _check_shape(arrays["x"], (len(wanted),), f"{path}: x").T
        arrays = dict(zip(wanted, columns, strict=True))
    _check_columns(path, wanted, list(arrays), notify)
    if model.array_kind:
        arrays = {"x": _check_shape(arrays["x"], model.array_shape, f"{path}: x")}
    lengths = {len(arrays[name]) if arrays[name].ndim else 0 for name in wanted}
    if len(lengths) != 1 or lengths == {0}:
        raise InputError(f"{path}: each array needs the same number of rows, received {sorted(lengths)}")
    size = math.prod(model.array_shape) if model.array_kind else len(wanted)
    step = max(1, min(CHUNK, CHUNK_VALUES // size))
    for start in range(0, lengths.pop(), step):
        chunk = {name: arrays[name][start : start + step] for name in wanted}
        if model.array_kind:
            served = model.served[model.array_kind]
            yield {model.array_kind: _to_served(chunk["x"], served, f"{path}: x", start)}
        else:
            yield _convert_columns(model, chunk, path, start)


def _check_shape(x: Array, shape: tuple[int, ...], place: str) -> Array:
    """Return ``x``, with an axis added for a single channel, if it has numbers of ``shape`` in each row."""
    x = x[..., np.newaxis] if x.ndim == len(shape) > 1 and shape[-1] == 1 else x
    if x.shape[1:] != shape or x.dtype.kind not in "buif":
        raise InputError(f"{place} takes numbers of shape (n, {str(shape)[1:]}, received {x.dtype} {x.shape}")
    return x


def _check_columns(path: Path, wanted: Sequence[str], given: Sequence[str], notify: Callable[[str], None]) -> None:
    """Raise InputError if a column is missing; notify of columns that the model does not take."""
    missing = [column for column in wanted if column not in given]
    if missing:
        hint = did_you_mean(missing[0], given)
        are = "is" if len(missing) == 1 else "are"
        raise InputError(f"{path}: the model takes {', '.join(map(repr, missing))}, which {are} not there.{hint}")
    extra = [column for column in given if column not in wanted]
    if extra:
        ignored = ", ".join(map(repr, extra))
        notify(f"{escape_control_characters(str(path))}: ignored {ignored}, which the model does not take")


def _convert_columns(model: ExportedModel, columns: Mapping[str, Array], path: Path, start: int) -> NamedArrays:
    """Return a chunk of raw columns, text or numbers, as the served inputs; ``start`` is its first row from 0."""
    if model.array_kind:
        dtype = model.served[model.array_kind]
        read = [_convert(cells, "numeric", f"{path}: column {name!r}", start, dtype) for name, cells in columns.items()]
        return {model.array_kind: np.stack(read, axis=1).reshape(-1, *model.array_shape)}
    return {
        name: _convert(
            columns[column],
            model.kinds[name],
            f"{path}: column {column!r}",
            start,
            model.served.get(name, ""),
            model.takes_missing,
        )
        for name, column in model.inputs.items()
    }


def _convert(cells: Array, kind: str, place: str, start: int, dtype: str, takes_missing: bool = False) -> Array:
    """Return the cells of one column as the model takes them; numbers as ``dtype``.

    Raises:
        InputError: if a cell is not of this kind; the message has its row.
    """
    if kind == "numeric" and cells.dtype.kind in "buif":
        return _to_served(cells, dtype, place, start, takes_missing)
    texts = np.array([clean_cell(str(cell)) for cell in cells.tolist()], dtype=object)
    values = parse_numbers(texts)
    valid = {
        "numeric": ~find_missing(values),
        "boolean": np.isin([text.lower() for text in texts], ("true", "false")),
        "date": np.array([kind == "date" and parse_date(text) is not None for text in texts]),
        "categorical": np.ones(len(texts), dtype=bool),
    }
    wrong = ~valid[kind] & ((texts != "") | (not takes_missing))
    if wrong.any():
        first = int(np.argmax(wrong))
        takes = {"numeric": "numbers", "boolean": "true or false", "date": "dates such as 2024-01-31"}[kind]
        raise InputError(f"{place} takes {takes}, received {texts[first][:40]!r} in row {start + first + 1}")
    return _to_served(values, dtype, place, start, takes_missing) if kind == "numeric" else texts


def _to_served(values: Array, dtype: str, place: str, start: int, takes_missing: bool = False) -> Array:
    """Return ``values`` as ``dtype``.

    Raises:
        InputError: if one is infinite or too large, is missing where none may be, or is no whole number for int64.
    """
    numbers = values.astype(np.float64)
    whole = dtype == "int64" and values.dtype.kind == "f"
    largest, takes = (2.0**63, "whole numbers below 2**63") if whole else (LARGEST, f"numbers up to {LARGEST:g}")
    fits = (np.abs(numbers) < largest) & (numbers == np.floor(numbers)) if whole else np.abs(numbers) <= largest
    wrong = ~fits & ~(takes_missing & find_missing(values))
    if wrong.any():
        row = start + int(np.min(np.nonzero(wrong)[0])) + 1
        raise InputError(f"{place} takes {takes}, received {values[wrong][0]:g} in row {row}")
    return cast_numbers(values, dtype)
