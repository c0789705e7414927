"""RegularizedModel: a Keras model whose one train step knows the places where a regularizer may act."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

import keras
import tensorflow as tf

from regzoo.core import InputError, OnTraining, Recipe, Regularizer, Schedule
from regzoo.core.seeds import derive
from regzoo.training.model.build_info import BuildInfo, initialize_companion
from regzoo.training.model.callbacks import StrengthScheduler, WatcherCallback, iterate_batches, require_validation
from regzoo.training.model.step import Step, weighted_mean
from regzoo.training.task import Task


@keras.saving.register_keras_serializable("regzoo")
class RegularizedModel(keras.Model):
    """A functional Keras model with its recipe built in; made by `regzoo.build`.

    ``fit``, ``evaluate``, ``predict``, ``save`` and ``keras.models.load_model`` work as for any Keras model.
    What acts after training (`snapshot_ensemble`, `mc_dropout`) is put together by `finished`.

    ``predict`` gives probabilities (batch, classes) or numbers (batch, outputs). In ``fit``, ``loss`` is what is
    minimized, penalties included; ``val_loss`` is the task's loss alone, so it compares across recipes.
    """

    def __init__(self, inputs: Any, logits: Any, outputs: Any, assembly: BuildInfo) -> None:
        super().__init__(inputs, outputs)
        self._to_logits = keras.Model(inputs, logits).__call__  # bound: Keras would track the layers twice
        self._assembly = assembly
        self._step = Step(self)
        self._batches: Callable[[], Iterable[tuple[Any, ...]]] = tuple
        self._training_loss: Callable[[], float] | None = None
        self._snapshots: Callable[[], list[list[Any]]] = list  # functions, too: Keras would track a list's variables
        self._streams = {part.name: keras.random.SeedGenerator(0) for part in assembly.parts}
        self._optimizer_start: Callable[[], list[tuple[Any, Any]]] = list

    @property
    def recipe(self) -> Recipe:
        """The recipe, as it was asked for."""
        return self._assembly.recipe

    @property
    def task(self) -> Task:
        """What it predicts."""
        return self._assembly.task

    @property
    def hits(self) -> dict[str, int]:
        """How many places each regularizer hit: slots or weights, 1 where it acts on the whole."""
        return dict(self._assembly.hits)

    @property
    def dials(self) -> dict[str, float]:
        """The strengths as they stand in the model now, by ``name.field``."""
        return {name: float(dial.numpy()) for name, dial in self._assembly.dials.items()}

    def turn(self, strengths: Mapping[str, float | Schedule], epoch: int = 0) -> None:
        """Set dials, by ``name.field``; a schedule gives its value for ``epoch``. Nothing is retraced."""
        for name, strength in strengths.items():
            value = strength.value(epoch) if isinstance(strength, Schedule) else strength
            self._assembly.dials[name].assign(value)

    def reset(self, seed: int, noise: int | None = None) -> None:
        """Put weights, random streams and the optimizer to where a run with ``seed`` starts.

        Args:
            seed: of the run.
            noise: seed of the random streams alone, if they shall differ from the run's.
        """
        noise = seed if noise is None else noise
        for variable, value in [*self._assembly.weights(seed), *self._assembly.streams(noise)]:
            variable.assign(value)
        for name, stream in self._streams.items():
            stream.state.assign([derive(noise, "stream", name), 0])
        self._start_companions()
        for number, ruled in enumerate(self._assembly.rules):
            if ruled.stream is not None:
                ruled.stream.state.assign([derive(noise, "stream", ruled.part, number), 0])
        for variable, value in self._optimizer_start():
            variable.assign(value)

    def _start_companions(self) -> None:
        for ruled in self._assembly.rules:
            if ruled.companion is not None:
                ruled.companion.assign(initialize_companion(ruled.rule, ruled.weight))

    def _named_companions(self) -> dict[str, keras.Variable]:
        parts = dict.fromkeys(ruled.part for ruled in self._assembly.rules)
        return {f"{part}_{n}": beside for part in parts for n, (_, beside) in enumerate(self.companions(part))}

    def save_own_variables(self, store: Any) -> None:
        """Keras's hook for `save`: the companions; layers save their weights."""
        for name, companion in self._named_companions().items():
            store[name] = companion.numpy()

    def load_own_variables(self, store: Any) -> None:
        """Keras's hook for `load_model` and `load_weights`."""
        for name, companion in self._named_companions().items():
            if name in store:  # not if they are the weights of another recipe
                companion.assign(store[name])

    def acting(self, place: type[Any]) -> list[Any]:
        """Its regularizers that act at ``place``, in the recipe's order."""
        return [part for part in self._assembly.parts if isinstance(part, place)]

    def rules(self, *kinds: type[Any]) -> list[Any]:
        """What acts on its weights by a rule of these kinds, in the recipe's order."""
        return [ruled for ruled in self._assembly.rules if isinstance(ruled.rule, kinds)]

    def stream(self, part: Regularizer) -> keras.random.SeedGenerator:
        """The random stream of ``part``."""
        return self._streams[part.name]

    @property
    def states(self) -> list[keras.Variable]:
        """What a training step changes beside the weights: random streams, batch norm's averages and their like."""
        streams = [ruled.stream.state for ruled in self._assembly.rules if ruled.stream is not None]
        return [*self.non_trainable_variables, *streams]

    def companions(self, name: str) -> list[tuple[keras.Variable, keras.Variable]]:
        """Pairs of a weight and its companion, of the regularizer called ``name``."""
        found = [(ruled.weight, ruled.companion) for ruled in self._assembly.rules if ruled.part == name]
        return [(weight, companion) for weight, companion in found if companion is not None]

    def show_training_data(
        self, batches: Callable[[], Iterable[tuple[Any, ...]]], loss: Callable[[], float] | None = None
    ) -> None:
        """Say where the training batches (x, y) are found, for `refit_statistics` and `training_loss`.

        Args:
            batches: gives them anew.
            loss: a faster way to the loss over all of them.
        """
        self._batches = batches
        self._training_loss = loss

    def refit_statistics(self) -> None:
        """Fit batch-norm averages anew to the weights as they are: the plain mean over the training batches."""
        norms = list(_batch_norms(self))
        kept = [layer.momentum for layer in norms]
        for number, (x, *_) in enumerate(self._batches() if norms else ()):
            for layer in norms:
                layer.momentum = number / (number + 1)
            self.logits(x, training=True)
        for layer, momentum in zip(norms, kept, strict=True):
            object.__setattr__(layer, "momentum", momentum)  # past Keras's tracking: it may be batch_norm's dial

    def training_loss(self) -> float:
        """The task's loss over the training batches, at inference."""
        if self._training_loss is not None:
            return self._training_loss()
        losses = [self.task.loss(self.task.encode(y), self.logits(x)) for x, y, *_ in self._batches()]
        return float(tf.reduce_mean(tf.concat(losses, 0)))

    def logits(self, x: Any, training: bool = False) -> Any:
        """The head's output before the softmax, (batch, size)."""
        return self._to_logits(x, training=training)

    def update(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
        """Take one training `Step`; return what was minimized, and the logits, from before the step.

        `fit` and `Program` both come here.

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
            metrics = [_shown(self.task)]
        super().compile(optimizer=optimizer, metrics=metrics, **kwargs)
        self.optimizer.build(self.trainable_variables)
        rate = self.optimizer.learning_rate
        start = [(v, v.numpy()) for v in self.optimizer.variables if v is not rate]
        self._optimizer_start = lambda: start  # a function: Keras would track variables in a list as the model's own

    def compile_from_config(self, config: dict[str, Any]) -> None:
        """Keras's hook for `load_model`: compile as the saved model was."""
        self.compile(**keras.saving.deserialize_keras_object(config))

    def train_step(self, data: Any) -> dict[str, Any]:
        """Keras's hook for `fit`: `update`, then the metrics."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        loss, targets, logits = self._step.take(x, y, weight)
        return self._log(loss, targets, logits, weight)

    def test_step(self, data: Any) -> dict[str, Any]:
        """Keras's hook for `evaluate`: the task's loss on the batch as it is, no penalty."""
        x, y, weight = keras.utils.unpack_x_y_sample_weight(data)
        logits = self.logits(x)
        return self._log(weighted_mean(self.task.loss(self.task.encode(y), logits), weight), y, logits, weight)

    def _log(self, loss: Any, y: Any, logits: Any, weight: Any) -> dict[str, Any]:
        self._loss_tracker.update_state(loss, sample_weight=tf.shape(logits)[0])
        targets = self.task.encode(y)
        if self.task.kind == "classification":
            targets, logits = tf.argmax(targets, -1), tf.nn.softmax(logits)
        if self.task.kind == "multilabel":
            logits = tf.sigmoid(logits)
        return self.compute_metrics(None, targets, logits, weight)

    def fit(self, *args: Any, **kwargs: Any) -> Any:
        """Train as Keras does; schedules turn their dials and early stopping watches, epoch by epoch.

        Raises:
            InputError: if a regularizer watches validation and there is none after every epoch, or reads the training
                data again and cannot.
        """
        given = inspect.signature(super().fit).bind(*args, **kwargs).arguments
        watching = self.acting(OnTraining)
        if seeing := [part.name for part in watching if part.watches]:
            require_validation(given, " and ".join(seeing))
        if watching:
            self.show_training_data(lambda: iterate_batches(given))
        if self.optimizer is not None and not int(self.optimizer.iterations):
            self._start_companions()  # at the weights as they are: they may have been set or loaded since
        callbacks = given.get("callbacks") or []
        callbacks = callbacks if isinstance(callbacks, list | tuple) else [callbacks]
        watchers = [WatcherCallback(part) for part in watching]
        history = super().fit(**{**given, "callbacks": [*callbacks, StrengthScheduler(self.recipe.dials()), *watchers]})
        members = max((each.watcher.members(self) for each in watchers), key=len, default=[])
        self._snapshots = lambda: members if len(members) > 1 else []
        return history

    def finished(self) -> keras.Model:
        """The model to use after `fit`: what the recipe makes of the trained one; itself where nothing is made of it.

        With `mc_dropout` it has a method ``uncertainty(x)`` and shares this model's weights; with `snapshot_ensemble`
        it averages what the snapshots of the last `fit` predict, which are not saved with this model.
        """
        from regzoo.training.model.finalize import combine_models  # it makes use of models, so it knows this class

        return combine_models(self.recipe, [self._copy(weights) for weights in self._snapshots()] or [self])

    def _copy(self, weights: list[Any]) -> RegularizedModel:
        copy = type(self).from_config(self.get_config())
        copy.set_weights(weights)
        copy.turn(self.dials)
        return copy

    def get_config(self) -> dict[str, Any]:
        """What `from_config` needs to assemble the model again."""
        return self._assembly.config

    @classmethod
    def from_config(cls, config: dict[str, Any], custom_objects: Any = None) -> RegularizedModel:
        """Assemble the model again from its own spelling."""
        from regzoo.training.model.build import from_config  # assemble makes models, so it knows this class

        return from_config(config)


def _shown(task: Task) -> keras.metrics.Metric:
    """The metric that `fit` shows beside the loss."""
    if task.kind == "classification":
        return keras.metrics.SparseCategoricalAccuracy("accuracy")
    if task.kind == "multilabel":
        return keras.metrics.BinaryAccuracy("accuracy")
    return keras.metrics.MeanAbsoluteError("mae")


def _batch_norms(model: keras.Model) -> Iterator[keras.layers.BatchNormalization]:
    for layer in model.layers:
        if isinstance(layer, keras.layers.BatchNormalization):
            yield layer
        elif isinstance(layer, keras.Model):
            yield from _batch_norms(layer)
