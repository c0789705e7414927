"""Export: a verified model in its folder, or nothing."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import tensorflow as tf

from regzoo.comparison.leaderboard import read_leaderboard
from regzoo.comparison.runner import read_data
from regzoo.comparison.setup import make_setup
from regzoo.config import load_config
from regzoo.core import EnvironmentFailure, InputError, parse
from regzoo.core.errors import MovedAsideWarning, ParityError
from regzoo.data.dataset import Array
from regzoo.export import export as export_module
from regzoo.export.candidate import load_preprocessor, load_setup
from regzoo.export.export import export_model
from regzoo.export.saved_model import write_saved_model
from regzoo.export.verify import Parity
from regzoo.result import Result
from regzoo.storage.ledger import Ledger
from regzoo.system.temporary_folder import SIBLING
from regzoo.training.engine.make_model import load_finished_model

PARITY = Parity(20, (1, 7), 0.0, True)


@pytest.fixture
def ledger(finished: Any) -> Iterator[Ledger]:
    with Ledger(finished.folder) as opened:
        yield opened


@pytest.fixture
def unverified(monkeypatch: pytest.MonkeyPatch) -> None:
    """Skip the process that verifies a model; these tests are about what comes before and after."""
    monkeypatch.setattr(export_module, "verify_parity", lambda *_: PARITY)


def reject_constant(constant: str) -> None:
    raise AssertionError(f"{constant} is not strict JSON")


def read_recipe(folder: Path) -> dict[str, Any]:
    text = (folder / "recipe.json").read_text(encoding="utf-8")
    values: dict[str, Any] = json.loads(text, parse_constant=reject_constant)
    return values


def export(ledger: Ledger, to: Path, recipe: str | None = None) -> dict[str, Any]:
    """Export a model, and return its ``recipe.json``."""
    assert export_model(ledger, read_leaderboard(ledger), to, recipe) == to
    return read_recipe(to)


def predict(folder: Path, table: Any) -> dict[str, Array]:
    columns = read_recipe(folder)["inputs"]
    serve = tf.saved_model.load(str(folder)).signatures["serving_default"]
    return {
        name: value.numpy()
        for name, value in serve(**{n: tf.constant(table[column], tf.float32) for n, column in columns.items()}).items()
    }


def test_the_winner_of_a_comparison_is_exported(finished: Any, ledger: Ledger) -> None:
    folder = finished.folder / "model"
    recipe = read_recipe(folder)
    record, weights = ledger.load_best_replicate(recipe["written"])
    leaderboard = read_leaderboard(ledger)
    assert recipe["recipe"] == leaderboard.winner == record.run.recipe_text
    assert (recipe["seed"], recipe["learning_rate"]) == (record.run.seed, record.run.learning_rate)
    assert recipe["members"] == len(recipe["member_seeds"]) == len(weights)
    assert recipe["metrics"] == record.metrics
    assert recipe["data"]["digest"] == ledger.get_fold_info().data.digest
    assert recipe["versions"]["tensorflow"] == version("tensorflow")
    assert recipe["inputs"]["mean_radius_m"] == "mean radius (µm)"
    assert not list(finished.folder.glob(f".*{SIBLING}*"))


@pytest.mark.usefixtures("unverified")
def test_any_recipe_can_be_exported_and_answers_as_its_best_replicate_did(
    finished: Any, ledger: Ledger, tmp_path: Path
) -> None:
    recipe = export(ledger, tmp_path / "l2", "l2(0.001)")
    assert recipe["written"] == "l2(0.001)"
    outputs = predict(tmp_path / "l2", finished.table)
    prepared = read_data(load_config(finished.config))
    labels = [label.decode() for label in outputs["label"]]
    accuracy = np.mean(np.array(labels) == finished.table["kind"].to_numpy())
    parts = {"train": 60, "validation": 20, "test": 20}
    assert [len(getattr(prepared, part)[1]) for part in parts] == list(parts.values())
    expected = sum(recipe["metrics"][part]["accuracy"] * rows for part, rows in parts.items()) / 100
    assert accuracy == pytest.approx(expected, abs=1e-6)


@pytest.mark.usefixtures("unverified")
def test_an_ensemble_is_one_graph(finished: Any, ledger: Ledger, tmp_path: Path) -> None:
    recipe = export(ledger, tmp_path / "two", "ensemble(2)")
    assert recipe["members"] == 2
    assert len(set(recipe["member_seeds"])) == 2
    held_out = np.asarray(ledger.get_fold_info().held_out, np.float32)
    outputs = predict(tmp_path / "two", dict(zip(finished.table.columns[:-1], held_out.T, strict=True)))
    _, weights = ledger.load_best_replicate("ensemble(2)")
    setup, x = load_setup(ledger), load_preprocessor(ledger).transform(held_out)
    members = [load_finished_model(setup, parse("none"), [member])(x).numpy() for member in weights]
    np.testing.assert_allclose(outputs["probabilities"], np.mean(members, axis=0), atol=1e-6)


@pytest.mark.usefixtures("unverified")
def test_a_recipe_can_be_named_with_its_numbers(ledger: Ledger, tmp_path: Path) -> None:
    row = next(row for row in read_leaderboard(ledger).recipes if row.name == "dropout")
    assert export(ledger, tmp_path / "model", row.recipe)["written"] == "dropout"


@pytest.mark.usefixtures("unverified")
def test_a_recipe_can_be_written_as_in_a_config(ledger: Ledger, tmp_path: Path) -> None:
    """The leaderboard writes numbers and spaces in its own way."""
    assert export(ledger, tmp_path / "model", " l2(1e-3)")["written"] == "l2(0.001)"


def test_a_folder_that_cannot_be_written_is_reported_before_a_refit_trains(
    finished: Any, ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def train(*_: Any) -> None:
        raise AssertionError("trained")

    monkeypatch.setattr(export_module, "refit_recipe", train)
    (tmp_path / "file").write_text("years of work")
    with pytest.raises(EnvironmentFailure, match=r"file/model cannot be written: .*; choose another path"):
        Result(finished.folder).export(tmp_path / "file" / "model", refit=True)
    assert (tmp_path / "file").read_text() == "years of work"


def test_tensorflows_error_about_a_full_disk_becomes_a_sentence(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def write(*_: Any, **__: Any) -> None:
        raise tf.errors.NotFoundError(None, None, "no such folder")

    monkeypatch.setattr(tf.saved_model, "save", write)
    with pytest.raises(EnvironmentFailure, match=r"cannot be written \(no such folder\)"):
        export(ledger, tmp_path / "model", "none")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unverified")
def test_an_older_export_outlives_an_interruption_between_two_names(
    ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def rename(path: Path, target: Path) -> Path:
        if target == tmp_path / "model" and SIBLING in path.name:
            raise KeyboardInterrupt
        return original(path, target)

    original = Path.rename
    export(ledger, tmp_path / "model", "none")
    monkeypatch.setattr(Path, "rename", rename)
    with pytest.raises(KeyboardInterrupt):
        export(ledger, tmp_path / "model", "l2(0.001)")
    assert json.loads((tmp_path / "model" / "recipe.json").read_text())["written"] == "none"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_an_unknown_recipe_is_refused(ledger: Ledger, tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"there is no recipe 'droput' in this comparison\. Did you mean 'dropout'"):
        export(ledger, tmp_path / "model", "droput")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unverified")
def test_an_older_export_is_moved_aside(ledger: Ledger, tmp_path: Path) -> None:
    (tmp_path / "model.1").symlink_to("nowhere")  # taken
    export(ledger, tmp_path / "model", "none")
    to = tmp_path / "model"
    with pytest.warns(MovedAsideWarning, match=rf"^{to}: the older export there is now {to}\.2$"):
        assert export(ledger, to, "l2(0.001)")["written"] == "l2(0.001)"
    assert read_recipe(tmp_path / "model.2")["written"] == "none"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["model", "model.1", "model.2"]


@pytest.mark.usefixtures("unverified")
def test_a_link_stays_one_and_what_it_leads_to_is_replaced(ledger: Ledger, tmp_path: Path) -> None:
    export(ledger, tmp_path / "model", "none")
    (tmp_path / "current").symlink_to("model")
    with pytest.warns(MovedAsideWarning, match=r"is now .*model\.1$"):
        assert export(ledger, tmp_path / "current", "l2(0.001)")["written"] == "l2(0.001)"
    assert (tmp_path / "current").is_symlink()
    assert read_recipe(tmp_path / "model.1")["written"] == "none"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["current", "model", "model.1"]


@pytest.mark.parametrize("kind", ["folder", "empty folder", "file"])
def test_anything_but_an_export_is_not_overwritten(kind: str, ledger: Ledger, tmp_path: Path) -> None:
    to = tmp_path / "thesis"
    if kind == "file":
        to.write_text("years of work")
    else:
        to.mkdir()
    if kind == "folder":
        (to / "thesis.txt").write_text("years of work")
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(
        InputError, match="exists and is no unchanged model exported by regzoo: nothing was overwritten"
    ):
        export(ledger, to)
    assert sorted(tmp_path.rglob("*")) == before


@pytest.mark.usefixtures("unverified")
def test_parent_folders_are_made(ledger: Ledger, tmp_path: Path) -> None:
    export(ledger, tmp_path / "a" / "b" / "model")
    assert (tmp_path / "a" / "b" / "model" / "saved_model.pb").is_file()


@pytest.mark.slow
def test_a_tampered_model_is_not_kept(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def tamper(model: Any, preprocessor: Any, folder: Path, numeric_labels: bool) -> None:
        kernel = next(weight for weight in model.weights if weight.path.endswith("kernel"))
        original = kernel.numpy()
        kernel.assign(original + 0.01)
        write_saved_model(model, preprocessor, folder, numeric_labels)
        kernel.assign(original)

    monkeypatch.setattr(export_module, "write_saved_model", tamper)
    with pytest.raises(ParityError, match="differs from the live one"):
        export(ledger, tmp_path / "model", "none")
    assert list(tmp_path.iterdir()) == []


def test_an_older_export_outlives_a_failed_one(ledger: Ledger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> Parity:
        raise ParityError("no")

    monkeypatch.setattr(export_module, "verify_parity", lambda *_: PARITY)
    export(ledger, tmp_path / "model", "none")
    monkeypatch.setattr(export_module, "verify_parity", fail)
    with pytest.raises(ParityError):
        export(ledger, tmp_path / "model", "l2(0.001)")
    assert json.loads((tmp_path / "model" / "recipe.json").read_text())["written"] == "none"
    assert [path.name for path in tmp_path.iterdir()] == ["model"]


def test_a_comparison_without_a_finished_replicate_has_nothing_to_export(finished: Any, tmp_path: Path) -> None:
    shutil.copytree(finished.folder, tmp_path / "copy")
    with Ledger(tmp_path / "copy") as ledger:
        trials = [record for record in ledger.records() if record.run.stage == "trial"]
        leaderboard = read_leaderboard(ledger, trials)
        with pytest.raises(InputError, match="no recipe has a finished replicate yet"):
            export_model(ledger, leaderboard, tmp_path / "model")


def test_the_setup_is_loaded_unchanged(finished: Any, ledger: Ledger) -> None:
    experiment = load_config(finished.config)
    assert load_setup(ledger) == make_setup(experiment, read_data(experiment))
