"""Saboteurs: deliberately wrong regularizers, each of which exactly one check of the contract rejects."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import keras
import pytest
import tensorflow as tf

from regzoo.core import (
    AfterTraining,
    Float,
    Forward,
    Gradients,
    InputError,
    Objective,
    OnActivations,
    OnBatch,
    OnForward,
    OnGradients,
    OnLoss,
    OnTraining,
    OnWeights,
    Penalty,
    Projection,
    Recipe,
    Regularizer,
    Slot,
    Strength,
    Watcher,
    Weight,
    strength,
)
from regzoo.core.layers import InTraining
from regzoo.testing import CHECKS, ContractError, Harness
from regzoo.testing.checks import (
    check_costs_what_it_declares,
    check_is_spelled_and_bounded,
    check_predicts_the_same_twice,
)

MLP = "mlp([7, 6])"


@dataclass(frozen=True)
class SilentlyUndeclared(OnLoss):
    """Has the method of a place that it does not declare."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        return 2.0 * per_example

    def gradients(self, compute: Gradients, weights: list[Any]) -> list[Any]:
        return compute()


@dataclass(frozen=True)
class Traceless(OnLoss):
    """Acts without any effect."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        return per_example


@dataclass(frozen=True)
class MovingPenalty(OnWeights):
    """A penalty that changes the weight it should only read."""

    def rule(self, weight: Weight) -> Penalty | None:
        return Penalty(lambda w: tf.reduce_sum(tf.square(w.assign(0.9 * w)))) if weight.kernel else None


@dataclass(frozen=True)
class MovingGradients(OnGradients):
    """Adds noise to the weights and does not remove it."""

    def gradients(self, compute: Gradients, weights: list[Any]) -> list[Any]:
        for weight in weights:
            weight.assign(1.01 * weight)
        return compute()


@dataclass(frozen=True)
class ElsewhereGradients(OnGradients):
    """Computes gradients at other weights: another forward pass than the declared one."""

    def gradients(self, compute: Gradients, weights: list[Any]) -> list[Any]:
        before = [tf.identity(weight) for weight in weights]
        for weight in weights:
            weight.assign(1.01 * weight)
        gradients = compute()
        for weight, value in zip(weights, before, strict=True):
            weight.assign(value)
        return gradients


@dataclass(frozen=True)
class Erasing(OnWeights):
    """Overwrites the weights, so that every seed gives the same result."""

    def rule(self, weight: Weight) -> Projection:
        return Projection(tf.ones_like)


@dataclass(frozen=True)
class Watchless(OnTraining):
    """Returns no watcher."""

    def watch(self, objective: Objective) -> Watcher:
        return None  # type: ignore[return-value]  # the mistake


@dataclass(frozen=True)
class Countless(AfterTraining):
    """Needs no trained model."""

    def n_models(self) -> int:
        return 0

    def finish(self, models: Any) -> Any:
        return models[0]


@dataclass(frozen=True)
class Headless(AfterTraining):
    """Returns a model with fewer outputs."""

    def n_models(self) -> int:
        return 1

    def finish(self, models: Any) -> Any:
        return lambda x: models[0](x)[:, :1]


@dataclass(frozen=True)
class NeverNeutral(OnWeights):
    """Still penalizes at its neutral strength."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Penalty | None:
        return Penalty(lambda w: (self.strength + 0.01) * tf.reduce_sum(tf.square(w))) if weight.kernel else None


class ReinitializingLayer(keras.Layer):
    """Changes the initial weights of the layer before it, as data-dependent initialization does."""

    def __call__(self, h: Any, **kwargs: Any) -> Any:
        if isinstance(h, keras.KerasTensor):
            h._keras_history.operation.kernel_initializer = keras.initializers.Orthogonal(seed=0)
        return super().__call__(h, **kwargs)

    def call(self, h: Any) -> Any:
        return h


