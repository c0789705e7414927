"""`RegularizedTrainer`: Keras's compile, fit and evaluate for a model with a recipe."""

from __future__ import annotations

import inspect
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from regzoo.core import Companion, InputError, OnBatch, OnForward, OnGradients, OnLoss, OnTraining, OnWeights
from regzoo.core._keras_compat import forget_metrics, get_loss_tracker
from regzoo.core.augmentation import count_copies
from regzoo.core.cells import InputCells, arrange_cells
from regzoo.core.layers import floatx_of
from regzoo.training.losses import ExampleLoss
from regzoo.training.model.augmented_rows import copy_fit_rows
from regzoo.training.model.callbacks import (
    JudgedWeightsCallback,
    StrengthScheduler,
    WatcherCallback,
    iterate_batches,
    require_validation,
)
from regzoo.training.model.inside_another import list_lost_inside, warn_lost_inside
from regzoo.training.model.statistics import warn_stale
from regzoo.training.model.training_data import TrainingDataReader
from regzoo.training.model.weighting import flatten_weights, match_dtypes, weighted_mean
from regzoo.training.optimizers import FusedOptimizer
from regzoo.training.targets import assert_in_range, check_targets

if TYPE_CHECKING:
    from regzoo.training.model.build_info import BuildInfo
    from regzoo.training.task import Task


IN_STEP = (OnBatch, OnForward, OnGradients, OnLoss, OnWeights)
"""Places that Keras's own training step does not have."""

ON_EXAMPLES = (OnBatch, OnForward, OnLoss)
"""Places that need the targets or the loss of each example, which a loss of Keras's has summed up already."""

POSITION_LOSSES = {
    "classification": "sparse_categorical_crossentropy",
    "multilabel": "binary_crossentropy",
    "regression": "mean_squared_error",
}
"""Default losses of a model that predicts at several positions of an example, such as time steps or pixels."""


