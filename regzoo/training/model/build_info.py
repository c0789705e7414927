"""Assembly: what is known of a model that was put together: dials, rules, and where its weights and streams start."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras

from regzoo.core import Companion, Penalty, Recipe, Regularizer, Rule
from regzoo.training.task import Task

Start = Callable[[int], list[tuple[keras.Variable, Any]]]
"""``start(seed)`` gives pairs of a variable and its value at the start of a run."""


@dataclass(frozen=True)
class WeightRule:
    """A weight, what acts on it, and what that needs.

    Attributes:
        part: the regularizer's name.
        weight: the trainable variable.
        rule: what is done to it.
        companion: the variable that goes along with it, for a rule that has one.
        stream: the random stream of this rule, for a rule that draws.
    """

    part: str
    weight: keras.Variable
    rule: Rule
    companion: keras.Variable | None = None
    stream: keras.random.SeedGenerator | None = None


@dataclass(frozen=True)
class BuildInfo:
    """What `assemble` found out while it built a model.

    Attributes:
        recipe: as it was asked for.
        task: what is predicted.
        parts: the recipe's regularizers, dials in place of numbers.
        dials: the scalar variables, by ``name.field``.
        rules: what acts on which weight, in the recipe's order.
        hits: how many places each regularizer hit.
        weights: ``weights(seed)`` gives pairs of a weight and its value at the start of a run.
        streams: the same for the random streams of layers.
        config: what it takes to assemble the model again, as JSON.
    """

    recipe: Recipe
    task: Task
    parts: tuple[Regularizer, ...]
    dials: dict[str, keras.Variable]
    rules: tuple[WeightRule, ...]
    hits: dict[str, int]
    weights: Start
    streams: Start
    config: dict[str, Any]


def initialize_companion(rule: Rule, weight: keras.Variable) -> Any:
    """Where a rule's companion starts, given its weight as it is now; None if it has no companion."""
    if isinstance(rule, Companion):
        return rule.start(weight.value)
    return rule.companion(weight.value) if isinstance(rule, Penalty) and rule.companion is not None else None
