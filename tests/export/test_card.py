"""The model card: what it says is so, and its code runs."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import yaml

from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.data.preprocessor import Preprocessor
from regzoo.export import card
from regzoo.export.export import load_setup
from regzoo.export.formats import LITERT, ONNX, SAVED_MODEL, Format
from regzoo.export.verify import Parity
from regzoo.storage.ledger import Ledger


def subject_of(finished: Any, form: Format = SAVED_MODEL, place: int = 0, **changes: Any) -> card.CardContent:
    """What the card of the recipe at a place of the leaderboard is about, with a preparation that has ``changes``."""
    with Ledger(finished.folder) as ledger:
        records = ledger.records()
        board = read_leaderboard(ledger, records)
        row = board.recipes[place]
        replicates = tuple(r for r in records if r.run.stage == "replicate" and r.run.name == row.name)
        fields = vars(Preprocessor.from_json(ledger.get_info("preparation"))) | changes
        proven = card.Verification(form, Parity(20, (1, 7), 0.0, True))
        setup, preprocessor = load_setup(ledger), Preprocessor(**fields)
        record, facts = ledger.weights(row.name)[0], ledger.get_info("study")
    return card.CardContent(record, row, board, replicates, facts, setup, preprocessor, proven)


def rendered(finished: Any, form: Format = SAVED_MODEL, **changes: Any) -> str:
    return card.readme(subject_of(finished, form, **changes))


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
        board = read_leaderboard(ledger)
        record, _ = ledger.weights(board.recipes[0].name)
    assert f"# flowers: `{board.winner}`" in text
    test = record.metrics["test"]["nll"]
    assert test is not None
    assert re.search(rf"\| nll \|.*\| {test:.4g} \|", text)
    for metric, mean in board.recipes[0].metrics["test"].items():
        assert re.search(rf"\| {metric} \|.*\| {mean:.4g} \(\S+ to \S+\) \|", text)
    assert "best validation nll of 3" in text
    assert "answered 20 held-out raw rows at batch\nsizes 1 and 7" in text
    assert "60 for training, 20 for validation and 20 for testing" in text
    assert "\n- `mean_radius_m` (column `mean radius (µm)`), float32, never missing\n" in text
    assert "To tell `kind`, one of `iris`, `lily`, `rose`, for inputs like those of flowers.csv" in text
    assert "- `probabilities`, (batch, 3), of `iris`, `lily`, `rose`, in this order\n" in text
    assert f"is number 1 of {len(board.recipes)} in a comparison of regularizers on the network\n`mlp([8])`" in text
    assert str(finished.config.parent) not in text  # the folders of this machine are nobody's business
    assert "{{" not in text


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        (
            {"columns": None},
            ["rows=tf.constant(rows, tf.float32)", "`rows`, float32 (batch, 5), numbers as in the data"],
        ),
        (
            {"columns": None, "kind": "images", "input_shape": (8, 8, 1)},
            ["images=tf.constant(images, tf.float32)", "`images`, float32 (batch, 8, 8, 1)"],
        ),
        ({"task": "regression"}, ["`prediction`, (batch, 1), in the units of the data"]),
        ({"columns": ("a", "b")}, ["data:\n\n- `a`, float32, never missing\n- `b`, float32, never missing\n\nOutputs"]),
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
    subject = subject_of(finished)
    described = card.recipe_json(subject, [1, 2])
    assert described["member_seeds"] == [1, 2]
    assert described["interval"] == [subject.row.low, subject.row.high]
    assert list(described["versions"]) == list(card.PACKAGES)


@pytest.mark.parametrize("form", [SAVED_MODEL, ONNX])
def test_several_labels_are_named_in_order_and_never_looked_up_by_number(form: Format, finished: Any) -> None:
    text = rendered(finished, form, task="multilabel", labels=("rain", "`wind`"))
    assert "- `probabilities`, (batch, 2), of `rain`, `` `wind` ``, in this order\n" in text
    assert "- `label`, (batch, 2), whether each is above 1/2\n" in text
    assert "To tell which of `rain`, `` `wind` `` are there" in text
    assert 'answers["class"]' not in code(text)


FRONT = {"library_name", "pipeline_tag", "tags"}


@pytest.mark.parametrize("form", [SAVED_MODEL, ONNX, LITERT], ids=lambda form: form.name)
def test_its_front_matter_is_what_hubs_read(form: Format, finished: Any) -> None:
    front = yaml.safe_load(rendered(finished, form).split("---\n")[1])
    assert set(front) == FRONT
    assert front["pipeline_tag"] == "tabular-classification"
    assert {"regzoo", "classification"} < set(front["tags"])
    front = yaml.safe_load(rendered(finished, form, task="reconstruction").split("---\n")[1])
    assert set(front) == FRONT - {"pipeline_tag"}  # hubs have no word for it


def test_a_recipe_that_did_not_win_does_not_say_so(finished: Any) -> None:
    subject = subject_of(finished, place=1)
    text = card.readme(subject)
    assert f"Its recipe, `{subject.row.recipe}`, is number 2 of" in text


def test_labels_made_wrong_on_purpose_are_said(finished: Any) -> None:
    subject = subject_of(finished)
    assert "wrong on purpose" not in card.readme(subject)
    noisy = dataclasses.replace(subject, facts={**subject.facts, "data": {**subject.data, "label_noise": 0.2}})
    assert "20% of the training labels were made wrong on purpose" in card.readme(noisy)


def test_what_was_done_and_noticed_is_listed_and_the_model_takes_credit_for_its_own_part_alone(finished: Any) -> None:
    subject = subject_of(finished)
    told = {**subject.facts["data"], "repairs": ["3 images were resized", "b_2"], "warnings": ["c", "d"]}
    text = card.readme(dataclasses.replace(subject, facts={**subject.facts, "data": told}))
    assert (
        "Done to the data beforehand, and not by the model:\n\n- 3 images were resized\n- b\\_2\n\n## Metrics" in text
    )
    assert "\n- Noticed in the data: c\n- Noticed in the data: d\n" in text
