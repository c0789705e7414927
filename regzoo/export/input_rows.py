"""Rows: what an exported model takes, and the rows of a CSV or NPZ file as it takes them, chunk by chunk."""

from __future__ import annotations

import itertools
import json
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError, did_you_mean, printable
from regzoo.data.dataset import Array
from regzoo.data.dates import parse_date
from regzoo.data.sources.arrays import column_names
from regzoo.data.sources.column_kinds import LARGEST
from regzoo.data.sources.csv_file import iterate_csv
from regzoo.data.sources.files import require_file
from regzoo.data.sources.npz import read_npz
from regzoo.data.table import clean_cell
from regzoo.export.checksums import verify_digests

RECIPE = "recipe.json"

CHUNK = 1024
"""Rows that are read, answered and written at a time, fewer where one is large."""

CHUNK_VALUES = 2**22
"""Numbers that go into the model at a time, at most: 27 photographs of 224 x 224, whose layers then fit into memory."""

OTHERS = (".parquet", ".npy", ".xlsx", ".xls", ".json", ".gz", ".zip", ".png", ".jpg", ".jpeg")
"""Endings of files that are neither a CSV file, whatever its ending, nor an archive."""

Named = dict[str, Array]


@dataclass(frozen=True)
class ExportedModel:
    """A model that `export` wrote, as far as its folder tells.

    Attributes:
        folder: with the SavedModel and ``recipe.json``.
        inputs: served names, with the column of the data that each is.
        kinds: of each: ``numeric``, ``boolean``, ``categorical``, ``date``; or ``rows``, ``images``.
        shapes: of one row of each.
        labels: the classes in the order of the probabilities.
        mends: whether it takes missing cells.
    """

    folder: Path
    inputs: dict[str, str]
    kinds: dict[str, str]
    shapes: dict[str, tuple[int, ...]]
    labels: tuple[Any, ...]
    mends: bool

    @property
    def whole(self) -> str | None:
        """``rows`` or ``images`` if the model takes an array; None if it takes columns."""
        return next((kind for kind in self.kinds.values() if kind in ("rows", "images")), None)


def read_exported_model(folder: Path) -> ExportedModel:
    """Read what ``recipe.json`` in ``folder`` says.

    Raises:
        InputError: if there is none, it is no recipe, or the model beside it is not the one that was exported.
    """
    path = folder / RECIPE
    if not path.is_file():
        inner = f"; did you mean {folder / 'model'}?" if (folder / "model" / RECIPE).is_file() else ""
        raise InputError(f"{folder}: holds no exported model ({RECIPE} is missing){inner}")
    try:
        said = json.loads(path.read_text(encoding="utf-8"))
        inputs, labels = dict(said["inputs"]), tuple(said["labels"])
        shapes = {name: tuple(shape) for name, shape in said["shapes"].items()}
        rules = [rule["kind"] for rule in said["rules"]]
        form = str(said.get("format", "saved_model"))
        files = dict(said.get("files", {}))
    except (ValueError, KeyError, TypeError) as error:
        raise InputError(f"{path}: is no recipe that regzoo wrote: {error!r}") from None
    if form != "saved_model":
        raise InputError(f"{folder}: is a model in the format {form}; predict takes a saved_model: export it so")
    verify_digests(folder, files)
    kinds = rules or [name if shapes[name] else "numeric" for name in inputs]
    return ExportedModel(folder, inputs, dict(zip(inputs, kinds, strict=True)), shapes, labels, bool(rules))


def read_chunks(exported: ExportedModel, path: Path, encoding: str, note: Callable[[str], None]) -> Iterator[Named]:
    """Yield the rows of the file at ``path`` as the served inputs, by name.

    Raises:
        InputError: when it gets there, if a column is missing or a cell is not what its column takes.
    """
    if exported.whole == "images" and not is_archive(path):
        raise InputError(f"{path}: the model takes images; give them as the array x of an .npz archive")
    check_file_type(path)
    if not path.exists():
        raise InputError(f"{path}: there is no such file")
    return _archived(exported, path, note) if is_archive(path) else _csv(exported, path, encoding, note)


def is_archive(path: Path) -> bool:
    """Whether the file at ``path`` is an .npz archive, by its name."""
    return path.suffix.lower() == ".npz"


def check_file_type(path: Path) -> None:
    """Raise InputError if ``path`` ends as neither a CSV file nor an archive does."""
    if path.suffix.lower() in OTHERS:
        raise InputError(f"{path}: predict reads and writes CSV files and .npz archives, no {path.suffix} files")


def _csv(exported: ExportedModel, path: Path, encoding: str, note: Callable[[str], None]) -> Iterator[Named]:
    """Yield the rows of a CSV file as the served inputs."""
    require_file(path)
    cells = iterate_csv(path, None, encoding)
    header = list(column_names(pd.DataFrame(columns=next(cells)), str(path)))
    wanted = header if exported.whole else list(exported.inputs.values())
    if exported.whole and exported.shapes["rows"] != (len(header),):
        raise InputError(f"{path}: has {len(header)} columns, the model takes {exported.shapes['rows'][0]}, in order")
    _compare(path, wanted, header, note)
    where = [header.index(column) for column in wanted]
    seen = 0
    while rows := list(itertools.islice(cells, CHUNK)):
        columns = {column: np.array([row[i] for row in rows], object) for column, i in zip(wanted, where, strict=True)}
        yield _served(exported, columns, path, seen)
        seen += len(rows)
    if not seen:
        raise InputError(f"{path}: has a header and no rows")


