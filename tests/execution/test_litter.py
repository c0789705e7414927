"""No litter: however a comparison ends, it leaves no temporary file, no shared memory and no process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

import regzoo
from regzoo.system.temporary_folder import PREFIX

SHARED_MEMORY = Path("/dev/shm")
REGULARIZERS = Path(__file__).parents[1] / "fixtures" / "failing_once.py"

CONFIG = """\
name: iris
data: {source: iris}
backbone: mlp([4])
recipes: [none, raising(0.5), holding(0.5)]
training: {epochs: 2}
search: {trials: 1}
vary: [seed]
replicates: 2
"""


class Command:
    """``regzoo compare`` in a session of its own, with an empty folder for temporary files and failing regularizers."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site, self.temporary = folder / "site", folder / "tmp"
        (self.site / "failing-1.dist-info").mkdir(parents=True)
        self.temporary.mkdir()
        (folder / "iris.yaml").write_text(CONFIG)
        shutil.copy(REGULARIZERS, self.site)
        (self.site / "failing-1.dist-info" / "METADATA").write_text(
            "Metadata-Version: 2.1\nName: failing\nVersion: 1\n"
        )
        points = "[regzoo.regularizers]\nraising = failing_once:Raising\nholding = failing_once:Holding\n"
        (self.site / "failing-1.dist-info" / "entry_points.txt").write_text(points)
        self.process: subprocess.Popen[str] | None = None

    def start(self) -> subprocess.Popen[str]:
        """Start the comparison, or go on with it."""
        path = os.pathsep.join([str(self.site), *filter(None, [os.environ.get("PYTHONPATH")])])
        self.process = subprocess.Popen(
            [sys.executable, "-m", "regzoo", "compare", "iris.yaml", "--out", "iris", "--workers", "2", "--quiet"],
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(self.temporary)},
            cwd=self.folder,
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        return self.process

    def start_and_hold(self) -> tuple[subprocess.Popen[str], int]:
        """Start the comparison, wait until a worker is in the middle of a run, and return the worker's process id."""
        process, held = self.start(), self.site / "holding.pid"
        wait_until(lambda: (held.is_file() and held.read_text().endswith("\n")) or process.poll() is not None)
        assert process.poll() is None, process.communicate()
        folders = list(self.temporary.iterdir())
        assert all(folder.name.startswith(PREFIX) for folder in folders)
        assert list(self.temporary.glob("*/*autograph*"))  # so there is something to remove
        return process, int(held.read_text())

    def finish(self) -> tuple[int, str]:
        """Wait until every process of the session has ended; return exit code and stderr of the first."""
        assert self.process is not None
        _, err = self.process.communicate(timeout=300)
        wait_until(lambda: not processes_in_session(self.process.pid if self.process else 0))
        return self.process.returncode, err


@pytest.fixture
def command(tmp_path: Path) -> Iterator[Command]:
    """The command; its processes do not outlive the test."""
    made = Command(tmp_path)
    yield made
    for pid in processes_in_session(made.process.pid) if made.process else ():
        os.kill(pid, signal.SIGKILL)


@pytest.fixture(autouse=True)
def shared_memory() -> Iterator[None]:
    """Fail if shared memory is left. Other processes of this machine may use some meanwhile, so wait a little."""
    before = set(SHARED_MEMORY.iterdir())
    yield
    wait_until(lambda: set(SHARED_MEMORY.iterdir()) <= before, seconds=60)


def wait_until(done: Callable[[], bool], seconds: float = 300.0) -> None:
    """Wait until ``done``; fail after ``seconds``."""
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.02)


def processes_in_session(session: int) -> list[int]:
    """Return the ids of the processes in ``session`` that have not ended."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, _, _, number = path.read_text().rpartition(")")[2].split()[:4]
        except OSError:  # it has just ended
            continue
        if int(number) == session and state != "Z":
            found.append(int(path.parent.name))
    return sorted(found)


@pytest.mark.slow
def test_a_comparison_with_failed_runs(command: Command) -> None:
    (command.site / "go").touch()
    command.start()
    code, err = command.finish()
    assert (code, "some runs failed" in err) == (1, True)
    assert list(command.temporary.iterdir()) == []
    assert (command.folder / "iris" / "model").is_dir()


@pytest.mark.slow
def test_a_comparison_with_a_killed_worker(command: Command) -> None:
    _, worker = command.start_and_hold()
    os.kill(worker, signal.SIGKILL)
    assert command.finish()[0] == 1
    assert list(command.temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
@pytest.mark.parametrize("times", [1, 2, 20])
def test_ctrl_c(times: int, command: Command) -> None:
    process, _ = command.start_and_hold()
    for _ in range(times):
        os.killpg(process.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        time.sleep(0.02)
        if process.poll() is not None:
            break
    code, err = command.finish()
    assert code == 130, err
    assert "Traceback" not in err
    assert list(command.temporary.iterdir()) == []


@pytest.mark.slow
@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP, signal.SIGKILL])
def test_nothing_is_left_of_a_process_that_is_killed(how: signal.Signals, command: Command) -> None:
    process, _ = command.start_and_hold()
    process.send_signal(how)
    assert command.finish()[0] == (-how if how == signal.SIGKILL else 128 + how)
    if how == signal.SIGKILL:  # the next command removes what nobody could
        environment = {**os.environ, "TMPDIR": str(command.temporary)}
        subprocess.run([sys.executable, "-m", "regzoo", "zoo", "l2"], env=environment, check=True, capture_output=True)
    assert list(command.temporary.iterdir()) == []


@pytest.mark.slow
def test_the_next_comparison_cleans_up_if_all_are_killed(command: Command) -> None:
    process, _ = command.start_and_hold()
    for pid in reversed(processes_in_session(process.pid)):
        os.kill(pid, signal.SIGKILL)
    command.finish()
    assert list(command.temporary.iterdir()) != []
    command.start()
    assert command.finish()[0] == 1
    assert list(command.temporary.iterdir()) == []


def child_processes() -> set[int]:
    """Return the ids of this process's children, except multiprocessing's resource tracker, which stays."""
    listed = Path(f"/proc/{os.getpid()}/task").glob("*/children")
    pids = {int(pid) for path in listed for pid in path.read_text().split()}
    return {pid for pid in pids if b"resource_tracker" not in Path(f"/proc/{pid}/cmdline").read_bytes()}


@pytest.mark.parametrize("workers", [0, pytest.param(1, marks=pytest.mark.slow)])
def test_a_comparison_in_python(
    workers: int, tensorflow: None, unverified: None, rows: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """This process goes on, so its files must be removed without its exit."""
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "tmp"))
    children = child_processes()
    result = regzoo.compare(
        *rows,
        backbone="mlp([4])",
        recipes=["none"],
        vary=["seed"],
        replicates=2,
        workers=workers,
        training={"epochs": 1},
    )
    [folder] = (tmp_path / "tmp").iterdir()  # as out= is left out, it holds the result
    assert result.folder.is_relative_to(folder)
    assert (result.folder / "model").is_dir()
    del result
    assert list((tmp_path / "tmp").iterdir()) == []
    assert child_processes() <= children
