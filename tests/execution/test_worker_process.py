"""`WorkerProcess`: it does not outlive the process that started it, and its exit code is explained."""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

import pytest

from regzoo.execution.exit_reason import describe_exit

PARENT = """
import time
from regzoo.execution.process_pool import ProcessPool

with ProcessPool(2) as executor:
    print(*[worker.process.pid for worker in executor._workers], flush=True)
    time.sleep(600.0)
"""


def test_workers_do_not_outlive_the_process_that_started_them() -> None:
    with subprocess.Popen([sys.executable, "-c", PARENT], stdout=subprocess.PIPE, text=True) as parent:
        assert parent.stdout is not None
        pids = [int(pid) for pid in parent.stdout.readline().split()]
        assert all(is_alive(pid) for pid in pids)
        parent.kill()
    until = time.monotonic() + 300.0
    while any(is_alive(pid) for pid in pids) and time.monotonic() < until:
        time.sleep(0.05)
    assert not any(is_alive(pid) for pid in pids)


def is_alive(pid: int) -> bool:
    """Return True if the process exists and is no zombie."""
    status = Path(f"/proc/{pid}/stat")
    return status.is_file() and status.read_text().rpartition(")")[2].split()[0] != "Z"


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (7, "the worker ended (exit code 7)"),
        (-9, "the worker was killed (signal 9): out of memory, or killed from outside"),
        (-11, "the worker was killed (signal 11): Segmentation fault"),
    ],
)
def test_an_exit_code_is_explained(code: int, reason: str) -> None:
    assert describe_exit(code) == reason