def _archived(exported: ExportedModel, path: Path, note: Callable[[str], None]) -> Iterator[Named]:
    """Yield the rows of an archive as the served inputs."""
    arrays = read_npz(path)
    wanted = ["x"] if exported.whole else list(exported.inputs.values())
    if "x" in arrays and wanted != ["x"] and set(wanted).isdisjoint(arrays):
        arrays = dict(zip(wanted, _shaped(arrays["x"], (len(wanted),), f"{path}: x").T, strict=True))
    _compare(path, wanted, list(arrays), note)
    if exported.whole:
        arrays = {"x": _shaped(arrays["x"], exported.shapes[exported.whole], f"{path}: x")}
    lengths = {len(arrays[name]) if arrays[name].ndim else 0 for name in wanted}
    if len(lengths) != 1 or lengths == {0}:
        raise InputError(f"{path}: each array needs the same number of rows, received {sorted(lengths)}")
    size = math.prod(exported.shapes[exported.whole]) if exported.whole else len(wanted)
    step = max(1, min(CHUNK, CHUNK_VALUES // size))
    for start in range(0, lengths.pop(), step):
        chunk = {name: arrays[name][start : start + step] for name in wanted}
        if exported.whole:
            yield {exported.whole: _finite(chunk["x"].astype(np.float64), f"{path}: x", start)}
        else:
            yield _served(exported, chunk, path, start)


def _shaped(x: Array, shape: tuple[int, ...], where: str) -> Array:
    x = x[..., np.newaxis] if x.ndim == 3 and len(shape) == 3 else x
    if x.shape[1:] != shape or x.dtype.kind not in "buif":
        raise InputError(f"{where} takes numbers of shape (n, {str(shape)[1:]}, received {x.dtype} {x.shape}")
    return x


def _served(exported: ExportedModel, columns: Mapping[str, Array], path: Path, before: int) -> Named:
    """Return a chunk of raw columns, text or numbers, as the served inputs."""
    if exported.whole:
        read = [_read(cells, "numeric", f"{path}: column {name!r}", before, False) for name, cells in columns.items()]
        return {exported.whole: np.stack(read, axis=1)}
    return {
        name: _read(columns[column], exported.kinds[name], f"{path}: column {column!r}", before, exported.mends)
        for name, column in exported.inputs.items()
    }


def _compare(path: Path, wanted: Sequence[str], given: Sequence[str], note: Callable[[str], None]) -> None:
    missing = [column for column in wanted if column not in given]
    if missing:
        near = did_you_mean(missing[0], given)
        are = "is" if len(missing) == 1 else "are"
        raise InputError(f"{path}: the model takes {', '.join(map(repr, missing))}, which {are} not there.{near}")
    extra = [column for column in given if column not in wanted]
    if extra:
        note(f"{printable(str(path))}: ignored {', '.join(map(repr, extra))}, which the model does not take")


def _read(cells: Array, kind: str, where: str, before: int, mends: bool) -> Array:
    """Return the cells of one column as it is served; InputError, with the row, for what it does not take."""
    if kind == "numeric" and cells.dtype.kind in "buif":
        return _finite(cells.astype(np.float64), where, before, mends)
    texts = np.array([clean_cell(str(cell)) for cell in cells.tolist()], dtype=object)
    values = pd.to_numeric(pd.Series(texts), errors="coerce").to_numpy(dtype=np.float64)
    fits = {
        "numeric": ~np.isnan(values),
        "boolean": np.isin([text.lower() for text in texts], ("true", "false")),
        "date": np.array([kind == "date" and parse_date(text) is not None for text in texts]),
        "categorical": np.ones(len(texts), dtype=bool),
    }
    wrong = ~fits[kind] & ((texts != "") | (not mends))
    if wrong.any():
        first = int(np.argmax(wrong))
        takes = {"numeric": "numbers", "boolean": "true or false", "date": "dates such as 2024-01-31"}[kind]
        raise InputError(f"{where} takes {takes}, received {texts[first][:40]!r} in row {before + first + 1}")
    return _finite(values, where, before, mends) if kind == "numeric" else texts


def _finite(values: Array, where: str, before: int, mends: bool = False) -> Array:
    """Return ``values`` as float32; InputError if one is infinite or too large, or missing where none may be."""
    wrong = np.abs(values) > LARGEST if mends else ~(np.abs(values) <= LARGEST)
    if wrong.any():
        row = before + int(np.min(np.nonzero(wrong)[0])) + 1
        raise InputError(f"{where} takes numbers up to {LARGEST:g}, received {values[wrong][0]:g} in row {row}")
    return values.astype(np.float32)
