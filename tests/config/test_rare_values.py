"""``data.rare``: both keys, checked, written back; wrong ones refused with their line."""

from __future__ import annotations

import pytest

from regzoo.config import ConfigError, read_config
from regzoo.config.reader import from_keywords
from regzoo.core.errors import InputError
from regzoo.data.rare_classes import RareClasses

CONFIG = "name: t\ndata:\n  source: wine\n  rare: {rare}\nbackbone: mlp([4])\nrecipes: [none]\n"


def read(rare: str) -> RareClasses | None:
    experiment = read_config(CONFIG.replace("{rare}", rare))
    again = read_config(experiment.to_yaml())
    assert again == experiment
    return again.data.rare


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("{below: 5, do: drop}", RareClasses(5, "drop")),
        ("{do: merge, below: 12}", RareClasses(12, "merge")),
        ("\n    below: 5\n    do: drop", RareClasses(5, "drop")),
        ("null", None),
    ],
)
def test_both_keys_are_read_and_written(text: str, expected: RareClasses | None) -> None:
    assert read(text) == expected


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{below: 5}", r"lacks do; it takes \{below: 5, do: drop\} or \{below: 5, do: merge\}"),
        ("{do: drop}", "lacks below"),
        ("{below: 1, do: drop}", r"below takes a whole number in \[2, inf\), received 1"),
        ("{below: 2.5, do: drop}", r"below takes a whole number in \[2, inf\), received 2.5"),
        ("{below: 5, do: delete}", "do takes one of drop, merge, received delete"),
        ("{below: 5, do: drp, unter: 3}", "no key 'unter' in it.*; do takes one of drop, merge.*Did you mean 'drop'"),
        ("{below: 5, do: {a: b}}", "do takes one of drop, merge"),
        ("drop", r"takes \{below: 5, do: drop\} or .*, received drop"),
        ("[5, drop]", r"takes \{below: 5, do: drop\} or .*, received a list"),
        ("{below: 5, below: 6, do: drop}", "data.rare.below: is written twice"),
    ],
)
def test_wrong_values_are_refused(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=rf"config.yaml:4:\d+: .*{message}"):
        read(text)


def test_it_is_a_keyword_next_to_arrays() -> None:
    rare = {"below": 5, "do": "merge"}
    assert from_keywords(backbone="mlp([4])", recipes=["none"], rare=rare).data.rare == RareClasses(5, "merge")
    with pytest.raises(InputError, match="rare: goes with x and y; with data=, it is a key there"):
        from_keywords(backbone="mlp([4])", recipes=["none"], rare=rare, data={"source": "wine"})
