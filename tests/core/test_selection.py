"""Selections of layers: words, patterns, what is printed reads back, which regularizers take one."""

from __future__ import annotations

import dataclasses
import inspect
from typing import Any

import numpy as np
import pytest

from regzoo.core import InputError, OnActivations, OnWeights, Regularizer, parse, regularizers
from regzoo.core.component import get_specs
from regzoo.core.places import AtLayers
from regzoo.core.selection import (
    KINDS_BY_CLASS,
    LAYER_KINDS,
    WORDS,
    LayerPlace,
    LayerSelection,
    describe_layers,
    explain_missing,
    get_layer_kind,
    read_label,
)
from regzoo.regularizers import L1L2, L2, Dropout, LabelSmoothing

NAMES = (
    "conv_1",
    "dense",
    "a b",
    "base/conv*",
    "block_?",
    "it's",
    'say "hi"',
    "[!x]_1",
    "a|b",
    "x(1), y=2",
    "1.5",
    "été",
)
PLACES = [
    LayerPlace("conv_0", "conv", ("norm_0", "relu_0")),
    LayerPlace("conv_0", "conv"),
    LayerPlace("base/conv_1", "conv"),
    LayerPlace("scale"),
    LayerPlace("dense", "dense"),
    LayerPlace("head", "dense"),
]


def draw_selection(draw: np.random.Generator) -> LayerSelection:
    words = [word for word in WORDS if draw.random() < 0.3]
    patterns = [name for name in NAMES if draw.random() < 0.2]
    return LayerSelection.make(words or ["dense"], patterns)


@pytest.mark.parametrize("name", sorted(regularizers()))
def test_every_regularizer_takes_a_selection_or_refuses_it(name: str) -> None:
    """Those of activations and weights, and weight_decay, print and read back what they are narrowed to."""
    kind: type[Regularizer] = regularizers()[name]
    required = f"{kind.requires_recipe} + " if kind.requires_recipe else ""
    if not issubclass(kind, OnActivations | OnWeights) and name != "weight_decay":
        for field in ("on", "exclude"):
            with pytest.raises(InputError, match=rf"^{name}: {field}= is for regularizers that act on activations"):
                parse(f"{required}{name}({field}=dense)")
        return
    assert issubclass(kind, AtLayers)
    draw = np.random.default_rng(0)
    for _ in range(20):
        chosen: dict[str, Any] = {field: draw_selection(draw) for field in ("on", "exclude") if draw.random() < 0.7}
        written = kind(**chosen)
        recipe = parse(str(written))
        assert str(recipe) == str(written)
        assert recipe.regularizers == (written,)
        assert hash(recipe) == hash(parse(str(recipe)))
        assert (written == kind()) is not bool(chosen)
        assert (recipe.structure() == parse(name).structure()) is not bool(chosen)
        assert (
            eval(repr(written), {kind.__name__: kind, **vars(__import__("regzoo.core", fromlist=["Float"]))}) == written
        )


@pytest.mark.parametrize("name", sorted(regularizers()))
def test_without_a_selection_nothing_changes(name: str) -> None:
    """Text, order of arguments and structure are what they were before there were selections."""
    kind: type[Regularizer] = regularizers()[name]
    fields = [field for field in dataclasses.fields(kind) if field.name not in ("on", "exclude")]
    own = [field.name for field in fields if not field.kw_only]
    assert list(get_specs(kind))[: len(fields)] == own + [field.name for field in fields if field.kw_only]
    positional = [p.name for p in inspect.signature(kind).parameters.values() if p.kind != p.KEYWORD_ONLY]
    assert positional == own
    assert str(kind()) == name
    assert not {"on", "exclude"} & {entry[0] for entry in str_structure(kind())}
    assert not any(f"{mark}{field}=" in kind().to_full_text() for mark in "( " for field in ("on", "exclude"))


def str_structure(regularizer: Regularizer) -> list[tuple[str, ...]]:
    from regzoo.core import Recipe

    if regularizer.requires_recipe or not regularizer.in_graph:
        return []
    return [entry for _, *fields in Recipe((regularizer,)).structure() for entry in fields]


