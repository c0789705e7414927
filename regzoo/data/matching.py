"""Match data with what a user's own model takes: names, shapes and kinds of values, before anything is trained."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace

import numpy as np

from regzoo.core.errors import ErrorCollector, InputError
from regzoo.core.formatting import format_list
from regzoo.data.dataset import Array, Dataset
from regzoo.data.inputs import InputSpec, NamedInputs, format_shape
from regzoo.data.numbers import find_missing, keep_numbers
from regzoo.data.table import Table
from regzoo.data.token_matching import match_tokens

UNNAMED = "x"
"""Name of a single array until the input that takes it is known."""

Specs = tuple[InputSpec, ...]


def match_inputs(dataset: Dataset, specs: Specs | None, scale: str = "standardize") -> tuple[Dataset, Specs]:
    """Return the data set with its inputs as a model takes them, and the inputs.

    Args:
        dataset: raw data.
        specs: the inputs of a user's own model; None for a backbone of regzoo, which takes one array of numbers; empty
            if they are not known yet: the data then says what they are.
        scale: with ``none``, a table of words as well as numbers becomes one input for each column, if nothing is
            known of the model.

    Returns:
        The data set, and its inputs; none if they are one array of numbers, as any backbone takes it.

    Raises:
        InputError: with every input that the data does not fit, naming both.
    """
    x = dataset.x
    if isinstance(x, NamedInputs) and dataset.form is not None:
        matched = match_tokens(dataset, x, dataset.form, specs)
        return (matched, ()) if matched.form is not None else match_inputs(matched, specs, scale)
    if specs is None:
        if isinstance(x, NamedInputs):
            raise InputError(
                f"{dataset.name}: x holds {format_list([repr(name) for name in x.arrays])} by name; only a model of "
                "your own takes such inputs (backbone= your Keras model)"
            )
        return dataset, ()
    if not specs and scale == "none" and isinstance(x, Table) and set(x.kinds) & {"categorical", "date"}:
        x = NamedInputs(_split_columns(dataset))
        dataset = replace(dataset, x=x, columns=None)
    if not specs:
        return (dataset, describe_arrays(x)) if isinstance(x, NamedInputs) else (dataset, ())
    if _is_plain(x, specs):
        plain = keep_numbers(next(iter(x.arrays.values()))) if isinstance(x, NamedInputs) else x
        return replace(dataset, x=_add_channel(plain, specs[0]), columns=dataset.columns), ()
    arrays = _name_arrays(dataset, specs)
    errors, fitted = ErrorCollector(), {}
    for spec in specs:
        with errors.collect():
            where = f"{dataset.name}: x" + (f"[{spec.name!r}]" if len(specs) > 1 else "")
            fitted[spec.name] = fit_input(arrays[spec.name], spec, where)
    errors.raise_if_any()
    return replace(dataset, x=NamedInputs(fitted), columns=None), specs


def describe_arrays(inputs: NamedInputs) -> Specs:
    """Return what a model must take to be given ``inputs`` as they are."""
    dtypes = {"f": "float32", "b": "bool", "O": "string"}
    specs = []
    for name, values in inputs.arrays.items():
        large = values.dtype.kind == "i" and np.abs(values).max() > np.iinfo(np.int32).max
        specs.append(InputSpec(name, values.shape[1:], dtypes.get(values.dtype.kind, "int64" if large else "int32")))
    return tuple(specs)


def require_names(given: Sequence[str], specs: Iterable[InputSpec], name: str, what: str = "inputs") -> None:
    """Raise InputError unless the names that are ``given`` are those of the model's inputs."""
    wanted = [spec.name for spec in specs]
    missing = [repr(key) for key in wanted if key not in given]
    extra = [repr(key) for key in given if key not in wanted]
    if missing or extra:
        lacks = [f"lacks {format_list(missing)}"] if missing else []
        has = [f"has {format_list(extra)} besides"] if extra else []
        way_out = "give the inputs of the model and of the data the same names"
        drop = " (data.drop in a config)" if what == "columns" else ""
        raise InputError(
            f"{name}: the model takes the inputs {format_list([repr(key) for key in wanted])}, the data "
            f"{' and '.join([*lacks, *has])}; {way_out if missing else f'leave out what is no input{drop}'}"
        )


def describe_specs(specs: Sequence[InputSpec]) -> str:
    """Return the inputs of a model in words."""
    listed = format_list([str(spec) for spec in specs])
    return f"the input {listed}" if len(specs) == 1 else f"the {len(specs)} inputs {listed}"


def fits_shape(shape: tuple[int, ...], spec: InputSpec) -> bool:
    """Return True if examples of ``shape`` fit."""
    same = len(shape) == len(spec.shape)
    return same and all(want in (None, size) for size, want in zip(shape, spec.shape, strict=True))


