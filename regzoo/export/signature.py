"""Serving signature of an exported model: names, types and raw values of its inputs."""

from __future__ import annotations

import keyword
import re
import unicodedata
from collections.abc import Sequence

import numpy as np
import tensorflow as tf

from regzoo.data.columns import format_cells
from regzoo.data.dataset import Array
from regzoo.data.input_rules import InputRule
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.numbers import cast_numbers
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table
from regzoo.export.tf_columns import get_dtype

_SERVABLE = re.compile(r"[A-Za-z][A-Za-z0-9_]*")
_RESERVED = {"self", "samples", *keyword.kwlist}
"""Names that TensorFlow's Python functions cannot take as keywords, and the name of the input that is not a column."""


def make_input_names(columns: Sequence[str]) -> tuple[str, ...]:
    """Return the name under which each column is served: its own, unless TensorFlow cannot take it.

    TensorFlow takes ASCII letters, digits and underscores, starting with a letter, and ignores case. Other names are
    reduced to these characters, and names that collide are numbered.

    >>> make_input_names(["Age", "age", "mean radius (µm)", "2nd", "größe", "class"])
    ('Age', 'age_2', 'mean_radius_m', 'column_2nd', 'groe', 'column_class')
    """
    taken = {column.lower(): column for column in reversed(columns) if _is_servable(column)}  # the first of equals
    served = {column: column for column in taken.values()}
    for column in columns:
        if column in served:
            continue
        name, number = _make_servable(column), 2
        while name.lower() in taken:
            name, number = f"{_make_servable(column)}_{number}", number + 1
        taken[name.lower()], served[column] = column, name
    return tuple(served[column] for column in columns)


def _is_servable(name: str) -> bool:
    return _SERVABLE.fullmatch(name) is not None and name.lower() not in map(str.lower, _RESERVED)


def _make_servable(column: str) -> str:
    ascii_text = unicodedata.normalize("NFKD", column).encode("ascii", "ignore").decode()
    name = column if _is_servable(column) else re.sub(r"\W+", "_", ascii_text).strip("_")
    return name if _is_servable(name) else f"column_{name}".rstrip("_")


def name_inputs(preprocessor: Preprocessor) -> dict[str, str]:
    """Return the served inputs by name, each with its column of the data; of an array the kind: ``rows``, ``images``.

    The inputs of a user's own model each have their own name.
    """
    if preprocessor.inputs:
        names = [spec.name for spec in preprocessor.raw_specs]
        return dict(zip(make_input_names(names), names, strict=True))
    if preprocessor.columns:
        return dict(zip(make_input_names(preprocessor.columns), preprocessor.columns, strict=True))
    return {preprocessor.kind: preprocessor.kind}


def make_input_specs(preprocessor: Preprocessor) -> dict[str, tf.TensorSpec]:
    """Return the specs of the served inputs, by name."""
    if preprocessor.inputs:
        rules = zip(name_inputs(preprocessor), preprocessor.inputs, strict=True)
        return {name: tf.TensorSpec([None, *rule.raw.shape], _get_input_dtype(rule), name=name) for name, rule in rules}
    names, shape = name_inputs(preprocessor), () if preprocessor.columns else preprocessor.input_shape
    array_dtype = tf.as_dtype(preprocessor.centering.dtype)
    dtypes = [get_dtype(rule) for rule in preprocessor.rules] or [array_dtype] * len(names)
    return {name: tf.TensorSpec([None, *shape], dtype, name=name) for name, dtype in zip(names, dtypes, strict=True)}


def _get_input_dtype(rule: InputRule) -> tf.DType:
    return tf.as_dtype(rule.centering.dtype) if rule.spec.kind == "float" else get_served_dtype(rule.raw)


def get_served_dtype(spec: InputSpec) -> tf.DType:
    """Return the dtype that an input of a user's own model is served as: float32, int32, int64, bool or string.

    Floats that float32 would not keep apart are served as float64 or int64, see `regzoo.data.centering`.

    Integers of other types are served as the smaller of int32 and int64 that holds them.

    >>> get_served_dtype(InputSpec("pixels", (8, 8), "uint8")).name
    'int32'
    """
    if spec.kind == "integer":
        return tf.int32 if np.can_cast(spec.dtype, np.int32) else tf.int64
    return {"float": tf.float32, "boolean": tf.bool, "text": tf.string}[spec.kind]


def split_inputs(raw: Array | Table | NamedInputs, preprocessor: Preprocessor) -> dict[str, Array]:
    """Return raw inputs (rows, ...) as the served inputs, by name."""
    names = name_inputs(preprocessor)
    if isinstance(raw, NamedInputs):
        dtypes = {name: spec.dtype for name, spec in make_input_specs(preprocessor).items()}
        served = {name: raw.arrays[own] for name, own in names.items()}
        return {name: a if a.dtype.kind == "O" else a.astype(dtypes[name].as_numpy_dtype) for name, a in served.items()}
    if isinstance(raw, Table):
        kinds = {name: spec.dtype.name for name, spec in make_input_specs(preprocessor).items()}
        rules = {rule.name: rule for rule in preprocessor.rules}
        columns = {name: format_cells(rules[column], raw.column(column)) for name, column in names.items()}
        return {name: c if c.dtype.kind == "O" else cast_numbers(c, kinds[name]) for name, c in columns.items()}
    values = cast_numbers(raw, preprocessor.centering.dtype)
    return {name: values[:, index] if preprocessor.columns else values for index, name in enumerate(names)}
