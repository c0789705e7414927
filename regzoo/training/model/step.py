"""Step: one training step, which `fit` and `Program` both take. Read it for what happens in which order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

import keras
import tensorflow as tf

from regzoo.core import (
    Companion,
    Forward,
    Gradients,
    OnBatch,
    OnForward,
    OnGradients,
    OnLoss,
    Penalty,
    Perturbation,
    Projection,
)

if TYPE_CHECKING:
    from regzoo.training.model.model import RegularizedModel

Compute = Callable[[], list[Any]]
Run = Callable[[Any, Any], tuple[Any, Any]]


class Step:
    """The training step of ``model``.

    In order: batch transforms; forward pass, on perturbed weights if there are any, and the task's loss; forward
    transforms; loss transforms; penalties; gradients and their transforms; optimizer; projections and companions.

    Args:
        model: whose weights are trained.
    """

    def __init__(self, model: RegularizedModel) -> None:
        self.model = model

    def take(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Train on a batch; return what was minimized, the targets and the logits, from before the step.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets, whole-number classes (batch,) or (batch, size).
            weight: weights of the examples, (batch,), or None.
        """
        model = self.model
        y = model.task.encode(y)
        for part in model.acting(OnBatch):
            x, y = part.batch(x, y, model.stream(part))
        seen: dict[str, Any] = {}
        weights = model.trainable_variables

        def compute() -> list[Any]:
            with tf.GradientTape() as tape:
                loss, logits = self.objective(x, y, weight)
            seen.setdefault("loss", loss)
            seen.setdefault("logits", logits)
            return tape.gradient(loss, [variable.value for variable in weights])

        for part in model.acting(OnGradients):
            compute = self._through(part, compute)
        model.optimizer.apply(compute(), weights)
        self._follow_up()
        return seen["loss"], y, seen["logits"]

    def objective(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """What is minimized, a scalar, and the logits (batch, size)."""
        model = self.model
        run: Run = self._forward
        for part in model.acting(OnForward):
            run = self._rerouted(part, run)
        logits, per_example = run(x, y)
        for part in model.acting(OnLoss):
            per_example = part.loss(y, logits, per_example)
        loss = weighted_mean(per_example, weight)
        for rule in model.rules(Penalty):
            beside = () if rule.companion is None else (rule.companion.value,)
            loss += rule.rule.value(rule.weight.value, *beside)
        return loss, logits

    def _forward(self, x: Any, y: Any) -> tuple[Any, Any]:
        """Run the model in training; what its layers add to the loss is shared out over the examples."""
        model = self.model
        perturbed = bool(model.rules(Perturbation))
        logits, added = self._perturbed(x) if perturbed else (model.logits(x, training=True), model.losses)
        per_example = model.task.loss(y, logits)  # (batch,)
        return logits, per_example + tf.add_n(added) if added else per_example

    def _perturbed(self, x: Any) -> tuple[Any, list[Any]]:
        """Run the model with other values in the place of some weights, and keep what its layers update.

        Returns the logits and what the layers add to the loss.
        """
        model = self.model
        values = {id(variable): variable.value for variable in model.trainable_variables}
        by_id = {id(variable): variable for variable in model.trainable_variables}
        for rule in model.rules(Perturbation):
            values[id(rule.weight)] = rule.rule.perturb(values[id(rule.weight)], rule.stream)
        changed = [(by_id[key], value) for key, value in values.items()]
        with keras.StatelessScope(state_mapping=changed, collect_losses=True) as scope:
            logits = model.logits(x, training=True)
            added = model.losses
        for variable in model.variables:
            updated = None if id(variable) in by_id else scope.get_current_value(variable)
            if updated is not None:
                variable.assign(updated)
        return logits, added

    def _rerouted(self, part: OnForward, run: Run) -> Run:
        return lambda x, y: part.forward(Forward(run), x, y, self.model.stream(part))

    def _through(self, part: OnGradients, compute: Compute) -> Compute:
        model = self.model
        optimizer = model.optimizer
        again = self._repeatable(compute)
        gradients = Gradients(again, optimizer.learning_rate, optimizer.iterations, model.stream(part))
        return lambda: part.gradients(gradients, model.trainable_variables)

    def _repeatable(self, compute: Compute) -> Compute:
        """Let later calls of ``compute`` meet the noise of the first, and leave nothing behind but their gradients."""
        states = self.model.states
        start = [keras.ops.copy(state) for state in states]
        called = False

        def again() -> list[Any]:
            nonlocal called
            if not called:
                called = True
                return compute()
            left = [keras.ops.copy(state) for state in states]
            _assign(states, start)
            gradients = compute()
            _assign(states, left)
            return gradients

        return again

    def _follow_up(self) -> None:
        step = self.model.optimizer.iterations
        for rule in self.model.rules(Projection, Companion):
            if isinstance(rule.rule, Projection):
                rule.weight.assign(rule.rule.project(rule.weight))
            else:
                weight, companion = rule.rule.follow(rule.weight.value, rule.companion.value, step)
                rule.weight.assign(weight)
                rule.companion.assign(companion)


def _assign(variables: Sequence[keras.Variable], values: Sequence[Any]) -> None:
    for variable, value in zip(variables, values, strict=True):
        variable.assign(value)


def weighted_mean(per_example: Any, weight: Any) -> Any:
    """The mean over the batch of a loss (batch,), each example weighted if ``weight`` (batch,) is given."""
    if weight is not None:
        per_example *= tf.cast(weight, per_example.dtype)
    return tf.reduce_mean(per_example)
