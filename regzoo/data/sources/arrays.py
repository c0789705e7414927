"""Read arrays passed in Python: lists, NumPy arrays, DataFrames, anything that NumPy reads."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import SEEN, InputForm, InputForms, shape_array
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.numbers import keep_numbers
from regzoo.data.sources.column_kinds import Inputs, read_columns
from regzoo.data.sources.column_names import name_frame
from regzoo.data.sources.finite import require_finite
from regzoo.data.sources.frames import as_frame
from regzoo.data.sources.labels import read_labels
from regzoo.data.sources.named_inputs import read_named_inputs
from regzoo.data.sources.plain_types import describe_units, plain_array, plain_frame
from regzoo.data.sources.roles import attach_roles
from regzoo.data.sources.targets import as_cells, read_target
from regzoo.data.table import Table

_KINDS = {
    "O": "mixed or non-numeric objects",
    "U": "text",
    "S": "bytes",
    "c": "complex numbers",
    "M": "dates",
}


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
            channels), see `shape_array`. Numbers or booleans; the columns of a DataFrame may also be words or dates,
            with missing cells, as may rows of such values in lists or an array of objects, see `as_frame`.
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
    labels: tuple[str, ...] = ()
    if inputs is None and form.kind in (None, "rows"):
        x = as_frame(x)
    with errors.collect():
        if isinstance(x, pd.DataFrame):
            units = describe_units(x, name)
            named = name_frame(plain_frame(x), name)
            x, columns = named.frame, tuple(named.frame.columns)
        read = _read_values(x, columns, inputs, form, name)
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
    data = Dataset(values, targets, columns, name, _get_target_name(y), labels, readings=read.readings)
    notes, warnings = ((), ()) if named is None else (named.notes, named.warnings)
    data = replace(data, notes=(*notes, *units, *read.notes), warnings=(*warnings, *read.warnings))
    return attach_roles(data, given, places, form.keys)


def _read_values(
    x: Any, columns: tuple[str, ...] | None, inputs: Sequence[InputSpec] | None, form: InputForm, name: str
) -> Inputs:
    """Return the inputs: by name, as a user's own model takes them; or one array, or columns."""
    if inputs is None and isinstance(x, Mapping):
        raise InputError(
            f"{name}: x is a dict of arrays, which only a model of your own takes (backbone= your Keras model); give "
            "one array or a DataFrame"
        )
    named = None if inputs is None else read_named_inputs(x, inputs, name)
    if named is not None:
        return Inputs(named)
    if columns is None:
        images = inputs is not None and len(inputs) > 0 and len(inputs[0].shape) == 3
        values, notes = _read_inputs(x, form.kind or ("images" if images else None), name)
        return Inputs(values, notes=notes)
    read = read_columns(x, columns, name, form.keys)
    table = read.values
    if form.kind in (None, "rows"):
        return read
    if isinstance(table, Table):
        raise InputError(
            f"{name}: {form.kind} (data.kind) are read from columns of complete numbers, and "
            f"{_list_other_columns(table)}; correct them, leave them out (data.drop), or take data.kind out"
        )
    return Inputs(shape_array(np.asarray(table), form.kind, f"{name}: x")[0])


def _list_other_columns(table: Table) -> str:
    """Return in words the first column that holds no complete numbers."""
    for column, kind, values in zip(table.columns, table.kinds, table.values, strict=True):
        if kind != "numeric":
            return f"column {column!r} is {kind}"
        if np.isnan(values).any():
            return f"column {column!r} lacks a number in row {int(np.argmax(np.isnan(values))) + 1}"
    return "columns are not"


def _require_different(targets: Array, name: str) -> Array:
    """Return ``targets``; InputError if all are the same."""
    if len(np.unique(targets)) < 2:
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


def _reject_sparse(values: Any, where: str) -> None:
    if issparse(values):
        raise InputError(f"{where} is a sparse matrix; give it as an array: {where[-1]}.toarray()")


def _read_inputs(x: Any, kind: InputForms | None, name: str) -> tuple[Array, tuple[str, ...]]:
    _reject_sparse(x, f"{name}: x")
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(f"{name}: the rows of x have different lengths; each row needs the same inputs") from None
    if np.ma.is_masked(x):
        raise InputError(f"{name}: x has masked values; drop or fill them")
    array = plain_array(array, f"{name}: x")
    if array.dtype.kind not in "buif":
        what = _KINDS.get(array.dtype.kind, f"dtype {array.dtype}")
        way_out = "drop or encode what is not a number, or give a DataFrame, whose columns may be words and dates"
        raise InputError(f"{name}: x takes numbers, received {what}; {way_out}")
    if array.ndim not in (2, 3, 4):
        forms = "(n, features), (n, steps, channels), (n, height, width) or (n, height, width, channels)"
        hint = "; one feature has the shape (n, 1)" if array.ndim == 1 else ""
        raise InputError(f"{name}: x takes the shape {forms}, received {array.shape}{hint}")
    if array.size == 0:
        raise InputError(f"{name}: x is empty, its shape is {array.shape}")
    shaped, _, sentence = shape_array(array, kind, f"{name}: x")
    frame = ", or give a DataFrame, whose missing cells are filled" if shaped.ndim == 2 else ""
    require_finite(shaped, f"{name}: x", f"drop, fill or rescale them{frame}")
    return keep_numbers(shaped), (sentence,) * bool(sentence)


def _get_target_name(y: Any) -> str | None:
    if isinstance(y, pd.DataFrame) and y.shape[1] == 1:
        return str(y.columns[0])
    return str(y.name) if isinstance(y, pd.Series) and y.name is not None else None


def _read_targets(y: Any, name: str) -> tuple[Array, tuple[str, ...]]:
    """Return the targets (n,), or several labels (n, labels) and their names."""
    _reject_sparse(y, f"{name}: y")
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
