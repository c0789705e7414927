"""The text of ``recipe.json``: sealed by a digest of its own, which notices every change."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from regzoo.core import InputError
from regzoo.export.recipe_file import is_unchanged_json, read_recipe_json, seal_recipe_json

VALUES: dict[str, Any] = {"recipe": "l2(0.1)", "metrics": {"nll": 0.1 + 0.2, "n": 10**17}, "labels": ["ä", "\x7f"]}


def check(text: str) -> bool:
    return is_unchanged_json(json.loads(text), text)


def test_what_was_sealed_is_read_again_unchanged(tmp_path: Path) -> None:
    (tmp_path / "recipe.json").write_text(seal_recipe_json(VALUES), encoding="utf-8")
    values, text = read_recipe_json(tmp_path)
    assert list(values) == ["version", *VALUES, "digest"]
    assert {key: values[key] for key in VALUES} == VALUES
    assert is_unchanged_json(values, text)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("l2(0.1)", "l2(0.2)"),
        ("\n", "\n\n"),
        ("0.30000000000000004", "0.3"),
        ("0.30000000000000004", "0.300000000000000044"),
        ("\\u00e4", "ä"),
        ('"version": 2', '"version": 3'),
        ('"version": 2,\n', ""),
        ('"digest"', '"Digest"'),
    ],
)
def test_each_change_is_noticed(old: str, new: str) -> None:
    text = seal_recipe_json(VALUES)
    assert old in text
    assert check(text)
    assert not check(text.replace(old, new, 1))


def test_a_key_that_was_added_is_noticed() -> None:
    values = json.loads(seal_recipe_json(VALUES))
    assert not check(json.dumps({**values, "notes": "mine"}, indent=2) + "\n")
    assert not check(seal_recipe_json(VALUES).replace("{\n", '{\n  "notes": "mine",\n', 1))


def test_of_format_1_only_the_layout_is_known() -> None:
    assert check(json.dumps(VALUES, indent=2) + "\n")
    assert not check(json.dumps(VALUES))


def test_numbers_that_json_does_not_have_are_never_written() -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        seal_recipe_json({"a": float("nan")})


def test_a_missing_file_is_reported(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"recipe.json: cannot be read: No such file"):
        read_recipe_json(tmp_path)
