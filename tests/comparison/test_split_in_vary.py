"""``vary: [seed, split]``: replicate i has the i-th split, its model that split's preprocessor; a search may too."""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import regzoo
from regzoo.comparison import runner
from regzoo.comparison.folds import choose_fold
from regzoo.comparison.metadata import make_fold_info
from regzoo.comparison.plan import Plan, make_plan
from regzoo.comparison.progress import SilentProgress
from regzoo.config import from_keywords
from regzoo.core import InputError
from regzoo.data.prepared import PreparedData
from regzoo.data.sources import from_arrays
from regzoo.export.predict import predict_file
from regzoo.storage.ledger import Ledger
from regzoo.training.records import Record, Stage

ROWS = 60
EASY = 3
"""The split whose validation rows have no noise, so that its replicate is the best."""

ASKED: dict[str, Any] = {
    "name": "lines",
    "backbone": "linear",
    "recipes": ["none", "l2(0.001)"],
    "training": {"epochs": 60, "learning_rate": 0.05, "batch_size": 8},
    "search": {"trials": 1},
    "replicates": 5,
    "rank_by": "rmse",
}


@pytest.mark.parametrize(
    ("vary", "folds", "replicate", "trial"),
    [
        (("seed",), 1, 0, 0),
        (("seed", "search"), 1, 0, 0),
        (("seed", "split"), 1, 4, 0),
        (("seed", "split", "search"), 1, 4, 2),
        (("seed",), 3, 4, 0),
        (("seed", "search"), 3, 4, 0),
        (("seed", "split"), 3, 4, 0),
        (("seed", "split", "search"), 3, 4, 2),
    ],
)
def test_the_fold_of_a_run(vary: tuple[str, ...], folds: int, replicate: int, trial: int, plan: Plan) -> None:
    made = replace(plan, vary=vary, folds=folds)
    stages: tuple[Stage, ...] = ("trial", "confirmation")
    assert [choose_fold(made, "replicate", 4, search) for search in (0, 2)] == [replicate] * 2
    assert [choose_fold(made, stage, number, 2) for stage in stages for number in (0, 4)] == [trial] * 4
    assert [choose_fold(made, stage, 0, 0) for stage in (*stages, "replicate")] == [0] * 3


@pytest.fixture
def plan(numbers: tuple[np.ndarray, np.ndarray]) -> Plan:
    experiment = from_keywords(**ASKED)
    return make_plan(experiment, runner.prepare_dataset(experiment, from_arrays(*numbers)))


def test_the_plan_has_a_split_for_each_replicate(numbers: tuple[np.ndarray, np.ndarray]) -> None:
    data = from_arrays(*numbers)
    plain, varied = (from_keywords(**ASKED, vary=vary) for vary in (["seed"], ["seed", "split"]))
    one, five = (runner.prepare_dataset(experiment, data) for experiment in (plain, varied))
    assert (one.folds, one.test_train_ratio) == ((), None)
    assert len(five.folds) == 4
    assert five.test_train_ratio == pytest.approx(12 / 36)
    assert make_plan(plain, one).setup.digest == make_plan(varied, five).setup.digest  # so equal runs are shared
    assert make_plan(varied, five).to_dict()["vary"] == ["seed", "split"]


def test_the_ledger_keeps_equal_held_out_rows_once() -> None:
    """A word that is too rare in some splits is no column there, so their rows differ."""
    random = np.random.default_rng(0)
    words = random.permutation([*(f"w{n}" for n in range(34)), *["same"] * 26])
    frame, y = pd.DataFrame({"x": random.normal(size=60), "word": words}), random.normal(size=60)
    experiment = from_keywords(**{**ASKED, "vary": ["seed", "split"], "replicates": 20})
    for x, equal in ((frame[["x"]].to_numpy(), True), (frame, False)):
        prepared = runner.prepare_dataset(experiment, from_arrays(x, y))
        made = [make_fold_info(prepared), *(make_fold_info(fold, prepared) for fold in prepared.folds)]
        assert made[0].held_out == prepared.held_out[0].tolist()
        for fold, info in zip(prepared.folds, made[1:], strict=True):
            assert info.held_out == ([] if fold.held_out[0].tolist() == made[0].held_out else fold.held_out[0].tolist())
        assert all(not info.held_out for info in made[1:]) is equal


