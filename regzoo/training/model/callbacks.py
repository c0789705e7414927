"""What follows a training epoch by epoch in Keras's own `fit`: schedules and watchers, as callbacks."""

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
"""Keras's own, where `fit` is given none."""

ARRAYS = (np.ndarray, pd.DataFrame, pd.Series)


class StrengthScheduler(keras.callbacks.Callback):
    """Turn the scheduled dials at the start of each epoch.

    Args:
        strengths: the recipe's dials, by ``name.field``.
    """

    def __init__(self, strengths: Mapping[str, float | Schedule]) -> None:
        super().__init__()
        self.scheduled = {name: value for name, value in strengths.items() if isinstance(value, Schedule)}

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set each dial to its schedule's value."""
        self.model.turn(self.scheduled, epoch)


class WatcherCallback(keras.callbacks.Callback):
    """Show ``val_loss``, which holds no penalty, to a regularizer's watcher, and stop when it says so.

    Where there is no validation, the watcher is shown NaN.

    Args:
        part: a regularizer that acts on training.
    """

    def __init__(self, part: OnTraining) -> None:
        super().__init__()
        self.part = part

    def on_train_begin(self, logs: Any = None) -> None:
        """Make a fresh watcher, which knows how long the training is meant to be."""
        self.watcher = self.part.watch(Objective("val_loss", "min", self.params.get("epochs", 1)))

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Let the watcher prepare the epoch."""
        self.watcher.begin(epoch, self.model)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the score on."""
        if self.watcher.epoch(epoch, float(logs.get("val_loss", math.nan)), self.model):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Let the watcher leave the model as it should be used."""
        self.watcher.finish(self.model)


def require_validation(given: Mapping[str, Any], names: str) -> None:
    """Refuse to watch validation where `fit` has none after every epoch.

    Args:
        given: what `fit` was given, by name.
        names: of the regularizers that watch.

    Raises:
        InputError: if there is no validation data, or not after every epoch.
    """
    if given.get("validation_data") is None and not given.get("validation_split"):
        raise InputError(f"{names} watches validation: pass validation_data to fit")
    if given.get("validation_freq", 1) != 1:
        frequency = given["validation_freq"]
        raise InputError(f"{names} watches validation after every epoch, received validation_freq={frequency}")


def iterate_batches(given: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The training batches (x, y) of one epoch of `fit`, in the order of the data; it can be asked for again.

    Args:
        given: what `fit` was given, by name: arrays, or a dict or list of them, without what ``validation_split``
            takes away; or a tf.data.Dataset or PyDataset, of which ``steps_per_epoch`` batches are taken, if given.

    Raises:
        InputError: if the data can be read only once, has no end or no targets, or is of another kind.
    """
    if given.get("y") is None:
        return _of_batches(given.get("x"), given.get("steps_per_epoch"))
    size = given.get("batch_size") or BATCH_SIZE
    return _of_arrays((given["x"], given["y"]), size, given.get("validation_split") or 0.0)


def _of_batches(data: Any, steps: int | None) -> Iterator[tuple[Any, Any]]:
    known = isinstance(data, tf.data.Dataset | keras.utils.PyDataset)
    if not known and (not isinstance(data, Iterable) or isinstance(data, Iterator | np.ndarray)):
        raise InputError(
            f"the training data is read again, beside training, and {type(data).__name__} cannot be: pass arrays x "
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


def _of_arrays(arrays: tuple[Any, Any], size: int, split: float) -> Iterator[tuple[Any, Any]]:
    leaves = keras.tree.flatten(arrays)
    other = [type(leaf).__name__ for leaf in leaves if not (tf.is_tensor(leaf) or isinstance(leaf, ARRAYS))]
    if other:
        raise InputError(f"the training data is read again, beside training: pass arrays, received {other[0]}")
    rows = math.floor(len(leaves[0]) * (1.0 - split))  # as Keras cuts the validation part off
    for start in range(0, rows, size):
        yield _rows(arrays, start, min(start + size, rows))


def _rows(arrays: tuple[Any, Any], start: int, stop: int) -> tuple[Any, Any]:
    return keras.tree.map_structure(lambda leaf: keras.ops.convert_to_tensor(leaf[start:stop]), arrays)
