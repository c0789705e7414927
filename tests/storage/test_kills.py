"""SIGKILL before any step on files: nothing is lost, and the next command leaves nothing half done."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

DRIVER = Path(__file__).parents[1] / "fixtures" / "kill_at_every_step.py"
SCENARIOS = {
    "report": 50,
    "report over files of the user's": 50,
    "compare": 50,
    "compare --fresh": 100,
    "recover": 50,
    "a file that the user names": 20,
}
"""The commands, and a number of steps that each has at least."""


@pytest.mark.parametrize("stride", [7, pytest.param(1, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "scenario", [pytest.param(each, marks=[pytest.mark.slow] * (each == "recover")) for each in SCENARIOS]
)
def test_a_kill_at_any_step(scenario: str, stride: int, tmp_path: Path) -> None:
    command = [sys.executable, str(DRIVER), scenario, str(tmp_path), str(stride)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > SCENARIOS[scenario]
