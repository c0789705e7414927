"""The contract over the whole folder, and for each of its checks a saboteur that this check alone rejects."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.contract import CHECKS, Bench, ContractError, check_regularizer, same, small
from regzoo.language import (
    AfterTraining,
    Float,
    Gradients,
    InputError,
    Objective,
    OnActivations,
    OnBatch,
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
    backbones,
    regularizers,
    setting,
    strength,
)
from regzoo.language.layers import InTraining
from regzoo.language.regularizer import IN_GRAPH

Check = Callable[[Bench], None]
PAIRS = [(name, backbone) for name in sorted(regularizers()) for backbone in sorted(backbones())]


@functools.cache
def baseline(backbone: str) -> dict[Any, Any]:
    """The traced baseline of a backbone: the same for every regularizer, and half of the time."""
    bench = Bench(regularizers()["l2"](), backbone)
    return {Recipe().structure(): bench.program(Recipe())}


def bench_for(regularizer: Regularizer, backbone: str) -> Bench:
    """A bench that does not trace the baseline again."""
    bench = Bench(regularizer, backbone)
    bench._programs |= baseline(backbone)
    return bench


@functools.cache
def bench_of(name: str, backbone: str) -> Bench:
    """One bench for all checks of a pair: its programs are traced once."""
    return bench_for(regularizers()[name](), small(backbone))


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize(("name", "backbone"), PAIRS)
def test_the_zoo_keeps_the_contract(name: str, backbone: str, check: Check) -> None:
    check(bench_of(name, backbone))


@pytest.mark.parametrize(("name", "backbone"), PAIRS)
def test_neutral_is_the_baseline_bit_for_bit(name: str, backbone: str) -> None:
    """Stricter than the law, which allows rounding: for the zoo none is seen."""
    bench = bench_of(name, backbone)
    neutral = bench.regularizer.neutral()
    if neutral is None or not isinstance(neutral, IN_GRAPH):
        assert name in ("batch_norm", "early_stopping", "ensemble")
        return
    program = bench.program(bench.recipe)
    bench.trained(bench.recipe)
    dialled = bench.trained(Recipe((neutral,)), program=program)
    assert program.traces == 1
    baseline = bench.trained(Recipe())
    assert dialled.keys() == baseline.keys()
    assert same(dialled, baseline)


def test_eight_laws_eight_checks() -> None:
    assert len(CHECKS) == len({check.__name__ for check in CHECKS}) == 8


# --- saboteurs: each is wrong in one way -------------------------------------------------------------------------


@dataclass(frozen=True)
class SilentlyUndeclared(OnLoss):
    """Overrides what belongs to a place that it does not declare."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """Twice the loss."""
        return 2.0 * per_example

    def gradients(self, compute: Gradients, weights: list[Any]) -> list[Any]:
        """Never called."""
        return compute()


@dataclass(frozen=True)
class Homeless(Regularizer):
    """Declares no place at all."""


@dataclass(frozen=True)
class Traceless(OnLoss):
    """Acts, and to no effect."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """The loss, as it was."""
        return per_example


@dataclass(frozen=True)
class MovingPenalty(OnWeights):
    """A penalty that moves the weight it should only look at."""

    def rule(self, weight: Weight) -> Penalty | None:
        """Shrink the kernel while the loss is computed."""
        return Penalty(lambda w: tf.reduce_sum(tf.square(w.assign(0.9 * w)))) if weight.kernel else None


@dataclass(frozen=True)
class MovingGradients(OnGradients):
    """Noise on the weights that it leaves there."""

    def gradients(self, compute: Gradients, weights: list[Any]) -> list[Any]:
        """Move, then differentiate."""
        for weight in weights:
            weight.assign(1.01 * weight)
        return compute()


@dataclass(frozen=True)
class Watchless(OnTraining):
    """Returns no watcher."""

    def watch(self, objective: Objective) -> Watcher:
        """Nothing that could watch."""
        return None  # type: ignore[return-value]


@dataclass(frozen=True)
class Countless(AfterTraining):
    """Wants no model trained."""

    def trainings(self) -> int:
        """None at all."""
        return 0

    def finish(self, models: Any) -> Any:
        """Nothing to finish."""
        return models[0]


@dataclass(frozen=True)
class Headless(AfterTraining):
    """Finishes a model that predicts something else."""

    def trainings(self) -> int:
        """One."""
        return 1

    def finish(self, models: Any) -> Any:
        """The first class only."""
        return lambda x: models[0](x)[:, :1]


@dataclass(frozen=True)
class NeverNeutral(OnWeights):
    """Still penalizes at its neutral strength."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Penalty | None:
        """A penalty with an offset."""
        return Penalty(lambda w: (self.strength + 0.01) * tf.reduce_sum(tf.square(w))) if weight.kernel else None


