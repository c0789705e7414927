"""Cards: everything in the zoo can be looked up, and the tables show what they were given."""

from __future__ import annotations

import inspect
import io
import itertools
import json
import re
from typing import Any

import pytest
from rich.console import Console

from regzoo.cli.tables.failures import make_failures_table
from regzoo.cli.tables.plan import make_plan_table
from regzoo.cli.tables.zoo import make_card, make_zoo_tables
from regzoo.cli.zoo_cards import describe_component, describe_zoo
from regzoo.core import InputError, backbones, parse, places, regularizers
from regzoo.training.records import Record, Run


def shown(what: Any, width: int = 200) -> str:
    console = Console(file=io.StringIO(), width=width)
    console.print(what)
    assert isinstance(console.file, io.StringIO)
    return console.file.getvalue()


@pytest.mark.parametrize("name", list(regularizers()))
def test_the_card_of_each_regularizer_says_how_to_write_it(name: str) -> None:
    card = describe_component(name)
    assert card["name"] == name
    assert card["places"] == places(regularizers()[name]())
    assert [field["name"] for field in card["fields"]][: len(regularizers()[name]().strengths())] == list(
        regularizers()[name]().strengths()
    )
    assert name in [part.name for part in parse(card["example"])]
    assert "https://" in card["reference"]
    assert card["does"].endswith(".")
    text = shown(make_card(name))
    for words in (name, card["reference"].split(", http")[0], *(field["domain"] for field in card["fields"])):
        assert words in text


def labels(name: str) -> list[str]:
    """The labels of the parts of a card on the terminal, in order: words in the first column of its table."""
    return re.findall(r"^(\w+(?: on)?) {2,}\S", shown(make_card(name), width=2000), re.MULTILINE)


@pytest.mark.parametrize("name", list(regularizers()))
def test_the_card_of_each_regularizer_has_every_part(name: str) -> None:
    card = describe_component(name)
    found = labels(name)
    optional = {
        "strengths": bool(card["fields"]),
        "needs": bool(card["needs"]),
        "departure": bool(card["departure"]),
    }
    order = ["formula", "strengths", "acts on", "needs", "cost", "clashes", "refuses"]
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
    told = "".join(str(value) for value in card.values())
    for word in re.findall(r"\w{4,}", inspect.getdoc(regularizers()[name]).split(">>>")[0]):
        assert word in told or word in ("Formula", "Args", "Raises", "InputError", "Reference", "Departure", "Cost")


@pytest.mark.parametrize("name", list(backbones()))
def test_the_card_of_each_backbone_has_every_part(name: str) -> None:
    card = describe_component(name)
    optional = {
        "fields": bool(card["fields"]),
        "refuses": bool(card["errors"]),
        "reference": bool(card["reference"]),
        "departure": bool(card["departure"]),
    }
    order = ["fields", "slots", "refuses", "reference", "departure", "example"]
    assert labels(name) == [label for label in order if optional.get(label, True)]
    assert card["example"].startswith(name)
    assert all(field["means"] and field["domain"] for field in card["fields"])


def test_what_a_training_costs() -> None:
    """Passes through the model, the baseline's being 1, times the models that are trained."""
    told = {name: shown(make_card(name)) for name in ("dropout", "sam", "adversarial", "ensemble", "mc_dropout")}
    assert "as the baseline's training\n" in re.sub(" +\n", "\n", told["dropout"])
    assert "2 times the baseline's training: two passes" in told["sam"]
    assert "2.33 times the baseline's training" in told["adversarial"]
    assert "2 to 10 times the baseline's training: `members` passes for a prediction" in told["ensemble"]
    assert "as the baseline's training: `samples` forward passes for a prediction" in told["mc_dropout"]
    assert [describe_component(name)["cost"] for name in told] == [1.0, 2.0, 2.333, 1.0, 1.0]
    assert [describe_component(name)["trainings"] for name in ("dropout", "ensemble")] == [[1, 1], [2, 10]]


