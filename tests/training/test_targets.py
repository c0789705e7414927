"""Targets that do not fit the task are refused: by arrays at once, in a graph when it runs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from regzoo.core import InputError
from regzoo.training.targets import assert_in_range, check_targets
from regzoo.training.task import Task

CLASSES, LABELS, IMAGE = Task("classification", 3), Task("multilabel", 2), Task("reconstruction", 12)
NUMBER, NUMBERS = Task("regression", 1), Task("regression", 2)

GOOD: list[tuple[Task, Any]] = [
    (CLASSES, [0, 1, 2]),
    (CLASSES, np.array([[0], [2]], np.uint8)),
    (CLASSES, np.array([0.0, 2.0])),
    (CLASSES, pd.Series([0, 1, 2])),
    (CLASSES, tf.constant([2, 1])),
    (CLASSES, [[0.2, 0.3, 0.5]]),
    (Task("classification", 2), [True, False]),
    (Task("classification", 300), np.array([255], np.uint8)),
    (LABELS, [[0, 1], [0.5, 1]]),
    (Task("multilabel", 1), [0, 1]),
    (NUMBER, [1e9, -5]),
    (NUMBER, [[1.0], [2.0]]),
    (NUMBERS, pd.DataFrame({"a": [1.0], "b": [2.0]})),
    (IMAGE, np.zeros((2, 2, 3, 2))),
]

BAD: list[tuple[Task, Any, str]] = [
    (CLASSES, [0, 3], r"received the label 3 in row 1 \(1 such values\); .* whole numbers from 0 to 2"),
    (CLASSES, [0, -1, -1], r"the label -1 in row 1 \(2 such values\)"),
    (CLASSES, [0.5, 1.0], "the label 0.5 in row 0"),
    (CLASSES, [0.0, np.nan], "the label nan in row 1"),
    (CLASSES, [[3], [0]], "the label 3 in row 0"),
    (CLASSES, [[0.0, 2.0, 0.0]], "the label 2.0 in row 0"),
    (CLASSES, [[1.0, 0.0]], r"targets of shape \(rows, 2\); .*\(rows, 3\)"),
    (CLASSES, np.zeros((2, 3, 1)), r"targets of shape \(rows, 3, 1\)"),
    (LABELS, [0, 1], r"targets of shape \(rows,\); 2 labels take numbers from 0 to 1 of shape \(rows, 2\)"),
    (LABELS, [[0, 2]], "the label 2 in row 0"),
    (NUMBER, [[1.0, 2.0]], r"targets of shape \(rows, 2\); a regression of 1 outputs"),
    (NUMBERS, [1.0, 2.0], r"targets of shape \(rows,\)"),
    (NUMBERS, [[1.0]], r"targets of shape \(rows, 1\)"),
    (IMAGE, np.zeros((2, 5)), r"targets of shape \(rows, 5\); a reconstruction takes the inputs themselves, 12 values"),
]


@pytest.mark.parametrize(("task", "y"), GOOD)
def test_good_targets_pass(task: Task, y: Any) -> None:
    check_targets(task, y)
    tensor = tf.convert_to_tensor(y)
    np.testing.assert_array_equal(assert_in_range(task, tensor), tensor)


@pytest.mark.parametrize(("task", "y", "message"), BAD)
def test_bad_targets_are_refused(task: Task, y: Any, message: str) -> None:
    with pytest.raises(InputError, match=message):
        check_targets(task, y)
    with pytest.raises((InputError, tf.errors.InvalidArgumentError)):
        tf.function(lambda values: assert_in_range(task, values), autograph=False)(tf.convert_to_tensor(y))


def test_words_are_refused() -> None:
    with pytest.raises(InputError, match=r"validation: targets must be numbers, received values of type <U1"):
        check_targets(CLASSES, ["a", "b"], "validation")
