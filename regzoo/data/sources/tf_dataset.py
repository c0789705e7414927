"""A `tf.data.Dataset` handed over in Python: read once, to its end, into arrays."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd

from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import require_memory
from regzoo.language.errors import InputError

_FORM = "each element is (x, y): x a dense tensor or a dictionary of columns, y a dense tensor"


def is_tf_dataset(x: Any) -> bool:
    """Say whether ``x`` is a `tf.data.Dataset`; imports nothing: whoever has one has imported TensorFlow."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def from_tf_dataset(dataset: Any, name: str = "tf.data.Dataset") -> Dataset:
    """Return what ``dataset`` gives, in the order in which it comes.

    Args:
        dataset: of elements (x, y), in batches or one by one: x is a tensor, or a dictionary of columns, each a
            tensor; y holds a label or a number a row. If it shuffles, it is another data set each time it is read.
        name: what messages and reports call the data.

    Raises:
        InputError: if it is endless, empty, fails, does not fit into memory, or its elements are something else.
    """
    columns, batched = _form(dataset, name)
    x: dict[str, list[Array]] = {column: [] for column in columns or ("x",)}
    y: list[Array] = []
    rows = 0
    for inputs, target in _elements(dataset, name):
        for column, values in x.items():
            values.append(_rows(inputs[column] if columns else inputs, batched))
        y.append(_rows(target, batched))
        rows += len(y[-1])
        numbers = sum(math.prod(values[-1].shape[1:]) for values in x.values())
        require_memory(rows, (numbers,), name, "end it earlier: dataset.take(n)")
    if not rows:
        raise InputError(f"{name}: gives no rows; has its source been read to its end before?")
    joined = {column: _joined(values, f"{name}: {column}") for column, values in x.items()}
    given = _frame(joined, name) if columns else joined["x"]
    return from_arrays(given, _joined(y, f"{name}: y"), name)


def _form(dataset: Any, name: str) -> tuple[tuple[str, ...], bool]:
    """The columns, none where x is one tensor, and whether an element holds several rows."""
    import tensorflow as tf

    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"{name}: is endless; give it an end with dataset.take(n), or leave out repeat()")
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) != 2:
        received = f"{len(spec)} parts" if isinstance(spec, tuple) else "one"
        raise InputError(f"{name}: {_FORM}; received {received}")
    x, y = spec
    tensors = [*(x.values() if isinstance(x, Mapping) else [x]), y]
    if not all(isinstance(tensor, tf.TensorSpec) for tensor in tensors):
        strange = next(tensor for tensor in tensors if not isinstance(tensor, tf.TensorSpec))
        raise InputError(f"{name}: {_FORM}; received {type(strange).__name__}")
    if any(tensor.shape.rank is None for tensor in tensors):
        raise InputError(f"{name}: its shapes are unknown; give from_generator an output_signature")
    leading = [tensor.shape[0] if tensor.shape.rank else 0 for tensor in tensors]
    batched = y.shape.rank > 0 and len(set(leading) - {None}) <= 1
    return tuple(x) if isinstance(x, Mapping) else (), batched


def _elements(dataset: Any, name: str) -> Iterator[tuple[Any, Any]]:
    import tensorflow as tf

    iterator = dataset.as_numpy_iterator()
    for number in range(sys.maxsize):
        try:
            yield next(iterator)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            said = error.message.splitlines()[0]
            raise InputError(f"{name}: failed at element {number + 1}: {said}") from None


def _rows(values: Any, batched: bool) -> Array:
    array = np.asarray(values)
    return array if batched else array[np.newaxis]


def _joined(pieces: list[Array], where: str) -> Array:
    """The pieces one below the other; text, which TensorFlow has as bytes, is decoded."""
    shapes = {piece.shape[1:]: None for piece in pieces}
    if len(shapes) > 1:
        raise InputError(f"{where}: rows have the shapes {' and '.join(map(str, list(shapes)[:2]))}; make them one")
    values = np.concatenate(pieces)
    if values.dtype.kind not in "SO":
        return values
    try:
        texts = [cell.decode("utf-8") for cell in values.ravel().tolist()]
    except UnicodeDecodeError:
        raise InputError(f"{where}: holds bytes that are no UTF-8 text") from None
    return np.array(texts).reshape(values.shape)


def _frame(columns: Mapping[str, Array], name: str) -> pd.DataFrame:
    for column, values in columns.items():
        if values.ndim > 2 or math.prod(values.shape[1:]) != 1:
            raise InputError(f"{name}: column {column!r} takes one value a row, received the shape {values.shape}")
    return pd.DataFrame({column: values.ravel() for column, values in columns.items()})
