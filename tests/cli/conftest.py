"""Shared by the tests of the command line: call it, in this process or in one of its own, and look into its ledger."""

from __future__ import annotations

import io
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console, RenderableType

from regzoo.cli.app import main


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Call ``regzoo`` in this process: its exit code, stdout and stderr."""

    def call(*arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", ["regzoo", *map(str, arguments)])
        capfd.readouterr()
        with pytest.raises(SystemExit) as exited:
            main()
        printed = capfd.readouterr()
        return int(exited.value.code or 0), printed.out, printed.err

    return call


@pytest.fixture(scope="session")
def run_process() -> Callable[..., subprocess.CompletedProcess[str]]:
    """Call ``regzoo`` in a process of its own."""

    def call(*arguments: object, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "regzoo", *map(str, arguments)]
        return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, timeout=900)

    return call


@pytest.fixture
def copied(finished: Any, tmp_path: Path) -> Path:
    """A finished comparison to write to."""
    return Path(shutil.copytree(finished.folder, tmp_path / "flowers"))


@pytest.fixture
def no_workers(monkeypatch: pytest.MonkeyPatch) -> None:
    """Make runs in this process, although the command asks for workers."""
    from regzoo.execution.serial import SerialExecutor

    def make_pool(count: int | None, limit: float) -> SerialExecutor:
        assert count is None
        assert limit > 0
        return SerialExecutor()

    monkeypatch.setattr("regzoo.comparison.runner.ProcessPool", make_pool)


@pytest.fixture(scope="session")
def list_keys() -> Callable[[Path], list[str]]:
    """List the keys of a ledger's records, in the order in which they were made; none while there is no ledger."""

    def call(ledger: Path) -> list[str]:
        if not ledger.is_file():
            return []
        store = sqlite3.connect(f"file:{ledger}?mode=ro", uri=True)
        try:
            return [key for (key,) in store.execute("select key from records order by number")]
        except sqlite3.OperationalError:  # the tables are being made
            return []
        finally:
            store.close()

    return call


@pytest.fixture(scope="session")
def draw() -> Callable[..., str]:
    """Draw a table for a terminal without color, ``width`` columns wide."""

    def call(table: RenderableType, width: int = 200) -> str:
        text = io.StringIO()
        Console(file=text, width=width, color_system=None).print(table)
        return text.getvalue()

    return call


@pytest.fixture(scope="module")
def one_record(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a config, ``mine.yaml``, and a comparison with one record, ``flowers``; made without TensorFlow."""
    from regzoo.core import Objective
    from regzoo.storage.info import ComparisonInfo, DataInfo, SplitInfo
    from regzoo.storage.ledger import Ledger
    from regzoo.training.records import Record, Run

    folder = tmp_path_factory.mktemp("one_record")
    config = "name: mine\ndata: {source: iris}\nbackbone: mlp([4])\nrecipes: [none, dropout]\n"
    (folder / "mine.yaml").write_text(config)
    (folder / "flowers").mkdir()
    data = DataInfo("iris", "0", 9, 3, 3, 3, "4 columns", "classification", SplitInfo("stratified"))
    info = ComparisonInfo("flowers", "nll", "min", data, config, {}, "regzoo compare", 1, "random", 1)
    with Ledger(folder / "flowers", create=True) as ledger:
        ledger.set_comparison_info(info)
        ledger.set_recipe_names(["none"])
        run = Run("replicate", "none", "none", 0, 7, 0.001, 4, "setup")
        ledger.add(Record(run, "ok", {part: {"nll": 0.5} for part in ("train", "validation")}), Objective("nll", "min"))
    return folder
