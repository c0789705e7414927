"""Folds: replicate i of every recipe is trained and validated on fold i, and its model has that fold's preprocessor."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from sklearn.datasets import load_iris

import regzoo
from regzoo.comparison import leaderboard, runner
from regzoo.config import from_keywords
from regzoo.core import InputError
from regzoo.data.prepared import PreparedData
from regzoo.data.sources import from_arrays
from regzoo.export.candidate import load_preprocessor
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record

X, Y = load_iris(return_X_y=True)
ASKED: dict[str, Any] = {
    "backbone": "mlp([4])",
    "recipes": ["none", "ensemble(2)"],
    "split": {"folds": 3},
    "training": {"epochs": 2, "learning_rate": 0.01},
    "search": {"trials": 1},
    "vary": ["seed"],
    "replicates": 6,
}


@pytest.fixture(scope="module", autouse=True)
def unverified(sparing: Any) -> Iterator[None]:
    """Spare the process that verifies an exported model, and the pictures, in all tests of this file."""
    with sparing():
        yield


@pytest.fixture(scope="module")
def result(tmp_path_factory: pytest.TempPathFactory) -> regzoo.Result:
    return regzoo.compare(X, Y, out=tmp_path_factory.mktemp("folds") / "iris", workers=0, **ASKED)


@pytest.fixture(scope="module")
def folds() -> list[PreparedData]:
    prepared = runner.prepare_dataset(from_keywords(**ASKED), from_arrays(X, Y))
    return [prepared, *prepared.folds]


def replicates(result: regzoo.Result, name: str = "none") -> list[Record]:
    made = [record for record in result.records if record.run.stage == "replicate" and record.run.name == name]
    return sorted(made, key=lambda record: record.run.number)


def scores(result: regzoo.Result) -> dict[str, Any]:
    return {record.run.key: record.metrics for record in result.records}


def nll(model: keras.Model, part: Any) -> float:
    """From probabilities, in float64."""
    x, y, *_ = part
    return float(-np.log(model.predict(x, verbose=0).astype(np.float64)[np.arange(len(y)), y]).mean())


def test_replicate_i_of_every_recipe_uses_fold_i_and_trials_the_first(result: regzoo.Result) -> None:
    for name in ("none", "ensemble(2)"):
        assert [record.run.fold for record in replicates(result, name)] == [0, 1, 2, 3, 4, 5]
    trials = [record for record in result.records if record.run.stage == "trial"]
    assert {record.run.fold for record in trials} == {0}
    assert {record.status for record in result.records} == {"ok"}
    page = (result.folder / "report.md").read_text(encoding="utf-8")
    assert "each time on the next fold, with the same seeds and folds" in page
    assert "the others were split into 3 stratified folds" in page


def test_members_are_trained_in_the_fold_of_their_run(result: regzoo.Result) -> None:
    """The first has the seed of the baseline's replicate and shares its training; the second is a run of its own."""
    members = [record.run for record in result.records if record.run.stage == "member"]
    alone = {record.run.fold: record.run.seed for record in replicates(result)}
    others = [run for run in members if run.seed != alone[run.fold]]
    assert sorted(run.fold for run in others) == [0, 0, 1, 2, 3, 4, 5]  # the trial's, and the replicates'


def test_the_model_is_measured_on_the_rows_of_its_own_fold(result: regzoo.Result, folds: list[PreparedData]) -> None:
    for name in ("none", "ensemble(2)"):
        best = min(replicates(result, name), key=lambda record: record.score("nll"))
        assert best.run.fold > 0  # else the preprocessor of the first fold would do
        own, first = folds[best.run.fold], folds[0]
        with Ledger(result.folder) as ledger:
            assert load_preprocessor(ledger, best.run.fold) == own.preprocessor
        to = result.export(result.folder.parent / name, name)
        test = own.split.test
        serve = tf.saved_model.load(str(to)).signatures["serving_default"]
        found = serve(rows=tf.constant(X[test], tf.float32))["probabilities"].numpy().astype(np.float64)
        loss = -np.log(found[np.arange(len(test)), Y[test]]).mean()
        assert loss == pytest.approx(best.metrics["test"]["nll"], abs=1e-5)
        if name == str(result.best):
            for part in ("train", "validation", "test"):
                assert nll(result.model, getattr(own, part)) == pytest.approx(best.metrics[part]["nll"], abs=1e-5)
                assert nll(result.model, getattr(first, part)) != pytest.approx(best.metrics[part]["nll"], abs=1e-4)


