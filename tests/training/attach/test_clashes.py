"""Clashes of a recipe with what a user's model has of its own: one warning, and it trains."""

from __future__ import annotations

import warnings
from typing import Any

import keras
import pytest

from regzoo.core.errors import ClashWarning
from regzoo.training.attach.attach import attach

L = keras.layers


def make_model(*hidden: Any, activation: str = "relu", **options: Any) -> keras.Model:
    first = L.Dense(5, activation, name="first", **options)
    return keras.Sequential([keras.Input((5,)), first, *hidden, L.Dense(3, "softmax")])


def norm() -> list[keras.Layer]:
    return [L.Dense(5), L.BatchNormalization(name="norm"), L.ReLU()]


@pytest.mark.parametrize(
    ("recipe", "hidden", "options", "sentence"),
    [
        (
            "dropout(0.5)",
            norm,
            {},
            r"dropout comes before 1 BatchNormalization layer \(norm\) of your model and shifts",
        ),
        ("dropout(0.5, on=first)", norm, {}, "dropout comes before 1 BatchNormalization"),
        ("alpha_dropout(0.1)", list, {}, "alpha_dropout keeps the mean and variance of selu alone"),
        ("l2(0.1)", list, {"kernel_regularizer": "l1"}, "^l2 in addition to .* of its own: an L1 penalty on 1 weight$"),
        ("weight_decay(0.1) + l2(0.1)", list, {"bias_regularizer": "l2"}, "weight_decay and l2 in addition .* L2"),
        (
            "max_norm(1.0)",
            list,
            {"kernel_constraint": "unit_norm"},
            "^max_norm in .*: a UnitNorm constraint on 1 weight",
        ),
        ("activity_l2(0.1)", list, {"activity_regularizer": "l2"}, ": a penalty on the outputs of first$"),
        ("proximal_group_lasso(0.1)", list, {"kernel_regularizer": "l1"}, "^proximal_group_lasso in addition to .* L1"),
        ("weight_standardization", list, {"kernel_constraint": "unit_norm"}, "^weight_standardization in .* UnitNorm"),
        (
            "batch_norm(0.9)",
            lambda: [
                L.Dropout(0.5, name="drop"),
                L.GaussianNoise(0.1),
                L.Dense(5, "relu"),
                L.Dropout(0.5, name="last"),
            ],
            {},
            r"^batch_norm comes after 1 Dropout layer \(drop\) of your model, and the variance shifts",
        ),
        ("layer_norm", norm, {}, r"^layer_norm in addition to .*: 1 BatchNormalization layer \(norm\)$"),
        ("dropout(0.5) + batch_norm(0.9)", list, {}, r"dropout shifts the variance that the next layer's batch_norm"),
    ],
)
def test_a_clash_is_warned_of_once(recipe: str, hidden: Any, options: Any, sentence: str) -> None:
    with pytest.warns(ClashWarning, match=sentence) as caught:
        attach(recipe, make_model(*hidden(), **options))
    assert len(caught) == 1


@pytest.mark.parametrize(
    ("recipe", "model"),
    [
        ("dropout(0.5)", lambda: make_model(L.Dropout(0.5))),  # more of the same, and said in `own_layers`
        ("dropout(0.5, on=last)", lambda: make_model(*norm())),
        ("l2(0.1)", lambda: make_model(*norm())),
        ("batch_norm(0.9)", lambda: make_model(L.Dropout(0.5))),  # no hidden layer comes behind
        ("batch_norm(0.9, on=first)", lambda: make_model(L.Dropout(0.5), L.Dense(5, "relu"))),
        ("batch_norm(0.9)", lambda: make_model(L.Dropout(0.0), L.GaussianNoise(0.5), L.Dense(5, "relu"))),
        ("alpha_dropout(0.1)", lambda: make_model(activation="selu")),
        ("none", lambda: make_model(*norm(), kernel_regularizer="l2")),
    ],
)
def test_what_goes_well_together_is_not_warned_of(recipe: str, model: Any) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        attach(recipe, model())


def test_a_frozen_batch_norm_learns_no_statistics() -> None:
    model = make_model(*norm())
    model.layers[2].trainable = False
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        attach("dropout(0.5)", model)
    assert not [each for each in caught if each.category is ClashWarning]
