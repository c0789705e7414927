"""Tables: what every regularizer that touches inputs makes of categories, booleans and numbers with gaps.

The regularizers come from the registry. A category is possible if it is one of the data's, or all of its columns are 0:
hidden, or a word that training did not have. A number that is marked as missing is the one that it was filled with.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import regzoo
from regzoo.config import SplitConfig
from regzoo.core import (
    Forward,
    InputError,
    OnBatch,
    OnForward,
    parse,
    places,
    register,
    registry,
    regularizers,
    setting,
)
from regzoo.core.cells import Cells
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.regularizers import Adversarial, Cutmix, Cutout, GaussianNoise, InputDropout, Jacobian, Mixup, SwapNoise
from regzoo.testing.harness import fix_strengths

N = 160

NAMES = [
    name
    for name, kind in regularizers().items()
    if {"batch", "forward"} & {*places(kind())} and "images" not in kind.requires
]

STILL = {"label_noise", "label_smoothing", "jacobian", "r_drop"}
"""Those that leave the inputs as they are."""

TEXTS = [
    str((parse(kind.requires_recipe) if kind.requires_recipe else parse("none")) + fix_strengths(kind()))
    for kind in (regularizers()[name] for name in NAMES)
]


@dataclass(frozen=True)
class RecordInputs(OnForward):
    """Keeps the inputs of each forward pass."""

    number: int = setting(0, domain="[0, 99]")
    seen: ClassVar[dict[int, list[np.ndarray]]] = {}

    def forward(self, run: Forward, x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        """Run the model on the inputs as they are."""

        def keep(values: np.ndarray) -> np.ndarray:
            self.seen.setdefault(self.number, []).append(np.array(values))
            return np.array(values)

        kept = tf.ensure_shape(tf.numpy_function(keep, [tf.stop_gradient(x)], tf.float32), x.shape)
        with tf.control_dependencies([kept]):
            return run(tf.identity(x), y)

    def take(self) -> np.ndarray:
        """Return the rows that it has kept, and forget them."""
        return np.concatenate(self.seen.pop(self.number))


def make_table() -> tuple[pd.DataFrame, np.ndarray]:
    random = np.random.default_rng(0)
    frame = pd.DataFrame(
        {
            "age": random.normal(40, 9, N),
            "city": random.choice(["Bern", "Lyon", "Rome"], N),
            "income": random.normal(3, 1, N),
            "smokes": random.choice([True, False], N),
            "size": random.choice([*"abcdef"], N),
            "since": pd.date_range("2020-01-01", periods=N, freq="5D").astype(str),
            "left": pd.date_range("2021-01-01", periods=N, freq="3D").astype(str),
            "owns": random.choice(["true", "false"], N),
        }
    )
    for column in ("income", "size", "left", "owns"):
        frame.loc[random.permutation(N)[:30], column] = None
    return frame, random.integers(0, 2, N)


@pytest.fixture(autouse=True)
def _recording_is_registered(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "_registered", dict(registry._registered))
    register(RecordInputs)


@pytest.fixture(scope="module")
def table() -> PreparedData:
    frame, y = make_table()
    return prepare_fold(from_arrays(frame, y), SplitConfig(), 0)


def find_impossible(x: np.ndarray, prepared: PreparedData) -> np.ndarray:
    """Return for each row of x whether a cell of it is one that no row of the data can have."""
    wrong, first = np.zeros(len(x), bool), 0
    for rule in prepared.preprocessor.rules:
        columns = slice(first, first + len(rule.features))
        first = columns.stop
        cells, known = x[:, columns], np.unique(prepared.train[0][:, columns], axis=0)
        numbers, flags = cells[:, : rule.scaled], cells[:, rule.scaled :]
        possible = np.unique(known[:, rule.scaled :], axis=0)
        wrong |= ~((flags[:, None] == possible).all(2).any(1) | (flags == 0).all(1))
        if rule.scaled and rule.missing:
            filled = known[known[:, -1] == 1][0, : rule.scaled]
            wrong |= (flags[:, 0] == 1) & ~(numbers == filled).all(1)
        if rule.scaled and not rule.missing:
            assert not flags.size
    return wrong


def test_what_is_impossible_is_found(table: PreparedData) -> None:
    x = table.train[0]
    assert not find_impossible(x, table).any()
    assert len(x[0]) == 1 + 3 + 2 + 1 + 7 + 3 + 4 + 2
    for column in (2, 5, 6, 8, 17, 19):
        changed = x.copy()
        changed[:, column] += 0.5
        assert find_impossible(changed, table).any()


@pytest.mark.usefixtures("unverified")
def test_no_regularizer_makes_an_impossible_category_in_compare(table: PreparedData, tmp_path: Any) -> None:
    frame, y = make_table()
    recipes = [str(parse(f"record_inputs({number}) + {text}")) for number, text in enumerate(TEXTS, 1)]
    regzoo.compare(
        frame,
        y,
        backbone="mlp([4])",
        recipes=recipes,
        training={"epochs": 1, "learning_rate": 0.01},
        vary=["seed"],
        replicates=2,
        workers=0,
        out=tmp_path / "mine",
    )
    original = {row.tobytes() for row in table.train[0]}
    for number, name in enumerate(NAMES, 1):
        seen = RecordInputs(number).take()
        assert find_impossible(seen, table).sum() == 0, name
        changed = sum(row.tobytes() not in original for row in seen)
        assert (changed == 0) == (name in STILL), name


ARRAY = Cells.from_sizes([(1, 0), (0, 3), (1, 0), (0, 1), (0, 4)])
CATEGORIES = [[1, 2, 3], 5, slice(6, 10)]


def make_rows() -> tuple[np.ndarray, np.ndarray]:
    random = np.random.default_rng(1)
    x = random.normal(size=(64, 10))
    for columns in (slice(1, 4), slice(6, 10)):
        size = columns.stop - columns.start
        x[:, columns] = np.eye(size)[random.integers(0, size, 64)]
    x[:, 5] = random.integers(0, 2, 64)
    return x.astype(np.float32), random.integers(0, 2, 64)


def count_impossible(x: np.ndarray) -> int:
    sums = [x[:, 1:4].sum(1), x[:, 5], x[:, 6:10].sum(1)]
    flags = x[:, [1, 2, 3, 5, 6, 7, 8, 9]]
    return int((~np.isin(flags, (0, 1)).all(1) | (np.stack(sums, 1) > 1).any(1)).sum())


def record(make: Any) -> np.ndarray:
    x, y = make_rows()
    model = make()
    for weight in (None, tf.ones(len(x)), tf.range(1.0, 1.0 + len(x))):  # weights of rows go another way
        model.update(x, y, weight)
    return RecordInputs(0).take()


@pytest.mark.parametrize("text", TEXTS, ids=NAMES)
def test_arrays_say_which_columns_are_categories(text: str) -> None:
    """Built, attached to a model of the user's, and built by a tuner."""
    recipe = f"record_inputs(0) + {text}"
    own = keras.Sequential([keras.Input((10,)), keras.layers.Dense(4, "relu"), keras.layers.Dense(2, "softmax")])
    built = record(
        lambda: regzoo.build("mlp([4])", recipe, input_shape=(10,), classes=2, categorical_features=CATEGORIES)
    )
    attached = record(lambda: regzoo.attach(recipe, own, categorical_features="1..3, 5, 6..9"))
    for seen in (built, attached):
        assert count_impossible(seen) == 0
    assert np.array_equal(built, attached) or "adversarial" in text  # whose steps depend on the weights
    moving = text.rpartition(" + ")[2].partition("(")[0] in {"swap_noise", "cutmix", "gaussian_noise", "mixup"}
    if moving:
        plain = record(lambda: regzoo.build("mlp([4])", recipe, input_shape=(10,), classes=2))
        assert count_impossible(plain) > 0


