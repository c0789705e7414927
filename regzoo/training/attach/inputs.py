"""Inputs of a user's own Keras model, as `InputSpec`s: known before any data is prepared for it."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence
from typing import Any

import keras

from regzoo.core import InputError
from regzoo.core._keras_compat import LayerCall, get_operation, is_functional, list_calls
from regzoo.data.inputs import InputKind, InputSpec

_MADE_UP = re.compile(r"(keras_tensor|input_layer)(_\d+)?")
"""Names that Keras gives to inputs of its own accord; they differ from process to process."""

_MASKS = ("NotEqual", "Equal")
"""Functions that make a mask of an input, as ``Embedding(mask_zero=True)`` does."""

ONLY_INPUT = "inputs"
"""Name of a single input that the user has not named."""


def read_input_specs(model: keras.Model) -> tuple[InputSpec, ...]:
    """Return the inputs of a functional or sequential ``model``, in its order.

    The name of an input is its key, if the model was made with a dict of inputs, else that of its tensor, see
    `name_inputs`. An input of floats that only Embedding layers read takes whole numbers: Keras makes it one of floats
    by default.

    Raises:
        InputError: if the model is not built, or its inputs are nested: neither one, nor a flat list or dict of them.
    """
    if not getattr(model, "inputs", None):
        raise InputError(f"the model {model.name!r} is not built: begin it with keras.Input(shape)")
    given = model.inputs if isinstance(model, keras.Sequential) else model.input
    named = dict(given) if isinstance(given, dict) else dict(zip(_list_names(model), model.inputs, strict=True))
    nested = isinstance(given, list | tuple) and not all(isinstance(each, keras.KerasTensor) for each in given)
    if nested or not all(isinstance(each, keras.KerasTensor) for each in named.values()):
        raise InputError(
            f"the model {model.name!r} has {len(model.inputs)} inputs in a nested structure; make it of a flat list or "
            "dict of them: keras.Model([a, b], outputs)"
        )
    calls = _list_calls(model)
    return tuple(InputSpec(name, tuple(tensor.shape[1:]), _get_dtype(tensor, calls)) for name, tensor in named.items())


def read_table_sizes(model: keras.Model) -> list[dict[str, int]]:
    """Return for each input of ``model``, in its order, the Embedding layers that read it, by name, with their rows."""
    calls = _list_calls(model)
    given = model.inputs if isinstance(model, keras.Sequential) else model.input
    tensors = list(given.values()) if isinstance(given, dict) else model.inputs
    return [dict(_iterate_tables(tensor, calls)) for tensor in tensors]


def _iterate_tables(tensor: Any, calls: Sequence[LayerCall]) -> Iterator[tuple[str, int]]:
    for reader in (call.operation for call in calls if any(each is tensor for each in call.inputs)):
        if isinstance(reader, keras.layers.Embedding):
            yield reader.name, reader.input_dim
        elif isinstance(reader, keras.Model) and len(getattr(reader, "inputs", None) or ()) == 1:
            yield from _iterate_tables(reader.inputs[0], _list_calls(reader))


def read_input_kind(tensor: Any, model: keras.Model) -> InputKind:
    """Return what the symbolic input ``tensor`` of ``model`` takes, see `read_input_specs`."""
    return InputSpec(str(tensor.name), (), _get_dtype(tensor, _list_calls(model))).kind


def name_inputs(model: keras.Model) -> keras.Model:
    """Give several inputs that the user has not named names that are the same in every process; return ``model``."""
    if len(model.inputs) > 1 and not isinstance(model.input, dict):
        for name, tensor in zip(_list_names(model), model.inputs, strict=True):
            tensor.name = get_operation(tensor).name = name
    return model


def _list_names(model: keras.Model) -> list[str]:
    """Return the names of the inputs: ``inputs`` for one without a name, ``input_1``, ``input_2`` ... for several."""
    names = [str(tensor.name) for tensor in model.inputs]
    made_up = [_MADE_UP.fullmatch(name) is not None for name in names]
    if len(names) == 1:
        return [ONLY_INPUT] if made_up[0] else names
    numbers = (f"input_{number}" for number in itertools.count(1))
    taken = {*names, *(layer.name for layer in model.layers)}
    free = (name for name in numbers if name not in taken)
    return [next(free) if missing else name for name, missing in zip(names, made_up, strict=True)]


def _get_dtype(tensor: Any, calls: Sequence[LayerCall]) -> str:
    """Return the dtype of the values that an input takes; ``calls`` are those of its model."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    return "int32" if "float" in dtype and _is_looked_up(tensor, calls) else dtype


def _is_looked_up(tensor: Any, calls: Sequence[LayerCall]) -> bool:
    """Return True if only Embedding layers read ``tensor``, also inside nested models; its masks do not count."""
    readers = [call.operation for call in calls if any(each is tensor for each in call.inputs)]
    readers = [reader for reader in readers if type(reader).__name__ not in _MASKS]
    return bool(readers) and all(_looks_up(reader) for reader in readers)


def _looks_up(reader: Any) -> bool:
    if isinstance(reader, keras.Model) and len(getattr(reader, "inputs", None) or ()) == 1:
        return _is_looked_up(reader.inputs[0], _list_calls(reader))
    return isinstance(reader, keras.layers.Embedding)


def _list_calls(model: keras.Model) -> list[LayerCall]:
    if isinstance(model, keras.Sequential):
        model = keras.Model(model.inputs, model.outputs)
    return list_calls(model) if is_functional(model) else []