class RegularizedTrainer(TrainingDataReader):
    """Base of `BaseRegularizedModel`: what Keras calls to train it.

    With the task's own loss, `evaluate` leaves out every penalty. With a loss of the user's, everything is as it is for
    the model without a recipe: `evaluate` adds the losses of its layers, and only the recipe's penalties are left out.
    """

    _info: BuildInfo
    _optimizer_start: Callable[[], list[tuple[Any, Any]]]
    logits: Callable[..., Any]
    update: Callable[..., tuple[Any, Any]]
    _initialize_companions: Callable[[], None]
    reparametrized: Callable[[], list[Any]]
    example_loss: ExampleLoss | None = None  # a loss of the user's, where the recipe acts on examples
    _has_own_loss = False
    _snapshots: Callable[[], list[list[Any]]]

    def get_cells(self, x: Any) -> InputCells:
        """Return which columns of the inputs ``x`` hold one value, for regularizers of the batch."""
        return arrange_cells(x, self._info.cells)

    def compile(
        self,
        optimizer: Any = "adam",
        loss: Any = None,
        loss_weights: Any = None,
        metrics: Any = None,
        weighted_metrics: Any = None,
        **kwargs: Any,
    ) -> None:
        """Set optimizer, loss and metrics, as Keras does.

        Args:
            optimizer: the name of a Keras optimizer, or an optimizer.
            loss: by default that of the task, which takes whole-number and one-hot classes; whole numbers alone where
                the outputs are (batch, ..., size), one prediction at each of several positions.
            loss_weights: as Keras takes it.
            metrics: by default accuracy, or mean absolute error for numbers; with a loss, none.
            weighted_metrics: as Keras takes it.
            **kwargs: as Keras takes them: ``run_eagerly``, ``steps_per_execution``, ``jit_compile``,
                ``auto_scale_loss``.
        """
        if metrics is None and weighted_metrics is None and loss is None:
            metrics = ["accuracy" if self.task.kind in ("classification", "multilabel") else "mae"]
        if loss is None and len(self.output_shape) > 2:
            loss = POSITION_LOSSES[self.task.kind]
        forget_metrics(self)
        super().compile(
            optimizer=optimizer,
            loss=loss,
            loss_weights=loss_weights,
            metrics=metrics,
            weighted_metrics=weighted_metrics,
            **kwargs,
        )
        self._has_own_loss = loss is not None
        self.example_loss = None if loss is None or self.uses_keras_loss else ExampleLoss(loss)
        self._optimizer_start = self._make_optimizer_start
        if not self._trains_as_keras_does:  # or Keras builds the optimizer in its first step
            self.optimizer.build(self.trainable_variables)
            if isinstance(self.optimizer, FusedOptimizer):  # other optimizers may start from the weights
                start = [(v, v.numpy()) for v in _list_optimizer_state(self.optimizer)]
                self._optimizer_start = lambda: start

    def _make_optimizer_start(self) -> list[tuple[Any, Any]]:
        """Return the variables of the optimizer, if it is built, and their values in a new one."""
        if not self.optimizer.built:
            return []
        fresh = type(self.optimizer).from_config(self.optimizer.get_config())
        fresh.build(self.trainable_variables)
        values = [variable.numpy() for variable in _list_optimizer_state(fresh)]
        return list(zip(_list_optimizer_state(self.optimizer), values, strict=True))

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was. Keras calls it in `load_model`."""
        self.compile(**keras.saving.deserialize_keras_object(config))
        if not self.optimizer.built:
            self.optimizer.build(self.trainable_variables)  # so that its state can be loaded, as Keras does

    @property
    def _trains_as_keras_does(self) -> bool:
        """Whether a loss was given and the recipe adds nothing to Keras's own training step but layers."""
        return self._has_own_loss and not any(isinstance(r, IN_STEP) for r in self._info.regularizers)

    @property
    def uses_keras_loss(self) -> bool:
        """Whether a loss was given and the recipe needs no loss of each example, so that Keras computes it."""
        return self._has_own_loss and not any(isinstance(r, ON_EXAMPLES) for r in self._info.regularizers)

    def compute_keras_loss(self, x: Any, y: Any, weight: Any, training: bool) -> tuple[Any, Any]:
        """Return the loss that Keras computes, with the losses of the layers, and the model's outputs.

        Args:
            x: inputs.
            y: targets as the user gave them.
            weight: weights of the examples, or of the positions of each, or None.
            training: whether layers are in training mode.
        """
        outputs = self(x, training=training)
        loss = self.compute_loss(x, y, outputs, weight, training=training)
        return loss * tf.cast(tf.distribute.get_strategy().num_replicas_in_sync, loss.dtype), outputs

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one training step and return the metrics. Keras calls it in `fit`."""
        if self._trains_as_keras_does:
            with floatx_of(self):
                results: dict[str, Any] = super().train_step(data)
            return results
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        y = y if self._has_own_loss else assert_in_range(self.task, y)
        loss, outputs = self.update(x, y, weight)
        return self._update_metrics(loss, x, y, outputs if self.uses_keras_loss else self.task.predict(outputs), weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return the metrics, with the loss without the recipe's penalties. Keras calls it in `evaluate`."""
        if self._has_own_loss:
            results: dict[str, Any] = super().test_step(data)
            return results
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        y = assert_in_range(self.task, y)
        logits, targets = match_dtypes(self.logits(x), self.task.encode(y))
        loss = weighted_mean(self.task.loss(targets, logits), flatten_weights(weight))
        return self._update_metrics(loss, x, y, self.task.predict(logits), weight)

    def _update_metrics(self, loss: Any, x: Any, y: Any, outputs: Any, weight: Any) -> dict[str, Any]:
        """Update the metrics, which receive targets in the user's own form and the model's outputs."""
        get_loss_tracker(self).update_state(loss, sample_weight=tf.shape(outputs)[0])
        if self.task.kind == "reconstruction":
            y = self.task.encode(y)  # flat, as the outputs are
        metrics: dict[str, Any] = self.compute_metrics(x, y, outputs, weight)
        return metrics

    def check_training_inside(self, outer: str) -> None:
        """Warn if a part of the recipe does not act where this model is trained as a layer of ``outer``."""
        acting = {each.name for each in self.reparametrized()}  # in the layers, wherever they are called
        lost = list_lost_inside(self._info.recipe, self._info.regularizers, (*IN_STEP, OnTraining))
        lost = [name for name in lost if name not in acting]
        if lost and self.trainable_variables:
            warn_lost_inside(self.name, outer, self._info.recipe, lost)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does, with scheduled strengths, and with regularizers that watch the training.

        Regularizers with ``copies`` make them first, of arrays x and y; these stand behind the rows and Keras shuffles.

        Raises:
            InputError: if targets do not fit the task, such as a label out of range; if a regularizer watches
                validation and there is none after every epoch, or reads the training data again and cannot; if copies
                are to be made of data other than arrays, or do not fit into the memory.
        """
        given = inspect.signature(super().fit).bind(*args, **kwargs).arguments
        if not self._has_own_loss:  # which may take any targets
            _check_given_targets(self.task, given)
        watching = [regularizer for regularizer in self._info.regularizers if isinstance(regularizer, OnTraining)]
        if watch_validation := [regularizer.name for regularizer in watching if regularizer.watches]:
            require_validation(given, " and ".join(watch_validation))
        self._set_given_data(given, bool(watching))
        if self.optimizer is not None and not int(self.optimizer.iterations.numpy()):
            self._initialize_companions()  # of the current weights, which may have been set or loaded
        callbacks = given.get("callbacks") or []
        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        watchers = [WatcherCallback(regularizer) for regularizer in watching]
        judged = JudgedWeightsCallback(watchers, every_epoch=bool(callbacks))
        history = super().fit(
            **{
                **copy_fit_rows(self, given),
                "callbacks": [judged, *callbacks, StrengthScheduler(self._info.recipe.dials()), *watchers],
            }
        )
        members: list[list[Any]] = max((callback.watcher.members(self) for callback in watchers), key=len, default=[])
        self._snapshots = lambda: members if len(members) > 1 else []
        return history

    def train_on_batch(self, *args: Any, **kwargs: Any) -> Any:
        """Take one training step as Keras does.

        Raises:
            InputError: if the recipe makes copies of all training rows, which one batch is not.
        """
        if copies := count_copies(self._info.recipe):
            raise InputError(
                f"{self._info.recipe}: copies={copies} are made of all training rows, in fit, and train_on_batch has "
                "one batch; call fit, or take copies=0, which changes the batches instead"
            )
        return super().train_on_batch(*args, **kwargs)

    def _set_given_data(self, given: dict[str, Any], watching: bool) -> None:
        """Let watchers, and averages of batch norm that are to be computed again, read the training data of `fit`."""
        averages = any(isinstance(rule.rule, Companion) and rule.rule.average for rule in self._info.rules)
        layers = self.list_layers_to_refit(fresh=not (averages or watching))
        if not (watching or layers):
            return
        refit = None
        try:
            iterate_batches(given)
        except InputError as error:
            if layers:
                warn_stale(layers, str(error))
            refit = _leave_statistics
        shuffled = given.get("shuffle", True) is not False
        self.set_training_data(lambda: iterate_batches(given, shuffled), None, refit)

    def evaluate(self, *args: Any, **kwargs: Any) -> Any:
        """Evaluate as Keras does; ``loss`` has no penalties of the recipe.

        Raises:
            InputError: if targets do not fit the task, such as a label out of range.
        """
        if not self._has_own_loss:
            _check_given_targets(self.task, inspect.signature(super().evaluate).bind(*args, **kwargs).arguments)
        return super().evaluate(*args, **kwargs)


def _leave_statistics(plain: bool, fresh: bool) -> None:
    """Leave moving statistics as training has left them."""


def _list_optimizer_state(optimizer: keras.optimizers.Optimizer) -> list[keras.Variable]:
    """Return the variables of ``optimizer`` but its learning rate; one that wraps several has none of its own."""
    rate = getattr(optimizer, "learning_rate", None)
    return [variable for variable in optimizer.variables if variable is not rate]


def _check_given_targets(task: Task, given: dict[str, Any]) -> None:
    """Check the targets among the arguments of ``fit`` or ``evaluate`` that are arrays."""
    if given.get("y") is not None:
        check_targets(task, given["y"])
    validation = given.get("validation_data")
    if isinstance(validation, tuple | list) and len(validation) > 1:
        check_targets(task, validation[1], "validation_data: y")