def test_a_saved_model_keeps_them(tmp_path: Any) -> None:
    x, y = make_rows()
    model = regzoo.build("mlp([4])", "gaussian_noise(0.5)", (10,), 2, categorical_features=CATEGORIES)
    own = keras.Sequential([keras.Input((10,)), keras.layers.Dense(2, "softmax")])
    attached = regzoo.attach("gaussian_noise(0.5)", own, categorical_features=CATEGORIES)
    for number, one in enumerate((model, attached)):
        one.fit(x, y, verbose=0)
        one.save(tmp_path / f"{number}.keras")
        assert keras.models.load_model(tmp_path / f"{number}.keras").get_cells(x) == ARRAY


def test_of_several_inputs_each_has_its_own() -> None:
    inputs = {name: keras.Input((size,), name=name) for name, size in (("b", 4), ("a", 3))}
    joined = keras.layers.Concatenate()([inputs["b"], inputs["a"]])
    own = keras.Model(inputs, keras.layers.Dense(2, "softmax")(joined))
    model = regzoo.attach("gaussian_noise(0.5)", own, categorical_features={"b": [[1, 2, 3]]})
    x = {"a": np.zeros((8, 3), np.float32), "b": np.zeros((8, 4), np.float32)}
    cells = model.get_cells(x)
    assert cells == [None, Cells.from_sizes([(1, 0), (0, 3)])]
    changed, _ = GaussianNoise(0.5).batch(x, None, keras.random.SeedGenerator(0), cells)
    assert np.array(changed["a"]).all()
    assert (np.array(changed["b"]) != 0).any(0).tolist() == [True, False, False, False]
    model.fit(x, np.arange(8) % 2, verbose=0)
    with pytest.raises(InputError, match="give a dict by their names: 'b', 'a'"):
        regzoo.attach("gaussian_noise(0.5)", own, categorical_features=[1])
    with pytest.raises(InputError, match="there is no input 'c'"):
        regzoo.attach("gaussian_noise(0.5)", own, categorical_features={"c": [1]})


