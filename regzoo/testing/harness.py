"""Test harness for a regularizer: a tiny model with it, one without it, and the same data for both."""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Mapping
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
from regzoo.data.dataset import Array
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.training.task import Task

TASK = Task("classification", 3)
ROWS, BATCH, EPOCHS = 24, 8, 2
RATE = 0.05
"""A high learning rate: a few steps must move the weights visibly."""

OBJECTIVE = Objective("nll", "min", EPOCHS)

ROUNDING = 1e-6
"""Tolerance where graphs differ and sum in another order: a few float32 roundings (6e-8) of weights near 1."""


class Harness:
    """A tiny model with the regularizer, one without it, and the same data for both.

    Args:
        regularizer: the regularizer to check.
        backbone: the model to try it on; by default the fastest of the zoo that has a place for it.

    Attributes:
        regularizer: the regularizer, with a number for each strength that was left to the search.
        base: the baseline, or the recipe that the regularizer requires.
        recipe: ``base`` with the regularizer.
        backbone: the backbone of all models.
        x: inputs (rows, ...), float32.
        y: class numbers (rows,).
        shared: names of the layers that models of both recipes have.
    """

    def __init__(self, regularizer: Regularizer, backbone: Backbone | str | None = None) -> None:
        import_tensorflow()
        self.regularizer = fix_strengths(regularizer)
        self.base = parse(regularizer.requires_recipe or BASELINE)
        self.recipe = self.base + self.regularizer
        self.backbone = self._find_backbone(backbone)
        random = generator("contract")
        self.x = random.standard_normal((ROWS, *get_input_shape(self.backbone))).astype(np.float32)
        self.y = random.integers(0, TASK.size, ROWS)
        self.shared = _name_layers(self.build_model(self.recipe)) & _name_layers(self.build_model(self.base))
        self._programs: dict[Any, Any] = {}
        self._steps: dict[Any, Any] = {}

    def build_model(self, recipe: Recipe, seed: int = 0) -> Any:
        """Build and compile a model with ``recipe``."""
        import keras

        from regzoo.training.model.build import build_model

        model = build_model(self.backbone, recipe, TASK, get_input_shape(self.backbone), seed)
        model.compile(optimizer=keras.optimizers.Adam(RATE))
        return model

    def get_program(self, recipe: Recipe) -> Any:
        """Return the program for the structure of ``recipe``; it is made once."""
        from regzoo.training.engine.program import Program

        key = recipe.structure()
        if key not in self._programs:
            rows = (self.x, self.y)
            self._programs[key] = Program(self.build_model(recipe), rows, rows, BATCH)
        return self._programs[key]

    def trace_step(self, recipe: Recipe) -> Any:
        """Return the traced training step for the structure of ``recipe``; it is traced once."""
        import tensorflow as tf

        key = recipe.structure()
        if key not in self._steps:
            model = self.build_model(recipe)
            self._steps[key] = tf.function(lambda: model.update(self.x, self.y)[0]).get_concrete_function()
        return self._steps[key]

    def train(self, recipe: Recipe, seed: int = 0, noise: int | None = None, program: Any = None) -> dict[str, Array]:
        """Train with ``recipe`` for two epochs, and return the weights by name.

        Args:
            recipe: with all strengths fixed.
            seed: the seed of every stream.
            noise: another seed for the streams of the regularizers; None for the same.
            program: the program to train; by default that of the recipe's structure.
        """
        program = program or self.get_program(recipe)
        program.train(
            strengths=recipe.dials(),
            seed=seed,
            noise=noise,
            learning_rate=RATE,
            epochs=EPOCHS,
            objective=OBJECTIVE,
            watchers=_make_watchers(recipe),
        )
        return self.get_weights(program.model)

    def get_weights(self, model: Any) -> dict[str, Array]:
        """Return the trainable weights of the shared layers, by name."""
        layers = [layer for layer in model.layers if layer.name in self.shared]
        return {f"{layer.name}/{w.name}": w.numpy() for layer in layers for w in layer.trainable_weights}

    def _find_backbone(self, backbone: Backbone | str | None) -> str:
        """Return ``backbone``, or the fastest one, if a model with the recipe can be built on it."""
        if not places(self.regularizer):
            raise ContractError("acts where it says: it declares no place: subclass OnBatch, OnWeights, OnLoss, ...")
        fastest_first = [shrink_backbone(name) for name in sorted(backbones(), key=_rank_by_speed)]
        candidates = [str(backbone)] if backbone is not None else fastest_first
        for name in candidates:
            self.backbone = name
            try:
                self.build_model(self.recipe)
            except InputError as error:
                reason = error
            else:
                return name
        raise ContractError(f"acts where it says: {reason}")


def _make_watchers(recipe: Recipe) -> list[Watcher]:
    watchers = [regularizer.watch(OBJECTIVE) for regularizer in recipe if isinstance(regularizer, OnTraining)]
    return [watcher for watcher in watchers if isinstance(watcher, Watcher)]  # the first law rejects anything else


SMALL = {  # from the fastest to the slowest
    "mlp": "mlp([7, 6])",
    "cnn": "cnn(filters=[3], dense=6)",
    "resnet": "resnet(filters=[3, 4], blocks=1)",
    "transformer": "transformer(width=6, depth=1, heads=2, hidden=7)",
    "autoencoder": "autoencoder(widths=[7], code=4)",
}


def get_input_shape(backbone: str) -> tuple[int, ...]:
    """Return the shape of one example: a row of features for an mlp or a linear model, an image for all others."""
    return (5,) if backbone.startswith(("mlp", "linear")) else (8, 8, 1)


def shrink_backbone(name: str) -> str:
    """Return a tiny backbone of this name, as a config writes it."""
    return SMALL.get(name, name)


def _rank_by_speed(name: str) -> tuple[int, str]:
    return (list(SMALL).index(name) if name in SMALL else len(SMALL), name)


def _name_layers(model: Any) -> set[str]:
    return {layer.name for layer in model.layers}


def fix_strengths(regularizer: Regularizer) -> Regularizer:
    """Return ``regularizer`` with the middle of its range for each strength left to the search."""
    values = {}
    for field, range_ in regularizer.ranges().items():
        ends = range_.values()
        spec = regularizer.strengths()[field]
        middle = math.sqrt(ends[0] * ends[-1]) if spec.log else (ends[0] + ends[-1]) / 2
        if spec.complement:
            middle = 1.0 - math.sqrt((1.0 - ends[0]) * (1.0 - ends[-1]))
        middle = float(f"{middle:.4g}")
        values[field] = round(middle) if isinstance(range_, Int) else middle if isinstance(range_, Float) else ends[0]
    return dataclasses.replace(regularizer, **values)


def equal_weights(first: Mapping[str, Array], second: Mapping[str, Array]) -> bool:
    """Return True if all weights in both are equal, bit for bit."""
    return all(np.array_equal(first[name], second[name]) for name in first.keys() & second.keys())


def close_weights(first: Mapping[str, Array], second: Mapping[str, Array]) -> bool:
    """Return True if all weights in both are equal within float32 rounding."""
    return all(np.allclose(first[name], second[name], rtol=0, atol=ROUNDING) for name in first.keys() & second.keys())
