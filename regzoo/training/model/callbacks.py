"""Keras callbacks that run schedules and watchers in `fit`, and the training data that watchers read again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from regzoo.core import InputError, Objective, OnTraining, Schedule

BATCH_SIZE = 32
"""Default of Keras's `fit`."""

ARRAYS = (np.ndarray, pd.DataFrame, pd.Series)


class StrengthScheduler(keras.callbacks.Callback):
    """Set the scheduled dials at the start of each epoch.

    Args:
        strengths: the recipe's dials, by ``name.field``.
    """

    def __init__(self, strengths: Mapping[str, float | Schedule]) -> None:
        super().__init__()
        self.scheduled = {name: value for name, value in strengths.items() if isinstance(value, Schedule)}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set each dial to its schedule's value."""
        self.model.set_dials(self.scheduled, epoch)


class WatcherCallback(keras.callbacks.Callback):
    """Pass ``val_loss``, which has no penalties, to a regularizer's watcher, and stop training when it asks for that.

    Without validation data the watcher receives NaN.

    Args:
        regularizer: one that acts on training.
    """

    def __init__(self, regularizer: OnTraining) -> None:
        super().__init__()
        self.regularizer = regularizer

    def on_train_begin(self, logs: Any = None) -> None:
        """Make a new watcher for the planned number of epochs."""
        self.watcher = self.regularizer.watch(Objective("val_loss", "min", self.params.get("epochs", 1)))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Let the watcher prepare the epoch."""
        self.watcher.begin(epoch, self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the score to the watcher."""
        if self.watcher.epoch(epoch, float(logs.get("val_loss", math.nan)), self.model):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Let the watcher set the final weights."""
        self.watcher.finish(self.model)


def require_validation(given: Mapping[str, Any], names: str) -> None:
    """Reject arguments of `fit` without validation after every epoch.

    Args:
        given: the arguments of `fit`, by name.
        names: names of the regularizers that watch validation.

    Raises:
        InputError: if there is no validation data, or not after every epoch.
    """
    if given.get("validation_data") is None and not given.get("validation_split"):
        raise InputError(f"{names} watches validation: pass validation_data to fit")
    if given.get("validation_freq", 1) != 1:
        frequency = given["validation_freq"]
        raise InputError(f"{names} watches validation after every epoch, received validation_freq={frequency}")


def iterate_batches(given: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """Yield the training batches (x, y) of one epoch of `fit`, in the order of the data.

    Args:
        given: the arguments of `fit`, by name. Arrays, or dicts or lists of them, are read without the rows that
            ``validation_split`` takes away; of a tf.data.Dataset or PyDataset ``steps_per_epoch`` batches are read.

    Raises:
        InputError: if the data can be read only once, has no end or no targets, or is of another kind.
    """
    if given.get("y") is None:
        return _iterate_batched_data(given.get("x"), given.get("steps_per_epoch"))
    size = given.get("batch_size") or BATCH_SIZE
    return _iterate_arrays((given["x"], given["y"]), size, given.get("validation_split") or 0.0)


def _iterate_batched_data(data: Any, steps: int | None) -> Iterator[tuple[Any, Any]]:
    repeatable = isinstance(data, tf.data.Dataset | keras.utils.PyDataset)
    if not repeatable and (not isinstance(data, Iterable) or isinstance(data, Iterator | np.ndarray)):
        raise InputError(
            f"the training data is read again, apart from training, and {type(data).__name__} cannot be: pass arrays x "
            "and y, a tf.data.Dataset or a keras.utils.PyDataset"
        )
    if steps is None and _is_endless(data):
        raise InputError("the training data repeats endlessly: pass steps_per_epoch to fit")
    for batch in itertools.islice(data, steps):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise InputError("the training data has no targets: let each batch be (x, y)")
        yield x, y


def _is_endless(data: Any) -> bool:
    if isinstance(data, tf.data.Dataset):
        return int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    return isinstance(data, keras.utils.PyDataset) and data.num_batches is None


def _iterate_arrays(arrays: tuple[Any, Any], size: int, split: float) -> Iterator[tuple[Any, Any]]:
    leaves = keras.tree.flatten(arrays)
    other = [type(leaf).__name__ for leaf in leaves if not (tf.is_tensor(leaf) or isinstance(leaf, ARRAYS))]
    if other:
        raise InputError(f"the training data is read again, apart from training: pass arrays, received {other[0]}")
    rows = math.floor(len(leaves[0]) * (1.0 - split))  # as Keras splits off the validation part
    for start in range(0, rows, size):
        yield _slice_rows(arrays, start, min(start + size, rows))


def _slice_rows(arrays: tuple[Any, Any], start: int, stop: int) -> tuple[Any, Any]:
    return keras.tree.map_structure(lambda leaf: keras.ops.convert_to_tensor(leaf[start:stop]), arrays)
