"""Several labels per row, end to end: comparison, report, export and predictions from raw rows."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

import regzoo
from regzoo.cli import app as cli
from regzoo.export.predict import predict_file

LABELS = ("rain", "wind", "<b>snow")
CONFIG = """\
name: weather
data: {csv: weather.csv, target: [rain, wind, <b>snow]}
backbone: mlp([4])
recipes: [none, ensemble(2)]
training: {epochs: 2, learning_rate: 0.01}
search: {trials: 1}
vary: [seed]
replicates: 2
"""


def weather(rows: int = 60) -> pd.DataFrame:
    """Return four columns, and three labels that depend on them."""
    random = np.random.default_rng(0)
    frame = pd.DataFrame(random.normal(size=(rows, 4)), columns=list("abcd"))
    noise = random.normal(size=rows)
    labels = {"rain": frame.a > 0, "wind": frame.b + noise > 0, "<b>snow": (frame.c > 0.5).astype(int)}
    return pd.concat([frame, pd.DataFrame(labels)], axis=1)


@pytest.fixture(scope="module")
def result(sparing: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A finished comparison of one model and an ensemble, from a table. Read it; do not write to it."""
    folder = tmp_path_factory.mktemp("several")
    frame = weather()
    keywords: dict[str, Any] = {"training": {"epochs": 2, "learning_rate": 0.01}, "search": {"trials": 1}}
    with sparing():  # one export is verified below, not the winner's as well
        return regzoo.compare(
            frame[list("abcd")],
            frame[list(LABELS)],
            backbone="mlp([4])",
            recipes=["none", "ensemble(2)"],
            vary=["seed"],
            replicates=2,
            workers=0,
            out=folder / "weather",
            **keywords,
        )


def test_the_leaderboard_and_the_report_have_all_metrics(result: Any) -> None:
    for row in json.loads(result.board.to_json())["recipes"]:
        assert set(row["metrics"]["test"]) == {"nll", "error", "accuracy", "brier", "ece", "auroc"}
        assert all(isinstance(value, float) for value in row["metrics"]["test"].values())
    assert "multilabel: 3 labels" in (result.folder / "report.html").read_text(encoding="utf-8")
    assert "multilabel: 3 labels" in (result.folder / "report.md").read_text(encoding="utf-8")
    assert result.verdict


@pytest.mark.slow
def test_the_exported_model_answers_for_each_label(result: Any, tmp_path: Path) -> None:
    folder = result.export(tmp_path / "model", "ensemble(2)")
    recipe = json.loads((folder / "recipe.json").read_text(encoding="utf-8"))
    assert recipe["labels"] == list(LABELS)
    assert recipe["parity"]["batches"] == [1, 7]
    assert "of `rain`, `wind`, `<b>snow`, in this order" in (folder / "README.md").read_text("utf-8")
    frame = weather()
    columns = {name: tf.constant(frame[name], tf.float32) for name in "abcd"}
    answers = tf.saved_model.load(str(folder)).signatures["serving_default"](**columns)
    assert {name: tuple(value.shape) for name, value in answers.items()} == dict.fromkeys(
        ("probabilities", "label", "uncertainty", "mutual_information"), (60, 3)
    )
    p = answers["probabilities"].numpy().astype(float)
    np.testing.assert_array_equal(answers["label"].numpy(), p > 0.5)
    entropy = -(p * np.log(p) + (1 - p) * np.log(1 - p))
    np.testing.assert_allclose(answers["uncertainty"].numpy(), entropy, atol=1e-5)  # float32 logarithms near ln 2
    assert (answers["mutual_information"].numpy() <= entropy).all()

    frame[list("dcba")].to_csv(tmp_path / "rows.csv", index=False)
    screen = io.StringIO()
    assert predict_file(folder, tmp_path / "rows.csv", screen) == 60
    rows = list(csv.DictReader(io.StringIO(screen.getvalue())))
    columns_written = [
        f"{word}_{label}" for word in ("label", "probability", "mutual_information", "uncertainty") for label in LABELS
    ]
    assert list(rows[0]) == columns_written
    np.testing.assert_allclose([float(row["probability_wind"]) for row in rows], p[:, 1], atol=1e-6)
    assert [row["label_<b>snow"] for row in rows] == [str(value) for value in (p[:, 2] > 0.5).tolist()]


def test_check_prints_what_is_learned(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    weather().to_csv(tmp_path / "weather.csv", index=False)

    def check(config: str) -> str:
        (tmp_path / "weather.yaml").write_text(config, encoding="utf-8")
        monkeypatch.setattr("sys.argv", ["regzoo", "check", str(tmp_path / "weather.yaml")])
        with pytest.raises(SystemExit) as done:
            cli.main()
        out = capsys.readouterr()
        assert done.value.code == (2 if out.err else 0)
        return out.out + out.err

    assert "60 rows of 4 columns, multilabel: 3 labels; 36 train" in check(CONFIG)
    one = CONFIG.replace("[rain, wind, <b>snow]", "rain").replace("ensemble(2)", "l2")
    assert "60 rows of 6 columns (6 features), binary classification into False, True; 36 train" in check(one)
    assert "task: multilabel takes several columns of 0 and 1" in check(one + "task: multilabel\n")
    balanced = CONFIG.replace("training: {", "training: {class_weight: balanced, ")
    assert "class_weight: balanced needs classes, this is multilabel" in check(balanced)
    assert "recipes: focal: focal needs classes" in check(CONFIG.replace("ensemble(2)", "focal"))
