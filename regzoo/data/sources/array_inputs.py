"""Read inputs of any form: one array, columns, text, tokens, or several inputs by name."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import fields, replace
from typing import Any

import numpy as np
from scipy.sparse import issparse

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.input_form import InputForm, InputForms, shape_array
from regzoo.data.inputs import InputSpec, NamedInputs
from regzoo.data.numbers import keep_numbers, require_distinct_columns
from regzoo.data.reading.reading import OPEN, ReadingKeys
from regzoo.data.sources.column_kinds import Inputs, read_columns
from regzoo.data.sources.finite import require_finite
from regzoo.data.sources.named_inputs import read_named_inputs
from regzoo.data.sources.plain_types import plain_array
from regzoo.data.sources.ragged import WAY_OUT
from regzoo.data.sources.token_inputs import TOKENS, as_tokens, holds_free_text, is_text, read_text
from regzoo.data.table import Table

_KINDS = {
    "O": "mixed or non-numeric objects",
    "U": "text",
    "S": "bytes",
    "c": "complex numbers",
    "M": "dates",
}


def read_inputs(
    x: Any, columns: tuple[str, ...] | None, inputs: Sequence[InputSpec] | None, form: InputForm, name: str
) -> Inputs:
    """Return the inputs: by name, as a user's own model takes them, or text and tokens are; or one array, or columns.

    Args:
        x: as `from_arrays` takes it, a table as a DataFrame of plain columns.
        columns: names of the columns of a DataFrame; None for anything else.
        inputs: the inputs of a user's own model, as for `from_arrays`.
        form: what the inputs are, where their shape does not tell.
        name: name of the data in messages.

    Raises:
        InputError: with every problem.
    """
    read = _read_form(x, columns, inputs, form, name)
    given = [key for key in ("max_tokens", "sequence_length") if getattr(form, key) is not None]
    if given and (read.form is None or read.form.kind != "text"):
        raise InputError(
            f"{name}: data.{given[0]} goes with text, and the data holds other inputs; leave it out, or say "
            "data.kind: text"
        )
    if columns is None or isinstance(read.values, NamedInputs):
        _reject_keys(form.keys, name)
    return read


def _reject_keys(keys: ReadingKeys, name: str) -> None:
    """Raise InputError if a key says how cells are read where no cell is."""
    given = [field.name for field in fields(keys) if getattr(keys, field.name) != getattr(OPEN, field.name)]
    if given:
        raise InputError(
            f"{name}: data.{given[0]} says how the columns of a table are read, and the data is an array, text, or "
            "inputs of a model of your own, which are taken as they are; leave it out, or read these cells beforehand"
        )


def _read_form(
    x: Any, columns: tuple[str, ...] | None, inputs: Sequence[InputSpec] | None, form: InputForm, name: str
) -> Inputs:
    if form.kind == "text" or (form.kind is None and inputs is None and is_text(x)):
        return Inputs(read_text(x, name), form=replace(form, kind="text"))
    if (inputs is None or form.kind is not None) and isinstance(x, Mapping):
        kind = "" if inputs is None else ", without kind (data.kind)"
        raise InputError(
            f"{name}: x is a dict of arrays, which only a model of your own takes (backbone= your Keras model){kind}; "
            "give one array or a DataFrame"
        )
    if inputs is not None:
        return _read_for_model(x, columns, inputs, form, name)
    if form.kind == "tokens":
        return Inputs(NamedInputs({TOKENS: _read_array(x, columns, form, name)}), form=form)
    read = _read_numbers(x, columns, form.kind, form.keys, name)
    if form.kind is None and holds_free_text(read.values):
        note = f"column {x.columns[0]!r} was read as text, word by word; data.kind: rows reads it as a category"
        return Inputs(read_text(x, name), notes=(note,), form=replace(form, kind="text"))
    return read


def _read_for_model(
    x: Any, columns: tuple[str, ...] | None, inputs: Sequence[InputSpec], form: InputForm, name: str
) -> Inputs:
    """Return the inputs of a user's own model, which takes arrays, several inputs or text in its own shapes."""
    if form.kind not in (None, "rows"):
        x, columns = _read_array(x, columns, form, name), None
    named = read_named_inputs(x, inputs, name)
    if named is not None:
        return Inputs(named)
    images = len(inputs) > 0 and len(inputs[0].shape) == 3
    kind: InputForms | None = "images" if images else None if form.kind == "tokens" else form.kind
    return _read_numbers(x, columns, kind, form.keys, name)


def _read_array(x: Any, columns: tuple[str, ...] | None, form: InputForm, name: str) -> Array:
    """Return ``x`` as one array of numbers of its kind, tokens as whole numbers."""
    values = np.asarray(_read_numbers(x, columns, form.kind, form.keys, name).values)
    return as_tokens(values, name) if form.kind == "tokens" else values


def _read_numbers(
    x: Any, columns: tuple[str, ...] | None, kind: InputForms | None, keys: ReadingKeys, name: str
) -> Inputs:
    """Return one array, or columns, and sentences on what an array was taken for."""
    if columns is None:
        return _read_one_array(x, kind, name)
    read = read_columns(x, columns, name, keys)
    if kind in (None, "rows"):
        return read
    if isinstance(read.values, Table):
        raise InputError(
            f"{name}: {kind} (data.kind) are read from columns of complete numbers, and "
            f"{_list_other_columns(read.values)}; correct them, leave them out (data.drop), or take data.kind out"
        )
    return read._replace(values=shape_array(np.asarray(read.values), kind, f"{name}: x")[0])


def _list_other_columns(table: Table) -> str:
    """Return in words the first column that holds no complete numbers."""
    for column, kind, values in zip(table.columns, table.kinds, table.values, strict=True):
        if kind != "numeric":
            return f"column {column!r} is {kind}"
        if np.isnan(values).any():
            return f"column {column!r} lacks a number in row {int(np.argmax(np.isnan(values))) + 1}"
    return "columns are not"


def reject_sparse(values: Any, where: str) -> None:
    """Raise InputError if ``values``, called ``where`` in messages, are a sparse matrix."""
    if issparse(values):
        raise InputError(f"{where} is a sparse matrix; give it as an array: {where[-1]}.toarray()")


def _read_one_array(x: Any, kind: InputForms | None, name: str) -> Inputs:
    """Return one array of numbers, and a sentence where its shape alone decided."""
    reject_sparse(x, f"{name}: x")
    try:
        array = np.asarray(x)
    except ValueError:
        raise InputError(f"{name}: the rows of x have different lengths; {WAY_OUT}") from None
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
    require_distinct_columns(shaped, f"{name}: x")
    return Inputs(keep_numbers(shaped), notes=(sentence,) * bool(sentence))
