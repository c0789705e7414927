"""Input rows of an exported model, from a file or a DataFrame, in chunks: checked and named as the model takes them."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError, did_you_mean
from regzoo.core.escaping import escape_control_characters
from regzoo.data.dataset import Array
from regzoo.data.sources.column_names import name_columns
from regzoo.data.sources.npz import read_npz
from regzoo.data.sources.parquet import read_parquet
from regzoo.export.csv_header import open_csv, skip_index
from regzoo.export.exported_model import ExportedModel, NamedArrays
from regzoo.export.input_cells import InputColumn, to_served
from regzoo.export.own_inputs import CheckNames, read_own_archive, read_own_csv, read_own_frame

Cells = Array | pd.Series
"""A column as it was given."""

CHUNK = 1024
"""Number of rows that are read, predicted and written at a time; fewer if a row is large."""

CHUNK_VALUES = 2**22
"""Most numbers that go into the model at a time: 27 photographs of 224 x 224, whose layers then fit into memory."""

PARQUET_SUFFIXES = (".parquet", ".pq")

OTHER_SUFFIXES = (".npy", ".xlsx", ".xls", ".json", ".gz", ".zip", ".png", ".jpg", ".jpeg")
"""Suffixes of files that are certainly no CSV files; any other suffix but ``.npz`` is taken for one."""


def read_chunks(
    model: ExportedModel, path: Path, encoding: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield the rows of the file at ``path`` as the served inputs, by name.

    Args:
        model: the model that takes them.
        path: a CSV file, a Parquet file or an archive.
        encoding: encoding of a CSV file.
        notify: is called with a sentence about columns that are ignored.

    Raises:
        InputError: while iterating, if a column is missing or a cell is not of its column's kind.
    """
    several = model.array_kind is not None and len(model.array_shape) > 1 and model.array_shape[1:] != (1,)
    if several and not is_archive(path):
        raise InputError(f"{path}: the model takes {model.array_kind}; give them as the array x of an .npz archive")
    if is_parquet(path):
        return read_frame_chunks(model, read_parquet(path), str(path), notify)
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


def is_parquet(path: Path) -> bool:
    """Return True if ``path`` is named as a Parquet file."""
    return path.suffix.lower() in PARQUET_SUFFIXES


def check_file_type(path: Path) -> None:
    """Raise InputError if ``path`` is named as neither a CSV file nor an .npz archive."""
    if path.suffix.lower() in OTHER_SUFFIXES or is_parquet(path):
        what = "reads CSV and Parquet files and .npz archives, and writes CSV files and .npz archives"
        raise InputError(f"{path}: predict {what}, no {path.suffix} files")


def _read_csv(model: ExportedModel, path: Path, encoding: str, notify: Callable[[str], None]) -> Iterator[NamedArrays]:
    """Yield the rows of a CSV file as the served inputs."""
    header, lines = open_csv(path, encoding, None if model.array_kind else list(model.inputs.values()), notify)
    wanted = _choose_columns(model, header, str(path))
    _check_columns(path, wanted, header, notify)
    indices = [header.index(column) for column in wanted]
    count = 0
    while rows := list(itertools.islice(lines, CHUNK)):
        columns = {name: np.array([row[i] for row in rows], object) for name, i in zip(wanted, indices, strict=True)}
        yield _convert_columns(model, columns, str(path), count)
        count += len(rows)
    if not count:
        raise InputError(f"{path}: has a header and no rows")


def _choose_columns(model: ExportedModel, header: Sequence[str], source: str) -> list[str]:
    """Return the columns that the model takes; InputError if it takes another number of them, in order."""
    if not model.array_kind:
        return list(model.inputs.values())
    wanted = skip_index(header, model.array_shape[0])
    if model.array_shape[0] != len(wanted):
        raise InputError(f"{source}: has {len(header)} columns, the model takes {model.array_shape[0]}, in order")
    return wanted


