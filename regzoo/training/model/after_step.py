"""The rules that change weights after the optimizer's step: projections, proximal steps, companions."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Protocol

import keras
import tensorflow as tf

from regzoo.core import Companion, Projection, Proximal
from regzoo.core._keras_compat import get_optimizer_of


class RuledModel(Protocol):
    """Interface of `RegularizedModel` that is used here."""

    optimizer: Any

    def get_rules(self, *kinds: type[Any]) -> list[Any]: ...


def prepare_rules_after_step(model: RuledModel) -> Callable[[], None]:
    """Return a function to call after the optimizer's step, which applies the rules in the recipe's order.

    Call this before the step: afterwards a schedule gives the learning rate of the next one.
    """
    rules = model.get_rules(Projection, Proximal, Companion)
    proximal = [each.weight for each in rules if isinstance(each.rule, Proximal)]
    optimizers = {id(weight): get_optimizer_of(model.optimizer, weight) for weight in proximal}
    step_sizes = {id(each): _watch_step_size(each) for each in optimizers.values()}

    def finish() -> None:
        lengths = {key: get() for key, get in step_sizes.items()}
        for each in rules:
            variable, rule = each.weight, each.rule
            if isinstance(rule, Projection):
                variable.assign(rule.project(variable))
            elif isinstance(rule, Proximal):
                variable.assign(rule.prox(variable, tf.cast(lengths[id(optimizers[id(variable)])], variable.dtype)))
            else:
                weight, companion = rule.follow(variable.value, each.companion.value, model.optimizer.iterations)
                variable.assign(weight)
                each.companion.assign(companion)

    return finish


def _watch_step_size(optimizer: keras.optimizers.Optimizer) -> Callable[[], Any]:
    """Return a function that gives, after the optimizer was applied, the learning rate of its step; 0 if it made none.

    An optimizer counts its steps, not the batches whose gradients it accumulates or drops.
    """
    rate = tf.identity(tf.convert_to_tensor(optimizer.learning_rate))
    before = tf.identity(tf.convert_to_tensor(optimizer.iterations))
    return lambda: tf.where(tf.equal(optimizer.iterations, before), tf.zeros_like(rate), rate)
