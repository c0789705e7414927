"""What follows a training epoch by epoch in Keras's own `fit`: schedules and watchers, as callbacks."""

from __future__ import annotations

from collections.abc import Mapping
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
        self.watcher = part.watch(Objective("val_loss", "min"))

    def on_epoch_end(self, epoch: int, logs: Any = None) -> None:
        """Pass the score on."""
        if self.watcher.epoch(epoch, float(logs["val_loss"]), self.model):
            self.model.stop_training = True

    def on_train_end(self, logs: Any = None) -> None:
        """Let the watcher leave the model as it should be used."""
        self.watcher.finish(self.model)