class ReinitializingLayer(keras.Layer):
    """Changes how the layer before it starts, as data-dependent initializations do."""

    def __call__(self, h: Any, **kwargs: Any) -> Any:
        """Reach for the layer that made ``h``."""
        if isinstance(h, keras.KerasTensor):
            h._keras_history.operation.kernel_initializer = keras.initializers.Orthogonal(seed=0)
        return super().__call__(h, **kwargs)

    def call(self, h: Any) -> Any:
        """Leave h alone."""
        return h


@dataclass(frozen=True)
class Reinitializing(OnActivations):
    """Shifts the initial weights of layers that are not its own."""

    def layer(self, slot: Slot) -> Any:
        """Before each nonlinearity."""
        return ReinitializingLayer() if slot.kind == "preactivation" else None


@dataclass(frozen=True)
class Widening(OnActivations):
    """Doubles the width, so the next layer is another one."""

    def layer(self, slot: Slot) -> Any:
        """[h, h] after each activation."""
        return Doubled() if slot.kind == "activation" else None


class Doubled(keras.Layer):
    """h beside itself."""

    def call(self, h: Any) -> Any:
        """(batch, units) to (batch, 2 units)."""
        return keras.ops.concatenate([h, h], axis=-1)


@dataclass(frozen=True)
class Unseeded(OnBatch):
    """Draws from the process's stream."""

    def batch(self, x: Any, y: Any, seed: Any) -> Any:
        """Noise without a seed."""
        return x + 0.5 * tf.random.normal(tf.shape(x)), y


@dataclass(frozen=True)
class ConstantlySeeded(OnBatch):
    """Draws the same noise in every run."""

    def batch(self, x: Any, y: Any, seed: Any) -> Any:
        """Noise with a seed of its own choice."""
        return x + 0.5 * keras.random.normal(keras.ops.shape(x), seed=7), y


class RestlessLayer(keras.Layer):
    """Its inference depends on the clock."""

    def call(self, h: Any, training: bool = False) -> Any:
        """Half of h in training; at inference h and a little more."""
        return 0.5 * h if training else h * tf.cast(1.0 + tf.timestamp() % 1.0, h.dtype)


@dataclass(frozen=True)
class Restless(OnActivations):
    """Predicts something else every time."""

    def layer(self, slot: Slot) -> Any:
        """After each activation."""
        return RestlessLayer() if slot.kind == "activation" else None


@dataclass(frozen=True)
class Misspelled(OnLoss):
    """Prints as something else."""

    scale: Strength = strength(Float(0.1, 0.5), neutral=1.0, domain="[0, inf)")

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """A share of the loss."""
        return self.scale * per_example

    def __str__(self) -> str:
        return "misspelled(scale=1.5)"


class Unreadable(Misspelled):
    """Prints as nothing that can be read."""

    def __str__(self) -> str:
        return f"{self.name}({self.scale} of the loss)"


@dataclass(frozen=True)
class Unbounded(OnLoss):
    """Checks nothing when constructed."""

    scale: Strength = strength(Float(0.1, 0.5), neutral=1.0, domain="[0, inf)")

    def __post_init__(self) -> None:
        """Leave the fields as they came."""

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """A share of the loss."""
        return self.scale * per_example


class Speechless(Unbounded):
    """Refuses, and does not say what."""

    def __post_init__(self) -> None:
        """Refuse in one word."""
        if isinstance(self.scale, float) and not self.scale >= 0:
            raise InputError("no")


@dataclass(frozen=True)
class Baked(OnActivations):
    """Reads its dial once, when it is built."""

    rate: Strength = strength(Float(0.2, 0.6), neutral=None, domain="[0, 1)")

    def layer(self, slot: Slot) -> Any:
        """A factor that no dial turns."""
        share = 1.0 - float(self.rate)
        return InTraining(lambda h, seed: share * h, slot.seed) if slot.kind == "activation" else None


