"""The training step that `fit` and `Program` share, and in it the order in which the places act."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any, Protocol

import keras
import tensorflow as tf

from regzoo.core import (
    Forward,
    Gradients,
    OnBatch,
    OnBatchLoss,
    OnForward,
    OnGradients,
    OnLoss,
    Penalty,
    Perturbation,
    Regularizer,
    Weight,
)
from regzoo.core.augmentation import makes_copies
from regzoo.core.cells import InputCells
from regzoo.core.layers import to_floatx
from regzoo.core.places import change_batch
from regzoo.core.weights import describe_weights
from regzoo.training.losses import ExampleLoss
from regzoo.training.model.after_step import get_learning_rates, prepare_rules_after_step
from regzoo.training.model.gradients import assign_all, fill_missing, multiply
from regzoo.training.model.weighting import divide_by_mean, floats_to_floatx, match_dtypes, weighted_mean
from regzoo.training.task import Task

ComputeGradients = Callable[[], list[Any]]
ForwardPass = Callable[[Any, Any], tuple[Any, Any]]


class TrainableModel(Protocol):
    """Interface of `RegularizedModel` that a training step uses."""

    optimizer: Any
    example_loss: ExampleLoss | None

    @property
    def uses_keras_loss(self) -> bool: ...

    @property
    def task(self) -> Task: ...

    @property
    def trainable_variables(self) -> list[keras.Variable]: ...

    @property
    def variables(self) -> list[keras.Variable]: ...

    @property
    def losses(self) -> list[Any]: ...

    @property
    def states(self) -> list[keras.Variable]: ...

    def get_regularizers(self, place: type[Any]) -> list[Any]: ...

    def get_rules(self, *kinds: type[Any]) -> list[Any]: ...

    def reparametrized(self) -> list[Any]: ...

    def get_stream(self, regularizer: Regularizer) -> keras.random.SeedGenerator: ...

    def selects(self, regularizer: Regularizer, weight: keras.Variable) -> bool: ...

    def get_cells(self, x: Any) -> InputCells: ...

    def logits(self, x: Any, training: bool = False) -> Any: ...

    def compute_keras_loss(self, x: Any, y: Any, weight: Any, training: bool) -> tuple[Any, Any]: ...


class TrainStep:
    """The training step of ``model``.

    In order: batch transforms; forward pass, on perturbed weights if there are any, the task's loss and its
    transforms; forward transforms, which may run that again; transforms of the batch's loss; penalties; gradients and
    their transforms; optimizer; projections, proximal steps and companions, in the recipe's order.

    Args:
        model: the model to train.
    """

    def __init__(self, model: TrainableModel) -> None:
        self.model = model
        self._descriptions: dict[int, Weight] = {}

    def take(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Train on a batch; return the minimized loss and the logits, from before the update.

        Where the loss is Keras's own (`uses_keras_loss`), the model's outputs take the place of the logits.

        Args:
            x: standardized inputs, (batch, ...).
            y: targets, whole-number classes (batch,) or (batch, size).
            weight: weights of the examples, (batch,), or None.
        """
        model = self.model
        y, weights = self._encode(y), model.trainable_variables
        if model.get_regularizers(OnBatch) or model.get_regularizers(OnForward):
            x = floats_to_floatx(x)
        for regularizer in model.get_regularizers(OnBatch):
            if makes_copies(regularizer):
                continue  # it has changed the rows before training
            x, y, weight = self._transform_batch(regularizer, x, y, weight)
        first: dict[str, Any] = {}  # results of the first pass: a gradient transform may run more

        def compute() -> list[Any]:
            with tf.GradientTape() as tape:
                loss, logits = self.compute_objective(x, y, weight)
                scaled = self._scale(loss)
            first.update({} if first else {"loss": loss, "logits": logits})
            gradients: list[Any] = tape.gradient(scaled, [variable.value for variable in weights])
            return gradients

        finish = prepare_rules_after_step(model)
        gradients = self._transform(compute)
        model.optimizer.apply(gradients, weights)
        finish()
        return first["loss"], first["logits"]

    def _transform(self, compute: ComputeGradients) -> list[Any]:
        """Return the gradients as the regularizers change them; None for weights that the loss does not depend on."""
        transforms = self.model.get_regularizers(OnGradients)
        if not transforms:
            return compute()
        missing: list[bool] = []

        def fill() -> list[Any]:
            gradients = compute()
            missing[:] = [gradient is None for gradient in gradients]
            return fill_missing(gradients, self.model.trainable_variables)

        chain = self._unscale(fill)
        for regularizer in transforms:
            chain = self._transform_gradients(regularizer, chain)
        gradients = self._rescale(chain())
        return [None if absent else each for absent, each in zip(missing, gradients, strict=True)]

    def _transform_batch(self, regularizer: OnBatch, x: Any, y: Any, weight: Any) -> tuple[Any, Any, Any]:
        """Return inputs, targets and weights as ``regularizer`` changes them.

        Where it averages targets, each counts by the weight of its row, so a row of weight 0 teaches nothing.
        """
        stream, cells = self.model.get_stream(regularizer), self.model.get_cells(x)
        if weight is None or not regularizer.mixes_targets:
            return *change_batch(regularizer, x, y, stream, cells), weight
        own = tf.reshape(tf.cast(weight, y.dtype), (-1, 1))
        x, mixed = change_batch(regularizer, x, tf.concat([own * y, own], axis=1), stream, cells)
        total = mixed[:, -1:]
        return x, tf.where(total > 0, tf.math.divide_no_nan(mixed[:, :-1], total), y), total[:, 0]

    def _encode(self, y: Any) -> Any:
        """Return targets as the loss takes them."""
        model, loss = self.model, self.model.example_loss
        if model.uses_keras_loss:
            return y
        if loss is None:
            return to_floatx(model.task.encode(y))
        mixes = any(model.get_regularizers(place) for place in (OnBatch, OnForward, OnLoss))
        return loss.encode(model.task, y, mixes)

    def _scale(self, loss: Any) -> Any:
        """Return the loss to differentiate: scaled as the optimizer asks, and this replica's share of it."""
        replicas = tf.distribute.get_strategy().num_replicas_in_sync  # their gradients are added
        return self.model.optimizer.scale_loss(loss / replicas if replicas > 1 else loss)

    def _unscale(self, compute: ComputeGradients) -> ComputeGradients:
        """Return ``compute`` without the optimizer's scale, as regularizers expect gradients."""
        return lambda: multiply(compute(), 1.0 / self._get_loss_scale())

    def _rescale(self, gradients: list[Any]) -> list[Any]:
        """Return the gradients with the optimizer's scale, which it takes away."""
        return multiply(gradients, self._get_loss_scale())

    def _get_loss_scale(self) -> Any:
        """Return the factor by which the optimizer scales the loss; the number 1.0 if it does not."""
        one = tf.ones(())
        scaled = self.model.optimizer.scale_loss(one)
        return 1.0 if scaled is one else scaled

    def compute_objective(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Return the loss to minimize, a scalar, and the logits (batch, size)."""
        model = self.model
        if model.uses_keras_loss:
            loss, logits = self._perturb(lambda: model.compute_keras_loss(x, y, weight, training=True))
        else:
            loss, logits = self._compute_example_loss(x, y, weight)
        for weight_rule in model.get_rules(Penalty):
            companion = () if weight_rule.companion is None else (weight_rule.companion.value,)
            loss += tf.cast(weight_rule.rule.value(weight_rule.weight.value, *companion), loss.dtype)
        return loss, logits

    def _compute_example_loss(self, x: Any, y: Any, weight: Any) -> tuple[Any, Any]:
        """Return the mean of the examples' losses, as regularizers change them, and the logits."""
        model = self.model
        forward: ForwardPass = functools.partial(self._run_forward, weight=weight)
        for regularizer in model.get_regularizers(OnForward):
            forward = self._transform_forward(regularizer, forward)
        logits, per_example = forward(x, y)
        for regularizer in model.get_regularizers(OnBatchLoss):
            per_example = regularizer.loss(y, logits, per_example, weight)
        return weighted_mean(per_example, weight), logits

    def _run_forward(self, x: Any, y: Any, weight: Any = None) -> tuple[Any, Any]:
        """Run the model in training mode; return logits and losses with what regularizers and layers add to these.

        The losses of layers are added to that of every example.
        """
        model = self.model
        logits, added = self._perturb(lambda: (model.logits(x, training=True), model.losses))
        if model.example_loss is None:
            logits, y = match_dtypes(logits, y)
            per_example = model.task.loss(y, logits)  # (batch,)
        else:
            logits, _ = match_dtypes(logits, logits)
            per_example = model.example_loss.compute(model.task, y, logits)
        if added:
            total = tf.add_n([tf.cast(loss, logits.dtype) for loss in added])
            # The weights of the examples do not apply to it, but are multiplied with every example's loss.
            per_example += total if weight is None else divide_by_mean(total, weight)
        for regularizer in model.get_regularizers(OnLoss):
            if not isinstance(regularizer, OnBatchLoss):
                per_example = regularizer.loss(y, logits, per_example)
        return logits, per_example

    def _perturb(self, run: Callable[[], tuple[Any, Any]]) -> tuple[Any, Any]:
        """Return what ``run`` returns on perturbed values of the weights that have some; keep its updates of states."""
        model = self.model
        perturbations = model.get_rules(Perturbation)
        if not perturbations:
            return run()
        by_id = {id(variable): variable for variable in model.trainable_variables}
        values = {key: variable.value for key, variable in by_id.items()}
        perturbed = {id(weight_rule.weight) for weight_rule in perturbations}
        for weight_rule in model.reparametrized():
            if (key := id(weight_rule.weight)) in perturbed:
                values[key] = weight_rule.rule.compute(values[key])
        for weight_rule in perturbations:
            key = id(weight_rule.weight)
            values[key] = weight_rule.rule.perturb(values[key], weight_rule.stream)
        mapping = [(by_id[key], value) for key, value in values.items()]
        with keras.StatelessScope(state_mapping=mapping, collect_losses=True) as scope:
            scope.final = perturbed  # `call_with_values` leaves them alone
            result = run()
        for variable in model.variables:
            updated = None if id(variable) in by_id else scope.get_current_value(variable)
            if updated is not None:
                variable.assign(updated)
        return result

    def _transform_forward(self, regularizer: OnForward, forward: ForwardPass) -> ForwardPass:
        model, stream = self.model, self.model.get_stream(regularizer)
        return lambda x, y: regularizer.forward(Forward(forward, model.get_cells(x)), x, y, stream)

    def _describe(self, variable: keras.Variable) -> Weight:
        """Return the description of a weight of the model; weights that came later, as LoRA's, are looked for again."""
        if id(variable) not in self._descriptions:
            self._descriptions = {id(known): weight for known, weight in describe_weights(self.model)}
        return self._descriptions[id(variable)]

    def _transform_gradients(self, regularizer: OnGradients, compute: ComputeGradients) -> ComputeGradients:
        model = self.model
        rate, find_rate = get_learning_rates(model.optimizer)
        repeatable = self._make_repeatable(compute)
        stream = model.get_stream(regularizer)
        selects = functools.partial(model.selects, regularizer)
        gradients = Gradients(repeatable, rate, model.optimizer.iterations, stream, self._describe, selects, find_rate)
        return lambda: regularizer.gradients(gradients, model.trainable_variables)

    def _make_repeatable(self, compute: ComputeGradients) -> ComputeGradients:
        """Return ``compute`` such that later calls draw the noise of the first and change no state."""
        states = self.model.states
        start = [keras.ops.copy(state) for state in states]
        called = False

        def repeat() -> list[Any]:
            nonlocal called
            if not called:
                called = True
                return compute()
            after_first = [keras.ops.copy(state) for state in states]
            assign_all(states, start)
            gradients = compute()
            assign_all(states, after_first)
            return gradients

        return repeat
