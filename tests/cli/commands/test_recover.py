"""``regzoo recover``: the command that the message of a damaged comparison names."""

from __future__ import annotations

import shlex
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

FIXTURES = Path(__file__).parents[2] / "fixtures"

Call = Callable[..., tuple[int, str, str]]


def test_the_command_in_the_message_saves_what_is_intact(
    run: Call, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    ledger = Path(shutil.copytree(FIXTURES / "format_1", "my results")) / "ledger.sqlite"
    content = bytearray(ledger.read_bytes())
    content[12 * 4096 : 13 * 4096] = bytes(4096)
    ledger.write_bytes(content)
    code, out, err = run("leaderboard", "my results")
    assert (code, out) == (2, "")
    assert err.startswith("Error: my results/ledger.sqlite is damaged (")
    command = shlex.split(err.rpartition("new folder: regzoo ")[2])
    assert command == ["recover", "my results", "--to", "my results-recovered"]
    code, out, err = run(*command)
    assert (code, err) == (0, "")
    assert out.startswith("Recovered to my results-recovered: ")
    assert " of 20 runs, " in out
    assert "Make what is lost again: regzoo compare 'my results-recovered/config.yaml' --out" in out
    assert bytes(content) == ledger.read_bytes()
    assert run("leaderboard", "my results-recovered")[0] == 0
    code, out, err = run(*command)
    assert (code, out, err) == (2, "", "Error: my results-recovered exists: choose a new folder with --to\n")


def test_a_folder_without_a_comparison_is_refused(run: Call, tmp_path: Path) -> None:
    code, _, err = run("recover", tmp_path, "--to", tmp_path / "new")
    assert (code, err.partition(":")[0]) == (2, "Error")
    assert "holds no comparison" in err
    assert list(tmp_path.iterdir()) == []
