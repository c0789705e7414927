"""Models and their twins: what the tests of the twin law run on both. Keras gives the expected values."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import keras
import numpy as np
import tensorflow as tf

from regzoo.training.attach.attach import attach

L = keras.layers
Make = Callable[[], keras.Model]

ROUNDING = 2e-5
"""A few hundred float32 roundings (6e-8) of numbers near 1: a dozen steps sum in another order."""

HALF = 2e-2
"""The same for bfloat16, whose rounding is 4e-3, in the activations of a small network."""


def dense(head: Any = None) -> keras.Model:
    return keras.Sequential([keras.Input((5,)), L.Dense(8, "relu", name="first"), head or L.Dense(3, "softmax")])


def with_state() -> keras.Model:
    """Batch norm, dropout of its own, a penalty of its own, and a loss that a layer adds."""
    inputs = keras.Input((5,))
    h = L.Dense(8, kernel_regularizer="l2", name="first")(inputs)
    h = L.Activation("relu")(L.BatchNormalization()(h))
    h = L.ActivityRegularization(l2=0.01)(L.Dropout(0.4, seed=3)(h))
    return keras.Model(inputs, L.Dense(3, "softmax")(h))


def shared() -> keras.Model:
    """One layer that is called twice."""
    inputs, layer = keras.Input((5,)), L.Dense(5, "tanh", name="first")
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Add()([layer(inputs), layer(layer(inputs))])))


def sequences() -> keras.Model:
    """Masks, a bidirectional layer and an embedding of token numbers."""
    inputs = keras.Input((5,), dtype="int32")
    h = L.Embedding(7, 4, mask_zero=True, name="first")(inputs)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Bidirectional(L.LSTM(4))(h)))


def two_inputs() -> keras.Model:
    left, right = keras.Input((5,), name="left"), keras.Input((5,), name="right")
    h = L.Concatenate()([L.Dense(4, "relu", name="first")(left), right])
    return keras.Model({"left": left, "right": right}, L.Dense(3, "softmax")(h))


def images() -> keras.Model:
    inputs = keras.Input((5, 5, 1))
    h = L.Conv2D(4, 3, activation="relu", padding="same", name="first")(inputs)
    return keras.Model(inputs, L.Dense(3, "softmax")(L.Flatten()(L.MaxPooling2D()(h))))


def x_for(model: keras.Model) -> Any:
    random = np.random.default_rng(0)
    if len(model.inputs) > 1:
        return {tensor.name: random.normal(size=(50, 5)).astype(np.float32) for tensor in model.inputs}
    if "int" in str(model.inputs[0].dtype):
        return random.integers(0, 7, (50, 5)).astype(np.int32)
    return random.normal(size=(50, *model.inputs[0].shape[1:])).astype(np.float32)


Y = np.random.default_rng(1).integers(0, 3, 50)
ONE_HOT = np.eye(3, dtype=np.float32)[Y]
SPARSE, DENSE = "sparse_categorical_crossentropy", "categorical_crossentropy"


@dataclass(frozen=True)
class Case:
    """What `compile` and `fit` are given; functions make what is used up."""

    make: Make = dense
    y: Any = field(default_factory=lambda: Y)
    loss: Any = SPARSE
    optimizer: Callable[[], Any] = lambda: keras.optimizers.SGD(0.1)
    compile: Callable[[], dict[str, Any]] = dict
    fit: Callable[[], dict[str, Any]] = dict
    data: Callable[[Any, Any], dict[str, Any]] = lambda x, y: {"x": x, "y": y, "batch_size": 16}
    policy: str = "float32"
    tolerance: float = ROUNDING


def metrics(*make: Callable[[], Any]) -> Callable[[], dict[str, Any]]:
    return lambda: {"metrics": [each() for each in make], "weighted_metrics": [each() for each in make]}


class Batches(keras.utils.PyDataset):
    """Batches of 16 rows; the last one is smaller."""

    def __init__(self, x: Any, y: Any) -> None:
        super().__init__()
        self.x, self.y = x, y

    def __len__(self) -> int:
        return 4

    def __getitem__(self, index: int) -> Any:
        rows = slice(16 * index, 16 * index + 16)
        return self.x[rows], self.y[rows]


def dataset(x: Any, y: Any) -> tf.data.Dataset:
    return tf.data.Dataset.from_tensor_slices((x, y)).batch(16)


def generate(x: Any, y: Any) -> Iterator[Any]:
    while True:
        yield from (Batches(x, y)[index] for index in range(4))


WEIGHTS = np.linspace(0.0, 3.0, 50).astype(np.float32)


def make_twins(make: Make, recipe: str = "none") -> tuple[keras.Model, keras.Model]:
    """Return the model and its twin."""
    keras.utils.set_random_seed(0)
    model = make()
    return model, attach(recipe, model)


def compile_and_fit(model: keras.Model, case: Case, x: Any) -> dict[str, Any]:
    """Train three epochs; return history, weights, predictions and evaluation."""
    model.compile(optimizer=case.optimizer(), loss=case.loss, **case.compile())
    keras.utils.set_random_seed(1)
    given = case.data(x, case.y)
    history = model.fit(**given, epochs=3, shuffle=False, verbose=0, **case.fit()).history
    evaluated = model.evaluate(x, case.y, verbose=0, return_dict=True)
    weights = {f"weight {number}": weight for number, weight in enumerate(model.get_weights())}
    return {**history, **{f"final {k}": v for k, v in evaluated.items()}, **weights, "p": model.predict(x, verbose=0)}


def assert_same_training(model: keras.Model, twin: keras.Model, case: Case) -> None:
    """Train both; compare histories, evaluation, weights and predictions."""
    x = x_for(model)
    theirs, ours = compile_and_fit(model, case, x), compile_and_fit(twin, case, x)
    assert [name.rstrip("_0123456789") for name in ours] == [name.rstrip("_0123456789") for name in theirs]
    for (name, value), own in zip(theirs.items(), ours.values(), strict=True):
        np.testing.assert_allclose(
            np.asarray(own, np.float64), np.asarray(value, np.float64), case.tolerance, case.tolerance, err_msg=name
        )
    assert twin.predict(x, verbose=0).dtype == model.predict(x, verbose=0).dtype


def get_outcome(run: Callable[[keras.Model], Mapping[str, Any]], model: keras.Model) -> Any:
    """Return what ``run`` returns, or the class of the error that it raises."""
    keras.utils.set_random_seed(1)
    try:
        return dict(run(model))
    except Exception as error:  # of any kind: the twin has to raise the same
        return type(error)


def assert_same_outcome(
    make: Make,
    run: Callable[[keras.Model], Mapping[str, Any]],
    recipe: str = "none",
    tolerance: float = ROUNDING,
    raises: bool = False,
) -> None:
    """Do the same with a model and its twin, and compare all numbers that come out, or the errors.

    Args:
        make: makes the model.
        run: what to do with it; returns numbers by name.
        recipe: the twin's, which changes nothing.
        tolerance: relative and absolute.
        raises: whether the model itself raises.
    """
    theirs, ours = (get_outcome(run, model) for model in make_twins(make, recipe))
    assert isinstance(theirs, type) is raises, theirs
    compare_outcomes(theirs, ours, tolerance)


def compare_outcomes(theirs: Any, ours: Any, tolerance: float = ROUNDING, name: str = "") -> None:
    """Compare what `get_outcome` returned for a model and for its twin."""
    if isinstance(theirs, type) or isinstance(ours, type):
        assert ours is theirs, name
        return
    assert [strip_number(key) for key in ours] == [strip_number(key) for key in theirs], name
    for (key, value), own in zip(theirs.items(), ours.values(), strict=True):
        one, other = np.asarray(own, np.float64), np.asarray(value, np.float64)
        np.testing.assert_allclose(one, other, tolerance, tolerance, err_msg=f"{name} {key}")


def strip_number(name: str) -> str:
    """Return a name without the number that Keras gives to the second object of a class."""
    return name.rstrip("_0123456789")


def read_state(model: keras.Model, x: Any) -> dict[str, Any]:
    """Return the weights of a model and its predictions."""
    weights = {f"weight {number}": weight for number, weight in enumerate(model.get_weights())}
    return {**weights, "p": model.predict(x, verbose=0)}
