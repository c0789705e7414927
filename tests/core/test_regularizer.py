"""Regularizers: places and strengths."""

from __future__ import annotations

import pytest

from regzoo.core import Float, Linear, OnWeights, Recipe, Regularizer, parse, places
from regzoo.core.registry import regularizers
from regzoo.regularizers import L2, BatchNorm, Dropout, EarlyStopping, Ensemble


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("dropout", "activations"),
        ("activation_noise", "activations"),
        ("batch_norm", "activations"),
        ("gaussian_noise", "batch"),
        ("l1", "weights"),
        ("l2", "weights"),
        ("l1_l2", "weights"),
        ("weight_decay", "gradients"),
        ("early_stopping", "training"),
        ("ensemble", "after"),
    ],
)
def test_each_acts_at_its_place(name: str, place: str) -> None:
    assert places(regularizers()[name]()) == [place]


@pytest.mark.parametrize(
    ("text", "neutral"),
    [
        ("dropout(0.3)", "dropout(0.0)"),
        ("l1_l2(0.1, 0.2)", "l1_l2(l1=0.0, l2=0.0)"),
        ("ensemble(4)", "ensemble(1)"),
        ("batch_norm", "None"),
        ("early_stopping(3)", "None"),
    ],
)
def test_the_strength_at_which_it_does_nothing(text: str, neutral: str) -> None:
    assert str(parse(text).regularizers[0].neutral()) == neutral


def test_strengths_are_numbers_ranges_or_schedules() -> None:
    assert Dropout().ranges() == {"rate": Float(0.05, 0.7)}
    assert Dropout(0.5).ranges() == {}
    assert Dropout(Linear(0.5, 0, epochs=3)).dials() == {"rate": Linear(0.5, 0.0, epochs=3)}
    assert list(EarlyStopping(3).strengths()) == ["patience"]
    assert Ensemble(3).dials() == EarlyStopping(3).dials() == {}


def test_it_adds_up_with_recipes_and_its_like() -> None:
    assert Dropout(0.5) + L2(0.1) == Recipe((Dropout(0.5), L2(0.1)))
    assert Dropout(0.5) + (L2(0.1) + BatchNorm(0.9)) == parse("dropout(0.5) + l2(0.1) + batch_norm(0.9)")


def test_a_place_cannot_be_left_empty() -> None:
    class Nowhere(Regularizer):
        """Declares no place."""

    class Unfinished(OnWeights):
        """Declares a place and does not implement its method."""

    assert places(Nowhere()) == []
    with pytest.raises(TypeError, match=r"abstract method '?rule'?"):
        Unfinished()  # type: ignore[abstract]  # what is tested
