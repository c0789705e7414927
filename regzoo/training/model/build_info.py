"""`BuildInfo`, the record of how a model was built: regularizers with dials, rules on weights, initial values."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from regzoo.core import Companion, Penalty, Recipe, Regularizer, Rule
from regzoo.core.cells import NamedCells
from regzoo.core.selection import LayerPlace
from regzoo.training.task import Task

DrawInitialValues = Callable[[int], list[tuple[keras.Variable, Any]]]
"""A function of the run's seed that returns pairs of a variable and its value at the start of the run."""


@dataclass(frozen=True)
class WeightRule:
    """The rule of one regularizer on one weight.

    Attributes:
        name: name of the regularizer in its recipe.
        weight: the trainable variable.
        rule: the regularizer's rule for it.
        layer: the layer that holds the weight.
        companion: the variable that accompanies the weight, if the rule has one.
        stream: the random stream of the rule, if it draws.
    """

    name: str
    weight: keras.Variable
    rule: Rule
    layer: LayerPlace
    companion: keras.Variable | None = None
    stream: keras.random.SeedGenerator | None = None


@dataclass(frozen=True)
class Insertion:
    """A layer that one regularizer has inserted.

    Attributes:
        name: name of the regularizer in its recipe.
        layer: the layer at which its slot lies.
        inserted: the inserted layer.
    """

    name: str
    layer: LayerPlace
    inserted: keras.Layer


@dataclass(frozen=True)
class NarrowedWeight:
    """A weight that a regularizer of gradients is narrowed to.

    Attributes:
        name: name of the regularizer in its recipe.
        weight: the trainable variable.
        layer: the layer that holds it.
    """

    name: str
    weight: keras.Variable
    layer: LayerPlace


@dataclass(frozen=True)
class BuildInfo:
    """Record of how `build_model` or `attach` built a model.

    Attributes:
        recipe: the recipe, with numbers and schedules.
        task: what is predicted.
        regularizers: those of the recipe, with dials in place of numbers.
        dials: the scalar variables, by ``name.field``.
        rules: on weights, in the recipe's order.
        insertions: the inserted layers, in the model's order.
        narrowed: the weights that narrowed regularizers of gradients act on.
        hits: the number of places at which each regularizer acts, by its name in the recipe.
        weights: initial values of the weights.
        streams: initial states of the layers' random streams.
        config: the arguments that build the model again, as JSON.
        cells: which columns of its inputs hold one value; empty if every column is a number of its own.
    """

    recipe: Recipe
    task: Task
    regularizers: tuple[Regularizer, ...]
    dials: dict[str, keras.Variable]
    rules: tuple[WeightRule, ...]
    insertions: tuple[Insertion, ...]
    narrowed: tuple[NarrowedWeight, ...]
    hits: dict[str, int]
    weights: DrawInitialValues
    streams: DrawInitialValues
    config: dict[str, Any]
    cells: NamedCells = ()


def initialize_companion(rule: Rule, weight: keras.Variable) -> Any:
    """Return the initial companion of ``weight`` at its current value, or None if ``rule`` has no companion."""
    if isinstance(rule, Companion):
        return rule.start(weight.value)
    return rule.companion(weight.value) if isinstance(rule, Penalty) and rule.companion is not None else None
