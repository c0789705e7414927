"""Changes of weights after the optimizer's step, projections, proximal steps and companions, and none without one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras
import tensorflow as tf

from regzoo.core import Companion, OnGradients, Projection, Proximal
from regzoo.core._keras_compat import get_optimizer_of
from regzoo.core.optimizers import list_optimizers


class RuledModel(Protocol):
    """Interface of `RegularizedModel` that is used here."""

    optimizer: Any

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    def get_regularizers(self, place: type[Any]) -> list[Any]: ...

    def get_rules(self, *kinds: type[Any]) -> list[Any]: ...


def get_learning_rates(optimizer: Any) -> tuple[Any, Callable[[keras.Variable], Any] | None]:
    """Return the learning rate of ``optimizer`` and None; for one that consists of several, None and a function.

    The function returns the learning rate of the optimizer that trains a weight.
    """
    optimizers = list_optimizers(optimizer)
    if len(optimizers) == 1:
        return optimizers[0].learning_rate, None
    return None, lambda weight: get_optimizer_of(optimizer, weight).learning_rate


def may_skip_steps(optimizer: Any) -> bool:
    """Return True if ``optimizer`` may see gradients and make no step: it accumulates them, or drops infinite ones."""
    drops = hasattr(optimizer, "inner_optimizer")
    return drops or any(each.gradient_accumulation_steps for each in list_optimizers(optimizer))


def prepare_rules_after_step(model: RuledModel) -> Callable[[], None]:
    """Return a function to call after the optimizer's step, which applies the rules in the recipe's order.

    Where the optimizer made no step, proximal steps have length 0, companions stay, and so do weights that transforms
    of the gradients have moved. Call this before these transforms: a step later a schedule gives another learning rate.
    """
    rules = model.get_rules(Projection, Proximal, Companion)
    skips = may_skip_steps(model.optimizer)
    moved = list(model.trainable_variables) if skips and model.get_regularizers(OnGradients) else []
    before = [tf.identity(variable.value) for variable in moved]
    watched = [each.weight for each in rules if skips or isinstance(each.rule, Proximal)]
    optimizers = {id(weight): get_optimizer_of(model.optimizer, weight) for weight in (*watched, *moved)}
    step_sizes = {id(each): _watch_step(each) for each in {id(each): each for each in optimizers.values()}.values()}

    def finish() -> None:
        steps = {key: get() for key, get in step_sizes.items()}

        def keep(variable: keras.Variable, new: Any, old: Any) -> Any:
            return tf.where(steps[id(optimizers[id(variable)])][0], new, old) if skips else new

        for variable, value in zip(moved, before, strict=True):
            variable.assign(keep(variable, variable.value, value))
        for each in rules:
            variable, rule = each.weight, each.rule
            if isinstance(rule, Projection):
                variable.assign(rule.project(variable))
            elif isinstance(rule, Proximal):
                variable.assign(rule.prox(variable, tf.cast(steps[id(optimizers[id(variable)])][1], variable.dtype)))
            else:
                count = steps[id(optimizers[id(variable)])][2] if skips else model.optimizer.iterations
                weight, companion = rule.follow(variable.value, each.companion.value, count)
                variable.assign(keep(variable, weight, variable.value))
                each.companion.assign(keep(variable, companion, each.companion.value))

    return finish


def _watch_step(optimizer: keras.optimizers.Optimizer) -> Callable[[], tuple[Any, Any, Any]]:
    """Return a function that tells, after the optimizer was applied, if it made a step, how long, and how many so far.

    The length is the learning rate of the step; 0 if it made none. An optimizer counts its steps, not the batches whose
    gradients it accumulates or drops.
    """
    rate = tf.identity(tf.convert_to_tensor(optimizer.learning_rate))
    before = tf.identity(tf.convert_to_tensor(optimizer.iterations))

    def get() -> tuple[Any, Any, Any]:
        made = tf.not_equal(optimizer.iterations, before)
        return made, tf.where(made, rate, tf.zeros_like(rate)), optimizer.iterations

    return get
