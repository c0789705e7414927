"""Every example in a docstring runs, and every regularizer says what its card promises."""

from __future__ import annotations

import dataclasses
import doctest
import importlib
import inspect
import re
from pathlib import Path

import pytest

import regzoo
from regzoo.core import Regularizer, backbones, regularizers

PACKAGE = Path(regzoo.__file__).parent
EXAMPLES = [
    ".".join(("regzoo", *path.relative_to(PACKAGE).with_suffix("").parts)).removesuffix(".__init__")
    for path in sorted(PACKAGE.rglob("*.py"))
    if re.search(r"^\s*>>> ", path.read_text(), re.MULTILINE)
]


@pytest.mark.parametrize("module", EXAMPLES)
def test_examples_run(module: str, tensorflow: None) -> None:
    result = doctest.testmod(importlib.import_module(module), raise_on_error=False)
    assert result.attempted > 0
    assert result.failed == 0


def test_examples_are_everywhere() -> None:
    assert {f"regzoo.regularizers.{name}" for name in regularizers()} <= set(EXAMPLES)
    assert {f"regzoo.backbones.{name}" for name in backbones()} <= set(EXAMPLES)


@pytest.mark.parametrize("name", sorted(regularizers()))
def test_a_regularizers_docstring_is_its_card(name: str) -> None:
    kind: type[Regularizer] = regularizers()[name]
    text = inspect.getdoc(kind) or ""
    first, _, rest = text.partition("\n")
    assert first.endswith(".")
    assert not rest or rest.startswith("\n")
    assert "Formula: " in text
    reference = " ".join(text[text.index("Reference: ") :].split("\n\n")[0].split())
    assert re.search(r"^Reference: .+ \d{4} \[\w+\], .*https://\S+", reference), reference
    assert f">>> from regzoo.regularizers import {kind.__name__}" in text
    assert "Raises:\n    InputError: " in text
    for field in dataclasses.fields(kind):
        assert re.search(rf"^    {field.name}: ", text, re.MULTILINE), field.name


@pytest.mark.parametrize("name", sorted(backbones()))
def test_a_backbones_docstring_names_its_slots(name: str) -> None:
    text = inspect.getdoc(backbones()[name]) or ""
    assert "\n\nSlots: " in text
    for field in dataclasses.fields(backbones()[name]):
        assert re.search(rf"^    {field.name}: ", text, re.MULTILINE), field.name