@pytest.mark.parametrize(
    ("regularizer", "written"),
    [
        (Dropout(0.5, on="dense"), "dropout(0.5, on=dense)"),
        (Dropout(on="dense"), "dropout(on=dense)"),
        (Dropout(0.5, on="last|conv"), "dropout(0.5, on=conv|last)"),
        (Dropout(on=["first", "conv_1", "conv", "conv"]), "dropout(on=conv|first|'conv_1')"),
        (Dropout(on="'dense'"), "dropout(on='dense')"),
        (Dropout(on='"it\'s"'), 'dropout(on="it\'s")'),
        (Dropout(on=["'dense'"]), "dropout(on='dense')"),
        (L1L2(0.1, 0.2, exclude="embedding"), "l1_l2(l1=0.1, l2=0.2, exclude=embedding)"),
        (L2(0.1, exclude="a*|b*", on="conv"), "l2(0.1, on=conv, exclude='a*'|'b*')"),
        (L2(on=LayerSelection(("dense",))), "l2(on=dense)"),
    ],
)
def test_it_prints_as_a_person_would_write_it(regularizer: Regularizer, written: str) -> None:
    assert str(regularizer) == written
    assert parse(written).regularizers == (regularizer,)


@pytest.mark.parametrize(
    "value", [3, "", " ", "conv|", [], ["conv", 3], "a'b", "''", "tab\there", ["a'b\"c"], {"conv": 1}]
)
def test_what_names_no_layer_is_refused(value: Any) -> None:
    with pytest.raises(InputError, match=r"^dropout: on "):
        Dropout(on=value)


def test_in_python_too_it_is_refused_where_it_cannot_act() -> None:
    with pytest.raises(TypeError, match="on"):
        LabelSmoothing(0.1, on="dense")


@pytest.mark.parametrize(
    ("selection", "chosen"),
    [
        ("conv", [0, 1, 2]),
        ("first", [0, 1]),
        ("last", [5]),
        ("first|last", [0, 1, 5]),
        ("dense", [4, 5]),
        ("'dense'", [4]),
        ("recurrent", []),
        ("conv_1", [2]),
        ("base/conv_1", [2]),
        ("base", [2]),
        ("base/*", [2]),
        ("*conv*", [0, 1, 2]),
        ("relu_0", [0]),
        ("Dense|'?ead'", [5]),
        ("[!c]*|scale", [2, 3, 4, 5, 0]),
        ("CONV_0", []),
    ],
)
def test_words_and_patterns_select_places(selection: str, chosen: list[int]) -> None:
    found = LayerSelection.of(selection).select(PLACES)
    assert [number for number, each in enumerate(found) if each] == sorted(chosen)
    assert LayerSelection.of(selection).select([]) == []


def test_selections_of_different_kinds_are_apart_in_any_model() -> None:
    of = LayerSelection.of
    assert of("conv|embedding").is_apart(of("dense"))
    for one, other in (("conv", "conv|dense"), ("conv", "first"), ("conv", "'x'"), ("first", "last")):
        assert not of(one).is_apart(of(other))


def test_a_layer_has_the_kind_of_its_nearest_base_class() -> None:
    assert get_layer_kind(["Mine", "LSTM", "RNN", "Layer"]) == "recurrent"
    assert get_layer_kind(["Mine", "Layer"]) is None
    assert set(KINDS_BY_CLASS.values()) == set(LAYER_KINDS)


def test_messages_name_what_is_there() -> None:
    assert describe_layers(PLACES) == "conv (conv_0, base/conv_1), other (scale), dense (dense, head)"
    assert describe_layers([LayerPlace(f"d_{n}") for n in range(14)]).endswith("d_11, and 2 more)")
    assert explain_missing(LayerSelection.of("conv_9"), PLACES) == " Did you mean 'conv_1'?"
    assert explain_missing(LayerSelection.of("dens"), PLACES) == " Did you mean 'dense'?"
    assert explain_missing(LayerSelection.of("recurent"), PLACES) == " Did you mean recurrent, without quotes?"
    assert explain_missing(LayerSelection.of("attention"), PLACES).startswith(" Layers: conv (conv_0")


def test_labels_are_what_a_recipe_writes() -> None:
    assert read_label("l2[conv, exclude='a.b']") == ("l2", "on=conv, exclude='a.b'")
    with pytest.raises(InputError, match="received 'l2"):
        read_label("l2[conv].x")
