"""Inputs of a user's own Keras model, as `InputSpec`s: known before any data is prepared for it."""

from __future__ import annotations

import re
from typing import Any

import keras

from regzoo.core import InputError
from regzoo.core._keras_compat import get_operation, list_consumers
from regzoo.data.inputs import InputSpec

UNNAMED = re.compile(r"(keras_tensor|input_layer|input)(_\d+)?")
"""Names that Keras gives to inputs of its own accord; they differ from process to process."""

ONLY_INPUT = "inputs"
"""Name of a single input that the user has not named."""


def read_input_specs(model: keras.Model) -> tuple[InputSpec, ...]:
    """Return the inputs of a functional or sequential ``model``, in its order.

    The name of an input is its key, if the model was made with a dict of inputs, else that of its tensor. An input of
    floats that only Embedding layers read takes whole numbers: Keras makes it one of floats by default.

    Raises:
        InputError: if the model is not built, or its inputs are nested: neither one, nor a flat list or dict of them.
    """
    if not getattr(model, "inputs", None):
        raise InputError(f"the model {model.name!r} is not built: begin it with keras.Input(shape)")
    given = model.inputs if isinstance(model, keras.Sequential) else model.input
    named = dict(given) if isinstance(given, dict) else {tensor.name: tensor for tensor in model.inputs}
    if len(named) != len(model.inputs) or not all(isinstance(each, keras.KerasTensor) for each in named.values()):
        raise InputError(
            f"the model {model.name!r} has {len(model.inputs)} inputs in a nested structure; make it of a flat list or "
            "dict of them: keras.Model([a, b], outputs)"
        )
    if len(named) == 1 and UNNAMED.fullmatch(next(iter(named))):
        named = {ONLY_INPUT: next(iter(named.values()))}
    return tuple(InputSpec(name, tuple(tensor.shape[1:]), _get_dtype(tensor)) for name, tensor in named.items())


def _get_dtype(tensor: Any) -> str:
    """Return the dtype of the values that an input takes."""
    dtype = keras.backend.standardize_dtype(tensor.dtype)
    readers = list_consumers(get_operation(tensor))
    only_tables = bool(readers) and all(isinstance(reader, keras.layers.Embedding) for reader in readers)
    return "int32" if "float" in dtype and only_tables else dtype
