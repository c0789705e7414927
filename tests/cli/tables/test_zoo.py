"""The tables of the zoo and its cards: everything can be looked up, and nothing is left out."""

from __future__ import annotations

import inspect
import re
from collections.abc import Callable

import pytest

from regzoo.cli.tables.zoo import make_card, make_zoo_tables
from regzoo.cli.zoo_cards import describe_component
from regzoo.core import InputError, backbones, parse, places, regularizers

Draw = Callable[..., str]


def list_labels(draw: Draw, name: str) -> list[str]:
    """The labels of a card's entries on the terminal, in order: words in the first column of its table."""
    return re.findall(r"^(\w+(?: on)?) {2,}\S", draw(make_card(name), width=2000), re.MULTILINE)


@pytest.mark.parametrize("name", list(regularizers()))
def test_the_card_of_each_regularizer_shows_how_to_write_it(draw: Draw, name: str) -> None:
    card = describe_component(name)
    assert card["name"] == name
    assert card["places"] == places(regularizers()[name]())
    assert [field["name"] for field in card["fields"]][: len(regularizers()[name]().strengths())] == list(
        regularizers()[name]().strengths()
    )
    assert name in [regularizer.name for regularizer in parse(card["example"])]
    assert "https://" in card["reference"]
    assert card["does"].endswith(".")
    text = draw(make_card(name))
    for words in (name, card["reference"].split(", http")[0], *(field["domain"] for field in card["fields"])):
        assert words in text


@pytest.mark.parametrize("name", list(regularizers()))
def test_the_card_of_each_regularizer_has_every_part(draw: Draw, name: str) -> None:
    card = describe_component(name)
    found = list_labels(draw, name)
    optional = {
        "strengths": bool(card["fields"]),
        "layers": "activations" in card["places"] or "weights" in card["places"] or name == "weight_decay",
        "needs": bool(card["needs"]),
        "departure": bool(card["departure"]),
    }
    order = ["formula", "strengths", "acts on", "layers", "needs", "cost", "clashes", "raises"]
    order += ["reference", "departure", "example"]
    assert found == [label for label in order if optional.get(label, True)]
    assert card["kind"] == "regularizer"
    assert all(card[key] for key in ("does", "formula", "places", "cost", "reference", "errors", "example"))
    for field in card["fields"]:
        assert field["means"].endswith(".")
        assert field["domain"]
        assert {"range", "neutral"} <= field.keys() or "default" in field
    assert card["trainings"] == sorted(card["trainings"])
    # Nothing that the docstring says is left out.
    texts = "".join(str(value) for value in card.values())
    documentation = inspect.getdoc(regularizers()[name]) or ""
    for word in re.findall(r"\w{4,}", documentation.split(">>>")[0]):
        assert word in texts or word in ("Formula", "Args", "Raises", "InputError", "Reference", "Departure", "Cost")


@pytest.mark.parametrize("name", list(backbones()))
def test_the_card_of_each_backbone_has_every_part(draw: Draw, name: str) -> None:
    card = describe_component(name)
    optional = {
        "fields": bool(card["fields"]),
        "raises": bool(card["errors"]),
        "reference": bool(card["reference"]),
        "departure": bool(card["departure"]),
    }
    order = ["fields", "slots", "raises", "reference", "departure", "example"]
    assert list_labels(draw, name) == [label for label in order if optional.get(label, True)]
    assert card["example"].startswith(name)
    assert all(field["means"] and field["domain"] for field in card["fields"])


def test_what_a_training_costs(draw: Draw) -> None:
    """Passes through the model, the baseline's being 1, times the models that are trained."""
    cards = {name: draw(make_card(name)) for name in ("dropout", "sam", "adversarial", "ensemble", "mc_dropout")}
    assert "as the baseline's training\n" in re.sub(" +\n", "\n", cards["dropout"])
    assert "2 times the baseline's training: two passes" in cards["sam"]
    assert "2.33 times the baseline's training" in cards["adversarial"]
    assert "5 times the baseline's training: a prediction takes `members` passes" in cards["ensemble"]
    assert "as the baseline's training: `samples` forward passes for a prediction" in cards["mc_dropout"]
    assert [describe_component(name)["cost"] for name in cards] == [1.0, 2.0, 2.333, 1.0, 1.0]
    assert [describe_component(name)["trainings"] for name in ("dropout", "ensemble")] == [[1, 1], [5, 5]]


@pytest.mark.parametrize("name", list(backbones()))
def test_the_card_of_each_backbone_shows_its_defaults(draw: Draw, name: str) -> None:
    card = describe_component(name)
    text = draw(make_card(name))
    for field in card["fields"]:
        assert str(field["default"]) in text
        assert field["domain"] in text


def test_the_tables_list_everything(draw: Draw) -> None:
    text = draw(make_zoo_tables())
    for name in (*regularizers(), *backbones(), "{csv: path, target: column}", "0.05..0.7"):
        assert name in text


def test_an_unknown_name_is_refused() -> None:
    for ask in (describe_component, make_card):
        with pytest.raises(InputError, match=r"the zoo has no 'droput'\. Did you mean 'dropout'\?"):
            ask("droput")


def test_a_card_names_the_clashes(draw: Draw) -> None:
    assert any("dropout shifts the variance" in sentence for sentence in describe_component("batch_norm")["clashes"])
    assert set(describe_component("dropout")["clashes"]) <= set(describe_component("batch_norm")["clashes"])
    assert any(
        "give the backbone activation=selu" in sentence for sentence in describe_component("alpha_dropout")["clashes"]
    )
    assert any("add one of dropout" in sentence for sentence in describe_component("mc_dropout")["clashes"])
    assert "clashes    adversarial and mixup alter the same inputs" in draw(make_card("mixup"), width=1000)