def test_intervals_have_the_corrected_variance(result: regzoo.Result) -> None:
    """t has 5 degrees of freedom; 40 rows validate what 80 trained, so 1 / 6 + 1 / 2 in place of 1 / 6."""
    gains = [
        a.score("nll") - b.score("nll")
        for a, b in zip(replicates(result), replicates(result, "ensemble(2)"), strict=True)
    ]
    reach = 2.570582 * np.std(gains, ddof=1) * (1 / 6 + 1 / 2) ** 0.5
    row = next(row for row in result.board.recipes if row.name == "ensemble(2)")
    assert (row.gain_low, row.gain_high) == pytest.approx((np.mean(gains) - reach, np.mean(gains) + reach))
    plain = leaderboard.build_leaderboard(result.records, "nll", "min", ["none", "ensemble(2)"])
    narrow = next(other for other in plain.recipes if other.name == "ensemble(2)")
    assert row.gain_high - row.gain_low > narrow.gain_high - narrow.gain_low  # type: ignore[operator]


@pytest.mark.slow
def test_workers_get_every_fold(result: regzoo.Result, tmp_path: Path) -> None:
    again = regzoo.compare(X, Y, out=tmp_path / "iris", workers=2, **ASKED)
    assert scores(again) == scores(result)
    assert again.board.to_csv() == result.board.to_csv()


@pytest.mark.slow
def test_replicates_can_be_added(result: regzoo.Result, tmp_path: Path) -> None:
    """Although they need more folds: runs that exist are not made again."""
    asked = {**ASKED, "recipes": ["none"], "out": tmp_path / "iris", "workers": 0}
    before = scores(regzoo.compare(X, Y, **{**asked, "replicates": 2}))
    after = scores(regzoo.compare(X, Y, **{**asked, "replicates": 4}))
    assert (len(before), len(after)) == (3, 5)
    assert before.items() <= after.items() <= scores(result).items()


def test_another_fold_may_have_other_columns_and_another_scale(tmp_path: Path) -> None:
    """A word that only some folds train on is a feature of these; rmse stays in the units of the target."""
    random = np.random.default_rng(0)
    town = np.array(["Ulm", "Bonn"] * 20 + ["Jena", "Kiel", "Hof", "Mainz", "Trier"] * 4)  # 3 must train
    frame = pd.DataFrame({"size": random.normal(size=60), "town": random.permutation(town)})
    frame["price"] = 1000 + 300 * frame["size"] + 5 * random.normal(size=60)
    frame.loc[2, "price"] = 5000.0  # validates in the first fold
    frame.to_csv(tmp_path / "homes.csv", index=False)
    asked = {**ASKED, "recipes": ["none"], "replicates": 3}
    data = {"csv": tmp_path / "homes.csv", "target": "price"}
    experiment = from_keywords(data=data, **asked)
    prepared = runner.read_data(experiment)
    made = [prepared, *prepared.folds]
    assert len({fold.preprocessor.target_scale for fold in made}) == 3
    assert len({fold.preprocessor.input_shape for fold in made}) > 1
    result = regzoo.compare(data=data, out=tmp_path / "homes", workers=0, **asked)
    assert [record.status for record in result.records] == ["ok"] * 4
    best = min(replicates(result), key=lambda record: record.score("rmse"))
    assert best.run.fold > 0
    own = made[best.run.fold]
    rule, (x, _) = own.preprocessor, own.validation
    found = rule.target_mean + rule.target_scale * result.model.predict(x, verbose=0)[:, 0]
    off = found - frame["price"].to_numpy()[own.split.validation]
    assert best.score("rmse") == pytest.approx(np.sqrt(np.mean(off**2)), rel=1e-5)
    assert (tmp_path / "homes" / "model" / "recipe.json").is_file()


def test_impossible_folds_are_refused_before_anything_is_written(tmp_path: Path) -> None:
    ordered = {**ASKED, "time": np.arange(150), "out": tmp_path / "iris", "workers": 0}
    shuffled = np.random.default_rng(0).permutation(150)
    with pytest.raises(InputError, match=r"replicates: 6 are more than the 3 of split\.folds"):
        regzoo.compare(X[shuffled], Y[shuffled], **ordered)
    with pytest.raises(InputError, match=r"60 folds \(split\.folds\) need each class"):
        regzoo.compare(X, Y, out=tmp_path / "iris", workers=0, **{**ASKED, "split": {"folds": 60}})
    assert list(tmp_path.iterdir()) == []


def test_a_run_of_an_older_ledger_is_of_the_first_fold() -> None:
    assert Record.from_json(OLD).run.fold == 0


OLD = (
    '{"run": {"stage": "trial", "name": "none", "recipe": "none", "number": 0, "seed": 1, "learning_rate": 0.1, '
    '"epochs": 1, "study": "s", "bar": []}, "status": "ok"}'
)
