"""Recipes: sums, text form, search space, and which recipes share a traced program."""

from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from regzoo.core import Float, InputError, Int, Linear, Recipe, parse
from regzoo.regularizers import L2, BatchNorm, Dropout, EarlyStopping, Ensemble


def test_a_sum_keeps_its_order_and_changes_nothing() -> None:
    first, second = Dropout(0.5), L2(1e-4)
    recipe = first + second
    assert recipe == parse("dropout(0.5) + l2(0.0001)")
    assert [regularizer.name for regularizer in recipe] == ["dropout", "l2"]
    assert recipe + Ensemble(2) == first + (second + Ensemble(2))
    assert (first + second).regularizers == (first, second) == recipe.regularizers
    assert second + first != recipe
    assert recipe.parts == recipe.regularizers
    with pytest.raises(FrozenInstanceError):
        recipe.regularizers = ()


def test_the_empty_recipe_is_the_neutral_element() -> None:
    none = Recipe()
    assert (str(none), parse("none"), parse(" none ")) == ("none", none, none)
    assert none + Dropout(0.5) == Dropout(0.5) + none == Recipe((Dropout(0.5),))


def test_what_a_user_may_hand_over() -> None:
    wanted = Recipe((Dropout(0.5),))
    assert Recipe.of("dropout(0.5)") == Recipe.of(Dropout(0.5)) == Recipe.of(wanted) == wanted


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        (
            "l2 + dropout + l2(0.1)",
            "a recipe holds each regularizer once, received l2 2 times; keep one, or let each act at layers of its "
            "own, such as l2(on=conv) + l2(on=dense)",
        ),
        (
            "ensemble(2) + ensemble(3)",
            "a recipe holds each regularizer once, received ensemble 2 times; keep one",
        ),
        ("none + l2", "none is the empty recipe: it takes no values and is not summed, received 'none + l2'"),
        ("none(0.5)", "none is the empty recipe: it takes no values and is not summed, received 'none(0.5)'"),
        ("l2 + dropuot", "there is no regularizer 'dropuot'. Did you mean 'dropout'?"),
        (0.5, "a recipe is text such as 'dropout(0.5) + l2', received 0.5"),
    ],
)
def test_what_is_no_recipe_is_refused(text: str, reason: str) -> None:
    with pytest.raises(InputError) as raised:
        parse(text)
    assert str(raised.value) == reason


def test_space_is_what_is_left_to_the_search() -> None:
    recipe = parse("dropout(0.1..0.5) + l2 + batch_norm(0.9) + early_stopping(7)")
    space = recipe.space()
    assert {name: where for name, (where, _) in space.items()} == {
        "dropout.rate": Float(0.1, 0.5),
        "l2.strength": Float(1e-6, 1e-2),
    }
    assert [spec.log for _, spec in space.values()] == [False, True]
    assert parse("ensemble").space() == parse("dropout(0.5) + mc_dropout").space() == {}  # budgets
    assert parse("ensemble(2..10)").space()["ensemble.members"][0] == Int(2, 10)
    assert parse("dropout(linear(0.5, 0, epochs=2))").space() == {}


def test_fixed_puts_numbers_in_place_of_ranges() -> None:
    recipe = parse("dropout + l2(0.1) + early_stopping")
    assert str(recipe.with_strengths({"dropout.rate": 0.3, "early_stopping.patience": 4.0})) == (
        "dropout(0.3) + l2(0.1) + early_stopping(4)"
    )
    assert recipe.with_strengths({"dropout.rate": 0.3, "early_stopping.patience": 4}).space() == {}
    with pytest.raises(InputError, match=r"dropout: rate must lie in \[0, 1\], received 2"):
        recipe.with_strengths({"dropout.rate": 2, "early_stopping.patience": 4})


def test_dials_are_the_numbers_that_the_graph_reads() -> None:
    recipe = parse("dropout(linear(0.5, 0, epochs=2)) + l1_l2(0.1, 0.2) + early_stopping(3) + ensemble(2)")
    assert recipe.dials() == {"dropout.rate": Linear(0.5, 0.0, epochs=2), "l1_l2.l1": 0.1, "l1_l2.l2": 0.2}


