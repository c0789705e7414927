"""Several inputs, whole numbers and text in the engine: the same in memory and streamed."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf
from keras import layers as L

from regzoo.training.attach.attach import attach
from regzoo.training.engine.batching import CHUNK, InMemoryRows, StreamedRows, make_signature
from regzoo.training.engine.program import Program
from regzoo.training.task import Task

ROWS = CHUNK + 40
TWO = Task("classification", 2)


def make_model() -> keras.Model:
    numbers, word = keras.Input((3,), name="numbers"), keras.Input((1,), dtype="string", name="word")
    tokens = keras.Input((None,), dtype="int32", name="tokens")
    known = L.StringLookup(vocabulary=["a", "é"], output_mode="one_hot")(word)
    embedded = L.GlobalAveragePooling1D()(L.Embedding(9, 2)(tokens))
    return keras.Model(
        [numbers, word, tokens], L.Dense(2, activation="softmax")(L.Concatenate()([numbers, known, embedded]))
    )


@pytest.fixture(scope="module")
def rows() -> tuple[dict[str, np.ndarray], np.ndarray]:
    random = np.random.default_rng(0)
    x = {
        "tokens": random.integers(0, 9, (ROWS, 4)).astype(np.int32),
        "numbers": random.normal(size=(ROWS, 3)).astype(np.float32),
        "word": np.char.encode(np.array(["a", "é", "other"]), "utf-8")[random.integers(0, 3, (ROWS, 1))],
    }
    return x, random.integers(0, 2, ROWS)


def test_rows_in_memory_and_streamed_rows_are_the_same(rows: Any) -> None:
    weight = np.linspace(0.5, 1.5, ROWS).astype(np.float32)
    sources = [kind((*rows, weight), TWO) for kind in (InMemoryRows, StreamedRows)]
    assert sources[0].rows == ROWS
    assert sources[0].signature == sources[1].signature == make_signature(rows[0])
    assert {name: spec.dtype for name, spec in sources[0].signature.items()} == {
        "tokens": tf.int32,
        "numbers": tf.float32,
        "word": tf.string,
    }
    order = np.random.default_rng(1).permutation(ROWS).astype(np.int32)

    @tf.function
    def take(step: int) -> Any:
        return [source.batches(tf.constant(order), 16)(tf.constant(step)) for source in sources]

    (x, y, w), (streamed, targets, weights) = take(0)
    for name, values in rows[0].items():
        taken = values[order[:16]]
        assert np.array_equal(x[name], taken.astype(object) if name == "word" else taken)
        assert np.array_equal(x[name], streamed[name])
    assert np.array_equal(y, targets)
    assert np.array_equal(w, weights)
    for one, other in zip(*(source.iterate(100) for source in sources), strict=True):
        assert all(np.array_equal(one[0][name], other[0][name]) for name in one[0])


@pytest.mark.slow
def test_a_program_trains_on_several_inputs_wherever_they_lie(rows: Any) -> None:
    model, weights = make_model(), []
    for memory in (None, 0):
        attached = attach("none" if memory is None else "gaussian_noise(0.0)", model, optimizer="sgd")
        part = ({name: values[:60] for name, values in rows[0].items()}, rows[1][:60])
        program = Program(attached, part, (rows[0], rows[1]), 16, memory=memory)
        options: dict[str, Any] = {"learning_rate": 0.1, "epochs": 2, "objective": TWO.objective()}
        strengths = {} if memory is None else {"gaussian_noise.stddev": 0.0}
        weights.append(program.train(strengths=strengths, seed=3, **options).members[0])
        logits = np.asarray(program.logits(rows[0]))
        probabilities = attached(map_to_tensors(rows[0]), training=False)
        np.testing.assert_allclose(keras.ops.softmax(logits), probabilities, atol=1e-6)
    for one, other in zip(*weights, strict=True):
        np.testing.assert_allclose(one, other, atol=1e-6)
    assert not np.array_equal(weights[0][-1], model.get_weights()[-1])


def map_to_tensors(x: dict[str, np.ndarray]) -> dict[str, Any]:
    return {name: tf.constant(values) for name, values in x.items()}
