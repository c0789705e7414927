"""Weights of rows: a row of weight 0 teaches nothing, whatever a regularizer does to the batch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import numpy as np
import pytest

from regzoo.core import InputError, OnBatch, parse, regularizers
from regzoo.testing.harness import fix_strengths
from regzoo.training.model.build import RegularizedModel, build_model
from regzoo.training.model.step import TrainStep
from regzoo.training.task import Task

ON_BATCH = {name: kind for name, kind in regularizers().items() if issubclass(kind, OnBatch)}
TASK = Task("classification", 3)


def build(recipe: str) -> RegularizedModel:
    try:
        model = build_model("mlp([4])", parse(recipe), TASK, (6,))
    except InputError:  # it needs images
        model = build_model("cnn(filters=[4])", parse(recipe), TASK, (6, 6, 1))
    model.compile(keras.optimizers.SGD(1.0))
    return model


@pytest.mark.parametrize("name", ON_BATCH)
def test_the_target_of_a_row_of_weight_zero_does_not_matter(name: str) -> None:
    y = np.arange(32) % 3
    weight = (y != 1).astype(np.float32)
    trained = []
    for targets in (y, np.where(y == 1, 2, y)):
        model = build(str(fix_strengths(ON_BATCH[name]())))
        x = np.random.default_rng(1).normal(size=(32, *model.input_shape[1:])).astype(np.float32)
        model.update(*map(keras.ops.convert_to_tensor, (x, targets, weight)))
        trained.append(np.concatenate([values.ravel() for values in model.get_weights()]))
    np.testing.assert_array_equal(trained[0], trained[1])


@dataclass(frozen=True)
class Halves(OnBatch):
    """Averages each row with its mirror image in the batch."""

    mixes_targets: ClassVar[bool] = True

    def batch(self, x: Any, y: Any, seed: Any) -> Any:
        return tuple((values + keras.ops.flip(values, axis=0)) / 2 for values in (x, y))


def test_weights_are_averaged_with_the_targets() -> None:
    """By hand: weights 3 and 1 become 2 and 2, and both targets three quarters of the first class."""
    x, y = keras.ops.convert_to_tensor([[0.0], [1.0]]), keras.ops.convert_to_tensor([[1.0, 0.0], [0.0, 1.0]])
    halves = Halves()
    model = build("none")
    model._streams[halves.name] = keras.random.SeedGenerator(0)
    step = TrainStep(model)
    inputs, targets, weights = step._transform_batch(halves, x, y, keras.ops.convert_to_tensor([3.0, 1.0]))
    np.testing.assert_allclose(inputs, [[0.5], [0.5]])
    np.testing.assert_allclose(targets, [[0.75, 0.25], [0.75, 0.25]])
    np.testing.assert_allclose(weights, [2.0, 2.0])
    _, targets, weights = step._transform_batch(halves, x, y, keras.ops.zeros(2))
    np.testing.assert_allclose(weights, [0.0, 0.0])
    assert np.isfinite(targets).all()


@pytest.mark.parametrize("name", [name for name, kind in ON_BATCH.items() if kind.mixes_targets])
def test_what_mixes_rows_mixes_their_weights_by_the_same_shares(name: str) -> None:
    """A row has the same value in all its 60 columns, so a mixture shows the share of each row in it."""
    rows, columns = 4, 60
    model = build(str(fix_strengths(ON_BATCH[name]())))
    (regularizer,) = model.get_regularizers(OnBatch)
    own = np.arange(rows, dtype=np.float32) ** 3  # 0, 1, 8, 27
    y = np.eye(rows, dtype=np.float32)
    shape = (rows, columns) if len(model.input_shape) == 2 else (rows, 6, 10, 1)
    x = keras.ops.convert_to_tensor(np.repeat(own[:, None], columns, axis=1).reshape(shape))
    weight = np.array([3.0, 1.0, 0.5, 0.0], np.float32)
    step, mixed = TrainStep(model), 0
    for _ in range(5):
        state = model.get_stream(regularizer).state.numpy()
        _, shares = regularizer.batch(x, keras.ops.convert_to_tensor(y), model.get_stream(regularizer))
        model.get_stream(regularizer).state.assign(state)
        inputs, targets, weights = step._transform_batch(regularizer, x, keras.ops.convert_to_tensor(y), weight)
        shares = np.array(shares)  # of the rows in each mixture
        np.testing.assert_allclose(np.reshape(inputs, (rows, -1)).mean(axis=1), shares @ own, rtol=1e-4)
        np.testing.assert_allclose(weights, shares @ weight, rtol=1e-5)
        some = shares @ weight > 0  # targets of a mixture of weight 0 do not matter
        expected = (shares * weight)[some] / (shares @ weight)[some][:, None]
        np.testing.assert_allclose(np.array(targets)[some], expected, rtol=1e-5)
        mixed += int(((shares > 0.01) & (shares < 0.99)).any())
    assert mixed


@pytest.mark.parametrize("name", ON_BATCH)
def test_what_mixes_targets_says_so(name: str) -> None:
    """Targets that are averages of several rows' targets are declared, or the weights would not be averaged."""
    model = build(str(fix_strengths(ON_BATCH[name]())))
    (regularizer,) = model.get_regularizers(OnBatch)
    shape = (12, *model.input_shape[1:])
    x = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    y = np.random.default_rng(1).normal(size=(12, 3)).astype(np.float32)
    found = []
    for _ in range(5):
        state = model.get_stream(regularizer).state.numpy()
        other = y.copy()
        other[0] += 7.0  # the target of the first row alone
        pair = []
        for targets in (y, other):
            model.get_stream(regularizer).state.assign(state)
            pair.append(
                np.array(regularizer.batch(keras.ops.convert_to_tensor(x), targets, model.get_stream(regularizer))[1])
            )
        found.append(bool((pair[0] != pair[1])[1:].any()))
    assert any(found) == regularizer.mixes_targets


