"""Data sets: digest, duplicate rows, read-only arrays, and the task that targets imply."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from regzoo.core.errors import InputError
from regzoo.data.dataset import Dataset, TaskName, infer_task
from regzoo.data.sources.arrays import from_arrays

X = np.arange(8.0).reshape(4, 2)
Y = [0, 1, 0, 1]


def test_equal_content_has_an_equal_digest_in_any_container() -> None:
    digest = from_arrays(X, Y).digest
    assert len(digest) == 16
    assert from_arrays(X.tolist(), np.array(Y, dtype=np.int8), name="other").digest == digest
    assert from_arrays(np.asfortranarray(X.astype(np.float32)), tuple(Y)).digest == digest


def test_the_digest_is_the_same_in_every_process() -> None:
    assert from_arrays(X, Y).digest == "0de2031aa1595f81"


@pytest.mark.parametrize(
    ("x", "y"),
    [
        (X + 1, Y),
        (X, [1, 0, 0, 1]),
        (X, ["0", "1", "0", "1"]),
        (X, [0.0, 1.0, 0.0, 1.0]),
        (X, [False, True, False, True]),
        (X.reshape(4, 1, 2), Y),
        (X[[1, 0, 2, 3]], Y),
    ],
)
def test_other_content_has_another_digest(x: Any, y: Any) -> None:
    assert from_arrays(x, y).digest != from_arrays(X, Y).digest


def test_column_names_are_content() -> None:
    data = from_arrays(X, Y)
    named = [Dataset(data.x, data.y, columns, "d", None).digest for columns in (("a", "b"), ("b", "a"), None)]
    assert len(set(named)) == 3


ROLES: dict[str, Any] = {
    "groups": [1, 1, 2, 2],
    "sample_weight": [1, 2, 1, 1],
    "time": [1, 2, 3, 4],
    "part": ["train", "", "", ""],
}


def test_roles_are_content() -> None:
    digests = [from_arrays(X, Y, **{role: values}).digest for role, values in ROLES.items()]
    assert len({from_arrays(X, Y).digest, *digests}) == 5
    assert from_arrays(X, Y, **ROLES).digest == from_arrays(X, Y, **ROLES).digest
    assert from_arrays(X, Y, groups=[1, 1, 2, 3]).digest != from_arrays(X, Y, groups=ROLES["groups"]).digest


def test_rows_with_equal_inputs_and_targets_are_duplicates() -> None:
    x = [[1, 2], [1, 2], [1, 2], [2, 1], [1, 2]]
    assert from_arrays(x, ["a", "b", "a", "a", "b"]).content_codes.tolist() == [0, 1, 0, 2, 1]
    assert from_arrays(np.array(x).reshape(5, 1, 2), [0.5, 1, 0.5, 2, 3]).content_codes.tolist() == [0, 1, 0, 2, 3]


def test_the_arrays_are_read_only() -> None:
    data = from_arrays(X, Y)
    assert isinstance(data.x, np.ndarray)
    assert data.y is not None
    with pytest.raises(ValueError, match="read-only"):
        data.x[0, 0] = 5
    with pytest.raises(ValueError, match="read-only"):
        data.y[0] = 5


@pytest.mark.parametrize(
    ("y", "task"),
    [
        (np.array(["a", "b", "c"]), "classification"),
        (np.array([True, False]), "classification"),
        (np.arange(10).repeat(3), "classification"),
        (np.array([1.0, 2.0] * 5), "classification"),
        (np.arange(20).repeat(2), "classification"),  # 20 values are few, 21 among 42 rows are not
        (np.arange(21).repeat(2), "regression"),
        (np.arange(30).repeat(30), "classification"),  # 30 = sqrt(900)
        (np.arange(31).repeat(30), "regression"),  # 31 > sqrt(930)
        (np.arange(8), "regression"),  # each value once
        (np.array([0.5, 1.0, 0.5, 1.0]), "regression"),
        (-np.arange(100.0), "regression"),
    ],
)
def test_the_task_follows_from_the_targets(y: Any, task: str) -> None:
    assert infer_task(y) == task


def test_the_task_may_be_asked_for() -> None:
    whole, real, text = (from_arrays(X, y) for y in (Y, [0.1, 0.2, 0.3, 0.4], list("abab")))
    alone = from_arrays(X, None)
    inferred = [data.resolve_task(None) for data in (whole, real, text, alone)]
    assert inferred == ["classification", "regression", "classification", "reconstruction"]
    assert whole.resolve_task("regression") == "regression"
    assert text.resolve_task("reconstruction") == "reconstruction"
    cases: list[tuple[Dataset, TaskName, str]] = [
        (text, "regression", "regression needs numbers, the targets of arrays are 'a'"),
        (real, "classification", "classification needs labels"),
        (alone, "regression", "has inputs alone; take reconstruction"),
    ]
    for data, task, message in cases:
        with pytest.raises(InputError, match=message):
            data.resolve_task(task)


TAGS = [[0, 1, 1], [1, 1, 0], [0, 0, 0], [1, 0, 1]]


def test_several_columns_are_several_labels() -> None:
    data = from_arrays(X, TAGS)
    assert [data.task, data.resolve_task(None), data.resolve_task("multilabel")] == ["multilabel"] * 3
    assert data.resolve_task("reconstruction") == "reconstruction"
    assert data.content_codes.tolist() == [0, 1, 2, 3]
    assert from_arrays(X[[0, 1, 0, 0]], [TAGS[n] for n in (0, 1, 0, 2)]).content_codes.tolist() == [0, 1, 0, 2]
    tasks: tuple[TaskName, ...] = ("classification", "regression")
    for asked in tasks:
        with pytest.raises(InputError, match=f"task: {asked} takes one target a row, arrays has 3 labels, each true"):
            data.resolve_task(asked)


def test_one_target_a_row_is_not_several_labels() -> None:
    with pytest.raises(InputError, match="task: multilabel takes several columns of 0 and 1, arrays has one target"):
        from_arrays(X, Y).resolve_task("multilabel")


def test_one_hot_rows_are_classes_unless_several_labels_are_asked_for() -> None:
    data = from_arrays(X, np.eye(4))
    with pytest.raises(
        InputError, match=r"exactly one of the 4 labels, .* take y.argmax\(axis=1\), .* task: multilabel"
    ):
        data.resolve_task(None)
    assert data.resolve_task("multilabel") == "multilabel"