@dataclass(frozen=True)
class Reinitializing(OnActivations):
    """Shifts the initial weights of layers that are not its own."""

    def layer(self, slot: Slot) -> Any:
        return ReinitializingLayer() if slot.kind == "preactivation" else None


@dataclass(frozen=True)
class Widening(OnActivations):
    """Doubles the width, which changes the next layer's weights."""

    def layer(self, slot: Slot) -> Any:
        return Doubled() if slot.kind == "activation" else None


class Doubled(keras.Layer):
    """Concatenates h with itself."""

    def call(self, h: Any) -> Any:
        return keras.ops.concatenate([h, h], axis=-1)


@dataclass(frozen=True)
class Unseeded(OnBatch):
    """Draws from the global random stream."""

    def batch(self, x: Any, y: Any, seed: Any) -> Any:
        return x + 0.5 * tf.random.normal(tf.shape(x)), y


@dataclass(frozen=True)
class ConstantlySeeded(OnBatch):
    """Draws the same noise in every run."""

    def batch(self, x: Any, y: Any, seed: Any) -> Any:
        return x + 0.5 * keras.random.normal(keras.ops.shape(x), seed=7), y


class RestlessLayer(keras.Layer):
    """Inference depends on the clock."""

    def call(self, h: Any, training: bool = False) -> Any:
        return 0.5 * h if training else h * tf.cast(1.0 + tf.timestamp() % 1.0, h.dtype)


@dataclass(frozen=True)
class Restless(OnActivations):
    """Every prediction is different."""

    def layer(self, slot: Slot) -> Any:
        return RestlessLayer() if slot.kind == "activation" else None


@dataclass(frozen=True)
class Misspelled(OnLoss):
    """Prints as something else."""

    scale: Strength = strength(Float(0.1, 0.5), neutral=1.0, domain="[0, inf)")

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        return self.scale * per_example

    def __str__(self) -> str:
        return "misspelled(scale=1.5)"


class Unreadable(Misspelled):
    """Prints as text that cannot be parsed."""

    def __str__(self) -> str:
        return f"{self.name}({self.scale} of the loss)"


@dataclass(frozen=True)
class Unbounded(OnLoss):
    """Accepts any value."""

    scale: Strength = strength(Float(0.1, 0.5), neutral=1.0, domain="[0, inf)")

    def __post_init__(self) -> None:
        pass  # where the fields would be checked

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        return self.scale * per_example


class Speechless(Unbounded):
    """Rejects a value without naming it."""

    def __post_init__(self) -> None:
        if isinstance(self.scale, float) and not self.scale >= 0:
            raise InputError("no")


@dataclass(frozen=True)
class Baked(OnActivations):
    """Reads its dial once, when it is built."""

    rate: Strength = strength(Float(0.2, 0.6), neutral=None, domain="[0, 1)")

    def layer(self, slot: Slot) -> Any:
        share = 1.0 - float(self.rate)
        return InTraining(lambda h, seed: share * h, slot.seed) if slot.kind == "activation" else None


class CountingLayer(keras.Layer):
    """Counts its calls, at inference too."""

    def build(self, shape: Any) -> None:
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, h: Any, training: bool = False) -> Any:
        self.calls.assign(self.calls + 1.0)
        return 0.5 * h if training else h


@dataclass(frozen=True)
class Counting(OnActivations):
    """Leaves an assignment in the inference graph."""

    def layer(self, slot: Slot) -> Any:
        return CountingLayer() if slot.kind == "activation" else None


@dataclass(frozen=True)
class Dear(OnForward):
    """Runs the model twice without declaring it."""

    def forward(self, run: Forward, x: Any, y: Any, seed: Any) -> Any:
        logits, first = run(x, y)
        return logits, first + run(0.5 * x, y)[1]


@dataclass(frozen=True)
class Cheap(Misspelled):
    """Declares twice the cost it has."""

    cost: ClassVar[float] = 2.0

    def __str__(self) -> str:
        return f"{self.name}({self.scale})"


