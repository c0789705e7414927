"""What follows a training epoch by epoch in Keras's own `fit`: schedules and watchers, as callbacks."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import keras

from regzoo.language import Objective, OnTraining, Schedule


class Turning(keras.callbacks.Callback):
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


class Watching(keras.callbacks.Callback):
    """Show ``val_loss``, which holds no penalty, to a regularizer's watcher, and stop when it says so.

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
        if self.watcher.epoch(epoch, float(logs["val_loss"]), self.model):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Let the watcher leave the model as it should be used."""
        self.watcher.finish(self.model)


def batches_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Iterator[tuple[Any, Any]]:
    """The training batches (x, y) of a call of `fit`, from arrays or from a dataset."""
    x: Any = args[0] if args else kwargs.get("x")
    y: Any = args[1] if len(args) > 1 else kwargs.get("y")
    if y is None:
        yield from ((batch[0], batch[1]) for batch in x)
        return
    size = (args[2] if len(args) > 2 else kwargs.get("batch_size")) or 32
    for start in range(0, len(x), size):
        yield x[start : start + size], y[start : start + size]
