"""The model card: its statements are true, and its code runs."""

from __future__ import annotations

import dataclasses
import re
from typing import Any

import pytest
import yaml

from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.export import card
from regzoo.export.candidate import load_candidate
from regzoo.export.formats import LITERT, ONNX, SAVED_MODEL, Format
from regzoo.export.verify import Parity
from regzoo.storage.ledger import Ledger


def make_content(finished: Any, format: Format = SAVED_MODEL, place: int = 0, **changes: Any) -> card.CardContent:
    """Return the card of the recipe at ``place`` of the leaderboard, with ``changes`` to its preprocessor."""
    with Ledger(finished.folder) as ledger:
        records, comparison = ledger.records(), ledger.get_comparison_info()
        leaderboard = read_leaderboard(ledger, records)
        row = leaderboard.recipes[place]
        candidate = load_candidate(ledger, row.name)
    assert comparison is not None
    return card.CardContent(
        candidate=dataclasses.replace(candidate, preprocessor=dataclasses.replace(candidate.preprocessor, **changes)),
        seeds=(1, 2),
        data=comparison.data,
        row=row,
        leaderboard=leaderboard,
        replicates=tuple(r for r in records if r.run.stage == "replicate" and r.run.name == row.name),
        comparison=comparison,
        verification=card.Verification(format, Parity(20, (1, 7), 0.0, True)),
    )


def with_data(content: card.CardContent, **changes: Any) -> card.CardContent:
    return dataclasses.replace(content, data=dataclasses.replace(content.data, **changes))


def render(finished: Any, format: Format = SAVED_MODEL, **changes: Any) -> str:
    return card.render_readme(make_content(finished, format, **changes))


def find_code(text: str) -> str:
    found = re.search(r"```python\n(.*?)```", text, re.DOTALL)
    assert found
    return found[1]