@functools.cache
def baseline() -> Harness:
    """Return a harness with the traced baseline, which all saboteurs share; it takes half of the time."""
    harness = Harness(Traceless(), MLP)
    harness.get_program(Recipe())
    harness.trace_step(Recipe())
    return harness


def find_rejections(saboteur: Regularizer) -> dict[str, str]:
    """Return the message of each check that rejects ``saboteur``."""
    harness, messages = Harness(saboteur, MLP), {}
    harness._programs |= baseline()._programs
    harness._steps |= baseline()._steps
    for check in CHECKS:
        try:
            check(harness)
        except ContractError as error:
            messages[check.__name__.removeprefix("check_")] = str(error)
    return messages


@dataclass(frozen=True)
class RankReading(OnWeights):
    """Takes every weight of two axes for a kernel."""

    def rule(self, weight: Weight) -> Projection | None:
        return Projection(lambda w: 0.9 * w) if len(weight.shape) >= 2 else None


@dataclass(frozen=True)
class LastAxisReading(OnWeights):
    """Takes the last axis of every kernel for its units."""

    def rule(self, weight: Weight) -> Projection | None:
        axes = list(range(len(weight.shape) - 1))
        return Projection(lambda w: tf.math.l2_normalize(w, axes)) if weight.kernel else None


@dataclass(frozen=True)
class ColumnReading(OnWeights):
    """Shortens the columns of an embedding table, as it does those of a dense kernel."""

    def rule(self, weight: Weight) -> Penalty | None:
        columns = weight.role == "embedding" or (weight.kernel and len(weight.shape) == 2)
        return Penalty(lambda w: tf.reduce_sum(tf.norm(w, axis=0))) if columns else None


SABOTEURS = [
    (SilentlyUndeclared(), "acts_where_it_says", "has a method 'gradients' and does not declare OnGradients"),
    (Traceless(), "acts_where_it_says", "traceless trains the same weights as none does: it leaves no trace"),
    (
        MovingPenalty(),
        "acts_where_it_says",
        "at learning rate 0 it moved dense_0/kernel, dense_1/kernel, head/kern",
    ),
    (MovingGradients(), "acts_where_it_says", "at learning rate 0 it moved"),
    (ElsewhereGradients(), "acts_where_it_says", "it changes the forward pass and declares neither OnBatch"),
    (Watchless(), "acts_where_it_says", "watch() returns no Watcher"),
    (Countless(), "acts_where_it_says", "n_models() must be a whole number from 1, received 0"),
    (Headless(), "acts_where_it_says", "finish() returns a model with outputs (24, 1)"),
    (NeverNeutral(), "does_nothing_at_neutral", "never_neutral(0.0) trains other weights than none does"),
    (Reinitializing(), "starts_like_the_baseline", "shifts the initial weights of layers that are not its own"),
    (Widening(), "starts_like_the_baseline", "shifts the initial weights of layers that are not its own"),
    (Unseeded(), "repeats_with_its_seed", "it draws from a stream that is not its own"),
    (Erasing(), "repeats_with_its_seed", "two runs with different seeds are equal"),
    (ConstantlySeeded(), "repeats_with_its_seed", "its random draws do not depend on the seed it is given"),
    (Restless(), "predicts_the_same_twice", "two predictions of the same rows differ"),
    (Misspelled(), "is_spelled_and_bounded", "prints as 'misspelled(scale=1.5)', which reads as Misspelled(scale"),
    (Unbounded(), "is_spelled_and_bounded", "it accepts scale=-inf outside [0, inf): "),
    (Baked(), "dial_equals_fresh_build", "turning the dial of baked(0.4) to baked(0.3) gives other weights than"),
    (Counting(), "exports_clean", "the inference graph still holds AssignVariableOp"),
    (
        Dear(),
        "costs_what_it_declares",
        "makes 16 products in the model's layers, the baseline's 8: that is a cost of about 2, and it declares 1",
    ),
    (RankReading(), "knows_roles", "it acts on a bias of shape (2, 6) (gru_cell/bias) and not on one of shape (3,)"),
    (LastAxisReading(), "knows_roles", "one unit of depthwise/kernel, shape (2, 2, 3, 2), depends on the other units"),
    (
        ColumnReading(),
        "knows_roles",
        "of words/embeddings, shape (6, 4), depends on the other units, unlike in",
    ),
]


