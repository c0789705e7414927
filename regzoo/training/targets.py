"""Checks of targets against the task: labels in range, shapes that fit, before anything is trained on them."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.core import InputError
from regzoo.training.task import Task


def check_targets(task: Task, y: Any, name: str = "y") -> None:
    """Check targets that are at hand: an array, a table, a tensor or lists.

    Args:
        task: what is predicted.
        y: whole-number classes (rows,) or (rows, 1), or numbers (rows, size).
        name: of the argument, for the message.

    Raises:
        InputError: if the shape does not fit the task, or a label lies outside its range.
    """
    values = y if tf.is_tensor(y) else np.asarray(y)
    if not tf.is_tensor(y) and values.dtype.kind not in "biuf":
        raise InputError(f"{name}: targets must be numbers, received values of type {values.dtype}; {_describe(task)}")
    check_shape(task, tuple(values.shape), name)
    values = np.asarray(keras.ops.convert_to_numpy(values)) if tf.is_tensor(y) else values
    low, high = _get_range(task, values.shape)
    if high is None:
        return
    outside = ~((values >= low) & (values <= high))  # NaN is outside
    if _are_classes(task, values.shape):
        outside |= values != np.floor(values)
    if outside.any():
        row = int(np.argwhere(outside)[0][0])
        received = values[outside].reshape(-1)[0]
        raise InputError(
            f"{name}: received the label {received} in row {row} ({int(outside.sum())} such values); {_describe(task)}"
        )


def check_shape(task: Task, shape: tuple[int | None, ...], name: str = "y") -> None:
    """Check the shape of targets, whose first axis is the batch; an axis of unknown length is None.

    Raises:
        InputError: if it does not fit the task.
    """
    if task.kind == "reconstruction":
        sizes = shape[1:]
        fits = None in sizes or int(np.prod([size or 0 for size in sizes])) == task.size
    else:
        one = len(shape) == 1 or (len(shape) == 2 and shape[1] in (1, None))
        takes_one = task.kind == "classification" or task.size == 1
        fits = (one and takes_one) or (len(shape) == 2 and shape[1] in (task.size, None))
    if not fits:
        raise InputError(f"{name}: received targets of shape {_format_shape(shape)}; {_describe(task)}")


def assert_in_range(task: Task, y: Any) -> Any:
    """Return ``y``, a tensor, with an assertion in the graph that its labels are in range.

    Raises:
        InputError: if its shape, as far as it is known, does not fit the task.
        tf.errors.InvalidArgumentError: when the graph runs, if a label lies outside its range.
    """
    y = tf.convert_to_tensor(y)
    if y.shape.rank is None:
        return y
    check_shape(task, tuple(y.shape))
    low, high = _get_range(task, tuple(y.shape))
    if high is None:
        return y
    values = tf.cast(y, tf.float64)  # exact for every label
    inside = (values >= low) & (values <= high)
    if _are_classes(task, tuple(y.shape)) and y.dtype.is_floating:
        inside &= tf.equal(values, tf.floor(values))
    with tf.control_dependencies([tf.debugging.Assert(tf.reduce_all(inside), [_describe(task), "received", y], 20)]):
        return tf.identity(y)


def _are_classes(task: Task, shape: tuple[int | None, ...]) -> bool:
    """Return True if targets of this shape are class numbers."""
    return task.kind == "classification" and (len(shape) == 1 or shape[-1] == 1)


def _get_range(task: Task, shape: tuple[int | None, ...]) -> tuple[int, int | None]:
    """Return the smallest and the largest target; None for the largest if any number is a target."""
    if _are_classes(task, shape):
        return 0, task.size - 1
    return 0, 1 if task.kind in ("classification", "multilabel") else None


def _describe(task: Task) -> str:
    """Return what targets the task takes."""
    if task.kind == "classification":
        return (
            f"a classification of {task.size} classes takes whole numbers from 0 to {task.size - 1} of shape (rows,) "
            f"or (rows, 1), or probabilities of shape (rows, {task.size})"
        )
    if task.kind == "multilabel":
        return f"{task.size} labels take numbers from 0 to 1 of shape (rows, {task.size})"
    if task.kind == "reconstruction":
        return f"a reconstruction takes the inputs themselves, {task.size} values a row"
    alone = " or (rows,)" if task.size == 1 else ""
    return f"a regression of {task.size} outputs takes numbers of shape (rows, {task.size}){alone}"


def _format_shape(shape: tuple[int | None, ...]) -> str:
    sizes = ["rows", *("any" if size is None else str(size) for size in shape[1:])]
    return f"({', '.join(sizes)}{',' if len(sizes) == 1 else ''})"
