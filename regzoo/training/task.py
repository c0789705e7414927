"""`Task`: kind of prediction, head, loss and metrics."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from regzoo.core import InputError, Objective, did_you_mean
from regzoo.core.lazy import keras, tf
from regzoo.training import metrics
from regzoo.training.metrics import COSTLY, DIRECTIONS, METRICS

Shape = tuple[int | None, ...]
"""Shape of one example; None is a length that differs from example to example."""


@dataclass(frozen=True)
class Task:
    """A kind of prediction, with its head, loss and metrics.

    Classification has a softmax head and cross-entropy; multilabel classification a sigmoid head and the mean
    cross-entropy of the labels; regression and reconstruction a linear head and mean squared error.

    In reconstruction the targets are the standardized inputs, of any shape: ``fit(x, x)``. A regularizer that changes
    the batch changes the inputs only, so noise makes a denoising autoencoder.

    Attributes:
        kind: ``classification``, ``multilabel``, ``regression`` or ``reconstruction``.
        size: number of classes (from 2), of labels, of outputs or of values in an input (from 1).
        scale: for regression, the standard deviation of the targets if they were standardized: it converts metrics
            to the user's units.
    """

    kind: Literal["classification", "multilabel", "regression", "reconstruction"]
    size: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        least = 2 if self.kind == "classification" else 1
        size = _to_whole_number(self.size)
        if size is None or size < least:
            words = {"classification": "classes", "multilabel": "labels", "regression": "outputs"}
            raise InputError(f"{self.kind} needs {words.get(self.kind, 'inputs')} from {least}, received {self.size!r}")
        object.__setattr__(self, "size", size)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of the task's metrics; the first ranks by default."""
        return METRICS[self.kind]

    def tracked_metrics(self, rank_by: str | None = None) -> tuple[str, ...]:
        """Return the metrics to compute after each epoch: all that need no sorting of the rows, and ``rank_by``."""
        return tuple(name for name in self.metrics if name not in COSTLY or name == rank_by)

    def objective(self, metric: str | None = None) -> Objective:
        """Return the objective of a run: ``metric``, by default the task's first, and its direction.

        Raises:
            InputError: if the task has no such metric.
        """
        metric = metric or self.metrics[0]
        if metric not in self.metrics:
            raise InputError(f"{self.kind} cannot be ranked by {metric!r}.{did_you_mean(metric, self.metrics)}")
        return Objective(metric, DIRECTIONS[metric])

    def head(self, features: Any) -> tuple[Any, Any]:
        """Return (logits, outputs), each (batch, size), for features (batch, features).

        Outputs are probabilities in both kinds of classification, else the logits themselves.
        """
        logits = keras.layers.Dense(self.size, name="head")(features)
        if self.kind == "classification":
            return logits, keras.layers.Softmax(name="probabilities")(logits)
        if self.kind == "multilabel":
            return logits, keras.layers.Activation("sigmoid", name="probabilities")(logits)
        return logits, logits

    def encode(self, y: Any) -> Any:
        """Return targets as float32 (batch, size): classes one-hot, inputs flattened."""
        y = tf.convert_to_tensor(y)
        if self.kind == "classification" and (y.shape.rank == 1 or (y.shape[-1] == 1 and self.size > 1)):
            return tf.one_hot(tf.cast(tf.reshape(y, [-1]), tf.int32), self.size)
        y = tf.cast(y, tf.float32)
        if self.kind == "reconstruction":
            return tf.reshape(y, [-1, self.size])
        return y[:, None] if y.shape.rank == 1 else y

    def loss(self, y: Any, logits: Any) -> Any:
        """Return the per-example loss (batch,) of encoded targets (batch, size): nats, or squared error."""
        if self.kind == "classification":
            return tf.nn.softmax_cross_entropy_with_logits(y, logits)
        if self.kind == "multilabel":
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits), axis=-1)
        return tf.reduce_mean(tf.square(y - logits), axis=-1)

    def predict(self, logits: Any) -> Any:
        """Return the outputs of `head` for logits (batch, size): probabilities, or the logits themselves."""
        if self.kind == "classification":
            return keras.activations.softmax(logits)
        return keras.activations.sigmoid(logits) if self.kind == "multilabel" else logits

    def measure(self, y: Any, logits: Any, names: Sequence[str] | None = None, variance: Any = None) -> dict[str, Any]:
        """Return metrics as scalar tensors.

        Args:
            y: encoded hard targets, (rows, size).
            logits: predictions, (rows, size).
            names: names of the metrics; by default all.
            variance: the `residual_variance` of the training part, for ``gaussian_nll``; by default that of these rows.
        """
        if self.kind in ("classification", "multilabel"):
            known = self._define_classification_metrics(y, logits)
        else:
            variance = self.residual_variance(y, logits) if variance is None else variance
            known = self._define_regression_metrics(y, logits, variance)
        return {name: known[name]() for name in names or self.metrics}

    def residual_variance(self, y: Any, logits: Any) -> Any:
        """Return the mean squared residual, a scalar in the user's units squared, kept above zero."""
        return tf.maximum(tf.reduce_mean(tf.square(self.scale * (logits - y))), 1e-12 * self.scale**2)

    def _define_regression_metrics(self, y: Any, logits: Any, variance: Any) -> dict[str, Callable[[], Any]]:
        residual = self.scale * (logits - y)
        return {
            "rmse": lambda: metrics.rmse(residual),
            "mae": lambda: metrics.mae(residual),
            "r2": lambda: metrics.r2(self.scale * y, residual),
            "gaussian_nll": lambda: metrics.gaussian_nll(residual, variance),
        }

    def _define_classification_metrics(self, y: Any, logits: Any) -> dict[str, Callable[[], Any]]:
        if self.kind == "classification":
            probabilities = tf.nn.softmax(logits)
            correct = tf.cast(tf.argmax(logits, -1) == tf.argmax(y, -1), tf.float32)  # (rows,)
            confidence = tf.reduce_max(probabilities, -1)
            brier = metrics.brier(y, probabilities)
        else:
            probabilities = tf.sigmoid(logits)
            correct = tf.reshape(tf.cast((logits > 0) == (y > 0.5), tf.float32), [-1])  # (rows x labels,)
            confidence = tf.reshape(tf.maximum(probabilities, 1.0 - probabilities), [-1])
            brier = metrics.brier(y, probabilities) / self.size
        return {
            "nll": lambda: tf.reduce_mean(self.loss(y, logits)),
            "error": lambda: 1.0 - metrics.accuracy(correct),
            "accuracy": lambda: metrics.accuracy(correct),
            "balanced_accuracy": lambda: metrics.balanced_accuracy(y, correct),
            "brier": lambda: brier,
            "ece": lambda: metrics.calibration_error(confidence, correct),
            "auroc": lambda: metrics.auroc(y, probabilities),
        }

    def to_logits(self, outputs: Any) -> Any:
        """Return logits (rows, size) of outputs (rows, size), such as averages: log-probabilities or log-odds."""
        if self.kind == "classification":
            return tf.math.log(tf.maximum(outputs, keras.config.epsilon()))
        if self.kind == "multilabel":
            inside = tf.clip_by_value(outputs, keras.config.epsilon(), 1.0 - keras.config.epsilon())
            return tf.math.log(inside) - tf.math.log1p(-inside)
        return outputs


