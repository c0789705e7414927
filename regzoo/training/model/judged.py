"""The weights by which a training is judged after each epoch, in the model while that is done.

They are those that it would end with: averages, where the recipe or the optimizer keeps some, and moving statistics
that have arrived. Training then goes on from its own weights, so that it is the same whether and when it is judged.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import keras

from regzoo.core import Companion, Watcher
from regzoo.core.optimizers import list_optimizers


class JudgedModel(Protocol):
    """Interface of `RegularizedModel` that is used here."""

    optimizer: Any

    @property
    def weights(self) -> list[keras.Variable]: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    def get_rules(self, *kinds: type[Any]) -> list[Any]: ...

    def list_layers_to_refit(self, fresh: bool) -> list[keras.Layer]: ...

    def refit_statistics(self, plain: bool = True, fresh: bool = False) -> None: ...


class JudgedWeights:
    """Exchanges the weights of a model in training for those by which it is judged, and back.

    Args:
        model: compiled.
        watchers: of this run.
        in_fit: whether Keras trains it: the optimizer's averages are then validated only where the recipe judges, too.

    Attributes:
        averages: whether weights are averaged.
        differ: whether the judged weights may differ from those in training.
        every_epoch: whether a watcher needs the weights after every epoch.
    """

    def __init__(self, model: Any, watchers: Sequence[Watcher] = (), in_fit: bool = False) -> None:
        self._model: JudgedModel = model
        self._watchers = [watcher for watcher in watchers if watcher.averages]
        averaging = [rule for rule in model.get_rules(Companion) if rule.rule.average is not None]
        self._rules = sorted(averaging, key=lambda rule: rule.rule.replaces)
        self._in_training: list[Any] | None = None
        self.every_epoch = bool(self._watchers)
        own, by_optimizer = bool(self._rules or self._watchers), uses_ema(model.optimizer)
        self.averages = own or by_optimizer
        self.differ = (
            own or bool(model.list_layers_to_refit(fresh=True)) or (by_optimizer and not (in_fit and not watchers))
        )

    def enter(self, epoch: int) -> None:
        """Set the judged weights after ``epoch``, counted from 0; do nothing if they are set."""
        if not self.differ or self._in_training is not None:
            return
        model = self._model
        self._in_training = [keras.ops.copy(weight) for weight in model.weights]  # they stay on the device
        model.optimizer.finalize_variable_values(model.trainable_variables)  # with use_ema, as at the end of fit
        for each in self._rules:
            each.weight.assign(each.rule.average(each.weight.value, each.companion.value))
        averaged = [watcher.average(epoch, model) for watcher in self._watchers]
        if not any(averaged):
            model.refit_statistics(plain=False, fresh=not self.averages)

    def leave(self) -> None:
        """Set the weights of training again, if others are set."""
        for weight, value in zip(self._model.weights, self._in_training or (), strict=False):
            weight.assign(value)
        self._in_training = None


def uses_ema(optimizer: Any) -> bool:
    """Return True if ``optimizer``, or one of those inside it, averages the weights."""
    return any(each.use_ema for each in list_optimizers(optimizer))
