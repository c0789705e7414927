"""The zoo's cards as plain values, and the clashes that they list."""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable

from regzoo.cli.zoo_cards import describe_component, describe_zoo
from regzoo.core import backbones, regularizers

Draw = Callable[..., str]


ORDERED = {frozenset({"gradient_noise", "sam"})}
"""One changes the gradient that the other finds, so they clash in one order alone."""


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


def test_everything_is_described_as_json() -> None:
    described = json.loads(json.dumps(describe_zoo(), allow_nan=False))
    assert [card["name"] for card in described["regularizers"]] == list(regularizers())
    assert [card["name"] for card in described["backbones"]] == list(backbones())
    assert "{source: digits}" in described["sources"]


def test_two_clash_whichever_is_written_first_unless_the_order_matters() -> None:
    for one, other in itertools.combinations((kind() for kind in regularizers().values()), 2):
        warned = bool(one.warn_recipe([other])), bool(other.warn_recipe([one]))
        assert (sum(warned) == 1) is (frozenset({one.name, other.name}) in ORDERED), (one.name, other.name)