def select_task(
    classes: int | None = None,
    outputs: int | None = None,
    labels: int | None = None,
    task: str | None = None,
    input_shape: Shape = (),
) -> Task:
    """Return the task for ``classes=``, ``outputs=`` (regression), ``labels=`` (multilabel) or ``task=``.

    Raises:
        InputError: unless exactly one of them is given, a whole number or, for ``task``, ``"reconstruction"``.
    """
    given = (classes, outputs, labels, task)
    if task not in (None, "reconstruction") or sum(value is not None for value in given) != 1:
        raise InputError(
            "give classes= for classification, outputs= for regression, labels= for several labels or "
            f'task="reconstruction", received classes={classes}, outputs={outputs}, labels={labels}, task={task!r}'
        )
    if task is not None:
        sizes = [size for size in input_shape if size is not None]
        if len(sizes) < len(input_shape):
            raise InputError(f"reconstruction needs inputs of one known size, received {input_shape}")
        return Task("reconstruction", math.prod(sizes))
    if labels is not None:
        return Task("multilabel", labels)
    return Task("classification", classes) if classes is not None else Task("regression", outputs or 0)


def read_input_shape(given: Any) -> Shape:
    """Return the shape of one example, checked; sequences (None, features) may be of any length.

    Raises:
        InputError: if it is empty, or holds anything but whole numbers from 1.
    """
    given_sizes = given if isinstance(given, Iterable) else ()
    sizes = [size if size is None else _to_whole_number(size) or 0 for size in given_sizes]
    known = sizes[1:] if len(sizes) == 2 and sizes[0] is None else sizes
    if not known or not all(size is not None and size > 0 for size in known):
        raise InputError(
            "input_shape is the shape of one example, such as (18,) for rows or (28, 28, 1) for images, "
            f"received {given!r}"
        )
    return tuple(sizes)


def read_vocabulary_size(given: Any) -> int:
    """Return the number of different tokens, 0 if inputs are numbers; InputError unless it is 0 or from 2."""
    size = _to_whole_number(given)
    if size is None or size < 0 or size == 1:
        raise InputError(
            f"vocabulary_size is the number of different tokens, from 2, or 0 for none, received {given!r}"
        )
    return size


def _to_whole_number(value: Any) -> int | None:
    """Return ``value`` as an int if it is a whole number of any library, else None."""
    try:
        return operator.index(value)
    except TypeError:
        return None
