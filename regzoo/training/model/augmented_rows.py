"""Augmented copies of training rows, made once before training: for `fit` and for `Program`."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any, Protocol

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import InputError, OnBatch, Recipe, Regularizer
from regzoo.core.augmentation import count_copies, makes_copies, require_memory
from regzoo.core.cells import InputCells
from regzoo.core.layers import floatx_of
from regzoo.core.places import change_batch
from regzoo.system.memory import get_available_memory
from regzoo.training.model.callbacks import ARRAYS, BATCH_SIZE
from regzoo.training.model.weighting import floats_to_floatx


class AugmentedModel(Protocol):
    """Interface of `BaseRegularizedModel` that copies use."""

    @property
    def recipe(self) -> Recipe: ...

    def get_regularizers(self, place: type[Any]) -> list[Any]: ...

    def get_stream(self, regularizer: Regularizer) -> keras.random.SeedGenerator: ...

    def get_cells(self, x: Any) -> InputCells: ...


class RowAugmenter:
    """Makes copies of rows with the regularizers of ``model`` that make copies, at their present strengths.

    Args:
        model: its random streams draw; a copy depends on them alone.
    """

    def __init__(self, model: AugmentedModel) -> None:
        self._model = model
        self._regularizers = [each for each in model.get_regularizers(OnBatch) if makes_copies(each)]

    def restart(self) -> None:
        """Begin the random streams again, so that the next copies are the same as the first."""
        for regularizer in self._regularizers:
            state = self._model.get_stream(regularizer).state
            state.assign(keras.ops.stack([state[0], keras.ops.zeros_like(state[1])]))

    def draw_order(self, rows: int) -> Any:
        """Return the order, int32 (rows,), in which batches are taken for the next copy: that of an epoch."""
        stream = self._model.get_stream(self._regularizers[0])
        return keras.random.shuffle(keras.ops.arange(rows, dtype="int32"), seed=stream)

    def augment(self, x: Any) -> Any:
        """Return a batch of inputs as the regularizers change it, of the same types.

        Args:
            x: (batch, ...), or several inputs.
        """
        with floatx_of(self._model):
            changed = floats_to_floatx(x)
            for regularizer in self._regularizers:
                stream, cells = self._model.get_stream(regularizer), self._model.get_cells(changed)
                changed, _ = change_batch(regularizer, changed, None, stream, cells)
            return keras.tree.map_structure(lambda new, old: tf.cast(new, old.dtype), changed, x)


def copy_fit_rows(model: AugmentedModel, given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the arguments of `fit` with the copies behind the training rows; the arguments as they are without copies.

    Rows that ``validation_split`` takes away are passed as ``validation_data``, without copies.

    Args:
        model: the model to train.
        given: the arguments of `fit`, by name.

    Raises:
        InputError: if the training data is not made of arrays, or the copies do not fit into the memory.
    """
    copies = count_copies(model.recipe)
    if not copies:
        return dict(given)
    names = ("x", "y", "sample_weight")
    parts = {name: given[name] for name in names if given.get(name) is not None}
    parts = {name: _to_arrays(part, model.recipe) for name, part in parts.items()}
    if "y" not in parts:
        _reject_data(model.recipe, given.get("x"))
    rows = len(keras.tree.flatten(parts["x"])[0])
    result = dict(given)
    if split := given.get("validation_split"):
        kept = math.floor(rows * (1.0 - split))  # as Keras splits off the validation part
        result |= {
            "validation_split": 0.0,
            "validation_data": tuple(_take(part, kept, rows) for part in parts.values()),
        }
        parts, rows = {name: _take(part, 0, kept) for name, part in parts.items()}, kept
    leaves = keras.tree.flatten(parts["x"])
    require_memory(model.recipe, sum(leaf.nbytes for leaf in leaves), get_available_memory())
    result["x"] = _append_copies(model, parts.pop("x"), rows, copies, given.get("batch_size") or BATCH_SIZE)
    return result | {name: _repeat(part, 1 + copies) for name, part in parts.items()}


def _append_copies(model: AugmentedModel, x: Any, rows: int, copies: int, size: int) -> Any:
    """Return arrays ``x`` with the copies behind their rows."""
    augmenter = RowAugmenter(model)
    augment = tf.function(augmenter.augment, reduce_retracing=True)
    whole = _repeat(x, 1 + copies)
    augmenter.restart()
    for copy in range(1, 1 + copies):
        order = np.asarray(augmenter.draw_order(rows))
        for start in range(0, rows, size):
            numbers = order[start : start + size]
            changed = augment(keras.tree.map_structure(lambda leaf: tf.constant(leaf[numbers]), x))  # noqa: B023
            for target, values in zip(keras.tree.flatten(whole), keras.tree.flatten(changed), strict=True):
                target[copy * rows + numbers] = values.numpy()
    return whole


def _to_arrays(part: Any, recipe: Recipe) -> Any:
    for leaf in keras.tree.flatten(part):
        if not (tf.is_tensor(leaf) or isinstance(leaf, ARRAYS)):
            _reject_data(recipe, leaf)
    return keras.tree.map_structure(np.asarray, part)


def _reject_data(recipe: Recipe, data: Any) -> None:
    names = " and ".join(each.name for each in recipe if makes_copies(each))
    raise InputError(
        f"{names}: copies are made of all training rows before training, so fit needs arrays x and y, received "
        f"{type(data).__name__}; pass arrays, or take copies=0, which changes the batches instead"
    )


def _repeat(part: Any, times: int) -> Any:
    return keras.tree.map_structure(lambda leaf: np.concatenate([leaf] * times), part)


def _take(part: Any, start: int, stop: int) -> Any:
    return keras.tree.map_structure(lambda leaf: leaf[start:stop], part)
