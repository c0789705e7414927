"""A Keras loss of the user's, in place of the task's own."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras
import numpy as np

from regzoo.core import InputError
from regzoo.training.keras_text import make_object
from regzoo.training.loss_names import check_loss, read_loss
from regzoo.training.task import Task


def make_loss(loss: Any, task: Task) -> ExampleLoss | None:
    """Return the loss that is minimized in place of the task's own; None for that.

    Args:
        loss: its text, such as ``huber(delta=0.5)``; a Keras loss, a function or the config of a loss, as
            `keras.losses.serialize` returns it; or None.
        task: what is predicted.

    Raises:
        InputError: if there is no such loss, it does not fit the task, or no example has a loss of its own.
    """
    if loss is None:
        return None
    if not isinstance(loss, str):
        return ExampleLoss(keras.losses.deserialize(dict(loss)) if isinstance(loss, Mapping) else loss)
    check_loss(loss, task)
    return ExampleLoss(make_object(keras.losses, read_loss(loss)))


class ExampleLoss:
    """The loss of each example, the mean over its outputs, by a Keras loss.

    Args:
        loss: the name of a Keras loss, a `keras.losses.Loss`, or a function of targets and outputs.

    Raises:
        InputError: if it is several losses, or sums over the batch, so that no example has a loss of its own.
    """

    def __init__(self, loss: Any) -> None:
        if isinstance(loss, list | tuple | dict):
            raise InputError(f"a model with one output takes one loss, received {type(loss).__name__}")
        found = keras.losses.get(loss)
        self.name = getattr(found, "name", None) or getattr(found, "__name__", type(found).__name__)
        if isinstance(found, keras.losses.Loss) and found.reduction not in ("sum_over_batch_size", "mean"):
            raise InputError(f"{self.name}: reduction={found.reduction!r} has no mean over the batch; leave it out")
        self._compute = found.call if isinstance(found, keras.losses.Loss) else found
        self._from_logits = bool(getattr(found, "from_logits", False))
        self._is_keras = getattr(found, "__module__", "").startswith("keras.")
        if isinstance(found, keras.losses.SparseCategoricalCrossentropy):
            self._compute = self._make_dense(found)
        elif found is keras.losses.sparse_categorical_crossentropy:
            self._compute = keras.losses.categorical_crossentropy
        elif isinstance(found, keras.losses.CategoricalGeneralizedCrossEntropy):
            self._compute = _make_dense_generalized_cross_entropy(found.get_config()["q"])

    def _make_dense(self, loss: keras.losses.SparseCategoricalCrossentropy) -> Any:
        """Return the function that equals ``loss`` on one-hot targets, which regularizers act on."""
        config = loss.get_config()
        if config.get("ignore_class") is not None:
            raise InputError(f"{self.name}: ignore_class has no one-hot form, which regularizers act on; leave it out")
        return keras.losses.CategoricalCrossentropy(from_logits=config["from_logits"]).call

    def encode(self, task: Task, y: Any, mixes: bool) -> Any:
        """Return targets as the loss takes them.

        Args:
            task: what is predicted.
            y: targets as the user gave them.
            mixes: whether a regularizer acts on targets, which must then be of the shape of the outputs.

        Raises:
            InputError: if a loss of the user's own takes targets of another shape.
        """
        if self._is_keras or tuple(y.shape[1:]) == (task.size,):
            return task.encode(y)
        if mixes:
            raise InputError(
                f"{self.name} takes targets of shape {tuple(y.shape)}, and the recipe acts on targets of the outputs' "
                f"shape (rows, {task.size}): give them in that form"
            )
        return y

    def check_targets(self, task: Task) -> None:
        """Check that the loss takes targets of the outputs' shape, one-hot for classes, as a comparison gives them.

        Raises:
            InputError: if it does not.
        """
        rows = task.size + 1  # no other size, so that other targets do not fit by chance
        y = np.eye(task.size, dtype="float32")[np.arange(rows) % task.size]
        try:
            self(keras.ops.convert_to_tensor(y), keras.ops.full((rows, task.size), 1.0 / task.size))
        except Exception as error:  # the user's own function may raise anything
            reason = " ".join(str(error).split())
            form = "one-hot rows" if task.kind == "classification" else "rows"
            raise InputError(
                f"{self.name} fails on targets of the outputs' shape, which a comparison gives every loss ({form} of "
                f"{task.size}): {type(error).__name__}: {reason[:200]}"
            ) from error

    def compute(self, task: Task, y: Any, logits: Any) -> Any:
        """Return the loss of each example (batch,), for targets (batch, ...) and logits (batch, size) of ``task``."""
        return self(y, logits if self._from_logits else task.predict(logits))

    def __call__(self, y: Any, outputs: Any) -> Any:
        """Return the loss of each example (batch,), for targets and outputs (batch, ...)."""
        values = keras.ops.convert_to_tensor(self._compute(y, outputs))
        return keras.ops.mean(keras.ops.reshape(values, (keras.ops.shape(outputs)[0], -1)), axis=1)


def _make_dense_generalized_cross_entropy(q: float) -> Any:
    """Return the function that equals Keras's generalized cross-entropy on one-hot targets, which Keras does not take.

    Formula: sum of y (1 - p^q) / q over the classes.
    """

    def compute(y: Any, outputs: Any) -> Any:
        p = keras.ops.where(y > 0, outputs, 1.0)  # p^q has no gradient at 0, where an absent class may well be
        return keras.ops.sum(y * (1.0 - keras.ops.power(p, q)) / q, axis=-1)

    return compute