class CountingLayer(keras.Layer):
    """Counts its calls, at inference too."""

    def build(self, shape: Any) -> None:
        """A counter."""
        self.calls = self.add_weight(shape=(), initializer="zeros", trainable=False, name="calls")

    def call(self, h: Any, training: bool = False) -> Any:
        """Count, and halve h in training."""
        self.calls.assign(self.calls + 1.0)
        return 0.5 * h if training else h


@dataclass(frozen=True)
class Counting(OnActivations):
    """Leaves an assignment in the inference graph."""

    def layer(self, slot: Slot) -> Any:
        """After each activation."""
        return CountingLayer() if slot.kind == "activation" else None


def rejections(saboteur: Regularizer) -> dict[str, str]:
    """What each check that rejects it says."""
    bench, found = bench_for(saboteur, "mlp([7, 6])"), {}
    for check in CHECKS:
        try:
            check(bench)
        except ContractError as error:
            found[check.__name__.removeprefix("check_")] = str(error)
    return found


@pytest.mark.parametrize(
    ("saboteur", "check", "reason"),
    [
        (SilentlyUndeclared(), "acts_where_it_says", "has a method 'gradients' and does not declare OnGradients"),
        (Traceless(), "acts_where_it_says", "traceless trains the very weights that none does: it leaves no trace"),
        (
            MovingPenalty(),
            "acts_where_it_says",
            "at learning rate 0 it moved dense_0/kernel, dense_1/kernel, head/kern",
        ),
        (MovingGradients(), "acts_where_it_says", "at learning rate 0 it moved"),
        (Watchless(), "acts_where_it_says", "watch() returns no Watcher"),
        (Countless(), "acts_where_it_says", "trainings() must be a whole number from 1, received 0"),
        (Headless(), "acts_where_it_says", "finish() returns a model with outputs (24, 1)"),
        (NeverNeutral(), "does_nothing_at_neutral", "never_neutral(0.0) trains other weights than none does"),
        (Reinitializing(), "starts_like_the_baseline", "shifts the initial weights of layers that are not its own"),
        (Widening(), "starts_like_the_baseline", "shifts the initial weights of layers that are not its own"),
        (Unseeded(), "repeats_with_its_seed", "it draws from a stream that is not its own"),
        (ConstantlySeeded(), "repeats_with_its_seed", "its random draws do not depend on the seed it is given"),
        (Restless(), "predicts_the_same_twice", "two predictions of the same rows differ"),
        (Misspelled(), "is_spelled_and_bounded", "prints as 'misspelled(scale=1.5)', which reads as Misspelled(scale"),
        (Unreadable(), "is_spelled_and_bounded", "prints as 'unreadable(0.3 of the loss)', which cannot be read"),
        (Unbounded(), "is_spelled_and_bounded", "it accepts scale=-inf outside [0, inf): "),
        (
            Speechless(),
            "is_spelled_and_bounded",
            "the refusal of scale=-inf does not say ['scale', '-inf', '[0, inf)']",
        ),
        (Baked(), "dial_equals_fresh_build", "dialling baked(0.4) to baked(0.3) gives other weights than building"),
        (Counting(), "exports_clean", "the inference graph still holds AssignVariableOp"),
    ],
    ids=lambda value: value.name if isinstance(value, Regularizer) else "",
)
def test_each_saboteur_is_rejected_by_its_check_alone(saboteur: Regularizer, check: str, reason: str) -> None:
    found = rejections(saboteur)
    assert list(found) == [check], found
    assert reason in found[check]


def test_every_check_has_a_saboteur() -> None:
    (mark,) = [
        mark
        for mark in test_each_saboteur_is_rejected_by_its_check_alone.pytestmark  # type: ignore[attr-defined]
        if mark.name == "parametrize"
    ]
    assert {check for _, check, _ in mark.args[1]} == {check.__name__.removeprefix("check_") for check in CHECKS}


# --- regzoo.check_regularizer, for people who write their own ----------------------------------------------------


