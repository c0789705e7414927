"""`die_with_parent`: a process ends when the one that started it ends, with the kernel's help and without it."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

CHILD = """
import os, sys, time
from regzoo.system import parent
if sys.argv[2] == "polled":
    parent._kill_with_parent_thread = lambda: False
    parent.INTERVAL = 0.01
parent.die_with_parent(int(sys.argv[1]))
print(os.getpid(), flush=True)
time.sleep(600)
"""
PARENT = f"""
import os, subprocess, sys, time
subprocess.Popen([sys.executable, "-c", {CHILD!r}, str(os.getpid()), sys.argv[1]])
time.sleep(600)
"""


def start(how: str) -> subprocess.Popen[str]:
    return subprocess.Popen([sys.executable, "-c", PARENT, how], stdout=subprocess.PIPE, text=True)


def is_alive(pid: int) -> bool:
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize("suspended", [False, True])
@pytest.mark.parametrize("how", ["kernel", "polled"])
def test_a_child_dies_with_its_parent(how: str, suspended: bool) -> None:
    if suspended and how == "polled":
        pytest.skip("only the kernel reaches a suspended process; otherwise the guardian does")
    with start(how) as process:
        assert process.stdout is not None
        child = int(process.stdout.readline())
        assert is_alive(child)
        if suspended:
            os.kill(child, signal.SIGSTOP)
        process.kill()
    end = time.monotonic() + 60.0
    while is_alive(child):
        assert time.monotonic() < end
        time.sleep(0.01)


@pytest.mark.parametrize("how", ["kernel", "polled"])
def test_a_child_whose_parent_is_dead_already_ends_at_once(how: str) -> None:
    other = str(os.getpid() + 1)
    done = subprocess.run([sys.executable, "-c", CHILD, other, how], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (-signal.SIGKILL, "")
