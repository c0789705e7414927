"""Read inputs for a user's own model as they are: by name, or one array of whole numbers, of text, of any shape."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.data.inputs import Array, InputSpec, NamedInputs
from regzoo.data.matching import UNNAMED, describe_specs, require_names
from regzoo.data.numbers import LARGEST, find_missing, keep_numbers, parse_numbers
from regzoo.data.reading.messages import describe_cells
from regzoo.data.sources.plain_types import plain_array, plain_series
from regzoo.data.table import clean_cell

_PLAIN_RANKS = {False: (1, 3), True: (2, 4)}
_INTEGER = re.compile(r"[+-]?[0-9]{1,18}")
_WORDS = {"c": "complex numbers", "M": "dates", "m": "durations"}


def read_named_inputs(x: Any, specs: Sequence[InputSpec], name: str) -> NamedInputs | None:
    """Return ``x`` by name; None if it is one array or table of numbers, as any backbone takes it.

    Args:
        x: a dict of arrays, lists, DataFrames or tensors; for a model with several inputs also a list or tuple of
            arrays in their order, or a DataFrame whose columns have their names; or one array or table.
        specs: the inputs of the model; empty if they are not known yet: then arrays of whole numbers, text and unusual
            shapes are kept as they are.
        name: name of the data in messages.

    Raises:
        InputError: with every input that cannot be read, and with lengths that differ.
    """
    given = _name_inputs(x, specs, name)
    if given is None:
        return None
    errors, arrays = ErrorCollector(), {}
    kinds = {spec.name: spec.kind for spec in specs}
    for key, values in given.items():
        with errors.collect():
            where = f"{name}: x" if len(given) == 1 and not isinstance(x, Mapping) else f"{name}: x[{key!r}]"
            arrays[key] = read_input(values, where, kinds.get(key))
    errors.raise_if_any()
    _require_equal_lengths(arrays, name)
    return NamedInputs(arrays)


def _name_inputs(x: Any, specs: Sequence[InputSpec], name: str) -> dict[str, Any] | None:
    """Return the values of each input by its name, as they were given; None for what any backbone takes."""
    if isinstance(x, Mapping):
        if not x:
            raise InputError(f"{name}: x is an empty dict; at least one input is needed")
        return {str(key): values for key, values in x.items()}
    if isinstance(x, pd.DataFrame):
        return _choose_columns(x, specs, name)
    if len(specs) > 1:
        if isinstance(x, list | tuple) and len(x) == len(specs) and all(hasattr(each, "shape") for each in x):
            return {spec.name: values for spec, values in zip(specs, x, strict=True)}
        given = f"a {type(x).__name__} of {len(x)}" if isinstance(x, list | tuple) else "one array"
        raise InputError(
            f"{name}: the model takes {describe_specs(specs)}, received {given}; give x as a dict of arrays by these "
            "names, or as a list of arrays in this order"
        )
    return None if _is_plain(x, specs) else {specs[0].name if specs else UNNAMED: x}


def _choose_columns(frame: pd.DataFrame, specs: Sequence[InputSpec], name: str) -> dict[str, Any] | None:
    """Return the columns that are inputs; all of them as one matrix for a model with one input of another name."""
    columns = [str(column) for column in frame.columns]
    if len(specs) == 1 and specs[0].kind == "float" and len(specs[0].shape) in _PLAIN_RANKS[False]:
        return None
    if len(specs) > 1 or (specs and specs[0].name in columns):
        require_names(columns, specs, name, "columns")
        return {spec.name: frame.iloc[:, columns.index(spec.name)] for spec in specs}
    return {specs[0].name: frame} if specs else None


def _is_plain(x: Any, specs: Sequence[InputSpec]) -> bool:
    """Return True for numbers that become float32 rows or images."""
    if specs:
        return specs[0].kind == "float" and len(specs[0].shape) in _PLAIN_RANKS[False]
    try:
        array = np.asarray(x)
    except ValueError:
        return True  # `from_arrays` says what is wrong
    return array.dtype.kind == "f" and array.ndim in _PLAIN_RANKS[True]


def read_input(values: Any, where: str, kind: str | None = None) -> Array:
    """Return a copy of the values of one input: floats, int64, booleans, or text as objects.

    Args:
        values: an array, lists, a tensor, a column or several.
        where: the input in messages.
        kind: what the model takes; cells of text in a column are read as such numbers. None keeps what is there.

    Raises:
        InputError: if they are ragged, empty, of several kinds, or hold a missing or infinite number.
    """
    if isinstance(values, pd.Series | pd.DataFrame):
        return _read_cells(values, where, kind)
    if np.ma.is_masked(values):
        raise InputError(f"{where} has masked values; drop or fill them")
    try:
        array = np.asarray(values)
    except ValueError:
        raise InputError(f"{where}: its rows have different lengths; pad them to one length") from None
    if array.ndim == 0 or array.size == 0:
        raise InputError(f"{where} takes one row or more, received the shape {array.shape}")
    if array.dtype.kind in "US" and isinstance(values, list | tuple):
        array = np.array(values, dtype=object)  # NumPy makes text of a number next to text
    array = plain_array(array, where)
    if array.dtype.kind in "OUST":
        return _read_text(array, where)
    return _read_numbers(array, where)


def _read_numbers(array: Array, where: str) -> Array:
    if array.dtype.kind not in "buif":
        what = _WORDS.get(array.dtype.kind, f"dtype {array.dtype}")
        raise InputError(f"{where} takes numbers, booleans or text, received {what}")
    if array.dtype.kind == "b":
        return np.array(array)
    if array.dtype.kind == "f":
        _require_finite(array, where)
        return keep_numbers(array)
    if array.dtype.kind == "u" and int(array.max()) > np.iinfo(np.int64).max:
        raise InputError(f"{where} holds whole numbers beyond 2**63")
    return np.array(array, dtype=np.int64, order="C")


def _require_finite(array: Array, where: str) -> None:
    bad = ~np.isfinite(array)
    what = "missing or infinite"
    if not bad.any() and array.dtype.itemsize > 2:  # float16 ends at 65,504
        bad, what = np.abs(array) > LARGEST, f"beyond {LARGEST:g}"
    if bad.any():
        row = int(np.min(np.nonzero(bad)[0])) + 1
        raise InputError(f"{where} has {bad.sum()} values that are {what}, the first in row {row}; drop or fill them")


def _read_text(array: Array, where: str) -> Array:
    """Return text as objects; bytes are decoded. Numbers among text are refused, and so is None."""
    texts = np.empty(array.shape, dtype=object)
    for index, value in np.ndenumerate(array):
        texts[index] = value.decode("utf-8", "replace") if isinstance(value, bytes) else value
    wrong = [value for value in texts.ravel() if not isinstance(value, str)]
    if wrong:
        numbers = all(isinstance(value, int | float | bool | np.number) for value in texts.ravel())
        hint = "give an array of numbers" if numbers else "give text or numbers, of one kind"
        ragged = "; pad rows of different lengths to one length" if isinstance(wrong[0], list | tuple) else ""
        raise InputError(f"{where} holds {wrong[0]!r:.40} ({type(wrong[0]).__name__}); {hint}{ragged}")
    return require_text(texts, where)


def require_text(texts: Array, where: str) -> Array:
    """Return ``texts``; InputError if one holds NUL or is no valid UTF-8, which no exported model can receive."""
    for text in set(texts.ravel().tolist()):
        if "\0" in text or (not text.isascii() and text.encode("utf-8", "replace").decode() != text):
            raise InputError(f"{where} holds {text[:40]!r}, which is not valid UTF-8 text; correct or drop it")
    return texts


def _read_cells(cells: pd.Series | pd.DataFrame, where: str, kind: str | None) -> Array:
    """Return a column (n,), or several (n, columns), of one kind."""
    if isinstance(cells, pd.DataFrame):
        columns = [
            _read_cells(cells.iloc[:, i], f"{where}: column {cells.columns[i]!r}", kind) for i in range(cells.shape[1])
        ]
        if len({column.dtype.kind for column in columns} & {"O"}) and len({c.dtype.kind for c in columns}) > 1:
            raise InputError(f"{where} holds columns of numbers and of text; give columns of one kind")
        return np.stack(columns, axis=1)
    cells = plain_series(cells, where)
    dtype = cells.dtype
    if pd.api.types.is_bool_dtype(dtype) or pd.api.types.is_numeric_dtype(dtype):
        missing = cells.isna().to_numpy()
        if missing.any():
            raise InputError(_describe_missing(missing, where))
        plain = cells.to_numpy() if isinstance(dtype, np.dtype) else cells.to_numpy(dtype=_get_plain_dtype(dtype))
        return _read_numbers(plain, where)
    texts = np.array(["" if gone else str(cell) for cell, gone in zip(cells, cells.isna(), strict=True)], dtype=object)
    if kind in (None, "text"):
        return require_text(texts, where)
    return _parse_numbers(texts, where, kind)


def _get_plain_dtype(dtype: Any) -> Any:
    if pd.api.types.is_bool_dtype(dtype):
        return np.bool_
    return np.int64 if pd.api.types.is_integer_dtype(dtype) else np.float64


def _parse_numbers(texts: Array, where: str, kind: str | None) -> Array:
    """Return numbers, or booleans, from cells of text (n,)."""
    cells = np.array([clean_cell(text) for text in texts], dtype=object)
    if (cells == "").any():
        raise InputError(_describe_missing(cells == "", where))
    lower = np.array([cell.lower() for cell in cells])
    if np.isin(lower, ("true", "false")).all():
        return np.array(lower == "true")
    if kind == "integer" and all(_INTEGER.fullmatch(cell) for cell in cells):
        return np.array([int(cell) for cell in cells], dtype=np.int64)
    numbers = parse_numbers(cells)
    wrong = find_missing(numbers)
    if wrong.any():
        found = describe_cells(cells, wrong, f"{where} takes numbers")
        raise InputError(f"{found}; correct them, or leave the column out (data.drop in a config)")
    return _read_numbers(numbers, where)


def _describe_missing(missing: Array, where: str) -> str:
    first = int(np.argmax(missing)) + 1
    return f"{where} has {missing.sum()} missing cells, the first in row {first}; fill them, or drop these rows"


def _require_equal_lengths(arrays: Mapping[str, Array], name: str) -> None:
    (first, values), *others = arrays.items()
    for key, other in others:
        if len(other) != len(values):
            lengths = f"x[{first!r}] has {len(values)} rows and x[{key!r}] has {len(other)}"
            raise InputError(f"{name}: {lengths}; each row needs every input")
