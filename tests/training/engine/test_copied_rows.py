"""Augmented copies in a program: the rows behind the rows, weights, seeds, dials, streams, memory."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError, parse
from regzoo.training.engine.batching import InMemoryRows, StreamedRows
from regzoo.training.engine.copied_rows import CopiedRows
from regzoo.training.engine.program import Program
from regzoo.training.model.augmented_rows import RowAugmenter, copy_fit_rows
from regzoo.training.model.build import build_model
from regzoo.training.optimizers import make_optimizer
from regzoo.training.task import Task

pytestmark = pytest.mark.slow

THREE = Task("classification", 3)
SLOW = pytest.mark.slow
RANDOM = np.random.default_rng(0)
X = RANDOM.normal(size=(21, 4, 3, 1)).astype(np.float32)
Y = RANDOM.integers(0, 3, 21)
WEIGHT = RANDOM.uniform(0.1, 2.0, 21).astype(np.float32)
VALIDATION = (X[:5], Y[:5])


def make_program(recipe: str, *train: Any, **given: Any) -> Program:
    model = build_model("linear", parse(recipe), THREE, (4, 3, 1))
    model.compile(make_optimizer("adam"))
    return Program(model, train if len(train) > 1 else train[0], VALIDATION, 8, **given)


def train(program: Program, recipe: str, **given: Any) -> list[np.ndarray]:
    options = {"seed": 3, "learning_rate": 0.05, "epochs": 2, "objective": THREE.objective(), **given}
    program.train(strengths=parse(recipe).dials(), **options)
    return program.model.get_weights()


def get_copies(program: Program) -> np.ndarray:
    """Return the copies that the program holds, (copies, rows, ...)."""
    assert program._copied is not None
    copies: np.ndarray = program._copied._copied.numpy().reshape(-1, *X.shape)
    return copies


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return all(map(np.array_equal, one, other))


@pytest.mark.parametrize(
    "online", ["", *(pytest.param(f" + {each}", marks=SLOW) for each in ("gaussian_noise(0.3)", "mixup(0.4)"))]
)
def test_it_trains_like_a_program_with_the_copies_as_rows(online: str) -> None:
    """A flip with probability 1 can be made by hand; what else is in the recipe acts on all of these rows."""
    recipe = f"random_flip(1.0, copies=2){online}"
    mirror = X[:, :, ::-1]
    copied = make_program(recipe, X, Y, WEIGHT)
    by_hand = make_program(online[3:] or "none", np.concatenate([X, mirror, mirror]), np.tile(Y, 3), np.tile(WEIGHT, 3))
    assert (copied.rows, copied.steps) == (63, 8)
    assert equal(train(copied, recipe), train(by_hand, online[3:] or "none"))
    assert copied.traces == 1
    assert not equal(train(copied, recipe), train(make_program("none", X, Y, WEIGHT), "none"))


@SLOW
def test_each_copy_is_another_draw_and_every_run_makes_its_own() -> None:
    recipe = "random_shift(0.5, copies=3) + cutout(0.3, copies=3)"
    program = make_program(recipe, X, Y)
    weights = train(program, recipe)
    first = get_copies(program)
    assert len({copy.tobytes() for copy in [X, *first]}) == 4
    assert (first == 0).any()  # cut out
    assert equal(train(program, recipe), weights)
    assert np.array_equal(get_copies(program), first)
    train(program, recipe, seed=4)
    assert not np.array_equal(get_copies(program), first)
    train(program, recipe, noise=4)
    assert not np.array_equal(get_copies(program), first)
    assert program.traces == 1


@SLOW
def test_a_turned_dial_makes_the_copies_of_a_fresh_build() -> None:
    program = make_program("gaussian_noise(0.5, copies=1)", X, Y)
    train(program, "gaussian_noise(0.5, copies=1)")
    strong = get_copies(program)
    turned = train(program, "gaussian_noise(0.0, copies=1)")
    assert np.array_equal(get_copies(program)[0], X)
    assert equal(turned, train(make_program("gaussian_noise(0.0, copies=1)", X, Y), "gaussian_noise(0.0, copies=1)"))
    train(program, "gaussian_noise(0.25, copies=1)")
    np.testing.assert_allclose(get_copies(program)[0] - X, (strong[0] - X) / 2, atol=1e-6)
    assert program.traces == 1


@SLOW
def test_rows_of_a_file_give_the_same_weights() -> None:
    recipe = "gaussian_noise(0.5, copies=2)"
    in_memory = make_program(recipe, InMemoryRows((X, Y, WEIGHT), THREE))
    streamed = make_program(recipe, StreamedRows((X, Y, WEIGHT), THREE))
    assert equal(train(in_memory, recipe), train(streamed, recipe))
    assert np.array_equal(get_copies(in_memory), get_copies(streamed))


@SLOW
def test_fit_makes_the_same_copies() -> None:
    recipe = "random_shift(0.5, copies=2) + gaussian_noise(0.5, copies=2)"
    program = make_program(recipe, X, Y)
    train(program, recipe)
    model = build_model("linear", parse(recipe), THREE, (4, 3, 1), seed=3)
    given = copy_fit_rows(model, {"x": X, "y": Y, "batch_size": 8})
    assert np.array_equal(given["x"], np.concatenate([X, *get_copies(program)]))
    assert np.array_equal(given["y"], np.tile(Y, 3))


@SLOW
def test_programs_on_the_same_rows_share_the_memory_of_the_copies() -> None:
    rows = InMemoryRows((X, Y), THREE)
    one, other = (make_program(f"{name}(0.5, copies=2)", rows) for name in ("gaussian_noise", "random_flip"))
    assert one._copied is other._copied
    before = train(one, "gaussian_noise(0.5, copies=2)")
    train(other, "random_flip(0.5, copies=2)")
    assert equal(train(one, "gaussian_noise(0.5, copies=2)"), before)


def test_copies_beyond_the_memory_are_refused_before_they_are_made() -> None:
    size = X.nbytes
    make_program("random_flip(0.5, copies=2)", X, Y, memory=3 * size)
    with pytest.raises(InputError, match=rf"copies=3 makes {4 * size} bytes .* may take {4 * size - 1} .* copies=2, "):
        make_program("random_flip(0.5, copies=3)", X, Y, memory=4 * size - 1)
    with pytest.raises(InputError, match="give it fewer workers, or copies=0"):
        make_program("random_flip(0.5, copies=1)", X, Y, memory=size)


def test_several_inputs_are_copied_by_name() -> None:
    x: dict[str, Any] = {"b": X[:, :, 0, 0], "a": np.arange(21)}

    class Doubling(RowAugmenter):
        """Doubles the one, subtracts the other."""

        def __init__(self) -> None:
            pass

        def draw_order(self, rows: int) -> Any:
            return tf.range(rows)[::-1]

        def augment(self, x: Any) -> Any:
            return {"b": 2 * x["b"], "a": -x["a"]}

    rows = CopiedRows(InMemoryRows((x, Y), THREE), 2)
    for copy in range(2):
        tf.function(rows.fill)(tf.constant(copy), Doubling(), 8)
    taken, y = rows.batches(tf.constant([1, 22, 43, 20, 62], tf.int32), 5)(tf.constant(0))
    np.testing.assert_array_equal(taken["a"], [1, -1, -1, 20, -20])
    np.testing.assert_array_equal(taken["b"], x["b"][[1, 1, 1, 20, 20]] * np.array([1, 2, 2, 1, 2])[:, None])
    assert np.argmax(y, 1).tolist() == Y[[1, 1, 1, 20, 20]].tolist()