@pytest.mark.parametrize(
    ("first", "second", "shared"),
    [
        ("dropout(0.1)", "dropout(0.7)", True),
        ("dropout", "dropout(linear(0.5, 0, epochs=2))", True),
        ("none", "early_stopping(3)", True),
        ("none", "ensemble(3)", True),
        ("dropout + ensemble(2) + early_stopping(5, 0.1)", "dropout(0.2)", True),
        ("none", "dropout(0.0)", False),
        ("dropout + l2", "l2 + dropout", False),
        ("l1", "l2", False),
        ("dropout", "activation_noise", False),
    ],
)
def test_structure_decides_which_programs_are_shared(first: str, second: str, shared: bool) -> None:
    assert (parse(first).structure() == parse(second).structure()) is shared
    assert (parse(first).structure() in {parse(second).structure(): None}) is shared  # it keys a dictionary


def test_clashes_of_pairs_in_any_order() -> None:
    assert "shifts the variance" in (Dropout(0.5) + BatchNorm(0.9)).clashes()[0]
    assert "shifts the variance" in (BatchNorm(0.9) + Dropout(0.5)).clashes()[0]
    assert (L2(0.1) + EarlyStopping(3)).clashes() == []


TWICE = "dropout(0.1..0.3, on=conv) + l2(0.1, on='head') + dropout(0.5, on=dense)"


def test_a_regularizer_may_stand_twice_and_each_has_strengths_of_its_own() -> None:
    recipe = parse(TWICE)
    assert str(recipe) == TWICE
    assert [name for name, _ in recipe.items()] == ["dropout[conv]", "l2", "dropout[dense]"]
    assert [name for name, _ in parse(f"{TWICE} + l2(0.2, exclude='head', on=last)").items()] == [
        "dropout[conv]",
        "l2['head']",
        "dropout[dense]",
        "l2[last, exclude='head']",
    ]
    assert list(recipe.space()) == ["dropout[conv].rate"]
    fixed = recipe.with_strengths({"dropout[conv].rate": 0.2})
    assert str(fixed) == TWICE.replace("0.1..0.3", "0.2")
    assert fixed.dials() == {"dropout[conv].rate": 0.2, "l2.strength": 0.1, "dropout[dense].rate": 0.5}
    assert fixed.structure() == recipe.structure() != parse("dropout(on=conv) + l2(on='head')").structure()
    assert recipe == parse(str(recipe).replace("conv", "conv | conv"))


def test_once_it_keeps_its_name_however_it_is_narrowed() -> None:
    recipe = parse("dropout(on=conv|'x', exclude=first) + l2(0.1)")
    assert [name for name, _ in recipe.items()] == ["dropout", "l2"]
    assert list(recipe.space()) == ["dropout.rate"]


@pytest.mark.parametrize(
    "text",
    [
        "dropout(0.1) + dropout(0.2, on=dense)",
        "dropout(0.1, on=dense|conv) + dropout(0.2, on=conv|dense)",
        "l2(exclude=dense) + l2(exclude=dense)",
        "dropout(0.1, on=conv) + dropout(0.1, on=dense) + dropout",
    ],
)
def test_two_that_must_overlap_are_refused_at_once(text: str) -> None:
    with pytest.raises(InputError, match="keep one, or let each act at layers of its own"):
        parse(text)


def test_clashes_know_what_is_narrowed() -> None:
    """Dropout that no batch norm follows shifts nothing; two normalizations of different layers are not two."""
    for text in (
        "dropout(0.1, on=dense) + batch_norm(0.9, on=conv)",
        "dropout(0.1, on=last) + batch_norm(0.9)",
        "batch_norm(0.9, on=conv) + layer_norm(on=dense)",
        "batch_norm(0.9, on=conv) + batch_norm(0.9, on=dense)",
    ):
        assert parse(text).clashes() == [], text
    for text in (
        "dropout(0.1, on=conv) + batch_norm(0.9, on=dense)",
        "batch_norm(0.9, on=conv) + layer_norm(on=first)",
    ):
        assert len(parse(text).clashes()) == 1, text