@dataclass(frozen=True)
class MaxNorm(OnWeights):
    """Scales back each unit's weights to a length of at most ``limit``."""

    limit: Strength = strength(Float(0.1, 0.4), neutral=None, domain="(0, inf)")
    axis: int = setting(0, domain="[0, 3]")

    def rule(self, weight: Weight) -> Projection | None:
        """A projection of each kernel."""
        return Projection(self.project) if weight.kernel else None

    def project(self, w: Any) -> Any:
        """Return w with columns no longer than the limit."""
        length = tf.sqrt(tf.reduce_sum(tf.square(w), axis=self.axis, keepdims=True))
        return w * tf.minimum(1.0, self.limit / tf.maximum(length, keras.config.epsilon()))


@dataclass(frozen=True)
class Softened(OnLoss, OnActivations):
    """Acts in two places, and keeps the laws in both."""

    share: Strength = strength(Float(0.1, 0.5), neutral=0.0, domain="[0, 1)")

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """A confidence penalty."""
        return per_example + self.share * tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits), -1)

    def layer(self, slot: Slot) -> Any:
        """Noise on the input slot."""
        noise = lambda h, seed: h + self.share * keras.random.normal(keras.ops.shape(h), seed=seed)  # noqa: E731
        return InTraining(noise, slot.seed) if slot.kind == "input" else None


@dataclass(frozen=True)
class DoublyWrong(OnWeights):
    """Not neutral at its neutral strength, and prints as something else."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Penalty | None:
        """A penalty with an offset."""
        return Penalty(lambda w: (self.strength + 0.01) * tf.reduce_sum(tf.square(w))) if weight.kernel else None

    def __str__(self) -> str:
        return "l2"


@dataclass(frozen=True)
class Idle(OnWeights):
    """Accepts no weight."""

    def rule(self, weight: Weight) -> None:
        """Leave every weight alone."""
        return


@pytest.mark.parametrize("own", [MaxNorm(), Softened(0.2)], ids=str)
def test_a_good_regularizer_of_ones_own_passes_quietly(own: Regularizer, capfd: pytest.CaptureFixture[str]) -> None:
    assert regzoo.check_regularizer(own) is None
    assert capfd.readouterr() == ("", "")


def test_every_broken_law_is_listed() -> None:
    with pytest.raises(ContractError) as raised:
        check_regularizer(DoublyWrong(0.1))
    assert str(raised.value).splitlines() == [
        "doubly_wrong breaks the contract",
        "  does nothing at neutral: l2 trains other weights than none does",
        "  is spelled and bounded: it prints as 'l2', which cannot be read: there is no regularizer 'l2'. "
        "There is: doubly_wrong.",
    ]


def test_acting_nowhere_names_the_backbone() -> None:
    with pytest.raises(
        ContractError,
        match=r"idle: acts where it says: idle finds no place to act in mlp\(\[7, 6\]\): it would do nothing",
    ):
        check_regularizer(Idle(), "mlp([7, 6])")
    with pytest.raises(ContractError, match="idle: acts where it says: idle finds no place to act in"):
        check_regularizer(Idle())


def test_a_class_that_declares_no_place_is_told_so() -> None:
    with pytest.raises(ContractError, match="homeless: XX"):
        check_regularizer(Homeless())


def test_noise_at_inference_is_seen_in_the_numbers_and_in_the_graph() -> None:
    class Leaking(InTraining):
        """Perturbs at inference as well."""

        def call(self, inputs: Any, training: bool = False) -> Any:
            """Always."""
            return self.perturb(inputs, self.generator)

    @dataclass(frozen=True)
    class AlwaysNoisy(OnActivations):
        """Noise that never stops."""

        def layer(self, slot: Slot) -> Any:
            noise = lambda h, seed: h + keras.random.normal(keras.ops.shape(h), seed=seed)  # noqa: E731
            return Leaking(noise, slot.seed) if slot.kind == "activation" else None

    found = rejections(AlwaysNoisy())
    assert list(found) == ["predicts_the_same_twice", "exports_clean"]
    assert "Random" in found["exports_clean"]


def test_same_compares_bits() -> None:
    one = np.float32(1)
    assert same({"w": np.array([one])}, {"w": np.array([one]), "other": np.array([2.0])})
    assert not same({"w": np.array([one])}, {"w": np.array([np.nextafter(one, np.float32(2))])})