@dataclass(frozen=True)
class Zero(OnBatch):
    """Sets the inputs to 0: written for rows of numbers."""

    def batch(self, x: Any, y: Any, seed: Any) -> tuple[Any, Any]:
        return x * 0.0, y


@dataclass(frozen=True)
class ZeroNumbers(OnBatch):
    """Sets the numbers to 0."""

    def batch(self, x: Any, y: Any, seed: Any, cells: Cells | None = None) -> tuple[Any, Any]:
        assert cells is not None
        return keras.ops.where(cells.find_numbers(x), 0.0, x), y


def test_a_regularizer_of_your_own_gets_the_cells_if_it_takes_them() -> None:
    x, y = make_rows()
    for own, columns in ((Zero(), range(10)), (ZeroNumbers(), (0, 4))):
        recipe = RecordInputs(0) + own
        model = regzoo.build("mlp([4])", recipe, (10,), 2, categorical_features=CATEGORIES)
        model.update(x, y)
        seen = RecordInputs(0).take()
        assert not seen[:, columns].any()
        others = np.delete(np.arange(10), list(columns))
        assert np.array_equal(seen[:, others], x[:, others])


def change(regularizer: Any, x: Any, seed: int = 0, cells: Cells | None = ARRAY) -> np.ndarray:
    y = np.zeros((len(x), 2), np.float32)
    return np.array(regularizer.batch(x, y, keras.random.SeedGenerator(seed), cells=cells)[0])


def test_mixups_categories_are_drawn_such_that_their_mean_is_the_mixture() -> None:
    """With the same s and partners as without cells: the mean over draws is s x + (1 - s) x'."""
    n, two = 4000, np.zeros((2, 10), np.float32)
    two[0, [1, 6]], two[1, [2, 5, 9]], two[1, [0, 4]] = 1, 1, (2, 4)
    x = two[np.random.default_rng(2).integers(0, 2, n)]
    cells, plain = change(Mixup(1.0), x), change(Mixup(1.0), x, cells=None)
    assert np.array_equal(cells[:, [0, 4]], plain[:, [0, 4]])  # numbers are averaged
    assert count_impossible(cells) == 0
    for column in (1, 2, 5, 6, 9):
        drawn, expected = cells[:, column], plain[:, column]
        error = float(np.sqrt((expected * (1 - expected)).sum()) / n)
        assert drawn.mean() == pytest.approx(expected.mean(), abs=5 * error)
        weight = 2 * expected - 1  # a draw that ignored s would not go with it
        assert (weight * (drawn - expected)).mean() == pytest.approx(0, abs=5 * error)
    assert (cells[:, 1] != cells[:, 6]).any()  # each cell of a row is drawn apart


def test_cutmix_counts_cells_in_the_targets() -> None:
    targets = np.eye(64, dtype=np.float32)
    _, mixed = Cutmix(1.0).batch(make_rows()[0], targets, keras.random.SeedGenerator(0), cells=ARRAY)
    kept = np.diag(np.array(mixed))
    assert np.allclose(kept * 5, np.round(kept * 5), atol=1e-5)  # of 5 cells
    assert len(np.unique(np.round(kept * 5))) == 6


def test_a_share_of_the_cells_is_hidden() -> None:
    ones = np.ones((2000, 10), np.float32)
    hidden = change(Cutout(0.4), ones) == 0
    firsts = hidden[:, [0, 1, 4, 5, 6]]
    assert (firsts.sum(1) == 2).all()  # 2 of 5 cells
    assert np.array_equal(hidden, firsts[:, list(ARRAY.owners)])
    assert firsts.mean(0) == pytest.approx(np.full(5, 0.4), abs=5 * np.sqrt(0.24 / 2000))


