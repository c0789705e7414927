"""`regzoo.Result`: leaderboard, model, report and export of a comparison, finished or not."""

from __future__ import annotations

import gc
import hashlib
import shutil
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

import regzoo
from regzoo.comparison import runner
from regzoo.core import InputError
from regzoo.core.errors import MovedAsideWarning
from regzoo.result import Result
from regzoo.storage.ledger import Ledger

SMALL: dict[str, Any] = {
    "backbone": "mlp([4])",
    "recipes": ["none", "l2(0.001)"],
    "training": {"epochs": 2, "learning_rate": 0.01},
    "vary": ["seed"],
    "replicates": 2,
    "workers": 0,
}


@pytest.mark.usefixtures("unverified")
def test_a_result_gives_model_report_and_export(rows: Any, tmp_path: Path) -> None:
    result = regzoo.compare(*rows, out=tmp_path / "mine", name="mine", **SMALL)
    assert isinstance(result.model, keras.Model)
    np.testing.assert_allclose(result.model.predict(rows[0], verbose=0).sum(1), 1.0, atol=1e-6)
    page = result.report(tmp_path / "report.html")
    assert page == tmp_path / "report.html"
    assert page.read_bytes() == (tmp_path / "mine" / "report.html").read_bytes()
    assert result.report(tmp_path / "mine" / "report.html").is_file()  # its usual place
    assert result.export(tmp_path / "none", "none") == tmp_path / "none"
    assert (tmp_path / "none" / "saved_model.pb").is_file()
    again = regzoo.compare(*rows, out=tmp_path / "mine", name="mine", **SMALL)
    assert len(again.records) == len(result.records)
    assert again.leaderboard.equals(result.leaderboard)


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_without_out_it_lives_as_long_as_the_result(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    result = regzoo.compare(*rows, **SMALL)
    folder = result.folder
    assert (folder / "leaderboard.csv").is_file()
    assert folder.is_relative_to(tmp_path)
    del result
    gc.collect()
    assert list(tmp_path.iterdir()) == []


def test_the_test_part_is_read_for_replicates_alone(finished: Any) -> None:
    for record in Result(finished.folder).records:
        assert ("test" in record.metrics) == (record.run.stage == "replicate")


def digest_files(folder: Path) -> dict[str, str]:
    files = (path for path in folder.rglob("*") if path.is_file())
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


@pytest.mark.slow
def test_a_report_elsewhere_leaves_the_folder_as_it_is(finished: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(finished.folder, tmp_path / "mine")
    for name in ("report.html", "report.md", "leaderboard.csv", "figures/leaderboard.svg"):
        (folder / name).write_text("edited")
    before, result = digest_files(folder), Result(folder)
    result.report(tmp_path / "report.html")
    assert digest_files(folder) == before
    assert sorted(path.name for path in tmp_path.iterdir()) == ["mine", "report.html"]
    with pytest.warns(
        MovedAsideWarning, match=r"leaderboard\.csv is now leaderboard\.1\.csv, figures/leaderboard\.svg"
    ):
        result.write_report()
    assert (folder / "report.html").read_bytes() == (tmp_path / "report.html").read_bytes()
    assert (folder / "leaderboard.csv").read_text().startswith("recipe,name,")
    for name in ("report.1.html", "report.1.md", "leaderboard.1.csv", "figures/leaderboard.1.svg"):
        assert (folder / name).read_text() == "edited"


def test_only_an_older_report_is_replaced_and_only_if_nobody_changed_it(
    finished: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regzoo.report.render.load_figures", dict)  # they take seconds
    result, path = Result(finished.folder), tmp_path / "a" / "report.html"
    for _ in range(2):
        assert result.report(path) == path
    written = path.read_text()
    for content in (written.replace("</h1>", ", with my notes</h1>", 1), "<p>mine</p>", written + "more"):
        path.write_text(content)
        with pytest.raises(InputError, match=r"report\.html exists and is not a report as regzoo writes it"):
            result.report(path)
        assert path.read_text() == content
    assert [each.name for each in path.parent.iterdir()] == ["report.html"]


def test_an_unfinished_comparison_has_no_best(rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stop(Exception):
        pass

    def stop(*_: Any) -> None:
        raise Stop

    monkeypatch.setattr(runner, "make_runs", stop)
    with pytest.raises(Stop):
        regzoo.compare(*rows, out=tmp_path / "mine", **SMALL)
    result = Result(tmp_path / "mine")
    assert list(result.leaderboard["status"]) == ["pending", "pending"]
    for ask in (lambda: result.best, lambda: result.model, lambda: result.export(tmp_path / "model")):
        with pytest.raises(InputError, match="finished replicate"):
            ask()
    result.report(tmp_path / "report.html")
    assert (tmp_path / "report.html").stat().st_size > 0


def test_a_comparison_that_has_just_begun_shows_nothing(tmp_path: Path) -> None:
    with Ledger(tmp_path, create=True):
        pass
    with pytest.raises(InputError, match="only just begun"):
        _ = Result(tmp_path).leaderboard
