"""Keras callbacks that run schedules and watchers in `fit`, and the training data that watchers read again."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import keras
import numpy as np
import pandas as pd
import tensorflow as tf

from regzoo.core import InputError, Objective, OnTraining, Schedule
from regzoo.core.optimizers import list_optimizers
from regzoo.core.seeds import generator
from regzoo.training.model.judged import JudgedWeights

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


class JudgedWeightsCallback(keras.callbacks.Callback):
    """Set the weights by which the model is judged while it is validated; it stands before all other callbacks.

    They stay set until the next epoch begins, so callbacks of the user's save and restore what was judged.

    Args:
        watchers: the callbacks with the watchers of the run.
        every_epoch: whether somebody looks at the weights after each epoch; if not, they are set at the end.
    """

    def __init__(self, watchers: Sequence[WatcherCallback], every_epoch: bool) -> None:
        super().__init__()
        self.watchers, self.every_epoch = watchers, every_epoch
        self.epoch = 0
        self.judged: JudgedWeights | None = None

    def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
        """Set the weights of training again."""
        optimizer = self.model.optimizer
        if self.watchers and not optimizer.built and not list_optimizers(optimizer):
            optimizer.build(self.model.trainable_variables)  # one that chooses others has none before
        self.judged = self.judged or JudgedWeights(
            self.model, [callback.watcher for callback in self.watchers], in_fit=True
        )
        self.judged.leave()
        self.epoch = epoch

    def on_test_begin(self, logs: Any = None) -> None:
        """Set the judged weights before validation."""
        if self.judged is not None:
            self.judged.enter(self.epoch)

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Set the judged weights, unless validation has done so."""
        if self.judged is not None and (self.every_epoch or self.judged.every_epoch):
            self.judged.enter(epoch)

    def on_train_end(self, logs: Any = None) -> None:
        """Set the judged weights, unless that is done."""
        if self.judged is not None:
            self.judged.enter(self.epoch)


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


def iterate_batches(given: Mapping[str, Any], shuffled: bool = False) -> Iterator[tuple[Any, Any]]:
    """Yield the training batches (x, y) of one epoch of `fit`.

    Args:
        given: the arguments of `fit`, by name. Arrays, or dicts or lists of them, are read without the rows that
            ``validation_split`` takes away; of a tf.data.Dataset or PyDataset ``steps_per_epoch`` batches are read.
        shuffled: draw the rows of each batch from all, as `fit` does with arrays; else they come in their order.

    Raises:
        InputError: if the data can be read only once, has no end or no targets, or is of another kind.
    """
    if given.get("y") is None:
        _check_batched_data(given.get("x"), given.get("steps_per_epoch"))
        return _iterate_batched_data(given.get("x"), given.get("steps_per_epoch"))
    _check_arrays((given["x"], given["y"]))
    size = given.get("batch_size") or BATCH_SIZE
    return _iterate_arrays((given["x"], given["y"]), size, given.get("validation_split") or 0.0, shuffled)


def _check_batched_data(data: Any, steps: int | None) -> None:
    repeatable = isinstance(data, tf.data.Dataset | keras.utils.PyDataset)
    if not repeatable and (not isinstance(data, Iterable) or isinstance(data, Iterator | np.ndarray)):
        raise InputError(
            f"the training data is read again, apart from training, and {type(data).__name__} cannot be: pass arrays x "
            "and y, a tf.data.Dataset or a keras.utils.PyDataset"
        )
    if steps is None and _is_endless(data):
        raise InputError("the training data repeats endlessly: pass steps_per_epoch to fit")


def _iterate_batched_data(data: Any, steps: int | None) -> Iterator[tuple[Any, Any]]:
    for batch in itertools.islice(data, steps):
        x, y, _ = keras.utils.unpack_x_y_sample_weight(batch)
        if y is None:
            raise InputError("the training data has no targets: let each batch be (x, y)")
        yield x, y


def _is_endless(data: Any) -> bool:
    if isinstance(data, tf.data.Dataset):
        return int(data.cardinality()) == tf.data.INFINITE_CARDINALITY
    return isinstance(data, keras.utils.PyDataset) and data.num_batches is None


def _check_arrays(arrays: tuple[Any, Any]) -> None:
    leaves = keras.tree.flatten(arrays)
    other = [type(leaf).__name__ for leaf in leaves if not (tf.is_tensor(leaf) or isinstance(leaf, ARRAYS))]
    if other:
        raise InputError(f"the training data is read again, apart from training: pass arrays, received {other[0]}")


def _iterate_arrays(arrays: tuple[Any, Any], size: int, split: float, shuffled: bool) -> Iterator[tuple[Any, Any]]:
    rows = math.floor(len(keras.tree.flatten(arrays)[0]) * (1.0 - split))  # as Keras splits off the validation part
    order = generator("refit").permutation(rows) if shuffled else None
    for start in range(0, rows, size):
        stop = min(start + size, rows)
        yield _take_rows(arrays, slice(start, stop) if order is None else order[start:stop])


def _take_rows(arrays: tuple[Any, Any], which: slice | np.ndarray) -> tuple[Any, Any]:
    def take(leaf: Any) -> Any:
        if isinstance(which, slice) or isinstance(leaf, np.ndarray):
            return keras.ops.convert_to_tensor(leaf[which])
        return tf.gather(leaf, which) if tf.is_tensor(leaf) else keras.ops.convert_to_tensor(leaf.iloc[which])

    return keras.tree.map_structure(take, arrays)
