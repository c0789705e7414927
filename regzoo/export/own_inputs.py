"""Input rows of a user's own model that takes more than one array of floats: read from a CSV or NPZ file by name."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.inputs import InputSpec, format_shape
from regzoo.data.matching import UNNAMED, fit_input
from regzoo.data.sources.named_inputs import read_input
from regzoo.data.sources.npz import read_npz
from regzoo.data.sources.ragged import list_sequences, pad_tokens
from regzoo.export.csv_header import open_csv, skip_index
from regzoo.export.exported_model import ExportedModel, NamedArrays

Values = Mapping[str, Any]
"""Arrays or columns by the name of their input."""

CheckNames = Callable[[Sequence[str], Sequence[str]], None]
"""Called with the names that are wanted and given; raises InputError if one is missing."""


def read_own_csv(
    model: ExportedModel, path: Path, encoding: str, rows: int, check: CheckNames, notify: Callable[[str], None]
) -> Iterator[NamedArrays]:
    """Yield the rows of a CSV file as the served inputs, ``rows`` at a time.

    The file has a column for each input; or, for a single input of several values a row, one for each of these.
    """
    specs = _list_specs(model)
    wanted = [spec.name for spec in specs.values()]
    header, lines = open_csv(path, encoding, None if _takes_all_columns(specs, ()) else wanted, notify)
    whole = _takes_all_columns(specs, header)
    if whole:
        wanted = skip_index(header, specs[next(iter(specs))].shape[0] or len(header))
    else:
        _require_columns(specs, path)
    check(wanted, header)
    count = 0
    while chunk := list(itertools.islice(lines, rows)):
        frame = pd.DataFrame(chunk, columns=header, dtype=object)
        given: Values = {spec.name: frame[wanted] if whole else frame[spec.name] for spec in specs.values()}
        yield _convert(given, specs, path, count)
        count += len(chunk)
    if not count:
        raise InputError(f"{path}: has a header and no rows")


def read_own_frame(
    model: ExportedModel, frame: pd.DataFrame, source: str, rows: int, check: CheckNames
) -> Iterator[NamedArrays]:
    """Yield the rows of a DataFrame as the served inputs, ``rows`` at a time, from columns as `read_own_csv` takes."""
    specs, header = _list_specs(model), list(frame.columns)
    tokens = _read_token_lists(specs, frame, source)
    if tokens is not None:
        for start in range(0, len(frame), rows):
            yield _convert({next(iter(specs.values())).name: tokens[start : start + rows]}, specs, source, start)
        return
    whole = _takes_all_columns(specs, header)
    if not whole:
        _require_columns(specs, source)
        check([spec.name for spec in specs.values()], header)
    if whole:
        frame = frame[skip_index(header, next(iter(specs.values())).shape[0] or len(header))]
    for start in range(0, len(frame), rows):
        chunk = frame.iloc[start : start + rows]
        yield _convert({s.name: chunk if whole else chunk[s.name] for s in specs.values()}, specs, source, start)


def _read_token_lists(specs: Mapping[str, InputSpec], frame: pd.DataFrame, source: str) -> Array | None:
    """Return the tokens (n, steps) of a frame whose only column holds lists, for a model that takes them; else None."""
    (spec, *others) = specs.values()
    if others or spec.kind != "integer" or len(spec.shape) != 1 or (lists := list_sequences(frame)) is None:
        return None
    return pad_tokens(lists, f"{source}: column {frame.columns[0]!r}", spec.shape[0])


def read_own_archive(
    model: ExportedModel, path: Path, rows: int, most: int, check: CheckNames
) -> Iterator[NamedArrays]:
    """Yield the rows of an archive as the served inputs: up to ``rows`` at a time, and up to ``most`` values.

    The archive has an array for each input by name; or x, for a single input.
    """
    specs, arrays = _list_specs(model), read_npz(path)
    names = [spec.name for spec in specs.values()]
    if len(names) == 1 and names[0] not in arrays and UNNAMED in arrays:
        arrays = {names[0]: arrays[UNNAMED]}
    check(names, list(arrays))
    lengths = {len(arrays[name]) if arrays[name].ndim else 0 for name in names}
    if len(lengths) != 1 or lengths == {0}:
        raise InputError(f"{path}: each array needs the same number of rows, received {sorted(lengths)}")
    size = max(1, sum(math.prod(arrays[name].shape[1:]) for name in names))
    step = max(1, min(rows, most // size))
    for start in range(0, lengths.pop(), step):
        yield _convert({name: arrays[name][start : start + step] for name in names}, specs, path, start)


def _list_specs(model: ExportedModel) -> dict[str, InputSpec]:
    """Return what each input takes, by the name that it is served under."""
    return {name: InputSpec(own, model.shapes[name], model.dtypes[name]) for name, own in model.inputs.items()}


def _takes_all_columns(specs: Mapping[str, InputSpec], header: Sequence[str]) -> bool:
    """Return True if the columns together are the one input."""
    (first, *others) = specs.values()
    return not others and len(first.shape) == 1 and first.shape != (1,) and list(header) != [first.name]


def _require_columns(specs: Mapping[str, InputSpec], path: Path | str) -> None:
    """Raise InputError if an input takes more than a cell of a CSV file holds."""
    for spec in specs.values():
        if spec.shape not in ((), (1,)):
            raise InputError(
                f"{path}: the input {spec.name!r} takes {format_shape(spec.shape)} in each row, which no column of a "
                "CSV file holds; give an .npz archive with an array for each input"
            )


def _convert(given: Values, specs: Mapping[str, InputSpec], path: Path | str, start: int) -> NamedArrays:
    """Return a chunk as the served inputs; ``start`` is its first row from 0."""
    later = f" (rows from {start + 1})" if start else ""
    arrays = {}
    for name, spec in specs.items():
        where = f"{path}{later}: {spec.name!r}"
        fitted = fit_input(read_input(given[spec.name], where, spec.kind), spec, where)
        arrays[name] = np.asarray(fitted, dtype=object) if spec.kind == "text" else fitted.astype(spec.dtype)
    return arrays
