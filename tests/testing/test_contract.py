"""The contract: every regularizer of the zoo keeps it, and `regzoo.check_regularizer` reports what breaks it."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import (
    Float,
    InputError,
    OnActivations,
    OnBatch,
    OnLoss,
    OnWeights,
    Penalty,
    Projection,
    Regularizer,
    Slot,
    Strength,
    Tensor,
    Weight,
    backbones,
    parse,
    regularizers,
    setting,
    strength,
)
from regzoo.core.layers import InTraining
from regzoo.core.places import IN_GRAPH
from regzoo.testing import (
    CHECKS,
    ContractError,
    Harness,
    check_regularizer,
    equal_weights,
    fix_strengths,
    parametrize_with_checks,
    shrink_backbone,
)
from regzoo.training.model.build import build_model
from regzoo.training.task import Task

IMAGES, ROWS = (8, 8, 1), (5,)
NAMES = sorted(regularizers())
ZOO = [regularizers()[name]() for name in NAMES]
PAIRS = [(name, backbone) for name in NAMES for backbone in sorted(backbones())]


@pytest.mark.slow
@parametrize_with_checks(ZOO)
def test_the_zoo_keeps_the_contract(regularizer: Regularizer, check: Callable[[Regularizer], None]) -> None:
    check(regularizer)


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_neutral_is_the_baseline_bit_for_bit(name: str) -> None:
    """This is stricter than the law, which allows rounding: the zoo shows none."""
    harness = Harness(regularizers()[name]())
    neutral = harness.regularizer.neutral()
    if neutral is None or not isinstance(neutral, IN_GRAPH):
        return  # regularizers of the training loop act outside the program, norms have no neutral strength
    program = harness.get_program(harness.base + neutral)  # that of the recipe, unless its strength is no dial
    harness.train(harness.recipe)
    dialed = harness.train(harness.base + neutral, program=program)
    assert program.traces == 1
    baseline = harness.train(harness.base)
    assert dialed.keys() == baseline.keys()
    assert equal_weights(dialed, baseline)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backbone"), PAIRS)
def test_it_trains_on_every_backbone_that_has_a_place_for_it(name: str, backbone: str) -> None:
    """On the others it is rejected by an error that names what is missing."""
    regularizer = fix_strengths(regularizers()[name]())
    recipe = parse(regularizer.requires_recipe or "none") + regularizer
    shape = IMAGES if backbone in ("cnn", "resnet", "autoencoder") or "images" in regularizer.requires else ROWS
    try:
        model = build_model(shrink_backbone(backbone), recipe, Task("classification", 3), shape)
    except InputError as error:
        message = str(error)
        assert re.search(r"finds no place to act|needs", message), message
        assert any(regularizer.name in message for regularizer in recipe), message
        return
    model.compile(optimizer=keras.optimizers.SGD(0.01))
    random = np.random.default_rng(0)
    loss, logits = model.update(random.normal(size=(6, *shape)).astype(np.float32), np.arange(6) % 3)
    assert logits.shape[1] == 3
    assert np.isfinite(float(loss))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_ten_laws_ten_checks() -> None:
    assert len(CHECKS) == len({check.__name__ for check in CHECKS}) == 10


@dataclass(frozen=True)
class MaxNorm(OnWeights):
    """Scales each unit's weights back to a norm of at most ``limit``."""

    limit: Strength = strength(Float(0.1, 0.4), neutral=None, domain="(0, inf)")
    axis: int = setting(0, domain="[0, 3]")

    def rule(self, weight: Weight) -> Projection | None:
        """Project each kernel."""
        return Projection(self.project) if weight.kernel else None

    def project(self, w: Any) -> Any:
        """Return w with the norm of every column at most the limit."""
        length = tf.sqrt(tf.reduce_sum(tf.square(w), axis=self.axis, keepdims=True))
        return w * tf.minimum(1.0, self.limit / tf.maximum(length, keras.config.epsilon()))


@dataclass(frozen=True)
class Softened(OnLoss, OnActivations):
    """Acts in two places and keeps the laws in both."""

    share: Strength = strength(Float(0.1, 0.5), neutral=0.0, domain="[0, 1)")

    def loss(self, y: Any, logits: Any, per_example: Any) -> Any:
        """Add a confidence penalty."""
        return per_example + self.share * tf.reduce_sum(tf.nn.softmax(logits) * tf.nn.log_softmax(logits), -1)

    def layer(self, slot: Slot) -> Any:
        """Add noise at the input slot."""
        return InTraining(self.perturb, slot.seed) if slot.kind == "input" else None

    def perturb(self, h: Any, seed: Any) -> Any:
        """Add noise to h."""
        return h + self.share * keras.random.normal(keras.ops.shape(h), seed=seed)