def test_replicates_auto_is_refused() -> None:
    with pytest.raises(InputError, match=r"replicates: auto does not go with split in vary: .* give a number"):
        from_keywords(**{**ASKED, "vary": ["seed", "split"], "replicates": "auto"})
    assert from_keywords(**{**ASKED, "vary": ["seed"], "replicates": "auto"}).replicates == "auto"


def test_what_cannot_be_redrawn_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    frame = pd.DataFrame({"x": np.arange(60.0), "y": np.arange(60) % 2, "when": np.arange(60)})
    frame.to_csv(tmp_path / "lines.csv", index=False)
    data = {"csv": tmp_path / "lines.csv", "target": "y", "time": "when"}
    asked = {**ASKED, "rank_by": None, "vary": ["seed", "split"], "data": data}
    with pytest.raises(
        InputError, match=r"vary: split .* data\.time .* set split\.folds .* or leave split out of vary"
    ):
        regzoo.compare(out=tmp_path / "lines", workers=0, **asked)
    assert [path.name for path in tmp_path.iterdir()] == ["lines.csv"]


@dataclass(frozen=True)
class Compared:
    """A comparison that varied the split, and what was made from the same rows."""

    result: regzoo.Result
    asked: dict[str, Any]
    frame: pd.DataFrame
    folds: list[PreparedData]


@pytest.fixture(scope="module")
def compared(sparing: Any, tmp_path_factory: pytest.TempPathFactory) -> Compared:
    folder = tmp_path_factory.mktemp("vary")
    random = np.random.default_rng(0)
    frame = pd.DataFrame({"a": random.normal(size=ROWS), "b": 40 + 9 * random.normal(size=ROWS)})
    asked = {**ASKED, "vary": ["seed", "split"], "data": {"csv": folder / "lines.csv", "target": "y"}}
    noise = 2 * random.normal(size=ROWS)
    frame.assign(y=noise).to_csv(folder / "lines.csv", index=False)
    noise[runner.read_data(from_keywords(**asked)).folds[EASY - 1].split.validation] = 0  # not what y rules
    frame = frame.assign(y=3 * frame["a"] - frame["b"] / 9 + noise)
    frame.to_csv(folder / "lines.csv", index=False)
    prepared = runner.read_data(from_keywords(**asked))
    with sparing():
        result = regzoo.compare(out=folder / "lines", workers=0, **asked)
    return Compared(result, asked, frame, [prepared, *prepared.folds])


def measure(compared: Compared, predicted: Any, part: str) -> float:
    """Return the RMSE of predictions for all rows, in the units of the target, on a part of the easy split."""
    off = np.asarray(predicted, np.float64).ravel() - compared.frame["y"].to_numpy()
    return float(np.sqrt(np.mean(off[getattr(compared.folds[EASY].split, part)] ** 2)))


def by_key(result: regzoo.Result) -> dict[str, Any]:
    return {record.run.key: (record.metrics, record.history) for record in result.records}


def select(result: regzoo.Result, stage: str, name: str = "none") -> list[Record]:
    found = [record for record in result.records if (record.run.stage, record.run.name) == (stage, name)]
    return sorted(found, key=lambda record: record.run.number)


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_replicate_i_has_the_ith_split_and_the_first_is_that_of_a_comparison_of_seeds(
    compared: Compared, tmp_path: Path
) -> None:
    assert [record.run.fold for record in select(compared.result, "replicate", "l2(0.001)")] == [0, 1, 2, 3, 4]
    assert {record.run.fold for record in select(compared.result, "trial")} == {0}
    plain = regzoo.compare(out=tmp_path / "lines", workers=0, **{**compared.asked, "vary": ["seed"]})
    shared = by_key(plain).keys() & by_key(compared.result).keys()
    assert len(shared) == 4  # a trial and the first replicate of both recipes
    assert all(by_key(plain)[key] == by_key(compared.result)[key] for key in shared)
    one, other = (select(result, "replicate")[4] for result in (plain, compared.result))
    assert one.run.seed == other.run.seed
    assert one.metrics != other.metrics


