"""The README: every code block runs, as written, from top to bottom in one folder."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TOP = Path(__file__).parents[1]
BLOCKS = re.findall(r"^```(\w+)\n(.*?)^```", (TOP / "README.md").read_text(encoding="utf-8"), re.M | re.S)
PYTHON = [code for language, code in BLOCKS if language == "python"]
SHELL = [line.split("#")[0].strip() for language, code in BLOCKS if language == "bash" for line in code.splitlines()]
INSTALLING = [line for line in SHELL if line.startswith("pip install")]
COMMANDS = [line for line in SHELL if line and line not in INSTALLING]

SMALL = """
name: digits
data: {source: digits}
split: {train_size: 60}
backbone: mlp(widths=[8])
recipes: [none, dropout]
training: {epochs: 2}
search: {trials: 2}
replicates: 2
"""
"""What the README's commands run on here: the quickstart itself is what the CI script runs first."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("readme")
    (folder / "configs").mkdir()
    (folder / "configs" / "quickstart.yaml").write_text(SMALL, encoding="utf-8")
    return folder


def run(command: list[str], folder: Path) -> str:
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, timeout=900)
    assert done.returncode == 0, f"{command}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_two_installing_commands_are_what_ci_runs() -> None:
    script = (TOP / ".ci" / "run").read_text(encoding="utf-8")
    assert len(INSTALLING) == 2
    assert all(f"\n{command} " in script for command in INSTALLING)


@pytest.mark.parametrize("command", COMMANDS)
def test_command_runs(command: str, folder: Path) -> None:
    name, *rest = shlex.split(command)
    assert name == "regzoo"
    run([sys.executable, "-m", "regzoo", *rest], folder)


@pytest.mark.parametrize("number", range(len(PYTHON)))
def test_python_block_runs(number: int, folder: Path) -> None:
    """As a script, without a main guard; those that read a model come after the commands that write it."""
    script = folder / f"block_{number}.py"
    script.write_text(PYTHON[number], encoding="utf-8")
    printed = run([sys.executable, str(script)], folder)
    for expected in re.findall(r"^print\(.*\)\s+# (\{.*\})$", PYTHON[number], re.M):
        assert expected in printed


def test_every_language_of_a_block_is_run() -> None:
    assert {language for language, _ in BLOCKS} == {"bash", "python"}


def test_links_lead_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", (TOP / "README.md").read_text(encoding="utf-8"))
    assert links
    missing = [link for link in links if not link.startswith("http") and not (TOP / link).exists()]
    assert not missing
