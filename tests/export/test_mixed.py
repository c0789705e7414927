"""A CSV file with words, dates, booleans, missing cells, a rare class and quoted commas, served by plain TensorFlow."""

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

from regzoo.comparison.runner import read_data
from regzoo.config import load_config
from regzoo.data.dataset import Array
from regzoo.data.sources import read_csv
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.splitting.split import split_dataset
from regzoo.data.table import Table
from regzoo.export.candidate import load_candidate
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.make_model import load_finished_model

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


def predict(folder: Path, file: Path) -> Array:
    """Return the live model's probabilities for the rows of a CSV file, preprocessed as for training."""
    with Ledger(folder) as ledger:
        candidate = load_candidate(ledger, "none")
    model = load_finished_model(candidate.setup, candidate.record.run.recipe, candidate.weights)
    table = from_arrays(read_csv(file).drop(columns="kind"), None).x
    assert isinstance(table, Table)
    probabilities: Array = model(candidate.preprocessor.transform(table)).numpy()
    return probabilities


@pytest.mark.slow
def test_plain_tensorflow_answers_raw_rows_as_the_live_model_does(mixed: Any, tmp_path: Path) -> None:
    file = mixed.config.parent / "<b>visits.csv"
    command = [sys.executable, "-I", "-c", PLAIN, mixed.folder / "model", file, tmp_path]
    subprocess.run(command, check=True, capture_output=True)
    expected = predict(mixed.folder, file)
    assert np.ptp(expected[:, 0]) > 0.1  # the rows have different answers
    for batch in (1, 7):
        np.testing.assert_allclose(np.load(tmp_path / f"{batch}.npy"), expected, atol=1e-5, rtol=0)


def test_the_file_holds_what_it_should(mixed: Any) -> None:
    text = (mixed.config.parent / "<b>visits.csv").read_text(encoding="utf-8")
    assert '"Berlin, Mitte"' in text
    assert mixed.table["kind"].value_counts().min() == 4
    assert mixed.table.isna().any().sum() == 4


def test_recipe_json_has_the_type_of_each_input(mixed: Any) -> None:
    recipe = json.loads((mixed.folder / "model" / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["dtypes"] == {name: "float32" if name == "age" else "string" for name in recipe["inputs"]}
    assert [rule["kind"] for rule in recipe["rules"]] == ["numeric", "categorical", "boolean", "date", "categorical"]
    assert "note" not in recipe["inputs"].values()  # free text was left out
    assert recipe["parity"]["labels_equal"]
    assert recipe["parity"]["largest_difference"] < 1e-5


def test_the_cards_code_serves_the_table(mixed: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    card = (mixed.folder / "model" / "README.md").read_text(encoding="utf-8")
    found = re.search(r"```python\n(.*?)```", card, re.DOTALL)
    assert found
    monkeypatch.chdir(mixed.folder)
    space: dict[str, Any] = {"table": mixed.table}
    exec(found[1], space)
    expected = predict(mixed.folder, mixed.config.parent / "<b>visits.csv")
    np.testing.assert_allclose(space["answers"]["probabilities"].numpy(), expected, atol=1e-5, rtol=0)


def test_the_report_and_the_card_list_what_was_done_to_the_data(mixed: Any) -> None:
    with Ledger(mixed.folder) as ledger:
        comparison = ledger.get_comparison_info()
    assert comparison is not None
    repairs, warnings = comparison.data.repairs, comparison.data.warnings
    assert len(repairs) >= 5
    assert any("column 'note': left out, it looks like an identifier" in warning for warning in warnings)
    page = (mixed.folder / "report.html").read_text(encoding="utf-8")
    first_screen = page[: page.index('aria-labelledby="leaderboard"')]
    assert "column &#39;note&#39;: left out" in first_screen
    card = (mixed.folder / "model" / "README.md").read_text(encoding="utf-8")
    assert len(re.findall("^- column ", card, re.MULTILINE)) == len(repairs)
    for file in ("report.html", "report.md", "model/README.md"):
        text = (mixed.folder / file).read_text(encoding="utf-8")
        for words in ("filled with the median", "dates became days since", "left out, it looks like an identifier"):
            assert words in text, file


def test_outliers_outside_training_do_not_change_the_preprocessor(mixed: Any, tmp_path: Path) -> None:
    """The preprocessor learns nothing from extreme numbers, new words and dates in the validation and test parts."""
    experiment = load_config(mixed.config)
    clean = read_data(experiment)
    with (mixed.config.parent / "<b>visits.csv").open(encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file))
    data = from_arrays(mixed.table.drop(columns="kind"), mixed.table["kind"])
    parts = split_dataset(data, experiment.split, experiment.seed)
    outlier = {"age": "1e9", "town": "Atlantis", "member": "", "first seen": "1800-01-01", "<b>code</b>": "999"}
    for row in [*parts.validation, *parts.test]:
        rows[row] |= outlier
    with (tmp_path / "<b>visits.csv").open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, rows[0].keys())
        writer.writeheader()
        writer.writerows(rows)
    config = tmp_path / "visits.yaml"
    config.write_text(mixed.config.read_text(encoding="utf-8"), encoding="utf-8")
    changed = read_data(load_config(config))
    assert changed.preprocessor == clean.preprocessor
    np.testing.assert_array_equal(changed.train[0], clean.train[0])
    assert changed.validation[0].max() > 1e6
