"""Reports, cards and models are given away: no file of a comparison but two names a folder of this machine."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from regzoo.cli import app as cli
from regzoo.result import Result

FULL_PATHS = {"config.yaml", "ledger.sqlite"}
"""Resuming and ``--refit`` read the data again, so these two know where it is; GUIDE.md says so."""


@pytest.fixture(scope="module")
def folder(finished: Any, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The private folder, in whose name there are blanks and quotes, with a comparison that was made in it."""
    folder = tmp_path_factory.mktemp("home") / 'ali\'ce of "wonder" & land'
    folder.mkdir()
    rows = finished.table
    for number, part in enumerate((rows[:60], rows[60:80], rows[80:])):
        part.to_csv(folder / f"flowers{number}.csv", index=False)
    paths = {name: str(folder / f"flowers{number}.csv") for number, name in enumerate(("csv", "validation", "test"))}
    config = {
        "name": "flowers",
        "data": {**paths, "target": "kind"},
        "backbone": "mlp([4])",
        "recipes": ["none", "l2(0.001)", "l2(1e300)"],  # the last one diverges
        "training": {"epochs": 1, "learning_rate": 0.01},
        "vary": ["seed"],
        "replicates": 2,
    }
    (folder / "flowers.yaml").write_text(json.dumps(config), encoding="utf-8")
    return folder


@pytest.fixture
def run(folder: Path, monkeypatch: pytest.MonkeyPatch, unverified: None) -> Any:
    """Return a function that runs the command line."""

    def call(*arguments: object) -> int:
        monkeypatch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
        with pytest.raises(SystemExit) as done:
            cli.main()
        return int(done.value.code or 0)

    return call


def find_leaks(folder: Path, private: Path) -> set[str]:
    """Return the files below ``folder`` that hold the name of a folder of this machine."""
    words = [word.encode() for word in (str(private.parent), private.name, private.parents[1].name, str(Path.home()))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {str(path.relative_to(folder)) for path in files if any(word in path.read_bytes() for word in words)}


@pytest.mark.slow
def test_no_written_file_names_a_folder_of_this_machine(
    folder: Path, run: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("regzoo.api.run_comparison", with_one_worker(monkeypatch))
    out = folder / "reports" / "flowers"
    assert run("compare", folder / "flowers.yaml", "--out", out, "--quiet") in (0, 1)
    assert find_leaks(out, folder) == FULL_PATHS
    page = (out / "report.html").read_text(encoding="utf-8")
    assert "flowers0.csv + flowers1.csv + flowers2.csv" in page
    assert "regzoo compare flowers.yaml" in page
    assert "csv: flowers0.csv" in page
    assert run("export", out, "--to", folder / "mine", "--recipe", "none", "--refit") == 0
    assert find_leaks(folder / "mine", folder) == set()
    assert run("report", out) == 0
    assert find_leaks(out, folder) == FULL_PATHS
    assert str(folder) not in Path(Result(out).report(folder / "page.html")).read_text(encoding="utf-8")


def with_one_worker(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return `run_comparison` in this process."""
    from regzoo.comparison.runner import run_comparison

    return lambda *arguments, **options: run_comparison(*arguments, **{**options, "workers": 0})
