"""Exports in processes of their own: two to one name, and some that are killed."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from regzoo.export.manifest import find_foreign_file
from regzoo.system.temporary_folder import SIBLING

pytestmark = pytest.mark.slow

Start = Callable[..., "subprocess.Popen[str]"]


@pytest.fixture
def temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for temporary files of the processes."""
    folder = tmp_path / "temporary"
    folder.mkdir()
    monkeypatch.setenv("TMPDIR", str(folder))
    return folder


@pytest.fixture
def start(finished: Any, temporary: Path) -> Iterator[Start]:
    """Return a function that starts an export of a recipe."""
    with contextlib.ExitStack() as stack:

        def begin(to: Path, recipe: str) -> subprocess.Popen[str]:
            command = [sys.executable, "-m", "regzoo", "export", str(finished.folder), "--to", str(to)]
            process = stack.enter_context(
                subprocess.Popen(
                    [*command, "--recipe", recipe], stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True
                )
            )
            stack.callback(process.kill)
            return process

        yield begin


def read_written(folder: Path) -> str:
    return str(json.loads((folder / "recipe.json").read_text(encoding="utf-8"))["written"])


def test_of_two_exports_to_one_name_one_is_refused(start: Start, tmp_path: Path, temporary: Path) -> None:
    to = tmp_path / "models" / "mine"
    to.parent.mkdir()
    processes = [start(to, recipe) for recipe in ("none", "l2(0.001)")]
    errors = [process.communicate()[1] for process in processes]
    codes = [process.returncode for process in processes]
    assert 0 in codes
    assert set(codes) <= {0, 3}
    models = sorted(to.parent.iterdir())
    assert [find_foreign_file(model) for model in models] == [None] * codes.count(0)
    assert {read_written(model) for model in models} == {
        recipe for recipe, code in zip(("none", "l2(0.001)"), codes, strict=True) if code == 0
    }
    for code, error in zip(codes, errors, strict=True):
        assert "is in use by process" in error if code == 3 else "Traceback" not in error
    assert list(temporary.iterdir()) == []


def list_processes(word: str) -> list[str]:
    """Return the processes with ``word`` among their arguments or in their environment."""
    found = []
    for path in Path("/proc").glob("[0-9]*"):
        with contextlib.suppress(OSError):
            if word.encode() in (path / "cmdline").read_bytes() + (path / "environ").read_bytes():
                found.append(path.name)
    return [process for process in found if process != str(os.getpid())]


def is_writing(models: Path, temporary: Path) -> bool:
    return any(SIBLING in path.name and path.is_dir() for path in models.iterdir())


def is_verifying(models: Path, temporary: Path) -> bool:
    return any(temporary.glob("*/inputs.npz"))


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="looks for processes in /proc")
def test_the_next_export_removes_what_a_killed_one_left(start: Start, tmp_path: Path, temporary: Path) -> None:
    models = tmp_path / "models"
    models.mkdir()
    for moment in (is_writing, is_verifying):
        process = start(models / "mine", "none")
        end = time.monotonic() + 300
        while not moment(models, temporary):
            assert process.poll() is None
            assert time.monotonic() < end
            time.sleep(0.005)
        process.send_signal(signal.SIGKILL)
        process.wait()
        assert not (models / "mine").exists()
        while list_processes(str(temporary)):
            assert time.monotonic() < end
            time.sleep(0.005)
    done = start(models / "mine", "l2(0.001)")
    output, error = done.communicate()
    assert (done.returncode, error) == (0, "")
    assert output == f"Model: {models / 'mine'}\n"
    assert [path.name for path in models.iterdir()] == ["mine"]
    assert list(temporary.iterdir()) == []