def fit_input(values: Array, spec: InputSpec, where: str) -> Array:
    """Return ``values`` (n, ...) in the shape and the kind that an input takes; text stays text.

    Numbers for an input of floats keep their dtype, see `regzoo.data.input_rules.InputRule`. A last axis of size 1 is
    added or taken away, as Keras does it.

    Raises:
        InputError: if the shape or the values do not fit.
    """
    if spec.shape[-1:] == (1,) and values.ndim == len(spec.shape):
        values = values[..., np.newaxis]
    elif values.ndim == len(spec.shape) + 2 and values.shape[-1] == 1:
        values = values[..., 0]
    if not fits_shape(values.shape[1:], spec):
        received = format_shape(values.shape[1:])
        raise InputError(
            f"{where} has the shape {received} in each row, and the model's input {spec} takes "
            f"{format_shape(spec.shape)}; give rows of that shape, or a model that takes these"
        )
    if (spec.kind == "text") != (values.dtype.kind == "O"):
        kind = "text" if values.dtype.kind == "O" else f"{values.dtype}"
        change = "turn it into numbers" if spec.kind != "text" else "write them as text"
        raise InputError(f"{where} holds {kind}, and the model's input {spec} takes {_describe(spec)}; {change}")
    return values if spec.kind == "text" else _fit_numbers(values, spec, where)


def _fit_numbers(values: Array, spec: InputSpec, where: str) -> Array:
    if spec.kind == "float":
        return keep_numbers(values)
    if spec.kind == "boolean":
        return _require(values, (values == 0) | (values == 1), spec, where).astype(np.bool_)
    limits = np.iinfo(spec.dtype)
    whole = (values == np.floor(values)) if values.dtype.kind == "f" else np.ones(values.shape, dtype=bool)
    inside = whole & (values >= limits.min) & (values <= limits.max)
    return _require(values, inside, spec, where).astype(spec.dtype)


def _require(values: Array, fits: Array, spec: InputSpec, where: str) -> Array:
    if not fits.all():
        row = int(np.min(np.nonzero(~fits)[0]))
        raise InputError(
            f"{where} holds {values[~fits][0]} in row {row + 1}, and the model's input {spec} takes {_describe(spec)}"
        )
    return values


def _describe(spec: InputSpec) -> str:
    if spec.kind == "integer":
        limits = np.iinfo(spec.dtype)
        return f"whole numbers from {limits.min} to {limits.max}"
    return {"float": "numbers", "boolean": "true and false", "text": "text"}[spec.kind]


def _is_plain(x: Array | Table | NamedInputs, specs: Specs) -> bool:
    """Return True for numbers that one input of floats takes as rows or images."""
    if len(specs) != 1 or specs[0].kind != "float" or len(specs[0].shape) not in (1, 3):
        return False
    if isinstance(x, NamedInputs):
        values = x.arrays.get(UNNAMED) if len(x.arrays) == 1 else None
        return values is not None and values.dtype.kind != "O" and values.ndim in (2, 3, 4)
    return True


def _add_channel(x: Array | Table, spec: InputSpec) -> Array | Table:
    """Return images with the channel axis that the input has."""
    if isinstance(x, Table) or x.ndim != 3 or len(spec.shape) != 3 or spec.shape[-1] != 1:
        return x
    return x[..., np.newaxis]


def _name_arrays(dataset: Dataset, specs: Specs) -> dict[str, Array]:
    """Return the arrays of the data by the names of the model's inputs."""
    x = dataset.x
    if isinstance(x, NamedInputs):
        if len(specs) == len(x.arrays) == 1 and UNNAMED in x.arrays:
            return {specs[0].name: x.arrays[UNNAMED]}
        require_names(list(x.arrays), specs, dataset.name)
        return dict(x.arrays)
    columns = x.columns if isinstance(x, Table) else dataset.columns or ()
    if len(specs) > 1 or specs[0].name in columns:
        if not columns:
            raise InputError(
                f"{dataset.name}: the model takes {describe_specs(specs)}, and the data has one array, x; take a model "
                "with one input, or give a dict of arrays or named columns"
            )
        require_names(columns, specs, dataset.name, "columns")
    by_name = _split_columns(dataset)
    if len(specs) > 1 or specs[0].name in columns:
        return by_name
    values = list(by_name.values())
    return {specs[0].name: np.stack(values, axis=1) if columns else x}  # type: ignore[dict-item]  # no columns: an array


def _split_columns(dataset: Dataset) -> dict[str, Array]:
    """Return the columns by name, complete."""
    x = dataset.x
    if not isinstance(x, Table):
        return {} if dataset.columns is None else dict(zip(dataset.columns, np.asarray(x).T, strict=True))
    require_complete(x, dataset.name)
    return {
        name: values == "true" if kind == "boolean" else values
        for name, kind, values in zip(x.columns, x.kinds, x.values, strict=True)
    }


def require_complete(table: Table, name: str) -> None:
    """Raise InputError with every column in which a number or a boolean is missing."""
    errors = ErrorCollector()
    for column, kind, values in zip(table.columns, table.kinds, table.values, strict=True):
        missing = find_missing(values) if kind == "numeric" else (values == "") & (kind == "boolean")
        if missing.any():
            row = int(np.argmax(missing)) + 1
            errors.messages.append(
                f"{name}: column {column!r} has {missing.sum()} missing cells, the first in row {row}; the model takes "
                "the data as it is: fill them, drop these rows, or let regzoo fill them (data.scale: standardize)"
            )
    errors.raise_if_any()