@pytest.mark.slow
def test_the_exported_model_has_the_preprocessor_of_its_split(compared: Compared, tmp_path: Path) -> None:
    best = min(select(compared.result, "replicate"), key=lambda record: record.score("rmse"))
    assert best.run.fold == EASY
    to = compared.result.export(tmp_path / "model", "none")  # reloaded in another process, and compared
    compared.frame[["a", "b"]].to_csv(tmp_path / "rows.csv", index=False)
    predict_file(to, tmp_path / "rows.csv", tmp_path / "predicted.csv", "utf-8-sig", notify=print)
    predicted = pd.read_csv(tmp_path / "predicted.csv").to_numpy()[:, -1]
    for part in ("train", "validation", "test"):
        assert measure(compared, predicted, part) == pytest.approx(best.metrics[part]["rmse"], rel=1e-4)
    with Ledger(compared.result.folder) as ledger:
        info = ledger.get_fold_info(EASY)
    own = compared.folds[EASY]
    assert info.preprocessor == own.preprocessor.to_json() != compared.folds[0].preprocessor.to_json()
    assert info.data.split.hashes == own.split.facts["hashes"]
    assert (info.data.split.folds, info.data.split.fold, info.data.split.repetition) == (1, 0, EASY)
    card = (to / "README.md").read_text(encoding="utf-8")
    assert f"Each replicate was trained and validated on other rows; this one is number {EASY + 1}." in card
    assert "5 splits of the others into training and validation" in " ".join(card.split())


@pytest.mark.slow
def test_a_refit_trains_on_all_rows_outside_the_test_part(compared: Compared, tmp_path: Path) -> None:
    to = compared.result.export(tmp_path / "model", "none", refit=True)
    card = " ".join((to / "README.md").read_text(encoding="utf-8").split())
    assert "trained on train + validation (48 rows)" in card
    assert "Each replicate was trained and validated on other rows." in card


@pytest.mark.slow
def test_intervals_have_the_corrected_variance(compared: Compared) -> None:
    """12 rows validate what 36 trained: 1 / 5 + 1 / 3 in place of 1 / 5; t has 4 degrees of freedom."""
    pairs = zip(select(compared.result, "replicate"), select(compared.result, "replicate", "l2(0.001)"), strict=True)
    gains = [none.score("rmse") - l2.score("rmse") for none, l2 in pairs]
    reach = 2.776445 * np.std(gains, ddof=1) * (1 / 5 + 1 / 3) ** 0.5
    row = next(row for row in compared.result.board.recipes if row.name == "l2(0.001)")
    assert (row.gain_low, row.gain_high) == pytest.approx((np.mean(gains) - reach, np.mean(gains) + reach))


class Interrupted(Exception):
    """Raised by `StoppingProgress`."""


class StoppingProgress(SilentProgress):
    """Stops the comparison after seven records."""

    made = 0

    def update(self, record: Record, repeated: bool) -> None:
        self.made += 1
        if self.made == 7:
            raise Interrupted


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_an_interrupted_comparison_goes_on_with_the_same_splits(compared: Compared, tmp_path: Path) -> None:
    experiment, folder = from_keywords(**compared.asked), tmp_path / "lines"
    options: dict[str, Any] = {"workers": 0, "fresh": False, "command": "regzoo compare"}
    with pytest.raises(Interrupted):
        runner.run_comparison(
            experiment,
            lambda inputs: runner.read_data(experiment, inputs),
            folder,
            progress=StoppingProgress(),
            **options,
        )
    with Ledger(folder) as ledger:
        begun = {record.run.key for record in ledger.records()}
    assert 0 < len(begun) < len(compared.result.records)
    again = regzoo.compare(out=folder, workers=2, **compared.asked)
    assert by_key(again) == by_key(compared.result)
    assert again.board.to_csv() == compared.result.board.to_csv()


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_search_k_sees_split_k(compared: Compared, tmp_path: Path) -> None:
    """Replicates have the same splits whether the search varies or not; a search that does not sees the first."""
    asked = {**compared.asked, "recipes": ["none", "l2"], "search": {"trials": 2, "confirm": 2, "repeats": 2}}
    for vary, searched in ((["seed", "split", "search"], {0, 1}), (["seed", "search"], {0})):
        result = regzoo.compare(out=tmp_path / str(len(vary)), workers=0, **{**asked, "vary": vary, "replicates": 4})
        searches = [record.run for stage in ("trial", "confirmation") for record in select(result, stage, "l2")]
        assert {(run.stage, run.search) for run in searches} == {
            (stage, search) for stage in ("trial", "confirmation") for search in (0, 1)
        }
        assert all(run.fold == (run.search if len(searched) > 1 else 0) for run in searches)
        replicates = [record.run for record in select(result, "replicate", "l2")]
        assert [run.search for run in replicates] == [0, 1, 0, 1]
        assert [run.fold for run in replicates] == ([0, 1, 2, 3] if "split" in vary else [0] * 4)