def test_mixup_of_weighted_rows_by_hand(monkeypatch: pytest.MonkeyPatch) -> None:
    """Weights 3 and 1, three quarters of a row itself: 0.75 * 3 + 0.25 * 1 and 0.75 * 1 + 0.25 * 3."""
    monkeypatch.setattr("regzoo.regularizers.mixup.draw_partners", lambda batch, seed: keras.ops.flip(np.arange(2)))
    monkeypatch.setattr("regzoo.regularizers.mixup.Mixup.draw_weights", lambda *_: keras.ops.full((2,), 0.75))
    model = build("mixup(0.5)")
    (mixup,) = model.get_regularizers(OnBatch)
    x, y = (keras.ops.convert_to_tensor(np.eye(2, dtype=np.float32)) for _ in range(2))
    inputs, targets, weights = TrainStep(model)._transform_batch(mixup, x, y, np.array([3.0, 1.0], np.float32))
    np.testing.assert_allclose(inputs, [[0.75, 0.25], [0.25, 0.75]])
    np.testing.assert_allclose(weights, [2.5, 1.5])
    np.testing.assert_allclose(targets, [[0.9, 0.1], [0.5, 0.5]])


@pytest.mark.parametrize("loss", [None, pytest.param("sparse_categorical_crossentropy", marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "recipe",
    [
        "flooding(1.2)",
        *(
            pytest.param(recipe, marks=pytest.mark.slow)
            for recipe in ("none", "mixup(0.3)", "adversarial(0.1)", "activity_l2(0.1)")
        ),
    ],
)
def test_a_column_of_weights_is_one_weight_for_each_row(recipe: str, loss: str | None) -> None:
    """As Keras's own losses take it; multiplied with the losses as it is, it would count each row the same."""
    rng = np.random.default_rng(0)
    x, y, weight = rng.normal(size=(24, 6)).astype(np.float32), np.arange(24) % 3, np.arange(24) % 4 * 0.5
    found = []
    for given in (weight, weight[:, None]):
        model = build(recipe)
        model.compile(keras.optimizers.SGD(0.1), loss=loss)
        model.reset(0)
        data = {"batch_size": 8, "epochs": 2, "shuffle": False, "verbose": 0}
        history = model.fit(x, y, sample_weight=given, validation_data=(x, y, given), **data).history
        found.append([*history["loss"], *history["val_loss"]])
    assert found[0] == pytest.approx(found[1], rel=1e-6)
    assert history["val_loss"][-1] != pytest.approx(model.evaluate(x, y, verbose=0, return_dict=True)["loss"], rel=0.01)


def test_weights_of_something_else_than_rows_are_refused() -> None:
    model, x = build("flooding(1.2)"), np.ones((3, 6), np.float32)
    for call in (model.train_on_batch, model.test_on_batch):
        with pytest.raises(InputError, match=r"one weight for each example, of shape \(batch,\).*received \(3, 3\)"):
            call(x, np.arange(3), sample_weight=np.ones((3, 3), np.float32))