@pytest.mark.parametrize("name", list(backbones()))
def test_the_card_of_each_backbone_says_its_defaults(name: str) -> None:
    card = describe_component(name)
    text = shown(make_card(name))
    for field in card["fields"]:
        assert str(field["default"]) in text
        assert field["domain"] in text


def test_a_strength_has_its_range_and_a_setting_its_default() -> None:
    assert describe_component("dropout")["fields"] == [
        {
            "name": "rate",
            "means": "probability of zero, in [0, 1]; 0 does nothing.",
            "domain": "[0, 1]",
            "range": "0.05..0.7",
            "log": False,
            "neutral": 0.0,
        }
    ]
    setting = describe_component("early_stopping")["fields"][1]
    assert (setting["name"], setting["domain"], setting["default"]) == ("min_delta", "[0, inf)", 0.0)
    assert "range" not in setting
    assert describe_component("l2")["fields"][0]["log"] is True


def test_the_catalogue_is_everything_as_json() -> None:
    catalogue = json.loads(json.dumps(describe_zoo(), allow_nan=False))
    assert [card["name"] for card in catalogue["regularizers"]] == list(regularizers())
    assert [card["name"] for card in catalogue["backbones"]] == list(backbones())
    assert "{source: digits}" in catalogue["sources"]


def test_the_listing_names_everything() -> None:
    text = shown(make_zoo_tables())
    for name in (*regularizers(), *backbones(), "{csv: path, target: column}", "0.05..0.7"):
        assert name in text


def test_an_unknown_name_is_refused() -> None:
    for ask in (describe_component, make_card):
        with pytest.raises(InputError, match=r"the zoo has no 'droput'\. Did you mean 'dropout'\?"):
            ask("droput")


def test_the_table_of_a_plan() -> None:
    recipe = {
        "name": "dropout[x]",
        "trials": 4,
        "replicates": 5,
        "models_per_run": 3,
        "cost": 7 / 3,
        "space": {"a.b": "0.1..0.5"},
    }
    described = {"runs": 9, "epochs": 540, "folds": 1, "seconds": 12.4, "rank_by": "nll", "tuner": "random"}
    text = shown(make_plan_table({**described, "recipes": [{**recipe, "clashes": ["they clash [so]"]}]}))
    for words in (
        "dropout[x]",
        "2.33",
        "a.b 0.1..0.5",
        "9 runs, 540 epochs at most, about 12 s",
        "note: dropout[x]: they clash [so]",
    ):
        assert words in text


def test_the_table_of_failures_gives_the_reason() -> None:
    run = Run("trial", "dropout", "dropout(0.5)", 3, 1, 0.001, 60, "study")
    text = shown(make_failures_table([Record(run, "failed", error="ValueError: [bold]no[/bold]", fit_seconds=1.25)]))
    row = text.splitlines()[1].split()
    assert row[:6] == ["dropout(0.5)", "trial", "3", "failed", "0", "1.2"]
    assert "ValueError: [bold]no[/bold]" in text


ORDERED = {frozenset({"early_stopping", "ema"}), frozenset({"early_stopping", "swa"})}
"""Each puts its weights in place of those it finds, so they clash in one order alone."""


def test_two_clash_whichever_is_written_first_unless_the_order_matters() -> None:
    for one, other in itertools.combinations((kind() for kind in regularizers().values()), 2):
        said = bool(one.warn_recipe([other])), bool(other.warn_recipe([one]))
        assert (sum(said) == 1) is (frozenset({one.name, other.name}) in ORDERED), (one.name, other.name)


def test_a_card_names_the_clashes() -> None:
    assert any("dropout shifts the variance" in said for said in describe_component("batch_norm")["clashes"])
    assert set(describe_component("dropout")["clashes"]) <= set(describe_component("batch_norm")["clashes"])
    assert any("give the backbone activation=selu" in said for said in describe_component("alpha_dropout")["clashes"])
    assert any("add one of dropout" in said for said in describe_component("mc_dropout")["clashes"])
    assert "clashes    adversarial and mixup alter the same inputs" in shown(make_card("mixup"), width=1000)