@dataclass(frozen=True)
class DoublyWrong(OnWeights):
    """Penalizes at its neutral strength, and prints as another regularizer."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Penalty | None:
        """Penalize each kernel, also at strength 0."""
        return Penalty(lambda w: (self.strength + 0.01) * tf.reduce_sum(tf.square(w))) if weight.kernel else None

    def __str__(self) -> str:
        return "l2"


@dataclass(frozen=True)
class Homeless(Regularizer):
    """Declares no place."""


@dataclass(frozen=True)
class Idle(OnWeights):
    """Accepts no weight."""

    def rule(self, weight: Weight) -> None:
        """Leave every weight alone."""
        return


@pytest.mark.parametrize("own", [MaxNorm(), pytest.param(Softened(0.2), marks=pytest.mark.slow)], ids=str)
def test_a_good_regularizer_passes_quietly(own: Regularizer, capfd: pytest.CaptureFixture[str]) -> None:
    regzoo.check_regularizer(own)
    assert capfd.readouterr() == ("", "")


def test_every_broken_law_is_listed() -> None:
    with pytest.raises(ContractError) as raised:
        check_regularizer(DoublyWrong(0.1))
    assert str(raised.value).splitlines() == [
        "doubly_wrong breaks the contract",
        "  does nothing at neutral: l2 trains other weights than none does",
        "  is spelled and bounded: it prints as 'l2', which cannot be read: there is no regularizer 'l2'. "
        "Available: doubly_wrong.",
    ]


def test_acting_nowhere_names_the_backbone() -> None:
    with pytest.raises(
        ContractError,
        match=r"idle: acts where it says: idle finds no place to act in mlp\(\[7, 6\]\): it would do nothing",
    ):
        check_regularizer(Idle(), "mlp([7, 6])")
    with pytest.raises(ContractError, match="idle: acts where it says: idle finds no place to act in"):
        check_regularizer(Idle())


def test_a_class_without_a_place_is_rejected() -> None:
    with pytest.raises(ContractError, match="homeless: acts where it says: it declares no place: subclass OnBatch"):
        check_regularizer(Homeless())


@pytest.mark.parametrize("value", [MaxNorm, "dropout(0.5)", None])
def test_anything_but_an_instance_is_rejected(value: Any) -> None:
    with pytest.raises(InputError, match="takes an instance such as Dropout"):
        check_regularizer(value)


class Undecorated(OnBatch):
    """Is not a dataclass."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
        """Return the batch; never called."""
        return x, y


@dataclass(frozen=True)
class Raising(OnBatch):
    """Raises an error."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
        """Multiply matrices of incompatible shapes."""
        return tf.matmul(x, y), y


@dataclass(frozen=True)
class Unruly(OnWeights):
    """Returns a function instead of a rule."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Any:
        """Return the function of a penalty, but no Penalty."""
        return lambda w: self.strength * tf.reduce_sum(w)


@dataclass(frozen=True)
class Lumped(OnLoss):
    """Returns one loss for the whole batch, which sample weights cannot weight."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """Return the mean loss."""
        return tf.reduce_mean(per_example) + self.strength


@pytest.mark.parametrize(
    ("own", "kind", "reason"),
    [
        (Undecorated(), InputError, r"undecorated: write @dataclass\(frozen=True\) above class Undecorated"),
        (Raising(0.1), ContractError, "raising raised InvalidArgumentError: .*Matrix size-incompatible"),
        pytest.param(
            Unruly(0.1),
            ContractError,
            r"acts where it says: rule\(\) returns <function .*: none of those in regzoo",
            marks=pytest.mark.slow,
        ),
        pytest.param(
            Lumped(0.1), ContractError, r"loss\(\) returns shape \(\) for a batch of 24", marks=pytest.mark.slow
        ),
    ],
    ids=["undecorated", "raising", "unruly", "lumped"],
)
def test_every_kind_of_mistake_is_reported(own: Regularizer, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        check_regularizer(own)


def test_a_field_needs_a_declaration() -> None:
    @dataclass(frozen=True)
    class Plain(OnBatch):
        """Has a plain dataclass field."""

        share: float = 0.5

        def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
            """Return the batch; never called."""
            return x, y

    with pytest.raises(TypeError, match=r"Plain\.share must be declared by strength\(\.\.\.\) or setting"):
        Plain()


def test_equal_weights_compares_bits() -> None:
    one = np.float32(1)
    assert equal_weights({"w": np.array([one])}, {"w": np.array([one]), "other": np.array([2.0])})
    assert not equal_weights({"w": np.array([one])}, {"w": np.array([np.nextafter(one, np.float32(2))])})
