"""Components: names from class names, text forms that parse back equal, typos."""

from __future__ import annotations

from dataclasses import FrozenInstanceError, dataclass
from typing import Any

import numpy as np
import pytest

from regzoo.core import Choice, Constant, Cosine, Float, InputError, Int, Linear, Regularizer, Step, backbones, parse
from regzoo.core.component import Component, construct, get_specs
from regzoo.core.fields import StrengthSpec
from regzoo.core.grammar import read_call
from regzoo.core.registry import regularizers
from regzoo.regularizers import L1L2, BatchNorm, Dropout, EarlyStopping

# Numbers of every size; each field takes those that lie in its domain.
NUMBERS = (0.0, 1e-300, 1e-06, 0.1, 1 / 3, 0.30000000000000004, 0.5, 0.999, 1.0, 2.0, 3.0, 17.0, 1e6, 123456.789)


def some_strength(spec: StrengthSpec, draw: np.random.Generator) -> Any:
    """Return a number, range, choice or schedule that the strength accepts."""
    inside = [n for n in NUMBERS if n in spec.domain and (not spec.integer or n == int(n))]
    low, high = sorted(draw.choice(inside, 2, replace=False).tolist())
    epochs = int(draw.integers(1, 40))
    options: list[Any] = [low, Int(int(low), int(high)) if spec.integer else Float(low, high), Choice((high, low))]
    if spec.dial and spec.schedule:
        options += [Constant(low), Linear(high, low, epochs), Cosine(low, high, epochs), Step(high, low, epochs)]
    return options[draw.integers(len(options))]


def some_recipe(draw: np.random.Generator) -> str:
    """Return the text of a sum of one to four different regularizers, each with some of its fields given.

    Sums that a regularizer rejects (Monte Carlo dropout without a dropout, for one) are drawn again.
    """
    kinds = regularizers()
    drawn: list[Regularizer] = []
    for name in draw.permutation(sorted(kinds))[: draw.integers(1, 5)].tolist():
        strengths = {f: s for f, s in get_specs(kinds[name]).items() if isinstance(s, StrengthSpec)}
        chosen = {f: some_strength(s, draw) for f, s in strengths.items() if draw.random() < 0.7}
        if name == "early_stopping" and draw.random() < 0.5:
            chosen["min_delta"] = 0.001
        drawn.append(kinds[name](**chosen))
    refused = any(one.reject_recipe([other for other in drawn if other is not one]) for one in drawn)
    return some_recipe(draw) if refused else " + ".join(map(str, drawn))


def test_what_is_printed_reads_back_equal() -> None:
    draw = np.random.default_rng(0)
    for _ in range(1000):
        text = some_recipe(draw)
        recipe = parse(text)
        assert str(recipe) == text
        assert parse(str(recipe)) == recipe
        assert hash(parse(str(recipe))) == hash(recipe)


@pytest.mark.parametrize(
    ("component", "written"),
    [
        (Dropout(), "dropout"),
        (Dropout(Float(0.05, 0.7)), "dropout"),
        (Dropout(0), "dropout(0.0)"),
        (Dropout(np.float64(0.1)), "dropout(0.1)"),
        (EarlyStopping(5), "early_stopping(5)"),
        (EarlyStopping(min_delta=0.5), "early_stopping(min_delta=0.5)"),
        (EarlyStopping(5, 0.5), "early_stopping(patience=5, min_delta=0.5)"),
        (L1L2(l2=0.1), "l1_l2(l2=0.1)"),
        (BatchNorm(Linear(0.9, 0.5, epochs=3)), "batch_norm(linear(0.9, 0.5, epochs=3))"),
    ],
)
def test_it_prints_as_a_person_would_write_it(component: Component, written: str) -> None:
    assert str(component) == written


def test_backbones_print_and_read_back() -> None:
    for text in ("mlp", "mlp([64])", "mlp(widths=[64, 32], activation=tanh)", "cnn(dense=7)", "cnn([3, 4])"):
        assert str(construct(read_call(text), backbones(), "backbone")) == text


def test_names_follow_from_class_names() -> None:
    @dataclass(frozen=True)
    class L1L2OnHTTPNoise3D(Component):
        """A name with everything in it."""

    assert L1L2OnHTTPNoise3D.name == "l1_l2_on_http_noise3_d"
    assert str(L1L2OnHTTPNoise3D()) == "l1_l2_on_http_noise3_d"


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("dropuot(0.5)", "there is no regularizer 'dropuot'. Did you mean 'dropout'?"),
        ("WeightDecay", "there is no regularizer 'WeightDecay'. Did you mean 'weight_decay'?"),
        ("dropout(rat=0.5)", "dropout has no field 'rat'. Did you mean 'rate'?"),
        ("dropout(p=0.5)", "dropout has no field 'p'. Available: exclude, on, rate."),
        ("dropout(0.5, 0.6)", "dropout takes at most 1 value, received 2"),
        ("l1_l2(1, 2, 3)", "l1_l2 takes at most 2 values, received 3"),
        ("dropout(0.5, rate=0.6)", "dropout received rate twice"),
        ("dropout(high)", "dropout: rate takes a number in [0, 1], received 'high'"),
        ("dropout([high])", "dropout: rate takes a number in [0, 1], received ['high']"),
        ("dropout(true)", "dropout: rate takes a number in [0, 1], received True"),
    ],
)
def test_a_typo_is_answered(text: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        construct(read_call(text), regularizers(), "regularizer")
    assert str(raised.value) == reason


def test_it_cannot_be_changed_and_copies_are_made_unchecked() -> None:
    dropout = Dropout(0.5)
    with pytest.raises(FrozenInstanceError):
        dropout.rate = 0.1
    dial = object()
    assert dropout.with_values(rate=dial).rate is dial
    assert dropout.rate == 0.5


def test_the_full_text_has_the_defaults_and_parses_back_equal() -> None:
    kind = backbones()["mlp"]
    text = kind().to_full_text()
    assert text == "mlp(widths=[256, 256], activation=relu, residual=false)"
    assert construct(read_call(text), backbones(), "backbone") == kind()
