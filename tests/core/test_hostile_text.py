"""Recipes, backbones and values of any size, depth and content: read, or refused with a short sentence."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from typing import Any

import pytest

from regzoo.config import from_keywords, read_config
from regzoo.core import InputError, parse
from regzoo.core.grammar import DEEPEST, LONGEST_TEXT, read_value
from regzoo.core.parsing import read_backbone

HOSTILE = {
    "brackets": "[" * 5000,
    "closed brackets": "mlp(" + "[" * 4000 + "]" * 4000 + ")",
    "calls": "dropout(" * 1000 + ")" * 1000,
    "open calls": "mlp(" * 2000,
    "long word": "x" * 10**7,
    "long sum": "dropout + " * 10**5 + "l2",
    "long choice": "l2(" + "1|" * 10**5 + "2)",
    "long list": "mlp([" + "4," * 10**5 + "4])",
    "digits": "l2(" + "1" * 9000 + ")",
    "digits in a list": "mlp([" + "1" * 9000 + "])",
    "too large": "l2(1e999999)",
    "too large below zero": "l2(-1e999999)",
    "too large in a range": "l2(1e-9..1e999)",
    "too long in a range": "l2(0..1" + "0" * 5000 + ")",
    "schedule": "dropout(linear(1e999, 0, epochs=1" + "0" * 5000 + "))",
    "NUL": "dropout\0",
    "NUL in a list": "mlp([4\0])",
    "surrogate": "dropout\udcff",
    "escape": "\x1b[31mdropout",
}


def read_key(key: str, text: str) -> Any:
    """Read a config whose ``key`` is ``text``."""
    return from_keywords(**{"backbone": "mlp", "recipes": ["none"], key: text})


READERS: dict[str, Callable[[str], Any]] = {
    "recipe": parse,
    "backbone": read_backbone,
    "value": read_value,
    "config backbone": lambda text: from_keywords(backbone=text, recipes=["none"]),
    "config recipes": lambda text: from_keywords(backbone="mlp", recipes=[text]),
    "config number": lambda text: from_keywords(backbone="mlp", recipes=["none"], training={"learning_rate": text}),
    "YAML": lambda text: read_config(f"backbone: {json.dumps(text)}\nrecipes: [{json.dumps(text)}]\n"),
    **{
        f"config {key}": functools.partial(read_key, key)
        for key in ("name", "replicates", "seed", "budget", "run_limit", "rope", "rank_by", "task", "data", "split")
    },
}


@pytest.mark.parametrize("reader", list(READERS))
@pytest.mark.parametrize("name", list(HOSTILE))
def test_hostile_text_is_refused_with_a_short_sentence(name: str, reader: str) -> None:
    with pytest.raises(InputError) as raised:
        READERS[reader](HOSTILE[name])
    lines = str(raised.value).splitlines()
    assert max(map(len, lines)) < LONGEST_TEXT + 1000


@pytest.mark.parametrize(
    "value", [10**400, -(10**400), 10**5000, float("nan"), float("inf"), -float("inf")], ids=range(6)
)
@pytest.mark.parametrize("key", ["replicates", "seed", "budget", "run_limit", "rope", "placebo"])
def test_numbers_that_are_none(key: str, value: float) -> None:
    with pytest.raises(InputError, match=key):
        from_keywords(backbone="mlp", recipes=["none"], **{key: value})


def test_what_people_write_is_read_still() -> None:
    assert read_value("[" * DEEPEST + "]" * DEEPEST) is not None
    assert read_value("1" * 40) == int("1" * 40)
    assert str(parse("max_norm(1e308)"))
    deepest = "[" * (DEEPEST + 1)
    with pytest.raises(InputError, match=f"expected at most {DEEPEST} brackets inside one another at column"):
        read_value(deepest)