def read_frame_chunks(
    model: ExportedModel, frame: pd.DataFrame, source: str, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield the rows of a DataFrame, with columns of any type, as the served inputs, by name.

    Args:
        model: the model that takes them.
        frame: the rows; its columns have the names of the training data's, in any order.
        source: name of the data in messages.
        notify: is called with a sentence about columns that are ignored.

    Raises:
        InputError: while iterating, if a column is missing or a cell is not of its column's kind.
    """

    def check(wanted: Sequence[str], given: Sequence[str]) -> None:
        _check_columns(source, wanted, given, notify)

    header = list(name_columns([str(column) for column in frame.columns]))
    if not len(frame) or not header:
        raise InputError(f"{source}: has no rows")
    named = frame.set_axis(header, axis=1)
    if model.dtypes:
        yield from read_own_frame(model, named, source, CHUNK, check)
        return
    if model.array_kind and len(model.array_shape) > 1 and model.array_shape[1:] != (1,):
        raise InputError(f"{source}: the model takes {model.array_kind}; give them as the array x of an .npz archive")
    wanted = _choose_columns(model, header, source)
    check(wanted, header)
    for start in range(0, len(frame), CHUNK):
        chunk = named.iloc[start : start + CHUNK]
        yield _convert_columns(model, {name: chunk[name] for name in wanted}, source, start)


def _read_archive(model: ExportedModel, path: Path, notify: Callable[[str], None]) -> Iterator[NamedArrays]:
    """Yield the rows of an archive as the served inputs."""
    arrays = read_npz(path)
    wanted = ["x"] if model.array_kind else list(model.inputs.values())
    if "x" in arrays and wanted != ["x"] and set(wanted).isdisjoint(arrays):
        columns = _check_shape(arrays["x"], (len(wanted),), f"{path}: x", dates="mM").T
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
            yield {model.array_kind: to_served(chunk["x"], served, f"{path}: x", start)}
        else:
            yield _convert_columns(model, chunk, str(path), start)


def _check_shape(x: Array, shape: tuple[int, ...], place: str, dates: str = "") -> Array:
    """Return ``x``, with an axis added for a single channel, if it has numbers of ``shape`` in each row."""
    x = x[..., np.newaxis] if x.ndim == len(shape) > 1 and shape[-1] == 1 else x
    if x.shape[1:] != shape or x.dtype.kind not in "buif" + dates:
        raise InputError(f"{place} takes numbers of shape (n, {str(shape)[1:]}, received {x.dtype} {x.shape}")
    return x


def _check_columns(
    path: Path | str, wanted: Sequence[str], given: Sequence[str], notify: Callable[[str], None]
) -> None:
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


def _convert_columns(model: ExportedModel, columns: Mapping[str, Cells], source: str, start: int) -> NamedArrays:
    """Return a chunk of raw columns, arrays or Series, as the served inputs; ``start`` is its first row from 0."""
    if model.array_kind:
        dtype = model.served[model.array_kind]
        named = ((InputColumn("numeric", _name(source, name), dtype=dtype), each) for name, each in columns.items())
        read = [_convert(column, each, start) for column, each in named]
        return {model.array_kind: np.stack(read, axis=1).reshape(-1, *model.array_shape)}
    return {name: _convert(column, columns[model.inputs[name]], start) for name, column in _list_columns(model, source)}


def _list_columns(model: ExportedModel, source: str) -> Iterator[tuple[str, InputColumn]]:
    """Yield the columns that the model takes, each with the name of its input."""
    for name, column in model.inputs.items():
        kind, reading, dtype = model.kinds[name], model.readings[name], model.served.get(name, "")
        words = model.categories.get(name, ())
        yield name, InputColumn(kind, _name(source, column), reading, model.takes_missing, dtype, words)


def _name(source: str, column: str) -> str:
    return f"{source}: column {column!r}"


def _convert(column: InputColumn, cells: Cells, start: int) -> Array:
    if isinstance(cells, np.ndarray) and cells.dtype.kind in "mMS":  # dates, durations and bytes mean what they hold
        cells = pd.Series(cells)
    return column.convert_series(cells, start) if isinstance(cells, pd.Series) else column.convert(cells, start)
