"""A SavedModel loaded and called chunk by chunk; whatever TensorFlow says of a damaged one becomes a sentence."""

from __future__ import annotations

import contextlib
import itertools
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.export.exported_model import NamedArrays

SIGNATURE = "serving_default"

MANY_INPUTS = 500
"""Inputs from which on a model is called without TensorFlow's optimization of its graph."""

_OPTIMIZER = "disable_meta_optimizer"

_WHERE = ("Graph execution error:", "Detected at node", "<stack traces unavailable>", "\t", " ")
"""Beginnings of lines of TensorFlow's errors that say where, or nothing."""


def predict_chunks(folder: Path, chunks: Iterator[NamedArrays]) -> Iterator[NamedArrays]:
    """Yield the outputs of the model in ``folder`` for each chunk of inputs: arrays with a row for each of the inputs'.

    Raises:
        InputError: while iterating, if TensorFlow can neither load nor call the model.
    """
    from regzoo.execution.tf_runtime import import_tensorflow, pause_garbage_collection

    import_tensorflow()
    with pause_garbage_collection():  # what is loaded stays
        loaded, serve = _load(folder)
        answers = [_call(serve, chunk) for chunk in itertools.islice(chunks, 1)]
    yield from answers
    for chunk in chunks:
        yield _call(serve, chunk)
    del loaded  # the variables are freed with it


def _load(folder: Path) -> tuple[Any, Any]:
    """Return the model and its serving function."""
    import tensorflow as tf

    try:
        loaded = tf.saved_model.load(str(folder))
        return loaded, loaded.signatures[SIGNATURE]
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"the model cannot be loaded: {_describe(error)}; export it again") from None


@contextlib.contextmanager
def _spare_optimization(inputs: int) -> Iterator[None]:
    """Call a model of many ``inputs`` as it is: to improve its graph takes longer than to run it.

    Every chunk is called in this way, because another graph rounds in other places.
    """
    import tensorflow as tf

    if inputs < MANY_INPUTS:
        yield
        return
    given = tf.config.optimizer.get_experimental_options().get(_OPTIMIZER, False)
    tf.config.optimizer.set_experimental_options({_OPTIMIZER: True})
    try:
        yield
    finally:
        tf.config.optimizer.set_experimental_options({_OPTIMIZER: given})


def _call(serve: Any, chunk: NamedArrays) -> NamedArrays:
    import tensorflow as tf

    try:
        with _spare_optimization(len(chunk)):
            outputs = serve(**{name: tf.constant(values) for name, values in chunk.items()})
        decoded = {name: _decode(value.numpy()) for name, value in outputs.items()}
    except MemoryError:
        raise
    except Exception as error:
        raise InputError(f"the model does not take the inputs of its recipe.json: {_describe(error)}") from None
    rows = len(next(iter(chunk.values())))
    wrong = [name for name, value in decoded.items() if value.ndim == 0 or len(value) != rows]
    if wrong or not decoded:
        raise InputError(f"the model does not answer row by row ({', '.join(wrong) or 'it answers nothing'})")
    return decoded


def _decode(values: Array) -> Array:
    """Return bytes as text; other values unchanged."""
    return np.array([text.decode() for text in values], dtype=object) if values.dtype == object else values


def _describe(error: Exception) -> str:
    """Return the line of an error that tells most, shortened: TensorFlow begins with where it was."""
    lines = str(error).strip().splitlines() or [type(error).__name__]
    telling = [line for line in lines if line.strip() and not line.startswith(_WHERE)]
    return (telling or lines)[0][:300]
