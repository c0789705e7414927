"""The model card: what it says is so, and its code runs."""

from __future__ import annotations

import re
from typing import Any

import pytest

from regzoo import api
from regzoo.comparison.ledger import Ledger
from regzoo.data.prepare import Preparation
from regzoo.export import card
from regzoo.export.formats import SAVED_MODEL, Format
from regzoo.export.verify import Parity


def rendered(finished: Any, form: Format = SAVED_MODEL, **changes: Any) -> str:
    with Ledger(finished.folder) as ledger:
        board = api.read_board(ledger, ledger.records())
        record, _ = ledger.weights(board.recipes[0].name)
        fields = vars(Preparation.from_json(ledger.noted("preparation"))) | changes
        study, proven = ledger.noted("study"), card.Proven(form, Parity(20, (1, 7), 0.0, True))
        return card.readme(record, board.recipes[0], board, study, Preparation(**fields), proven)


def code(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_its_code_serves_the_table(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The block of the card beside the model, run where the model is: it needs the user's ``table`` alone."""
    text = (finished.folder / "model" / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(finished.folder)
    space: dict[str, Any] = {"table": finished.table}
    exec(code(text), space)  # TensorFlow's own loading, no regzoo
    labels = [label.decode() for label in space["answers"]["label"].numpy()]
    assert set(labels) <= set(finished.table["kind"])
    assert len(labels) == len(finished.table)


def test_it_says_what_was_measured(finished: Any) -> None:
    text = (finished.folder / "model" / "README.md").read_text(encoding="utf-8")
    with Ledger(finished.folder) as ledger:
        board = api.read_board(ledger, ledger.records())
        record, _ = ledger.weights(board.recipes[0].name)
    assert f"# flowers: `{board.winner}`" in text
    test = record.metrics["test"]["nll"]
    assert test is not None
    assert re.search(rf"\| nll \|.*\| {test:.4g} \|", text)
    assert "best validation nll of 3" in text
    assert "answered 20 held-out raw rows at batch sizes\n1 and 7" in text
    assert "60 for training, 20 for validation and 20 for testing" in text
    assert "`mean_radius_m` (column `mean radius (µm)`)" in text
    assert "{{" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"columns": None}, ["rows=tf.constant(rows, tf.float32)", "`rows`, float32 (batch, 5)"]),
        (
            {"columns": None, "kind": "images", "input_shape": (8, 8, 1)},
            ["images=tf.constant(images, tf.float32)", "`images`, float32 (batch, 8, 8, 1)"],
        ),
        ({"task": "regression"}, ["`prediction`, (batch, 1), in the units of the data"]),
        ({"columns": ("a", "b")}, ["one float32 vector (batch,) for each column: `a`, `b`."]),
    ],
)
def test_it_says_how_to_call_it(changes: dict[str, Any], said: list[str], finished: Any) -> None:
    text = rendered(finished, **changes)
    compile(code(text), "card", "exec")
    for words in said:
        assert words in text


def test_numbers_that_are_not_known_are_dashes() -> None:
    assert [card._number(value) for value in (None, 0.123456, 12345.6)] == ["-", "0.1235", "1.235e+04"]


def test_recipe_json_holds_plain_numbers(finished: Any) -> None:
    with Ledger(finished.folder) as ledger:
        board = api.read_board(ledger, ledger.records())
        record, _ = ledger.weights(board.recipes[0].name)
        preparation = Preparation.from_json(ledger.noted("preparation"))
        study, proven = ledger.noted("study"), card.Proven(SAVED_MODEL, Parity(20, (1, 7), 0.0, True))
        described = card.recipe_json(record, [1, 2], board.recipes[0], study, preparation, proven)
    assert described["member_seeds"] == [1, 2]
    assert described["interval"] == [board.recipes[0].low, board.recipes[0].high]
    assert list(described["versions"]) == list(card.PACKAGES)
