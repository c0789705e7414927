"""A CSV file with words, dates, booleans, gaps, a rare class and quoted commas: from the file to plain TensorFlow."""

from __future__ import annotations

import csv
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from regzoo.comparison import runner
from regzoo.config import load_config
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import read_csv
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.split import split_dataset
from regzoo.data.table import Table
from regzoo.export.export import load_setup
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.trainer import load_finished_model as build_from

PLAIN = """
import csv, json, sys
import numpy as np
import tensorflow as tf

folder, table = sys.argv[1:3]
with open(f"{folder}/recipe.json", encoding="utf-8") as file:
    recipe = json.load(file)
serve = tf.saved_model.load(folder).signatures["serving_default"]
with open(table, encoding="utf-8", newline="") as file:
    rows = list(csv.DictReader(file))
for batch in (1, 7):
    found = []
    for start in range(0, len(rows), batch):
        given = {}
        for name, column in recipe["inputs"].items():
            cells, dtype = [row[column] for row in rows[start : start + batch]], recipe["dtypes"][name]
            given[name] = tf.constant(cells if dtype == "string" else [float(cell or "nan") for cell in cells], dtype)
        found.append(serve(**given)["probabilities"].numpy())
    np.save(f"{sys.argv[3]}/{batch}.npy", np.concatenate(found))
assert "regzoo" not in sys.modules
"""


def live(folder: Path, file: Path) -> np.ndarray:
    """Probabilities of the live model for the rows of a CSV file, prepared as for training."""
    with Ledger(folder) as ledger:
        record, weights = ledger.weights("none")
        model = build_from(load_setup(ledger), record.run.recipe, weights)
        preprocessor = Preprocessor.from_json(ledger.get_info("preparation"))
    table = from_arrays(read_csv(file).drop(columns="kind"), None).x
    assert isinstance(table, Table)
    return model(preprocessor.transform(table)).numpy()


def test_plain_tensorflow_answers_raw_rows_as_the_live_model_does(mixed: Any, tmp_path: Path) -> None:
    file = mixed.config.parent / "<b>visits.csv"
    command = [sys.executable, "-I", "-c", PLAIN, mixed.folder / "model", file, tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    wanted = live(mixed.folder, file)
    assert np.ptp(wanted[:, 0]) > 0.1  # the rows are told apart
    for batch in (1, 7):
        np.testing.assert_allclose(np.load(tmp_path / f"{batch}.npy"), wanted, atol=1e-5, rtol=0)


def test_the_file_holds_what_it_should(mixed: Any) -> None:
    text = (mixed.config.parent / "<b>visits.csv").read_text(encoding="utf-8")
    assert '"Berlin, Mitte"' in text
    assert mixed.table["kind"].value_counts().min() == 4
    assert mixed.table.isna().any().sum() == 4


def test_recipe_json_says_each_inputs_type(mixed: Any) -> None:
    said = json.loads((mixed.folder / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert said["dtypes"] == {name: "float32" if name == "age" else "string" for name in said["inputs"]}
    assert [rule["kind"] for rule in said["rules"]] == ["numeric", "categorical", "boolean", "date", "categorical"]
    assert "note" not in said["inputs"].values()  # free text was left out
    assert said["parity"]["labels_equal"]
    assert said["parity"]["largest_difference"] < 1e-5


def test_the_cards_code_serves_the_table(mixed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    card = (mixed.folder / "model" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found
    monkeypatch.chdir(mixed.folder)
    space: dict[str, Any] = {"table": mixed.table}
    exec(found[1], space)
    wanted = live(mixed.folder, mixed.config.parent / "<b>visits.csv")
    np.testing.assert_allclose(space["answers"]["probabilities"].numpy(), wanted, atol=1e-5, rtol=0)


def test_the_report_and_the_card_list_what_was_done_to_the_data(mixed: Any) -> None:
    with Ledger(mixed.folder) as ledger:
        repairs = ledger.get_info("study")["data"]["repairs"]
    assert len(repairs) >= 6
    card = (mixed.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert len(re.findall("^- column ", card, re.MULTILINE)) == len(repairs)
    for file in ("report.html", "report.md", "model/README.md"):
        text = (mixed.folder / file).read_text(encoding="utf-8")
        for words in ("filled with the median", "dates became days since", "left out, it looks like an identifier"):
            assert words in text, file


def test_poison_outside_training_leaves_the_rule_as_it_is(mixed: Any, tmp_path: Path) -> None:
    """Extreme numbers, new words and dates in the validation and test parts teach the preparation nothing."""
    experiment = load_config(mixed.config)
    clean = runner.read_data(experiment)
    with (mixed.config.parent / "<b>visits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = from_arrays(mixed.table.drop(columns="kind"), mixed.table["kind"])
    parts = split_dataset(data, experiment.split, experiment.seed)
    poison = {"age": "1e9", "town": "Atlantis", "member": "", "first seen": "1800-01-01", "<b>code</b>": "999"}
    for row in [*parts.validation, *parts.test]:
        rows[row] |= poison
    with (tmp_path / "<b>visits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    config = tmp_path / "visits.yaml"
    config.write_text(mixed.config.read_text(encoding="utf-8"), encoding="utf-8")
    poisoned = runner.read_data(load_config(config))
    assert poisoned.preprocessor == clean.preprocessor
    np.testing.assert_array_equal(poisoned.train[0], clean.train[0])
    assert poisoned.validation[0].max() > 1e6
