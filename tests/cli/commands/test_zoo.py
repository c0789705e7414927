"""``regzoo zoo``: the list of everything, and one card."""

from __future__ import annotations

import json
from collections.abc import Callable

from regzoo.core import regularizers

Run = Callable[..., tuple[int, str, str]]


def test_zoo_lists_everything(run: Run) -> None:
    code, out, err = run("zoo")
    assert (code, err) == (0, "")
    for name in (*regularizers(), "mlp", "cnn", "{source: digits}"):
        assert name in out
    listed = json.loads(run("zoo", "--json")[1])
    assert [card["name"] for card in listed["regularizers"]] == list(regularizers())


def test_zoo_prints_a_card(run: Run) -> None:
    code, out, _ = run("zoo", "dropout")
    assert code == 0
    for words in ("formula    h m", "0.05..0.7", "acts on    activations", "reference  Srivastava", "[0, 1]"):
        assert words in out
    assert json.loads(run("zoo", "dropout", "--json")[1])["places"] == ["activations"]
    code, _, err = run("zoo", "droput")
    assert code == 2
    assert "Did you mean 'dropout'?" in err