QUICK = {"traceless", "never_neutral", "unseeded", "last_axis_reading"}
"""Saboteurs that are tried by default; the slow tests try all."""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("saboteur", "check", "reason"),
    [
        pytest.param(*case, id=case[0].name, marks=[] if case[0].name in QUICK else pytest.mark.slow)
        for case in SABOTEURS
    ],
)
def test_each_saboteur_is_rejected_by_its_check_alone(saboteur: Regularizer, check: str, reason: str) -> None:
    messages = find_rejections(saboteur)
    assert list(messages) == [check], messages
    assert reason in messages[check]


@pytest.mark.parametrize(
    ("saboteur", "reason"),
    [
        (Unreadable(), "it prints as 'unreadable(0.3 of the loss)', which cannot be read: cannot read"),
        (Speechless(), "the error about scale=-inf lacks ['scale', '-inf', '[0, inf)']: no"),
    ],
    ids=lambda value: value.name if isinstance(value, Regularizer) else "",
)
def test_texts_must_be_readable_and_errors_complete(saboteur: Regularizer, reason: str) -> None:
    with pytest.raises(ContractError, match=re.escape(reason)):
        check_is_spelled_and_bounded(Harness(saboteur, MLP))


def test_a_declared_cost_that_is_too_high_is_rejected() -> None:
    with pytest.raises(ContractError, match=r"8 products .* the baseline's 8: .* cost of about 1, and it declares 2"):
        check_costs_what_it_declares(Harness(Cheap(), MLP))


def test_an_evaluation_that_contradicts_the_predictions_is_rejected() -> None:
    class TiringLayer(CountingLayer):
        """Returns zeros from the third batch on."""

        def call(self, h: Any, training: bool = False) -> Any:
            outputs = super().call(h, training)
            return outputs if training else outputs * tf.where(self.calls > 2.0, 0.0, 1.0)

    @dataclass(frozen=True)
    class Tiring(OnActivations):
        """Predicts twice, then fails when it is evaluated."""

        def layer(self, slot: Slot) -> Any:
            return TiringLayer() if slot.kind == "activation" else None

    with pytest.raises(ContractError, match=r"evaluate gives a loss of .*, the predictions give"):
        check_predicts_the_same_twice(Harness(Tiring(), MLP))


def test_every_check_has_a_saboteur() -> None:
    assert {check for _, check, _ in SABOTEURS} == {check.__name__.removeprefix("check_") for check in CHECKS}


@pytest.mark.slow
def test_noise_at_inference_is_found_in_the_numbers_and_in_the_graph() -> None:
    class Leaking(InTraining):
        """Perturbs at inference as well."""

        def call(self, inputs: Any, training: bool = False) -> Any:
            return self.perturb(inputs, self.generator)

    @dataclass(frozen=True)
    class AlwaysNoisy(OnActivations):
        """Adds noise in training and at inference."""

        def layer(self, slot: Slot) -> Any:
            return Leaking(self.perturb, slot.seed) if slot.kind == "activation" else None

        def perturb(self, h: Any, seed: Any) -> Any:
            return h + keras.random.normal(keras.ops.shape(h), seed=seed)

    messages = find_rejections(AlwaysNoisy())
    assert list(messages) == ["predicts_the_same_twice", "exports_clean"]
    assert "Random" in messages["exports_clean"]