def test_cells_are_swapped_at_the_rate_and_from_one_row() -> None:
    n = 2000
    x = np.repeat(np.arange(n, dtype=np.float32)[:, None], 10, axis=1)
    changed = change(SwapNoise(0.3), x)
    firsts = changed[:, [0, 1, 4, 5, 6]]
    assert np.array_equal(changed, firsts[:, list(ARRAY.owners)])
    assert (firsts != x[:, :5]).mean() == pytest.approx(0.3, abs=5 * np.sqrt(0.21 / (5 * n)))


def test_dropped_numbers_are_scaled_and_categories_are_not() -> None:
    ones = np.ones((2000, 10), np.float32)
    changed = change(InputDropout(0.2), ones)
    assert np.unique(changed[:, [0, 4]]).tolist() == [0, 1.25]
    assert np.unique(changed[:, [1, 2, 3, 5, 6, 7, 8, 9]]).tolist() == [0, 1]
    assert changed[:, [0, 1, 4, 5, 6]].astype(bool).mean() == pytest.approx(0.8, abs=5 * np.sqrt(0.16 / 10000))


def run_linear(x: Any, y: Any) -> tuple[Any, Any]:
    logits = x @ tf.ones((10, 2)) * [1.0, -1.0]
    return logits, tf.nn.softmax_cross_entropy_with_logits(y, logits)


def test_steps_uphill_and_derivatives_are_those_of_numbers_alone() -> None:
    x, y = tf.constant(make_rows()[0]), tf.one_hot(make_rows()[1], 2)
    seen: list[Any] = []

    def keep(values: Any, y: Any) -> tuple[Any, Any]:
        seen.append(np.array(values))
        return run_linear(values, y)

    Adversarial(0.25).forward(Forward(keep, ARRAY), x, y, keras.random.SeedGenerator(0))
    steps = np.abs(seen[1] - seen[0])
    assert steps == pytest.approx(np.tile([0.25, 0, 0, 0, 0.25, 0, 0, 0, 0, 0], (64, 1)), abs=1e-6)
    for cells, columns in ((ARRAY, 2), (None, 10)):
        seed = keras.random.SeedGenerator(0)
        _, loss = Jacobian(2.0).forward(Forward(run_linear, cells), x, y, seed)
        v = np.array(keras.ops.normalize(keras.random.normal((64, 2), seed=keras.random.SeedGenerator(0))))
        penalty = 2 * columns * (v[:, 0] - v[:, 1]) ** 2
        assert np.array(loss - run_linear(x, y)[1]) == pytest.approx(penalty, rel=1e-4, abs=1e-5)


def test_without_numbers_there_is_nothing_to_shake() -> None:
    for text in ("gaussian_noise(0.1)", "adversarial(0.1)", "jacobian(0.1)"):
        with pytest.raises(InputError, match="needs numbers, received inputs of shape"):
            regzoo.build("mlp([4])", text, (4,), 2, categorical_features=[[0, 1], [2, 3]])
    regzoo.build("mlp([4])", "mixup(0.1) + gaussian_noise(0.1)", (4,), 2, categorical_features=[[0, 1]])


@pytest.mark.parametrize("sizes", [[(1, 0)] * 10, None])
def test_rows_of_numbers_are_changed_as_without_cells_to_the_bit(sizes: Any) -> None:
    x, _ = make_rows()
    cells = None if sizes is None else Cells.from_sizes(sizes)
    for regularizer in (SwapNoise(0.4), Cutmix(0.7), Cutout(0.3), GaussianNoise(0.4), InputDropout(0.3)):
        plain = np.array(regularizer.batch(x, np.eye(64, dtype=np.float32), keras.random.SeedGenerator(3))[0])
        assert np.array_equal(plain, change(regularizer, x, 3, cells) if cells else change(regularizer, x, 3, None))


def test_the_registry_names_them() -> None:
    assert {"swap_noise", "cutmix", "cutout", "input_dropout", "gaussian_noise", "mixup", *STILL} <= {*NAMES}
    described: Mapping[str, str] = {name: type(regularizers()[name]()).__doc__ or "" for name in NAMES}
    for name in {*NAMES} - STILL:
        assert "categor" in described[name], name
