"""Read a `tf.data.Dataset` once, to its end, into arrays."""

from __future__ import annotations

import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import require_memory
from regzoo.data.sources.roles import EMPTY

_NAME = "tf.data.Dataset"
_FORM = "each element is (x, y) or (x, y, sample_weight): x a dense tensor or a dictionary of columns, y a dense tensor"


def is_tf_dataset(x: Any) -> bool:
    """Return True if ``x`` is a `tf.data.Dataset`; imports nothing: without TensorFlow there is no such object."""
    tensorflow = sys.modules.get("tensorflow")
    return tensorflow is not None and isinstance(x, tensorflow.data.Dataset)


def from_tf_dataset(
    dataset: Any,
    roles: Mapping[str, Any] = EMPTY,
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
) -> Dataset:
    """Return the rows of ``dataset``, in its order.

    Args:
        dataset: elements (x, y) or (x, y, sample_weight), in batches or one by one: x is a tensor, or a dictionary
            of columns, each a tensor; y holds a label, a number or several labels (0 or 1) a row. A dataset that
            shuffles has other content each time it is read.
        roles: ``groups``, ``sample_weight``, ``time`` and ``part``, as `from_arrays` takes them.
        inputs: the inputs of a user's own model, as for `from_arrays`; a dictionary then holds tensors of any shape.
        form: what the inputs are, where their shape does not tell.

    Raises:
        InputError: if it is endless or empty, fails, does not fit into memory, or has elements of another form.
    """
    columns, batched = _read_form(dataset, inputs)
    x: dict[str, list[Array]] = {column: [] for column in columns or ("x",)}
    rest: list[list[Array]] = [[] for _ in dataset.element_spec[1:]]
    rows = 0
    for given, *others in _iterate_elements(dataset):
        by_column = dict(zip(columns, given, strict=True)) if isinstance(given, tuple) else given
        for column, values in x.items():
            values.append(_as_rows(by_column[column] if columns else given, batched))
        for pieces, other in zip(rest, others, strict=True):
            pieces.append(_as_rows(other, batched))
        rows += len(rest[0][-1])
        numbers = sum(math.prod(values[-1].shape[1:]) for values in x.values())
        require_memory(rows, (numbers,), _NAME, "end it earlier: dataset.take(n)")
    if not rows:
        raise InputError(f"{_NAME}: gives no rows; has its source been read to its end before?")
    joined = {column: _join(values, column) for column, values in x.items()}
    targets, *weights = (_join(pieces, word) for pieces, word in zip(rest, ("y", "sample_weight"), strict=False))
    if weights and "sample_weight" in roles:
        raise InputError(f"{_NAME}: its elements hold a sample_weight, and another was given; leave one out")
    weighted = {**roles, **({"sample_weight": weights[0]} if weights else {})}
    x_given = _choose_form(joined, columns, inputs)
    return from_arrays(x_given, targets, _NAME, **weighted, inputs=inputs, form=form)


def _choose_form(joined: dict[str, Array], columns: tuple[str, ...], inputs: Sequence[InputSpec] | None) -> Any:
    """Return one array; or a dict of arrays, as a user's own model takes it by name, or else a DataFrame."""
    if not columns:
        return joined["x"]
    plain = all(values.ndim <= 2 and math.prod(values.shape[1:]) == 1 for values in joined.values())
    if inputs is not None and (not plain or len(inputs) > 1 or [spec.name for spec in inputs] == list(columns)):
        return joined
    return _as_frame(joined)


def _read_form(dataset: Any, inputs: Sequence[InputSpec] | None) -> tuple[tuple[str, ...], bool]:
    """Return the columns, none if x is one tensor, and whether an element holds several rows.

    A tuple of tensors holds the ``inputs`` of a model with as many of them, in their order.
    """
    import tensorflow as tf

    if int(dataset.cardinality()) == tf.data.INFINITE_CARDINALITY:
        raise InputError(f"{_NAME}: is endless; give it an end with dataset.take(n), or leave out repeat()")
    spec = dataset.element_spec
    if not isinstance(spec, tuple) or len(spec) not in (2, 3):
        received = f"{len(spec)} items" if isinstance(spec, tuple) else "one"
        raise InputError(f"{_NAME}: {_FORM}; received {received}")
    x, y, *_ = spec
    if isinstance(x, tuple) and len(x) == len(inputs or ()):
        x = {given.name: tensor for given, tensor in zip(inputs or (), x, strict=True)}
    tensors = [*(x.values() if isinstance(x, Mapping) else [x]), *spec[1:]]
    strange = [type(tensor).__name__ for tensor in tensors if not isinstance(tensor, tf.TensorSpec)]
    if strange:
        raise InputError(f"{_NAME}: {_FORM}; received {strange[0]}")
    if any(tensor.shape.rank is None for tensor in tensors):
        raise InputError(f"{_NAME}: its shapes are unknown; give from_generator an output_signature")
    leading = {tensor.shape[0] if tensor.shape.rank else 0 for tensor in tensors}
    row = not isinstance(x, Mapping) and x.shape.rank == 1 and x.shape[0] is not None  # numbers alone are no batch
    batched = y.shape.rank > 0 and len(leading - {None}) <= 1 and not row
    return tuple(x) if isinstance(x, Mapping) else (), batched


def _iterate_elements(dataset: Any) -> Iterator[tuple[Any, ...]]:
    import tensorflow as tf

    iterator = dataset.as_numpy_iterator()
    for number in range(sys.maxsize):
        try:
            yield next(iterator)
        except StopIteration:
            return
        except tf.errors.OpError as error:
            reason = error.message.splitlines()[0]
            raise InputError(f"{_NAME}: failed at element {number + 1}: {reason}") from None


def _as_rows(values: Any, batched: bool) -> Array:
    array = np.asarray(values)
    return array if batched else array[np.newaxis]


def _join(pieces: list[Array], what: str) -> Array:
    """Return the rows of all pieces as one array; text, which TensorFlow keeps as bytes, is decoded."""
    shapes = {piece.shape[1:]: None for piece in pieces}
    if len(shapes) > 1:
        different = " and ".join(str(shape) for shape in list(shapes)[:2])
        raise InputError(f"{_NAME}: {what}: rows have the shapes {different}; make them one")
    values = np.concatenate(pieces)
    if values.dtype.kind not in "SO":
        return values
    try:
        texts = [cell.decode("utf-8") for cell in values.ravel().tolist()]
    except UnicodeDecodeError:
        raise InputError(f"{_NAME}: {what}: holds bytes that are no UTF-8 text") from None
    return np.array(texts).reshape(values.shape)


def _as_frame(columns: Mapping[str, Array]) -> pd.DataFrame:
    for column, values in columns.items():
        if values.ndim > 2 or math.prod(values.shape[1:]) != 1:
            raise InputError(f"{_NAME}: column {column!r} takes one value a row, received the shape {values.shape}")
    return pd.DataFrame({column: values.ravel() for column, values in columns.items()})
