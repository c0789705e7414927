"""Scripts in a process of their own: they end with this process, and leave no file of theirs."""

from __future__ import annotations

import importlib.util
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from regzoo.export.isolated import describe_failure, run_isolated
from regzoo.system.temporary_folder import PREFIX, remove_abandoned

WAIT = """
import sys, tempfile, time
file = tempfile.NamedTemporaryFile(delete=False)
open(sys.argv[-1] + ".new", "w").write(f"{__import__('os').getpid()} {file.name}")
__import__("os").replace(sys.argv[-1] + ".new", sys.argv[-1])
time.sleep(600)
"""
"""Writes its number and a temporary file's name to a file, and waits."""

VERIFY = """
import sys
from dataclasses import replace
from pathlib import Path
import numpy as np
from regzoo.export.formats import SAVED_MODEL
from regzoo.export.verify import verify_parity

waiting = replace(SAVED_MODEL, serve=sys.argv[1].replace("sys.argv[-1]", repr(sys.argv[2])))
try:
    verify_parity(Path("model"), {"a": np.arange(9, dtype=np.float32)}, {}, waiting)
except Exception as error:
    print(f"{type(error).__name__}: {error}")
"""
"""Verifies a model that is never ready."""


def run(script: str, folder: Path) -> subprocess.CompletedProcess[str]:
    return run_isolated(script, [], folder)


def test_a_script_says_why_it_failed(tmp_path: Path) -> None:
    assert describe_failure(run("raise ValueError('no')", tmp_path)) == "ValueError: no"
    assert describe_failure(run("import os; os._exit(5)", tmp_path)) == "its process ended with exit code 5"
    killed = run("import os; os.kill(os.getpid(), 9)", tmp_path)
    assert describe_failure(killed) == "its process was ended by SIGKILL, perhaps for lack of memory"


def test_its_temporary_files_are_in_the_folder_that_it_is_given(tmp_path: Path) -> None:
    done = run("import tempfile; print(tempfile.mkstemp()[1])", tmp_path)
    assert Path(done.stdout.strip()).parent == tmp_path


def test_what_keras_can_do_without_is_not_imported(tmp_path: Path) -> None:
    for package in ("matplotlib", "pandas", "sklearn"):
        assert importlib.util.find_spec(package) is not None
    script = "for package in ('matplotlib', 'pandas', 'sklearn'):\n    try:\n        __import__(package)\n"
    done = run(f"{script}    except ImportError:\n        print(package)\nprint(gc.isenabled())", tmp_path)
    assert (done.stdout.split(), done.stderr) == (["matplotlib", "pandas", "sklearn", "False"], "")


def wait_until(done: Callable[[], bool]) -> None:
    end = time.monotonic() + 120
    while not done():
        assert time.monotonic() < end
        time.sleep(0.005)


def is_running(process: int) -> bool:
    try:
        return Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="looks processes up in /proc")
@pytest.mark.parametrize("victim", ["main", "child"])
def test_nothing_is_left_of_a_verification_that_is_killed(
    victim: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    temporary, ready = tmp_path / "temporary", tmp_path / "ready"
    temporary.mkdir()
    environment = {**os.environ, "TMPDIR": str(temporary)}
    command = [sys.executable, "-c", VERIFY, WAIT, str(ready)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=environment) as main:
        wait_until(ready.exists)
        process, file = ready.read_text().split()
        assert Path(file).is_relative_to(next(temporary.glob(f"{PREFIX}*")))
        assert list(temporary.glob("*/inputs.npz"))
        os.kill(main.pid if victim == "main" else int(process), signal.SIGKILL)
        assert main.stdout is not None
        message = main.stdout.read()
    wait_until(lambda: not is_running(int(process)))
    if victim == "child":
        assert message.startswith("ParityError: the exported model cannot be served: its process was ended by SIGKILL")
    else:
        monkeypatch.setattr(tempfile, "tempdir", str(temporary))
        remove_abandoned()  # as the next command does
    assert list(temporary.iterdir()) == []
