"""tf.data: rows, batches and dictionaries of columns give the same data set as arrays."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from regzoo.core.errors import InputError
from regzoo.data.rows import Rows
from regzoo.data.sources import files, from_python
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.tf_dataset import from_tf_dataset, is_tf_dataset

X, Y = np.arange(14, dtype=np.float32).reshape(7, 2), np.array([0, 1, 0, 1, 0, 1, 0])
WORDS = np.array(["nein", "ja", "größe"])
Slices = tf.data.Dataset.from_tensor_slices


@pytest.mark.parametrize(
    "dataset",
    [
        Slices((X, Y)),
        Slices((X, Y)).batch(3),
        Slices((X, Y)).batch(7, drop_remainder=True),
        Slices((X, Y[:, np.newaxis])),
        Slices((X, Y[:, np.newaxis])).batch(2),
        tf.data.Dataset.zip(Slices(X), Slices(Y)).prefetch(1),
    ],
    ids=["rows", "batches", "one batch", "rows of (1,)", "batches of (b, 1)", "zipped"],
)
def test_batched_or_not_it_equals_the_arrays(dataset: Any) -> None:
    assert is_tf_dataset(dataset)
    assert from_python(Rows(dataset)).digest == from_arrays(X, Y).digest


@pytest.mark.parametrize("batch", [None, 2])
def test_images_and_text_labels(batch: int | None) -> None:
    images = np.arange(7 * 12, dtype=np.uint8).reshape(7, 2, 3, 2)
    labels = WORDS[np.arange(7) % 3]
    dataset = Slices((images, [label.encode() for label in labels]))
    data = from_tf_dataset(dataset if batch is None else dataset.batch(batch))
    assert data.digest == from_arrays(images, labels).digest
    assert data.kind == "images"


@pytest.mark.parametrize("batch", [None, 3])
def test_a_dictionary_of_columns_is_a_table(batch: int | None) -> None:
    columns = {"age": X[:, 0], "member": Y == 1}
    dataset = Slices((columns, Y))
    data = from_tf_dataset(dataset if batch is None else dataset.batch(batch))
    assert data.columns == ("age", "member")
    assert data.digest == from_arrays(pd.DataFrame(columns), Y).digest


def broken() -> Iterator[tuple[np.ndarray, int]]:
    yield X[0], 0
    raise RuntimeError("the disk is gone")


def generated(make: Any) -> Any:
    specs = (tf.TensorSpec((2,), tf.float32), tf.TensorSpec((), tf.int64))
    return tf.data.Dataset.from_generator(make, output_signature=specs)


def ragged() -> Any:
    return Slices((tf.ragged.constant([[1.0], [2.0, 3.0]]), [0, 1]))


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: Slices((X, Y)).repeat(), r"is endless; give it an end with dataset\.take\(n\), or leave out repeat"),
        (lambda: Slices((X, Y)).take(0), "gives no rows"),
        (lambda: Slices(X), r"each element is \(x, y\) or .*; received one"),
        (lambda: Slices((X, Y, Y, Y)), r"each element is \(x, y\) or .*; received 4 items"),
        (lambda: Slices((X, Y, Y - 1.0)), "sample_weight holds -1.0 in row 1; weights are above 0"),
        (lambda: Slices(((X, X), Y)), r"each element is \(x, y\) or .*; received tuple"),
        (ragged, r"each element is \(x, y\) or .*; received RaggedTensorSpec"),
        (lambda: Slices(({"a": X}, Y)), r"column 'a' takes one value a row, received the shape \(7, 2\)"),
        (lambda: generated(broken), "failed at element 2: .*the disk is gone"),
        (lambda: Slices((X, np.outer(range(7), [1, 0]))), "y: column '0' .* takes 0 and 1, .*, received 2 in row 3"),
        (lambda: Slices((X, [b"\xff"] * 7)), "y: holds bytes that are no UTF-8 text"),
        (lambda: Slices((np.full((7, 2), np.nan), Y)), "x has 14 values that are missing or infinite"),
        (lambda: Slices((X, np.zeros(7, int))), "all 7 targets are 0; there is nothing to learn"),
    ],
)
def test_wrong_elements_are_rejected(make: Any, message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        from_tf_dataset(make())
    assert str(caught.value).startswith("tf.data.Dataset: ")
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("batch", [None, 3])
def test_a_third_item_is_the_sample_weight(batch: int | None) -> None:
    weights, groups = 1.0 + np.arange(7, dtype=np.float32), np.arange(7) // 2
    dataset = Slices((X, Y, weights))
    dataset = dataset if batch is None else dataset.batch(batch)
    wanted = from_arrays(X, Y, groups=groups, sample_weight=weights)
    assert from_python(Rows(dataset, groups=groups)).digest == wanted.digest
    with pytest.raises(InputError, match="its elements hold a sample_weight, and another was given; leave one out"):
        from_python(Rows(dataset, sample_weight=weights))


def test_images_of_different_sizes_are_rejected() -> None:
    specs = (tf.TensorSpec((None, 2, 1), tf.float32), tf.TensorSpec((), tf.int64))
    sizes = tf.data.Dataset.from_generator(lambda: ((np.zeros((n, 2, 1)), n) for n in (1, 2)), output_signature=specs)
    with pytest.raises(InputError, match=r"x: rows have the shapes \(1, 2, 1\) and \(2, 2, 1\); make them one"):
        from_tf_dataset(sizes)


def test_an_endless_generator_is_read_only_until_memory_is_full(monkeypatch: pytest.MonkeyPatch) -> None:
    def endless() -> Iterator[tuple[np.ndarray, int]]:
        while True:
            yield X[0], 0

    monkeypatch.setattr(files, "get_available_memory", lambda: 100 * 2 * files.BYTES_PER_VALUE)
    with pytest.raises(InputError, match=r"101 inputs of 2 numbers need .*; end it earlier: dataset\.take\(n\)"):
        from_tf_dataset(generated(endless))


def test_y_is_not_passed_twice() -> None:
    with pytest.raises(InputError, match=r"a tf\.data\.Dataset gives x and y in each element; leave y out"):
        from_python(Rows(Slices((X, Y)), Y))
    with pytest.raises(InputError, match=r"give x and y \(x alone for .*\), a tf\.data\.Dataset of both, or data="):
        from_python(Rows(X))
    assert from_python(Rows(X), task="reconstruction").y is None


@pytest.mark.parametrize("batch", [None, 3])
@pytest.mark.parametrize("labels", [2, 3])
def test_several_labels_a_row(batch: int | None, labels: int) -> None:
    """Also with as many labels as inputs, where one element looks like a batch."""
    y = np.arange(7)[:, None] // 2 ** np.arange(labels) % 2
    dataset = Slices((X, y))
    data = from_tf_dataset(dataset if batch is None else dataset.batch(batch))
    assert data.labels == tuple(map(str, range(labels)))
    np.testing.assert_array_equal(data.x, X)
    np.testing.assert_array_equal(data.y, y)
