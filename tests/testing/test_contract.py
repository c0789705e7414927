"""The contract over the whole folder, and as `regzoo.check_regularizer` for people who write their own."""

from __future__ import annotations

import functools
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
    shrink_backbone,
)
from regzoo.training.model.build import build_model
from regzoo.training.task import Task

Check = Callable[[Harness], None]
IMAGES, ROWS = (8, 8, 1), (5,)
NAMES = sorted(regularizers())
PAIRS = [(name, backbone) for name in NAMES for backbone in sorted(backbones())]


@functools.cache
def make_harness(name: str) -> Harness:
    """One harness for all checks of a regularizer, on the fastest backbone that offers its place."""
    return Harness(regularizers()[name]())


@pytest.mark.slow
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("name", NAMES)
def test_the_zoo_keeps_the_contract(name: str, check: Check) -> None:
    check(make_harness(name))


@pytest.mark.slow
@pytest.mark.parametrize("name", NAMES)
def test_neutral_is_the_baseline_bit_for_bit(name: str) -> None:
    """Stricter than the law, which allows rounding: for the zoo none is seen."""
    harness = make_harness(name)
    neutral = harness.regularizer.neutral()
    if neutral is None or not isinstance(neutral, IN_GRAPH):
        return  # early stopping and its like act around the program, norms have no neutral strength
    program = harness.get_program(harness.recipe)
    harness.train(harness.recipe)
    dialled = harness.train(harness.base + neutral, program=program)
    assert program.traces == 1
    baseline = harness.train(harness.base)
    assert dialled.keys() == baseline.keys()
    assert equal_weights(dialled, baseline)


@pytest.mark.slow
@pytest.mark.parametrize(("name", "backbone"), PAIRS)
def test_it_trains_on_every_backbone_that_offers_its_place(name: str, backbone: str) -> None:
    """On the others it is refused in a sentence that names what is missing."""
    part = fix_strengths(regularizers()[name]())
    recipe = parse(part.requires_recipe or "none") + part
    shape = IMAGES if backbone in ("cnn", "resnet", "autoencoder") or "images" in part.requires else ROWS
    try:
        model = build_model(shrink_backbone(backbone), recipe, Task("classification", 3), shape)
    except InputError as refusal:
        said = str(refusal)
        assert re.search(r"finds no place to act|needs", said), said
        assert any(one.name in said for one in recipe), said
        return
    model.compile(optimizer=keras.optimizers.SGD(0.01))
    draw = np.random.default_rng(0)
    loss, logits = model.update(draw.normal(size=(6, *shape)).astype(np.float32), np.arange(6) % 3)
    assert logits.shape[1] == 3
    assert np.isfinite(float(loss))
    assert all(np.isfinite(weight).all() for weight in model.get_weights())


def test_nine_laws_nine_checks() -> None:
    assert len(CHECKS) == len({check.__name__ for check in CHECKS}) == 9


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
        return InTraining(self.perturb, slot.seed) if slot.kind == "input" else None

    def perturb(self, h: Any, seed: Any) -> Any:
        """Add noise to h."""
        return h + self.share * keras.random.normal(keras.ops.shape(h), seed=seed)


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
class Homeless(Regularizer):
    """Declares no place at all."""


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
    with pytest.raises(ContractError, match="homeless: acts where it says: it declares no place: subclass OnBatch"):
        check_regularizer(Homeless())


@pytest.mark.parametrize("what", [MaxNorm, "dropout(0.5)", None])
def test_what_is_no_regularizer_is_refused(what: Any) -> None:
    with pytest.raises(InputError, match="takes an instance such as Dropout"):
        check_regularizer(what)


class Undecorated(OnBatch):
    """No dataclass."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
        """Never called."""
        return x, y


@dataclass(frozen=True)
class Raising(OnBatch):
    """Cannot do what it wants to."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
        """Shapes that do not fit."""
        return tf.matmul(x, y), y


@dataclass(frozen=True)
class Unruly(OnWeights):
    """A function in place of a rule."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def rule(self, weight: Weight) -> Any:
        """What a penalty would be made of."""
        return lambda w: self.strength * tf.reduce_sum(w)


@dataclass(frozen=True)
class Lumped(OnLoss):
    """One number for the whole batch, which weights of examples could not weight."""

    strength: Strength = strength(Float(0.1, 0.2), neutral=0.0, domain="[0, inf)")

    def loss(self, y: Tensor, logits: Tensor, per_example: Tensor) -> Tensor:
        """The mean."""
        return tf.reduce_mean(per_example) + self.strength


@pytest.mark.parametrize(
    ("own", "kind", "reason"),
    [
        (Undecorated(), InputError, r"undecorated: write @dataclass\(frozen=True\) above class Undecorated"),
        (Raising(0.1), ContractError, "raising raised InvalidArgumentError: .*Matrix size-incompatible"),
        (Unruly(0.1), ContractError, r"acts where it says: rule\(\) returns <function .*: no Penalty, Projection"),
        (Lumped(0.1), ContractError, r"loss\(\) returns shape \(\) for a batch of 24"),
    ],
    ids=["undecorated", "raising", "unruly", "lumped"],
)
def test_what_is_wrong_is_said_whatever_it_is(own: Regularizer, kind: type[Exception], reason: str) -> None:
    with pytest.raises(kind, match=reason):
        check_regularizer(own)


def test_a_field_needs_a_declaration() -> None:
    @dataclass(frozen=True)
    class Plain(OnBatch):
        """A field as dataclasses have them."""

        share: float = 0.5

        def batch(self, x: Tensor, y: Tensor, seed: Any) -> tuple[Tensor, Tensor]:
            """Never called."""
            return x, y

    with pytest.raises(TypeError, match=r"Plain\.share must be declared by strength\(\.\.\.\) or setting"):
        Plain()


def test_same_compares_bits() -> None:
    one = np.float32(1)
    assert equal_weights({"w": np.array([one])}, {"w": np.array([one]), "other": np.array([2.0])})
    assert not equal_weights({"w": np.array([one])}, {"w": np.array([np.nextafter(one, np.float32(2))])})
