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
