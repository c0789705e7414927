"""Rare classes from a config to the served model: labels keep their meaning, the merged class has its own."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.export.predict import predict_file

pytestmark = [pytest.mark.slow, pytest.mark.usefixtures("tensorflow", "unverified")]

COUNTS = {"cat": 60, "dog": 60, "Other": 20, "eel": 3, "fox": 2, "gnu": 1}
NUMBERS = {"cat": 4, "dog": 7, "Other": -1, "eel": 2, "fox": 9, "gnu": 5}


def make_table(numbers: bool) -> pd.DataFrame:
    random = np.random.default_rng(0)
    y = random.permutation(np.repeat(list(COUNTS), list(COUNTS.values())))
    place = np.array([[0, 1, 2, 8, 9, 10][list(COUNTS).index(label)] for label in y])
    frame = pd.DataFrame({"a": place + random.normal(scale=0.1, size=len(y)), "b": random.normal(size=len(y)), "y": y})
    return frame.assign(y=frame["y"].map(NUMBERS)) if numbers else frame


@pytest.mark.parametrize(
    ("numbers", "do", "labels"),
    [
        (False, "merge", ["Other", "cat", "dog", "other 2"]),
        (True, "merge", [-2, -1, 4, 7]),
        (False, "drop", ["Other", "cat", "dog"]),
    ],
)
def test_predicted_labels_are_those_of_the_data(numbers: bool, do: str, labels: list[Any], tmp_path: Path) -> None:
    table = make_table(numbers)
    table.to_csv(tmp_path / "pets.csv", index=False)
    result = regzoo.compare(
        data={"csv": str(tmp_path / "pets.csv"), "target": "y", "rare": {"below": 5, "do": do}},
        backbone="mlp([16])",
        recipes=["none"],
        training={"epochs": 40, "learning_rate": 0.01},
        replicates=2,
        vary=["seed"],
        workers=0,
        out=tmp_path / "pets",
    )
    recipe = json.loads((tmp_path / "pets" / "model" / "recipe.json").read_text())
    assert recipe["labels"] == labels
    assert (recipe["data"]["rare"]["do"], len(recipe["data"]["rare"]["classes"])) == (do, 3)
    assert "(data.rare)" in (tmp_path / "pets" / "model" / "README.md").read_text()
    assert "(data.rare)" in (tmp_path / "pets" / "report.md").read_text()
    predict_file(tmp_path / "pets" / "model", tmp_path / "pets.csv", tmp_path / "out.csv", notify=lambda _: None)
    answers = pd.read_csv(tmp_path / "out.csv")
    assert list(answers.columns) == ["label", *(f"probability_{label}" for label in labels)]
    frequent = table["y"].isin(labels)
    assert (answers["label"] == table["y"])[frequent].mean() > 0.95
    if do == "merge":
        (merged,) = set(labels) - set(table["y"])
        assert recipe["data"]["rare"]["merged"] == merged
        assert (answers["label"][~frequent] == merged).mean() > 0.5  # by chance 1/4
    result.export(tmp_path / "refit", refit=True)
    assert json.loads((tmp_path / "refit" / "recipe.json").read_text())["labels"] == labels
