"""Batching: rows in memory and rows streamed from disk give the same training, bit for bit."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import OnTraining, parse
from regzoo.training.engine.batching import CHUNK, InMemoryRows, PartArrays, StreamedRows, as_row_sources
from regzoo.training.engine.program import Program, Training
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import make_optimizer
from regzoo.training.task import Task

THREE = Task("classification", 3)
TRAIN, VALIDATION, BATCH = 530, 270, 32
"""More rows than a chunk, and no multiple of batches or chunks."""


class CountedRows(np.ndarray):
    """Rows that record how many were read at a time."""

    reads: list[int]

    def __array_finalize__(self, source: Any) -> None:
        self.reads = source.reads if isinstance(source, CountedRows) else []

    def __getitem__(self, numbers: Any) -> Any:
        found = np.asarray(self)[numbers]
        self.reads.append(len(found))
        return found

    def __array__(self, *given: Any, **named: Any) -> Any:
        self.reads.append(len(self))
        return self.view(np.ndarray)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> tuple[PartArrays, PartArrays]:
    """Return memory-mapped rows, as a worker has them."""
    random = np.random.default_rng(0)
    y = random.integers(0, 3, TRAIN + VALIDATION)
    x = (random.normal(size=(len(y), 5)) + y[:, None]).astype(np.float32)
    folder = tmp_path_factory.mktemp("rows")
    parts = []
    for name, rows in (("train", slice(TRAIN)), ("validation", slice(TRAIN, None))):
        for kind, array in (("x", x), ("y", y)):
            np.save(folder / f"{name}-{kind}.npy", array[rows])
        parts.append(tuple(np.load(folder / f"{name}-{kind}.npy", mmap_mode="r") for kind in "xy"))
    return parts[0], parts[1]


def make_program(recipe: str, data: tuple[PartArrays, PartArrays], memory: int | None = None, **given: Any) -> Program:
    model = build_model("mlp([8])", parse(recipe), THREE, (5,))
    model.compile(make_optimizer("adam"))
    return Program(model, *data, BATCH, memory=memory, **given)


def train(program: Program, recipe: str, epochs: int = 2) -> Training:
    objective = THREE.objective()
    watchers = [each.watch(objective) for each in parse(recipe) if isinstance(each, OnTraining)]
    options: dict[str, Any] = {"seed": 3, "learning_rate": 0.01, "objective": objective, "watchers": watchers}
    return program.train(strengths=parse(recipe).dials(), epochs=epochs, **options)


def assert_same(one: list[np.ndarray], other: list[np.ndarray]) -> None:
    for first, second in zip(one, other, strict=True):
        np.testing.assert_array_equal(first, second)


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["dropout(0.5) + mixup(0.4)", "batch_norm(0.9) + swa(0.0)"])
def test_streaming_changes_nothing(recipe: str, data: tuple[PartArrays, PartArrays]) -> None:
    """SWA with batch norm also reads the training rows outside of the graph, for its statistics and its loss."""
    in_memory, streamed = make_program(recipe, data), make_program(recipe, data, memory=1000)
    expected, found = train(in_memory, recipe), train(streamed, recipe)
    assert found.history == expected.history
    assert_same(streamed.model.get_weights(), in_memory.model.get_weights())
    for part, (x, _) in zip(("train", "validation"), data, strict=True):
        np.testing.assert_array_equal(streamed.logits(x), in_memory.logits(x), err_msg=part)
    again = train(streamed, recipe)
    assert again.history == expected.history
    assert (in_memory.traces, streamed.traces) == (1, 1)


def test_streamed_rows_are_never_all_in_memory_at_once(data: tuple[PartArrays, PartArrays]) -> None:
    counted: Any = tuple(tuple(np.array(array).view(CountedRows) for array in rows) for rows in data)
    program = make_program("none", counted, memory=1000)
    train(program, "none", epochs=1)
    program.logits(counted[0][0])
    for rows, count in zip(counted, (TRAIN, VALIDATION), strict=True):
        for array in rows:
            assert 0 < max(array.reads) <= CHUNK < count
    x = counted[0][0]
    assert sum(x.reads) == 3 * TRAIN  # trained on, evaluated and predicted
    assert set(x.reads) == {BATCH, TRAIN % BATCH, CHUNK, TRAIN % CHUNK}
    as_row_sources(counted, THREE)
    assert max(x.reads) == TRAIN  # the counter works


def test_the_memory_limit_covers_both_parts_and_their_targets(data: tuple[PartArrays, PartArrays]) -> None:
    needed = (TRAIN + VALIDATION) * 4 * (5 + 3)  # float32: 5 inputs, 3 classes
    for memory, kind in ((None, InMemoryRows), (needed, InMemoryRows), (needed - 1, StreamedRows)):
        assert [type(source) for source in as_row_sources(data, THREE, memory)] == [kind, kind]
    sources = as_row_sources(data, THREE)
    assert as_row_sources(sources, THREE, memory=0) == sources  # they are in memory already


def test_programs_can_share_row_sources(data: tuple[PartArrays, PartArrays]) -> None:
    sources = as_row_sources(data, THREE)
    first, second = (train(make_program("none", given), "none") for given in (data, tuple(sources)))  # type: ignore[arg-type]
    assert first.history == second.history


@pytest.mark.parametrize("kind", [InMemoryRows, StreamedRows])
def test_batches_come_in_the_given_order(
    kind: type[InMemoryRows | StreamedRows], data: tuple[PartArrays, PartArrays]
) -> None:
    (x, y), _ = data
    source = kind((x, y), THREE)
    order = np.random.default_rng(1).permutation(TRAIN).astype(np.int32)

    @tf.function
    def take_three(order: Any) -> Any:
        take = source.batches(order, 200)
        return [take(0), take(1), take(2)]

    batches = take_three(order)
    assert [len(inputs) for inputs, _ in batches] == [200, 200, 130]
    np.testing.assert_array_equal(np.concatenate([inputs for inputs, _ in batches]), x[order])
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in batches]), np.eye(3)[y[order]])
    in_order = list(source.iterate(200))
    np.testing.assert_array_equal(np.concatenate([inputs for inputs, _ in in_order]), x)
    np.testing.assert_array_equal(np.concatenate([targets for _, targets in in_order]), np.eye(3)[y])


@pytest.mark.slow
def test_images_and_numbers_stream_too(images: PartArrays, numbers: PartArrays) -> None:
    for (x, y), task, backbone in (
        (images, THREE, "cnn(filters=[2], dense=4)"),
        ((numbers[0], numbers[1][:, None].astype(np.float32) / 300), Task("regression", 1), "mlp([4])"),
        ((numbers[0], numbers[0]), Task("reconstruction", 5), "mlp([4])"),
    ):
        found = []
        for memory in (None, 0):
            model = build_model(backbone, parse("none"), task, x.shape[1:])
            model.compile(keras.optimizers.SGD(0.01))
            program = Program(model, (x[:50], y[:50]), (x[50:], y[50:]), 16, memory=memory)
            options: dict[str, Any] = {"strengths": {}, "seed": 0, "learning_rate": 0.01, "epochs": 2}
            found.append(program.train(**options, objective=task.objective()).history)
        assert found[0] == found[1]
