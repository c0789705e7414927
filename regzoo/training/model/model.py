"""`BaseRegularizedModel`: a Keras model whose one training step has a place for every kind of regularizer.

Its subclasses `RegularizedModel` and `AttachedModel` lie next to their builders, which `from_config` calls.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from regzoo.core import InputError, OnTraining, Recipe, Regularizer, Schedule
from regzoo.core._keras_compat import get_loss_tracker
from regzoo.core.seeds import derive
from regzoo.training.model.build_info import BuildInfo, initialize_companion
from regzoo.training.model.callbacks import StrengthScheduler, WatcherCallback, iterate_batches, require_validation
from regzoo.training.model.finalize import combine_models
from regzoo.training.model.step import TrainStep, weighted_mean
from regzoo.training.task import Task


class BaseRegularizedModel(keras.Model):
    """A functional Keras model with its recipe built in; `RegularizedModel` describes its use.

    Keras tracks variables in the lists and dicts among a model's attributes as the model's own; where that would be
    wrong, an attribute is a function that returns the list.

    Args:
        inputs: symbolic inputs.
        logits: symbolic outputs of the head before softmax or sigmoid.
        outputs: symbolic outputs of the model.
        info: how it was built.
    """

    def __init__(self, inputs: Any, logits: Any, outputs: Any, info: BuildInfo) -> None:
        super().__init__(inputs, outputs)
        self._to_logits = keras.Model(inputs, logits).__call__  # bound: Keras would track the layers twice
        self._info = info
        self._step = TrainStep(self)
        self._batches: Callable[[], Iterable[tuple[Any, ...]]] = tuple
        self._compute_training_loss: Callable[[], float] | None = None
        self._snapshots: Callable[[], list[list[Any]]] = list
        self._streams = {regularizer.name: keras.random.SeedGenerator(0) for regularizer in info.regularizers}
        self._optimizer_start: Callable[[], list[tuple[Any, Any]]] = list

    @property
    def recipe(self) -> Recipe:
        """The recipe, with numbers and schedules."""
        return self._info.recipe

    @property
    def task(self) -> Task:
        """The task: what is predicted, with its loss and metrics."""
        return self._info.task

    @property
    def hits(self) -> dict[str, int]:
        """The number of places at which each regularizer acts: slots or weights, 1 if it acts on the whole model."""
        return dict(self._info.hits)

    @property
    def dials(self) -> dict[str, float]:
        """The current strengths in the model, by ``name.field``."""
        return {name: float(dial.numpy()) for name, dial in self._info.dials.items()}

    def set_dials(self, strengths: Mapping[str, float | Schedule], epoch: int = 0) -> None:
        """Set dials, by ``name.field``; a schedule gives its value for ``epoch``. Nothing is retraced."""
        for name, strength in strengths.items():
            value = strength.value(epoch) if isinstance(strength, Schedule) else strength
            self._info.dials[name].assign(value)

    def reset(self, seed: int, noise: int | None = None) -> None:
        """Reset weights, random streams and the optimizer to the start of a run with ``seed``.

        Args:
            seed: seed of the run.
            noise: seed of the random streams, if it should differ from the run's.
        """
        noise = seed if noise is None else noise
        for variable, value in [*self._info.weights(seed), *self._info.streams(noise)]:
            variable.assign(value)
        for name, stream in self._streams.items():
            stream.state.assign([derive(noise, "stream", name), 0])
        self._initialize_companions()
        for number, rule in enumerate(self._info.rules):
            if rule.stream is not None:
                rule.stream.state.assign([derive(noise, "stream", rule.name, number), 0])
        for variable, value in self._optimizer_start():
            variable.assign(value)

    def _initialize_companions(self) -> None:
        for rule in self._info.rules:
            if rule.companion is not None:
                rule.companion.assign(initialize_companion(rule.rule, rule.weight))

    def _name_companions(self) -> dict[str, keras.Variable]:
        """Return the companions by the names that they have in a file."""
        names = dict.fromkeys(rule.name for rule in self._info.rules)
        return {f"{name}_{n}": companion for name in names for n, (_, companion) in enumerate(self.companions(name))}

    def save_own_variables(self, store: Any) -> None:
        """Save the companions; layers save their weights. Keras calls it in `save`."""
        for name, companion in self._name_companions().items():
            store[name] = companion.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Load the companions. Keras calls it in `load_model` and `load_weights`."""
        for name, companion in self._name_companions().items():
            if name in store:  # weights of another recipe have none
                companion.assign(store[name])

    def get_regularizers(self, place: type[Any]) -> list[Any]:
        """Return the regularizers that act at ``place``, in the recipe's order."""
        return [regularizer for regularizer in self._info.regularizers if isinstance(regularizer, place)]

    def get_rules(self, *kinds: type[Any]) -> list[Any]:
        """Return the `WeightRule`s of these kinds, in the recipe's order."""
        return [rule for rule in self._info.rules if isinstance(rule.rule, kinds)]

    def get_stream(self, regularizer: Regularizer) -> keras.random.SeedGenerator:
        """Return the random stream of ``regularizer``."""
        return self._streams[regularizer.name]

    @property
    def states(self) -> list[keras.Variable]:
        """All that a training step changes except the trainable weights: random streams, batch norm's averages."""
        streams = [rule.stream.state for rule in self._info.rules if rule.stream is not None]
        return [*self.non_trainable_variables, *streams]

    def companions(self, name: str) -> list[tuple[keras.Variable, keras.Variable]]:
        """Return pairs of a weight and its companion, of the regularizer called ``name``."""
        pairs = [(rule.weight, rule.companion) for rule in self._info.rules if rule.name == name]
        return [(weight, companion) for weight, companion in pairs if companion is not None]

    def set_training_data(
        self, batches: Callable[[], Iterable[tuple[Any, ...]]], loss: Callable[[], float] | None = None
    ) -> None:
        """Set the training data that `refit_statistics` and `training_loss` read.

        Args:
            batches: returns an iterable of the training batches (x, y); called for each pass.
            loss: a faster way to compute the loss over all of them.
        """
        self._batches = batches
        self._compute_training_loss = loss

    def refit_statistics(self) -> None:
        """Recompute batch norm's averages for the current weights: the plain mean over the training batches."""
        norms = list(_iterate_batch_norms(self))
        momentums = [layer.momentum for layer in norms]
        for number, (x, *_) in enumerate(self._batches() if norms else ()):
            for layer in norms:
                layer.momentum = number / (number + 1)
            self.logits(x, training=True)
        for layer, momentum in zip(norms, momentums, strict=True):
            object.__setattr__(layer, "momentum", momentum)  # bypasses Keras's tracking: it may be batch_norm's dial

    def training_loss(self) -> float:
        """Return the task's loss over the training batches, at inference."""
        if self._compute_training_loss is not None:
            return self._compute_training_loss()
        losses = [self.task.loss(self.task.encode(y), self.logits(x)) for x, y, *_ in self._batches()]
        return float(tf.reduce_mean(tf.concat(losses, 0)))

    def logits(self, x: Any, training: bool = False) -> Any:
        """Return the head's output before softmax or sigmoid, (batch, size)."""
        return self._to_logits(x, training=training)

    def update(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
        """Take one `TrainStep`; return the minimized loss and the logits, from before the update.

        Both `fit` and `Program` train by it.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets, whole-number classes (batch,) or (batch, size).
            weight: weights of the examples, (batch,), or None.
        """
        loss, _, logits = self._step.take(x, y, weight)
        return loss, logits

    def compile(self, optimizer: Any = "adam", loss: Any = None, metrics: Any = None, **kwargs: Any) -> None:
        """Set the optimizer and the metrics (by default accuracy, or mean absolute error).

        Raises:
            InputError: if a loss is given: it belongs to the task.
        """
        if loss is not None:
            raise InputError(f"the loss belongs to the task ({self.task.kind}): leave it out, received {loss!r}")
        if metrics is None:
            metrics = [_make_default_metric(self.task)]
        super().compile(optimizer=optimizer, metrics=metrics, **kwargs)
        self.optimizer.build(self.trainable_variables)
        rate = self.optimizer.learning_rate
        start = [(v, v.numpy()) for v in self.optimizer.variables if v is not rate]
        self._optimizer_start = lambda: start

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Compile as the saved model was. Keras calls it in `load_model`."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def train_step(self, data: Any) -> dict[str, Any]:
        """Take one training step and return the metrics. Keras calls it in `fit`."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        loss, targets, logits = self._step.take(x, y, weight)
        return self._update_metrics(loss, targets, logits, weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Return the metrics, with the task's loss without penalties. Keras calls it in `evaluate`."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        logits = self.logits(x)
        loss = weighted_mean(self.task.loss(self.task.encode(y), logits), weight)
        return self._update_metrics(loss, y, logits, weight)

    def _update_metrics(self, loss: Any, y: Any, logits: Any, weight: Any) -> dict[str, Any]:
        get_loss_tracker(self).update_state(loss, sample_weight=tf.shape(logits)[0])
        targets = self.task.encode(y)
        if self.task.kind == "classification":
            targets, logits = tf.argmax(targets, -1), tf.nn.softmax(logits)
        if self.task.kind == "multilabel":
            logits = tf.sigmoid(logits)
        metrics: dict[str, Any] = self.compute_metrics(None, targets, logits, weight)
        return metrics

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does, with scheduled strengths, and with regularizers that watch the training.

        Raises:
            InputError: if a regularizer watches validation and there is none after every epoch, or reads the training
                data again and cannot.
        """
        given = inspect.signature(super().fit).bind(*args, **kwargs).arguments
        watching = self.get_regularizers(OnTraining)
        if watch_validation := [regularizer.name for regularizer in watching if regularizer.watches]:
            require_validation(given, " and ".join(watch_validation))
        if watching:
            self.set_training_data(lambda: iterate_batches(given))
        if self.optimizer is not None and not int(self.optimizer.iterations):
            self._initialize_companions()  # of the current weights, which may have been set or loaded
        callbacks = given.get("callbacks") or []
        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        watchers = [WatcherCallback(regularizer) for regularizer in watching]
        history = super().fit(**{**given, "callbacks": [*callbacks, StrengthScheduler(self.recipe.dials()), *watchers]})
        members = max((callback.watcher.members(self) for callback in watchers), key=len, default=[])
        self._snapshots = lambda: members if len(members) > 1 else []
        return history

    def finished(self) -> keras.Model:
        """Return the model to use after `fit`: this one, or what the recipe's regularizers make of it after training.

        With `mc_dropout` it has a method ``uncertainty(x)`` and shares this model's weights; with `snapshot_ensemble`
        it averages the predictions of the snapshots of the last `fit`, which are not saved with this model.
        """
        return combine_models(self.recipe, [self._copy(weights) for weights in self._snapshots()] or [self])

    def _copy(self, weights: list[Any]) -> BaseRegularizedModel:
        copy: BaseRegularizedModel = type(self).from_config(self.get_config())
        copy.set_weights(weights)
        copy.set_dials(self.dials)
        return copy

    def get_config(self) -> dict[str, Any]:
        """Return the arguments of `from_config`."""
        return self._info.config


def _make_default_metric(task: Task) -> keras.metrics.Metric:
    """Return the metric that `fit` shows next to the loss."""
    if task.kind == "classification":
        return keras.metrics.SparseCategoricalAccuracy("accuracy")
    if task.kind == "multilabel":
        return keras.metrics.BinaryAccuracy("accuracy")
    return keras.metrics.MeanAbsoluteError("mae")


def _iterate_batch_norms(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from _iterate_batch_norms(layer)
