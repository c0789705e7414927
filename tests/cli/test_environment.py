"""Odd environments: every command that reads has the right exit code, and shows no traceback."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]

ENVIRONMENTS: dict[str, dict[str, str | None]] = {
    "no home": {"HOME": None},
    "a home that cannot be written": {"HOME": "/proc"},
    "an empty home": {"HOME": ""},
    "no temporary folder": {"TMPDIR": "/nonexistent"},
    "a temporary folder that cannot be written": {"TMPDIR": "/proc"},
    "a narrow terminal": {"COLUMNS": "1", "FORCE_COLOR": "1"},
    "no columns": {"COLUMNS": "0", "LINES": "0", "FORCE_COLOR": "1"},
    "negative columns": {"COLUMNS": "-5", "FORCE_COLOR": "1"},
    "columns that are no number": {"COLUMNS": "wide"},
    "no terminal type": {"TERM": None, "FORCE_COLOR": "1"},
    "an unknown terminal type": {"TERM": "nonsense", "FORCE_COLOR": "1"},
}

COMMANDS = {
    "zoo": 0,
    "zoo dropout": 0,
    "zoo --json": 0,
    "leaderboard flowers": 0,
    "leaderboard flowers --json": 0,
    "failures flowers": 0,
    "compare-runs flowers flowers": 0,
    "check nowhere.yaml": 2,
    "predict nowhere rows.csv": 2,
}


@pytest.mark.parametrize("command", list(COMMANDS))
@pytest.mark.parametrize("name", list(ENVIRONMENTS))
def test_reading_commands_work_in_odd_environments(
    name: str, command: str, one_record: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(one_record)
    for variable, value in ENVIRONMENTS[name].items():
        if value is None:
            monkeypatch.delenv(variable, raising=False)
        else:
            monkeypatch.setenv(variable, value)
    code, out, err = run(*command.split())
    assert code == COMMANDS[command]
    assert bool(out) == (code == 0)
    assert bool(err) == (code != 0)
    assert "Traceback" not in err


@pytest.mark.parametrize(
    "command", ["zoo dropout", "check mine.yaml", "leaderboard flowers", "export flowers --to model"]
)
def test_a_working_directory_that_is_gone(
    command: str, tmp_path: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    try:
        code, _, err = run(*command.split())
    finally:
        os.chdir(tmp_path)
    assert code in ((0,) if command == "zoo dropout" else (2, 3))
    assert "Traceback" not in err
    assert "defect" not in err


@pytest.mark.parametrize("settings", [{"LC_ALL": "C"}, {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0"}])
def test_the_locale_of_a_bare_machine(settings: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "käse.yaml").write_text("name: käse\n", encoding="utf-8")
    command = [sys.executable, "-m", "regzoo", "check", "käse.yaml"]
    done = subprocess.run(command, cwd=tmp_path, env=os.environ | settings, capture_output=True, check=False)
    assert done.returncode == 2
    assert b"Error: " in done.stderr
    assert b"Traceback" not in done.stderr
