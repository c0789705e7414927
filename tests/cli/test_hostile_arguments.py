"""Every command with every hostile argument: exit code 2 and a short sentence, nothing written, nothing trained."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

Call = Callable[..., tuple[int, str, str]]

COMMANDS = (
    "check {}",
    "plan {}",
    "compare {}",
    "compare mine.yaml --workers {}",
    "sweep {} --over dropout.rate",
    "sweep mine.yaml --over {}",
    "sweep mine.yaml --over dropout.rate --values {}",
    "leaderboard {}",
    "failures {}",
    "report {}",
    "compare-runs {} flowers",
    "compare-runs flowers {}",
    "check-claims {}",
    "check-claims flowers --searches {}",
    "export {} --to model",
    "export flowers --to model --recipe {}",
    "export flowers --to model --format {}",
    "predict {} rows.csv",
    "predict flowers {}",
    "predict flowers rows.csv --out {}",
    "predict flowers rows.csv --encoding {}",
    "zoo {}",
    "bench --case {}",
    "nothing {}",
)

HOSTILE = {
    "long": "x" * 10**6,
    "long path": "/".join(["y" * 200] * 5000),
    "not UTF-8": os.fsdecode(b"a\xffb"),
    "escape": "\x1b]0;title\x07\x1b[31m",
    "bidi": "\u202ecod.exe",
    "brackets": "[" * 5000,
    "calls": "dropout(" * 2000,
    "too large": "1e999999",
    "digits": "1" * 10**5,
    "NaN": "nan",
    "device": "/dev/full",
    "folder": "/",
    "pipe": "pipe",
    "no folder": "mine.yaml/x",
    "no home": "~nobody-of-this-name/x",
    "empty": "",
}


@pytest.fixture(scope="module")
def place(one_record: Path) -> Path:
    """The folder, and in it a named pipe that nobody writes to."""
    os.mkfifo(one_record / "pipe")
    return one_record


def list_files(folder: Path) -> dict[str, bytes | None]:
    return {str(path): path.read_bytes() if path.is_file() else None for path in sorted(folder.rglob("*"))}


PAIRS = [
    pytest.param(name, command, marks=[pytest.mark.slow] if (row + column) % 4 else [])
    for row, name in enumerate(HOSTILE)
    for column, command in enumerate(COMMANDS)
]
"""Every pair; by default every fourth: each argument with five commands, each command with four arguments."""


@pytest.mark.parametrize(("name", "command"), PAIRS)
def test_a_hostile_argument_is_refused(
    name: str, command: str, place: Path, run: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(place)
    for module in ("result", "comparison.runner", "export.predict", "execution.tf_runtime"):
        monkeypatch.setattr(f"regzoo.{module}.import_tensorflow", lambda *_: pytest.fail("TensorFlow"), raising=False)
    monkeypatch.setattr("regzoo.result.import_tensorflow", lambda: None)  # export looks for the recipe afterwards
    before = list_files(place)
    code, out, err = run(*(word.replace("{}", HOSTILE[name]) for word in command.split()))
    assert (code, out) == (2, "")
    assert "Traceback" not in err
    assert "defect" not in err
    assert 10 < len(err) < 8000
    assert not set(err) & {"\x1b", "\x07", "\u202e", "\udcff"}
    assert list_files(place) == before
