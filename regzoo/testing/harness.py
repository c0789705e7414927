"""Bench: what a regularizer is tried on: a tiny model with it, one without, and the same data for both."""

from __future__ import annotations

import dataclasses
import math
from typing import Any

import numpy as np

from regzoo.core import (
    BASELINE,
    Backbone,
    Float,
    InputError,
    Int,
    Objective,
    OnTraining,
    Recipe,
    Regularizer,
    Watcher,
    backbones,
    parse,
    places,
)
from regzoo.core.errors import ContractError
from regzoo.core.seeds import generator
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.training.task import Task

TASK = Task("classification", 3)
ROWS, BATCH, EPOCHS = 24, 8, 2
RATE = 0.05
"""A high learning rate: a few steps must move the weights visibly."""

OBJECTIVE = Objective("nll", "min", EPOCHS)

ROUNDING = 1e-6
"""Where the graph differs, sums may be taken in another order: a few float32 roundings (6e-8) of weights near 1."""


class Harness:
    """A tiny model with the regularizer, one without, and the same data for both.

    Args:
        regularizer: what is checked.
        backbone: on which; by default the first that offers its place.
    """

    def __init__(self, regularizer: Regularizer, backbone: Backbone | str | None = None) -> None:
        import_tensorflow()
        self.regularizer = fix_strengths(regularizer)
        self.base = parse(regularizer.requires_recipe or BASELINE)
        self.recipe = self.base + self.regularizer
        self.backbone = self._fitting(backbone)
        draw = generator("contract")
        self.x = draw.standard_normal((ROWS, *input_shape(self.backbone))).astype(np.float32)
        self.y = draw.integers(0, TASK.size, ROWS)
        self.shared = _layers(self.build_model(self.recipe)) & _layers(self.build_model(self.base))
        self._programs: dict[Any, Any] = {}
        self._steps: dict[Any, Any] = {}

    def build_model(self, recipe: Recipe, seed: int = 0) -> Any:
        """A fresh compiled model."""
        import keras

        from regzoo.training.model.build import build_model

        model = build_model(self.backbone, recipe, TASK, input_shape(self.backbone), seed)
        model.compile(optimizer=keras.optimizers.Adam(RATE))
        return model

    def get_program(self, recipe: Recipe) -> Any:
        """The program of the recipe's structure."""
        from regzoo.training.engine.program import Program

        key = recipe.structure()
        if key not in self._programs:
            rows = (self.x, self.y)
            self._programs[key] = Program(self.build_model(recipe), rows, rows, BATCH)
        return self._programs[key]

    def trace_step(self, recipe: Recipe) -> Any:
        """The traced training step of the recipe's structure."""
        import tensorflow as tf

        key = recipe.structure()
        if key not in self._steps:
            model = self.build_model(recipe)
            self._steps[key] = tf.function(lambda: model.update(self.x, self.y)[0]).get_concrete_function()
        return self._steps[key]

    def train(self, recipe: Recipe, seed: int = 0, noise: int | None = None, program: Any = None) -> dict[str, Any]:
        """The weights after a short training, by name."""
        program = program or self.get_program(recipe)
        program.train(
            strengths=recipe.dials(),
            seed=seed,
            noise=noise,
            learning_rate=RATE,
            epochs=EPOCHS,
            objective=OBJECTIVE,
            watchers=_watchers(recipe),
        )
        return self.get_weights(program.model)

    def get_weights(self, model: Any) -> dict[str, np.ndarray]:
        """The trainable weights, by name, of the layers that are there with the regularizer and without it."""
        shared = [layer for layer in model.layers if layer.name in self.shared]
        return {f"{layer.name}/{w.name}": w.numpy() for layer in shared for w in layer.trainable_weights}

    def _fitting(self, backbone: Backbone | str | None) -> str:
        if not places(self.regularizer):
            raise ContractError("acts where it says: it declares no place: subclass OnBatch, OnWeights, OnLoss, ...")
        in_order = [shrink_backbone(name) for name in sorted(backbones(), key=_fastest_first)]
        tried = [str(backbone)] if backbone is not None else in_order
        for name in tried:
            self.backbone = name
            try:
                self.build_model(self.recipe)
            except InputError as error:
                reason = error
            else:
                return name
        raise ContractError(f"acts where it says: {reason}")


def _watchers(recipe: Recipe) -> list[Watcher]:
    made = [part.watch(OBJECTIVE) for part in recipe if isinstance(part, OnTraining)]
    return [watcher for watcher in made if isinstance(watcher, Watcher)]  # law 1 speaks of what is none


SMALL = {
    "mlp": "mlp([7, 6])",
    "cnn": "cnn(filters=[3], dense=6)",
    "resnet": "resnet(filters=[3, 4], blocks=1)",
    "transformer": "transformer(width=6, depth=1, heads=2, hidden=7)",
    "autoencoder": "autoencoder(widths=[7], code=4)",
}


def input_shape(backbone: str) -> tuple[int, ...]:
    """The shape of one example: a row for the backbones that are made for rows, an image for all others."""
    return (5,) if backbone.startswith(("mlp", "linear")) else (8, 8, 1)


def shrink_backbone(name: str) -> str:
    """The spelling of a tiny backbone of this name."""
    return SMALL.get(name, name)


def _fastest_first(name: str) -> tuple[int, str]:
    return (list(SMALL).index(name) if name in SMALL else len(SMALL), name)


def _layers(model: Any) -> set[str]:
    return {layer.name for layer in model.layers}


def fix_strengths(regularizer: Regularizer) -> Regularizer:
    """Return it with a number from within its range for each strength left to the search."""
    values = {}
    for field, where in regularizer.searched().items():
        ends = where.values()
        log = regularizer.strengths()[field].log
        middle = math.sqrt(ends[0] * ends[-1]) if log else (ends[0] + ends[-1]) / 2
        values[field] = round(middle) if isinstance(where, Int) else middle if isinstance(where, Float) else ends[0]
    return dataclasses.replace(regularizer, **values)


def equal_weights(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """True if all shared weights are equal, bit for bit."""
    return all(np.array_equal(first[name], second[name]) for name in first.keys() & second.keys())


def close_weights(first: dict[str, Any], second: dict[str, Any]) -> bool:
    """True if all shared weights are equal within float32 rounding."""
    return all(np.allclose(first[name], second[name], rtol=0, atol=ROUNDING) for name in first.keys() & second.keys())
