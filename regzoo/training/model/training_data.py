"""Training data that a model reads again: to compute moving statistics, and the training loss."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core._keras_compat import CallHook, list_layers
from regzoo.training.model.statistics import MAX_BATCHES, Refit, list_moving

if TYPE_CHECKING:
    from regzoo.training.model.build_info import BuildInfo
    from regzoo.training.task import Task


class TrainingDataReader(CallHook):
    """Base of `RegularizedTrainer`: computes moving statistics, and the loss, of training data that it is given."""

    _info: BuildInfo
    _has_own_loss: bool
    _starts_anew = True
    _batches: Callable[[], Iterable[tuple[Any, ...]]]
    _compute_training_loss: Callable[[], float] | None
    _run_refit: Callable[[bool, bool], None] | None
    _get_refits: Callable[[], dict[tuple[bool, bool], tuple[Refit, Any]]]
    logits: Callable[..., Any]
    compute_keras_loss: Callable[..., tuple[Any, Any]]

    @property
    def task(self) -> Task:
        """The task: what is predicted, with its loss and metrics."""
        return self._info.task

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.set_training_data(tuple)

    def set_training_data(
        self,
        batches: Callable[[], Iterable[tuple[Any, ...]]],
        loss: Callable[[], float] | None = None,
        refit: Callable[[bool, bool], None] | None = None,
    ) -> None:
        """Set the training data that `refit_statistics` and `training_loss` read.

        Args:
            batches: returns an iterable of the training batches (x, y); called for each pass.
            loss: a faster way to compute the loss over all of them.
            refit: a faster way to do what `refit_statistics` does.
        """
        refits: dict[tuple[bool, bool], tuple[Refit, Any]] = {}
        self._batches = batches
        self._compute_training_loss, self._run_refit = loss, refit
        self._get_refits = lambda: refits

    def list_layers_to_refit(self, fresh: bool) -> list[keras.Layer]:
        """Return the layers with moving statistics that are not frozen, at any depth.

        Args:
            fresh: whether only layers are meant whose averages start from scratch in a run: all, or those of the recipe
                in a model that keeps its weights.
        """
        recipes = fresh and not self._starts_anew
        layers = [each.inserted for each in self._info.insertions] if recipes else list_layers(self)
        return [layer for layer in layers if list_moving(layer)]

    def refit_statistics(self, plain: bool = True, fresh: bool = False) -> None:
        """Compute batch norm's averages again for the current weights; see `Refit`.

        Args:
            plain: whether each training batch counts equally, rather than by the layer's momentum.
            fresh: whether only layers are meant whose averages start from scratch in a run.
        """
        if self._run_refit is not None:
            self._run_refit(plain, fresh)
            return
        known = self._get_refits()
        if (plain, fresh) not in known:
            refit = Refit(self, self.list_layers_to_refit(fresh), plain)
            known[plain, fresh] = refit, tf.function(refit.add, reduce_retracing=True)
        refit, add = known[plain, fresh]
        if refit.layers:
            with refit.start():
                first = 0
                for x, *_ in itertools.islice(self._batches(), MAX_BATCHES):
                    rows = len(keras.tree.flatten(x)[0])
                    first = first or rows
                    add(x, tf.constant(min(rows / first, 1.0)))

    def training_loss(self) -> float:
        """Return the loss over the training batches, at inference: that of the task, or the user's own."""
        if self._compute_training_loss is not None:
            return self._compute_training_loss()
        if self._has_own_loss:
            own = [(self.compute_keras_loss(x, y, None, training=False)[0], len(y)) for x, y, *_ in self._batches()]
            return float(np.average([float(loss) for loss, _ in own], weights=[rows for _, rows in own]))
        losses = [self.task.loss(self.task.encode(y), self.logits(x)) for x, y, *_ in self._batches()]
        return float(tf.reduce_mean(tf.concat(losses, 0)))
