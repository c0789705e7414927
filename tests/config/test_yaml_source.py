"""YAML: what is no config, duplicate keys, anchors and aliases."""

from __future__ import annotations

import pytest

from regzoo.config import ConfigError, read_config

GOOD = """\
name: digits
data: {source: digits}
backbone: mlp(widths=[8])
recipes:
  - dropout
"""


def problems(text: str) -> list[str]:
    """Return the lines of the error that ``text`` raises."""
    with pytest.raises(ConfigError) as caught:
        read_config(text, "c.yaml")
    return str(caught.value).split("\n")


def changed(key: str, value: str) -> str:
    """Return GOOD with ``key`` set to ``value``; the line of a new key is the last one."""
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    if key == "recipes":
        lines = lines[:3]
    return "\n".join([*lines, f"{key}: {value}", ""])


def test_duplicates_are_found_at_every_level() -> None:
    text = changed("training", "\n  epochs: 3\n  epochs: 4")
    assert problems(text) == ["c.yaml:8:3: training.epochs: is written twice, on lines 7 and 8; keep one"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "a config is made of keys and values, received nothing: the file is empty"),
        ("# only a comment\n", "1:1", "the file is empty"),
        ("- a\n", "1:1", "a config is made of keys and values, received a list"),
        ("digits\n", "1:1", "received the single value 'digits'"),
        ("a: [1,\n", "2:1", "not YAML: expected the node content"),
        ("a:\n\t- b\n", "2:1", "indent with spaces, not with tabs"),
        ("a: *b\n", "1:4", "not YAML: found undefined alias 'b'"),
        ("a: 'x\n", "2:1", "not YAML: found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n", "2:1", "not YAML: but found another document"),
        ("a:\n  \x07\n", "2:3", "not YAML: the character '\\x07' is not allowed"),
        ("[" * 5000, "1:1", "nested too deeply"),
        ("#" * 300_000, "1:1", "a config has at most 262144 characters, received 300000"),
    ],
)
def test_other_texts_give_one_line(text: str, place: str, message: str) -> None:
    (line,) = problems(text)
    assert line.startswith(f"c.yaml:{place}: ")
    assert message in line


def test_anchors_are_followed() -> None:
    text = changed("training", "{epochs: &few 3}") + "search: {trials: *few}\n"
    experiment = read_config(text)
    assert (experiment.training.epochs, experiment.search.trials) == (3, 3)


def test_aliases_cannot_multiply_or_loop() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    found = problems(bomb + GOOD.replace("  - dropout", "  - *a29") + "seed: &loop [*loop]\n")
    assert len(found) == 32  # 30 unknown keys, the recipe, the seed
    assert "recipes[0]: a recipe is text such as dropout(0.5) + l2, received a list" in found[-2]
