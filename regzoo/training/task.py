"""Task: what is predicted, by which head, with which loss, judged by which metrics."""

from __future__ import annotations

import math
import operator
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from regzoo.core import InputError, Objective, did_you_mean
from regzoo.core.lazy import keras, tf
from regzoo.training import metrics as of
from regzoo.training.metrics import COSTLY, DIRECTIONS, METRICS

Shape = tuple[int | None, ...]
"""Of one example; None is a length that differs from example to example."""


@dataclass(frozen=True)
class Task:
    """Classification into ``classes`` (softmax head, cross-entropy), multilabel classification (sigmoid head, the mean
    cross-entropy of the labels), regression of ``outputs`` or reconstruction of the inputs (mean squared error).

    Reconstruction takes the standardized inputs for targets, of any shape: ``fit(x, x)``. What a regularizer does to
    the batch of inputs it does not do to the targets, so noise makes a denoising autoencoder.

    Attributes:
        kind: ``classification``, ``multilabel``, ``regression`` or ``reconstruction``.
        size: number of classes (from 2), of labels, of outputs or of values in an input (from 1).
        scale: for regression, the unit of the targets: metrics are multiplied by it, so that they are in the
            user's units when targets were standardized.
    """

    kind: Literal["classification", "multilabel", "regression", "reconstruction"]
    size: int
    scale: float = 1.0

    def __post_init__(self) -> None:
        least = 2 if self.kind == "classification" else 1
        size = whole_number(self.size)
        if size is None or size < least:
            word = {"classification": "classes", "multilabel": "labels", "regression": "outputs"}.get(
                self.kind, "inputs"
            )
            raise InputError(f"{self.kind} needs {word} from {least}, received {self.size!r}")
        object.__setattr__(self, "size", size)

    @property
    def metrics(self) -> tuple[str, ...]:
        """The names of its metrics; the first is the default to rank by."""
        return METRICS[self.kind]

    def tracked_metrics(self, rank_by: str | None = None) -> tuple[str, ...]:
        """The metrics taken after each epoch: all that need no sorting of the rows, and the one to rank by."""
        return tuple(name for name in self.metrics if name not in COSTLY or name == rank_by)

    def objective(self, metric: str | None = None) -> Objective:
        """The metric to judge by, the task's own by default.

        Raises:
            InputError: if the task has no such metric.
        """
        metric = metric or self.metrics[0]
        if metric not in self.metrics:
            raise InputError(f"{self.kind} cannot be ranked by {metric!r}.{did_you_mean(metric, self.metrics)}")
        return Objective(metric, DIRECTIONS[metric])

    def head(self, features: Any) -> tuple[Any, Any]:
        """Return (logits, outputs), each (batch, size), of the features (batch, features).

        Outputs are probabilities in classification, else the logits themselves.
        """
        logits = keras.layers.Dense(self.size, name="head")(features)
        if self.kind == "classification":
            return logits, keras.layers.Softmax(name="probabilities")(logits)
        if self.kind == "multilabel":
            return logits, keras.layers.Activation("sigmoid", name="probabilities")(logits)
        return logits, logits

    def encode(self, y: Any) -> Any:
        """Return targets as float32 (batch, size): one-hot for whole-number classes, flat for inputs."""
        y = tf.convert_to_tensor(y)
        if self.kind == "classification" and (y.shape.rank == 1 or (y.shape[-1] == 1 and self.size > 1)):
            return tf.one_hot(tf.cast(tf.reshape(y, [-1]), tf.int32), self.size)
        y = tf.cast(y, tf.float32)
        if self.kind == "reconstruction":
            return tf.reshape(y, [-1, self.size])
        return y[:, None] if y.shape.rank == 1 else y

    def loss(self, y: Any, logits: Any) -> Any:
        """Per-example loss (batch,) of encoded targets (batch, size): cross-entropy in nats, or squared error."""
        if self.kind == "classification":
            return tf.nn.softmax_cross_entropy_with_logits(y, logits)
        if self.kind == "multilabel":
            return tf.reduce_mean(tf.nn.sigmoid_cross_entropy_with_logits(y, logits), axis=-1)
        return tf.reduce_mean(tf.square(y - logits), axis=-1)

    def measure(self, y: Any, logits: Any, names: Sequence[str] | None = None, variance: Any = None) -> dict[str, Any]:
        """Metrics as scalar tensors, of encoded hard targets (rows, size) and logits (rows, size).

        Args:
            y: targets.
            logits: predictions.
            names: of the metrics wanted; by default all.
            variance: that of the training part's residuals, as `residual_variance` gives it, for ``gaussian_nll``; by
                default that of these rows.
        """
        if self.kind in ("classification", "multilabel"):
            known = self._of_classes(y, logits)
        else:
            known = self._of_numbers(y, logits, self.residual_variance(y, logits) if variance is None else variance)
        return {name: known[name]() for name in names or self.metrics}

    def residual_variance(self, y: Any, logits: Any) -> Any:
        """The mean squared residual, a scalar in the user's units squared, kept above zero."""
        return tf.maximum(tf.reduce_mean(tf.square(self.scale * (logits - y))), 1e-12 * self.scale**2)

    def _of_numbers(self, y: Any, logits: Any, variance: Any) -> dict[str, Callable[[], Any]]:
        distance = self.scale * (logits - y)
        return {
            "rmse": lambda: of.rmse(distance),
            "mae": lambda: of.mae(distance),
            "r2": lambda: of.r2(self.scale * y, distance),
            "gaussian_nll": lambda: of.gaussian_nll(distance, variance),
        }

    def _of_classes(self, y: Any, logits: Any) -> dict[str, Callable[[], Any]]:
        if self.kind == "classification":
            probabilities = tf.nn.softmax(logits)
            right = tf.cast(tf.argmax(logits, -1) == tf.argmax(y, -1), tf.float32)  # (rows,)
            confidence = tf.reduce_max(probabilities, -1)
            brier = of.brier(y, probabilities)
        else:
            probabilities = tf.sigmoid(logits)
            right = tf.reshape(tf.cast((logits > 0) == (y > 0.5), tf.float32), [-1])  # (rows x labels,)
            confidence = tf.reshape(tf.maximum(probabilities, 1.0 - probabilities), [-1])
            brier = of.brier(y, probabilities) / self.size
        return {
            "nll": lambda: tf.reduce_mean(self.loss(y, logits)),
            "error": lambda: 1.0 - of.accuracy(right),
            "accuracy": lambda: of.accuracy(right),
            "balanced_accuracy": lambda: of.balanced_accuracy(y, right),
            "brier": lambda: brier,
            "ece": lambda: of.calibration_error(confidence, right),
            "auroc": lambda: of.auroc(y, probabilities),
        }

    def combined_logits(self, outputs: Any) -> Any:
        """Return logits (rows, size) that stand for averaged outputs (rows, size): log-probabilities or log-odds."""
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
    """Return the task that ``classes=``, ``outputs=`` (regression), ``labels=`` (multilabel) or ``task=`` asks for.

    Raises:
        InputError: unless exactly one of them is given, a whole number, or if ``task`` is not ``"reconstruction"``.
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
    """Return the shape of one example as a user gave it; sequences (None, features) may be of any length.

    Raises:
        InputError: if it is empty, or holds anything but whole numbers from 1.
    """
    sizes = [size if size is None else whole_number(size) or 0 for size in given] if isinstance(given, Iterable) else []
    known = sizes[1:] if len(sizes) == 2 and sizes[0] is None else sizes
    if not known or not all(size is not None and size > 0 for size in known):
        raise InputError(
            "input_shape is the shape of one example, such as (18,) for rows or (28, 28, 1) for images, "
            f"received {given!r}"
        )
    return tuple(sizes)


def whole_number(value: Any) -> int | None:
    """``value`` as an int, if it is a whole number of any library."""
    try:
        return operator.index(value)
    except TypeError:
        return None
