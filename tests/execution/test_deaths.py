"""Whoever dies, however and whenever: the run is made again, or all end. No process, file or shared memory is left."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.execution.test_litter import SHARED_MEMORY, processes_in_session, wait_until

PROGRAM = Path(__file__).parents[1] / "fixtures" / "tiny_workers.py"
HOW = {
    "SIGKILL": (signal.SIGKILL,),
    "SIGTERM": (signal.SIGTERM,),
    "SIGHUP": (signal.SIGHUP,),
    "SIGSTOP then SIGKILL": (signal.SIGSTOP, signal.SIGKILL),
}
WHO = ("main", "worker", "group")
WHEN = ("starting", "idle", "running", "sending")
FAST = {
    ("worker", "SIGSTOP then SIGKILL", "sending"),
    ("main", "SIGKILL", "running"),
}
CASES = [
    pytest.param(who, how, when, marks=[] if (who, how, when) in FAST else pytest.mark.slow)
    for who in WHO
    for how in HOW
    for when in WHEN
]


class Program:
    """A pool in a process and a session of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.temporary = folder, folder / "tmp"
        self.temporary.mkdir()
        self.process: subprocess.Popen[str] | None = None

    def start(self, *names: str) -> int:
        """Start it with these runs; return the id of its first worker."""
        before = signal.signal(signal.SIGHUP, signal.SIG_DFL)  # after nohup it would be ignored
        self.process = subprocess.Popen(
            [sys.executable, str(PROGRAM), str(self.folder), *names],
            env={**os.environ, "TMPDIR": str(self.temporary)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        signal.signal(signal.SIGHUP, before)
        return int(self.read_line())

    def read_line(self) -> str:
        """Return the next line that it prints."""
        assert self.process is not None
        assert self.process.stdout is not None
        return self.process.stdout.readline()

    def wait_for(self, name: str) -> int:
        """Wait until a worker is in the middle of the run called ``name``; return its process id."""
        held = self.folder / f"{name}.pid"

        def is_there() -> bool:
            assert self.process is not None
            assert self.process.poll() is None
            return held.is_file() and held.read_text().endswith("\n")

        wait_until(is_there, seconds=60)
        return int(held.read_text())

    def finish(self) -> tuple[int, str]:
        """Wait until nothing of it is left; return its exit code and what it printed meanwhile."""
        assert self.process is not None
        out, err = self.process.communicate(timeout=120)
        session = self.process.pid
        wait_until(lambda: not processes_in_session(session), seconds=60)
        assert "Traceback" not in err
        assert list(self.temporary.iterdir()) == []
        return self.process.returncode, out


@pytest.fixture
def program(tmp_path: Path) -> Iterator[Program]:
    """The program; its processes do not outlive the test."""
    before = set(SHARED_MEMORY.iterdir())
    made = Program(tmp_path)
    yield made
    if made.process is not None:
        for pid in processes_in_session(made.process.pid):
            os.kill(pid, signal.SIGKILL)
        made.process.communicate()
    wait_until(lambda: set(SHARED_MEMORY.iterdir()) <= before, seconds=60)


def is_stopped(pid: int) -> bool:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "T"


def send(call: Callable[[int, int], None], pid: int, how: str) -> None:
    """Send the signals one after the other."""
    for number in HOW[how]:
        call(pid, number)
        if number == signal.SIGSTOP:
            wait_until(lambda: is_stopped(pid))


@pytest.mark.parametrize(("who", "how", "when"), CASES)
def test_a_death(who: str, how: str, when: str, program: Program) -> None:
    worker = program.start(when, "last")
    assert program.process is not None
    if when == "idle":
        assert program.read_line() == "idle\n"
    elif when != "starting":
        assert program.wait_for(when) == worker
    main = program.process.pid
    send(os.killpg if who == "group" else os.kill, worker if who == "worker" else main, how)
    code, out = program.finish()
    if who == "worker":
        first = {"starting": "starting ok 0\n", "idle": ""}.get(when, f"{when} ok 1\n")
        assert (code, out) == (0, f"{first}last ok 0\n")
    else:
        last = HOW[how][-1]
        assert (code, out) == (-last if last == signal.SIGKILL else 128 + last, "")


def test_workers_are_suspended_and_continued_with_their_parent(program: Program) -> None:
    worker = program.start("idle", "last")
    assert program.process is not None
    assert program.read_line() == "idle\n"
    program.process.send_signal(signal.SIGSTOP)
    wait_until(lambda: is_stopped(worker))
    program.process.send_signal(signal.SIGCONT)
    wait_until(lambda: not is_stopped(worker))
    os.kill(worker, signal.SIGKILL)
    assert program.finish() == (0, "last ok 0\n")


def test_a_run_that_is_killed_each_time_fails_in_the_end(program: Program) -> None:
    program.start("running", "last")
    for _ in range(3):
        pid = program.wait_for("running")
        (program.folder / "running.pid").unlink()
        os.kill(pid, signal.SIGKILL)
    assert program.finish() == (0, "running failed 2\nlast ok 0\n")


def test_a_guardian_that_was_killed_leaves_the_kernel_to_watch(program: Program) -> None:
    program.start("running")
    assert program.process is not None
    worker, session = program.wait_for("running"), program.process.pid
    for pid in processes_in_session(session):
        if b"guardian" in Path(f"/proc/{pid}/cmdline").read_bytes():
            os.kill(pid, signal.SIGKILL)
    program.process.kill()
    wait_until(lambda: worker not in processes_in_session(session), seconds=60)
