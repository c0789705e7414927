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
