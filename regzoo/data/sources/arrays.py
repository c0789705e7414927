"""Read arrays passed in Python: lists, NumPy arrays, DataFrames, anything that NumPy reads."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.sources.array_inputs import read_inputs, reject_sparse
from regzoo.data.sources.column_kinds import read_clocks
from regzoo.data.sources.column_names import name_columns, name_frame
from regzoo.data.sources.frames import as_frame
from regzoo.data.sources.labels import read_labels
from regzoo.data.sources.plain_types import describe_units, find_times, plain_frame
from regzoo.data.sources.ragged import pad_rows
from regzoo.data.sources.roles import attach_roles
from regzoo.data.sources.targets import as_cells, read_target
from regzoo.data.sources.token_inputs import is_text


def from_arrays(
    x: Any,
    y: Any,
    name: str = "arrays",
    *,
    groups: Any = None,
    sample_weight: Any = None,
    time: Any = None,
    part: Any = None,
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
) -> Dataset:
    """Return a checked copy of ``x`` and ``y``; the caller's objects stay unchanged.

    Args:
        x: (n, features), or images (n, height, width) or (n, height, width, channels), or sequences (n, steps,
            channels), see `shape_array`; or lists of tokens of different lengths. Numbers or booleans; the columns of a
            DataFrame may also be words or dates, with missing cells, as may rows of such values in lists or an array of
            objects, see `as_frame`.
        y: (n,) or (n, 1): labels (text, booleans, integers) or numbers, of any type, see `read_target`; or (n, labels):
            several labels a row, each 0 or 1, or false or true, named by the columns of a DataFrame; None if there are
            only inputs.
        name: name of the data in messages and reports.
        groups: (n,) group of each row; no group is in two parts.
        sample_weight: (n,) numbers above 0.
        time: (n,) numbers or dates, also as text such as 2024-01-31.
        part: (n,) ``train``, ``validation``, ``test``, or None (or "") where the split may choose.
        inputs: the inputs of a user's own model, for which x may also be a dict of arrays, see `read_named_inputs`;
            empty if they are not known yet, None for a backbone of regzoo.
        form: what the inputs are, where their shape does not tell.

    Raises:
        InputError: with every problem: shapes or lengths that do not fit, values that are not finite or cannot be
            used, targets that are all the same.

    >>> from_arrays([[1, 2], [3, 4]], ["no", "yes"]).x.shape
    (2, 2)
    """
    errors = ErrorCollector()
    columns, targets, named, read = None, None, None, None
    units: tuple[str, ...] = ()
    times: dict[str, str] = {}
    labels: tuple[str, ...] = ()
    padded: tuple[str, ...] = ()
    if inputs is None and form.kind in (None, "rows") and not is_text(x):
        x = as_frame(x)
    with errors.collect():
        x, padded = pad_rows(x, form.kind, name, own=inputs is not None)
        if isinstance(x, pd.DataFrame):
            times = {name_columns(list(x.columns))[position]: what for position, what in find_times(x).items()}
            named = name_frame(plain_frame(x), name)
            x, columns = named.frame, tuple(named.frame.columns)
            times = {column: what for column, what in times.items() if column in columns}
            units = describe_units(times, name)
        read = read_clocks(read_inputs(x, columns, inputs, form, name), columns or (), times)
    with errors.collect():
        targets, labels = (None, ()) if y is None else _read_targets(y, name)
    errors.raise_if_any()
    assert read is not None
    values = read.values
    if targets is not None and len(values) != len(targets):
        raise InputError(f"{name}: x has {len(values)} rows and y has {len(targets)}; each row needs one target")
    for array in (values, targets):
        if isinstance(array, np.ndarray):
            array.setflags(write=False)
    roles = {"group": groups, "time": time, "part": part, "weight": sample_weight}
    given = {role: values for role, values in roles.items() if values is not None}
    words = {"group": "groups", "weight": "sample_weight"}
    places = {role: f"{name}: {words.get(role, role)}" for role in given}
    columns = columns if len(values.shape) == 2 and not isinstance(values, NamedInputs) else None
    data = Dataset(values, targets, columns, name, _get_target_name(y), labels, readings=read.readings, form=read.form)
    notes, warnings = ((), ()) if named is None else (named.notes, named.warnings)
    data = replace(data, notes=(*notes, *units, *padded, *read.notes), warnings=(*warnings, *read.warnings))
    return attach_roles(data, given, places, form.keys)


def _require_different(targets: Array, name: str) -> Array:
    """Return ``targets``; InputError if all are the same."""
    if (targets == targets[0]).all():
        raise InputError(f"{name}: all {len(targets)} targets are {targets[0]!s}; there is nothing to learn")
    return targets


def read_column_names(frame: pd.DataFrame, name: str) -> tuple[str, ...]:
    """Return the names of the columns as text; InputError if two are the same, or one is empty or unprintable."""
    names = [str(column) for column in frame.columns]
    if not names:
        raise InputError(f"{name}: x has no columns; at least one input is needed")
    seen: dict[str, int] = {}
    for position, column in enumerate(names, 1):
        if not column.strip():
            raise InputError(f"{name}: column {position} of {len(names)} has no name; name it or drop it")
        if column in seen:
            both = f"columns {seen[column]} and {position}"
            raise InputError(f"{name}: {both} are both called {column!r}; rename one")
        if not column.isprintable():
            raise InputError(f"{name}: column {position} is called {column!r}, with control characters; rename it")
        seen[column] = position
    return tuple(names)


def _get_target_name(y: Any) -> str | None:
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        return str(y.columns[0])
    return str(y.name) if isinstance(y, pd.Series) and y.name is not None else None


def _read_targets(y: Any, name: str) -> tuple[Array, tuple[str, ...]]:
    """Return the targets (n,), or several labels (n, labels) and their names."""
    reject_sparse(y, f"{name}: y")
    if np.ma.is_masked(y):
        raise InputError(f"{name}: y has masked targets; drop these rows")
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        y = y.iloc[:, 0]
    array = as_cells(_as_objects(y, name) if isinstance(y, list | tuple) else y)
    if len(np.atleast_1d(array)) == 0:
        raise InputError(f"{name}: y is empty")
    if array.ndim == 2 and array.shape[1] > 1:
        columns = y if isinstance(y, pd.DataFrame) else pd.DataFrame(array)
        labels = read_column_names(columns, f"{name}: y")
        return read_labels(columns, labels, name), labels
    if array.ndim == 2 and array.shape[1] == 1:
        array = array[:, 0]
    if array.ndim != 1:
        allowed = "one target a row, shape (n,), or several labels, shape (n, labels)"
        raise InputError(f"{name}: y takes {allowed}, received {array.shape}")
    return _require_different(read_target(array, name), name), ()


def _as_objects(y: Any, name: str) -> Array:
    """Return a sequence as an array of objects, so that 1 next to 'a' is not silently turned into text."""
    try:
        return np.array(y, dtype=object)
    except ValueError:
        raise InputError(f"{name}: the rows of y have different lengths; each row needs one target") from None