def test_its_code_serves_the_table(finished: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Run the card's code in the folder that the model is in; it needs nothing but the user's ``table``."""
    text = (finished.folder / "model" / "README.md").read_text(encoding="utf-8")
    monkeypatch.chdir(finished.folder)
    space: dict[str, Any] = {"table": finished.table}
    exec(find_code(text), space)  # loads with plain TensorFlow, without regzoo
    labels = [label.decode() for label in space["answers"]["label"].numpy()]
    assert set(labels) <= set(finished.table["kind"])
    assert len(labels) == len(finished.table)


def test_it_reports_the_measurements(finished: Any) -> None:
    text = (finished.folder / "model" / "README.md").read_text(encoding="utf-8")
    with Ledger(finished.folder) as ledger:
        leaderboard = read_leaderboard(ledger)
        record, _ = ledger.load_best_replicate(leaderboard.recipes[0].name)
    assert f"# flowers: `{leaderboard.winner}`" in text
    test = record.metrics["test"]["nll"]
    assert test is not None
    assert re.search(rf"\| nll \|.*\| {test:.4g} \|", text)
    for metric, mean in leaderboard.recipes[0].metrics["test"].items():
        assert re.search(rf"\| {metric} \|.*\| {mean:.4g} \(\S+ to \S+\) \|", text)
    assert "best validation nll of 3" in text
    assert "answered 20 held-out raw rows at batch\nsizes 1 and 7" in render(finished)
    assert "60 for training, 20 for validation and 20 for testing" in text
    assert "\n- `mean_radius_m` (column `mean radius (µm)`), float32, never missing\n" in text
    assert "To predict `kind`, one of `iris`, `lily`, `rose`, for inputs like those of flowers.csv" in text
    assert "- `probabilities`, (batch, 3), of `iris`, `lily`, `rose`, in this order\n" in text
    count = len(leaderboard.recipes)
    assert f"is number 1 of {count} in a comparison of regularizers on the network\n`mlp([8])`" in text
    assert str(finished.config.parent) not in text  # the folders of this machine are private
    assert "{{" not in text


@pytest.mark.parametrize(
    ("changes", "statements"),
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
def test_it_explains_how_to_call_the_model(changes: dict[str, Any], statements: list[str], finished: Any) -> None:
    text = render(finished, **changes)
    compile(find_code(text), "card", "exec")
    for statement in statements:
        assert statement in text


def test_unknown_numbers_are_dashes() -> None:
    assert [card._format_number(value) for value in (None, 0.123456, 12345.6)] == ["-", "0.1235", "1.235e+04"]


def test_recipe_json_holds_plain_numbers(finished: Any) -> None:
    content = make_content(finished)
    values = card.make_recipe_json(content)
    assert values["member_seeds"] == [1, 2]
    assert values["interval"] == [content.row.low, content.row.high]
    assert list(values["versions"]) == list(card.PACKAGES)


def test_optimizer_and_loss_are_named_and_the_tasks_own_loss_is_not(finished: Any) -> None:
    content = make_content(finished)
    setup = dataclasses.replace(content.candidate.setup, optimizer="sgd(momentum=0.5)", loss="hinge")
    other = dataclasses.replace(content, candidate=dataclasses.replace(content.candidate, setup=setup))
    assert "loss" not in card.make_recipe_json(content)
    assert (card.make_recipe_json(other)["optimizer"], card.make_recipe_json(other)["loss"]) == (
        setup.optimizer,
        "hinge",
    )
    assert "optimizer\n`sgd(momentum=0.5)` on the loss `hinge`." in card.render_readme(other)
    assert "on the loss" not in card.render_readme(content)


def test_recipe_json_keeps_the_keys_of_the_data(finished: Any) -> None:
    data = card.make_recipe_json(make_content(finished))["data"]
    assert set(data) == {
        *("source", "digest", "rows", "train", "validation", "test", "inputs", "task", "target", "labels", "split"),
        *("repairs", "warnings", "label_noise"),
    }
    assert set(data["split"]) == {"kind", "marked", "folds", "fold", "repetition", "hashes", "duplicates"}


def with_runtime(format: Format) -> Any:
    """Return a case that needs the version of a format's runtime, which the ``test`` extra does not install."""
    return pytest.param(format, marks=pytest.mark.slow)


@pytest.mark.parametrize("format", [SAVED_MODEL, with_runtime(ONNX)], ids=lambda format: format.name)
def test_several_labels_are_named_in_order_and_never_looked_up_by_number(format: Format, finished: Any) -> None:
    text = render(finished, format, task="multilabel", labels=("rain", "`wind`"))
    assert "- `probabilities`, (batch, 2), of `rain`, `` `wind` ``, in this order\n" in text
    assert "- `label`, (batch, 2), whether each is above 1/2\n" in text
    assert "To predict which of `rain`, `` `wind` `` apply" in text
    assert 'answers["class"]' not in find_code(text)


FRONT = {"library_name", "pipeline_tag", "tags"}


@pytest.mark.parametrize(
    "format", [SAVED_MODEL, with_runtime(ONNX), with_runtime(LITERT)], ids=lambda format: format.name
)
def test_its_front_matter_is_readable_by_model_hubs(format: Format, finished: Any) -> None:
    front = yaml.safe_load(render(finished, format).split("---\n")[1])
    assert set(front) == FRONT
    assert front["pipeline_tag"] == "tabular-classification"
    assert {"regzoo", "classification"} < set(front["tags"])
    front = yaml.safe_load(render(finished, format, task="reconstruction").split("---\n")[1])
    assert set(front) == FRONT - {"pipeline_tag"}  # hubs have no name for this task


def test_a_recipe_of_rank_2_is_reported_as_such(finished: Any) -> None:
    content = make_content(finished, place=1)
    assert f"Its recipe, `{content.row.recipe}`, is number 2 of" in card.render_readme(content)


def test_label_noise_is_reported(finished: Any) -> None:
    content = make_content(finished)
    assert "wrong on purpose" not in card.render_readme(content)
    noisy = with_data(content, label_noise=0.2)
    assert "20% of the training labels were made wrong on purpose" in card.render_readme(noisy)


def test_repairs_before_the_model_are_not_credited_to_it_and_warnings_are_listed(finished: Any) -> None:
    data = with_data(make_content(finished), repairs=("3 images were resized", "b_2"), warnings=("c", "d"))
    text = card.render_readme(data)
    assert (
        "Done to the data beforehand, and not by the model:\n\n- 3 images were resized\n- b\\_2\n\n## Metrics" in text
    )
    assert "\n- Noticed in the data: c\n- Noticed in the data: d\n" in text


@pytest.mark.parametrize("texts", [("dropout(0.3)", "dropout(0.3)"), ("dropout(0.3)", "dropout(0.5)")])
def test_strengths_are_called_different_where_they_are(texts: tuple[str, str], finished: Any) -> None:
    content = make_content(finished)
    [first, *_] = content.replicates
    made = tuple(
        dataclasses.replace(first, run=dataclasses.replace(first.run, recipe_text=text, number=n, search=n))
        for n, text in enumerate(texts)
    )
    text = card.render_readme(dataclasses.replace(content, replicates=made))
    assert ("The searches chose different strengths: `dropout.rate` 0.3 to 0.5 in 2 searches." in text) == (
        texts[0] != texts[1]
    )
    assert "the same in 2 searches" not in text


def test_means_are_those_of_the_searches_as_on_the_leaderboard(finished: Any) -> None:
    """Two replicates of the first search have 1, the one of the second has 4: the mean of the means is 2.5, not 2."""
    content = make_content(finished)
    [first, *_] = content.replicates
    made = tuple(
        dataclasses.replace(
            first,
            run=dataclasses.replace(first.run, number=number, search=search),
            metrics={**first.metrics, "test": dict.fromkeys(first.metrics["test"], score)},
        )
        for number, (search, score) in enumerate([(0, 1.0), (1, 4.0), (0, 1.0)])
    )
    assert "| 2.5 (" in card.render_readme(dataclasses.replace(content, replicates=made))
