"""Chaos: whatever is done to a comparison at random moments, it ends as the one that nothing happened to."""

from __future__ import annotations

import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from sqlite3 import Error, connect

import pytest

pytestmark = pytest.mark.slow

SEEDS = range(int(os.environ.get("REGZOO_TEST_CHAOS", "0"))) or (0, 2, 3, 4, 5, 6, 7, 15)
"""With these seeds main, a worker and the group are each killed and suspended first, a disk is full, a clock jumps.

REGZOO_TEST_CHAOS=100 draws a hundred comparisons.
"""

CONFIG = """\
name: iris
data: {source: iris}
backbone: mlp([4])
recipes: [none, dropout, ensemble(2)]
training: {epochs: 2, batch_size: 32}
search: {trials: 3}
vary: [seed]
replicates: 2
run_limit: 60s
"""

CLOCK = """
import random
import time

_time, _time_ns = time.time, time.time_ns


def _jump():
    return random.Random(int(time.monotonic() * 2)).randint(-10**6, 10**6)


time.time = lambda: _time() + _jump()
time.time_ns = lambda: _time_ns() + _jump() * 10**9
"""
"""A wall clock that jumps by up to eleven days, twice a second: Python imports ``sitecustomize`` at its start."""

SHARED_MEMORY = Path("/dev/shm")


class Comparison:
    """``regzoo compare`` in ``folder``, started again and again, each time in a session of its own."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.out, self.temporary = folder, folder / "iris", folder / "tmp"
        self.temporary.mkdir(parents=True)
        (folder / "iris.yaml").write_text(CONFIG)
        (folder / "clock").mkdir()
        (folder / "clock" / "sitecustomize.py").write_text(CLOCK)
        self.process: subprocess.Popen[str] | None = None

    def start(self, workers: int, *, jumping: bool = False, file_size: int | None = None) -> None:
        """Start it; ``jumping``: the wall clock jumps; ``file_size``: no file may grow beyond so many bytes."""
        clock = [str(self.folder / "clock")] if jumping else []
        path = os.pathsep.join(filter(None, [*clock, os.environ.get("PYTHONPATH")]))

        def limit() -> None:
            if file_size is not None:
                resource.setrlimit(resource.RLIMIT_FSIZE, (file_size, file_size))

        self.process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "regzoo",
                "compare",
                "iris.yaml",
                "--out",
                "iris",
                f"--workers={workers}",
                "--quiet",
            ],
            cwd=self.folder,
            env={**os.environ, "PYTHONPATH": path, "TMPDIR": str(self.temporary)},
            start_new_session=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            preexec_fn=limit,
        )

    @property
    def session(self) -> int:
        assert self.process is not None
        return self.process.pid

    def finish(self) -> tuple[int, str, str]:
        """Wait until every process of the session has ended; return exit code, stdout and stderr of the first."""
        assert self.process is not None
        out, err = self.process.communicate(timeout=300)
        wait_until(lambda: not list_session(self.session), 60)
        return self.process.returncode, out, err

    def count_records(self) -> int:
        """Return the number of records in the ledger so far."""
        if not (self.out / "ledger.sqlite").is_file():
            return 0
        with suppress(Error), closing(connect(f"file:{self.out}/ledger.sqlite?mode=ro", uri=True)) as store:
            return int(store.execute("select count(*) from records").fetchone()[0])
        return 0  # it has only just begun, or its writer was killed in the middle of a commit

    def wait(self, draw: random.Random) -> None:
        """Wait for a random moment: while it starts, or after some more records."""
        assert self.process is not None
        process = self.process
        if draw.random() < 0.3:
            moment = time.monotonic() + draw.uniform(0.0, 6.0)
            wait_until(lambda: time.monotonic() > moment or process.poll() is not None, 300)
            return
        enough = self.count_records() + draw.randint(1, 8)
        wait_until(lambda: self.count_records() >= enough or process.poll() is not None, 300)

    def list_files(self) -> list[str]:
        """Return every file and folder in the comparison's folder, hidden ones too."""
        return sorted(str(path.relative_to(self.out)) for path in self.out.rglob("*"))


def wait_until(done: Callable[[], bool], seconds: float) -> None:
    end = time.monotonic() + seconds
    while not done():
        assert time.monotonic() < end
        time.sleep(0.01)


def list_session(session: int) -> list[int]:
    """Return the ids of the processes of ``session`` that have not ended, the first one first."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        with suppress(OSError):  # it has just ended
            state, _, _, number = path.read_text().rpartition(")")[2].split()[:4]
            if int(number) == session and state != "Z":
                found.append(int(path.parent.name))
    return sorted(found)


def choose_victims(session: int, who: str, draw: random.Random) -> list[int]:
    """Return the process ids of the first process, of one other, or of all."""
    pids = list_session(session)
    others = [pid for pid in pids if pid != session]
    if who == "worker":
        return [draw.choice(others)] if others else []
    return [pid for pid in pids if who == "group" or pid == session]


def send(pids: list[int], how: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, how)


def kill(comparison: Comparison, draw: random.Random) -> bool:
    """Kill main, a worker or the group; return whether the comparison should end by itself."""
    who = draw.choice(["main", "worker", "group"])
    how = draw.choice([signal.SIGKILL, signal.SIGKILL, signal.SIGTERM])
    comparison.wait(draw)
    send(choose_victims(comparison.session, who, draw), how)
    return who == "worker"


def suspend(comparison: Comparison, draw: random.Random) -> bool:
    """Stop main, a worker or the group for a while; sometimes kill what is stopped."""
    who = draw.choice(["main", "worker", "group"])
    comparison.wait(draw)
    victims = choose_victims(comparison.session, who, draw)
    send(victims, signal.SIGSTOP)
    time.sleep(draw.uniform(0.1, 2.0))
    killed = draw.random() < 0.3
    send(victims, signal.SIGKILL if killed else signal.SIGCONT)
    return not killed or who == "worker"


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Comparison:
    """The comparison to which nothing happened."""
    comparison = Comparison(tmp_path_factory.mktemp("untouched"))
    comparison.start(1)
    assert comparison.finish() == (0, "", "")
    assert comparison.count_records() > 3 * 5
    return comparison


@pytest.fixture
def comparison(tmp_path: Path) -> Iterator[Comparison]:
    """A comparison whose processes do not outlive the test."""
    made = Comparison(tmp_path)
    yield made
    for pid in list_session(made.session) if made.process else ():
        os.kill(pid, signal.SIGKILL)


@pytest.mark.parametrize("seed", SEEDS)
def test_it_ends_as_if_nothing_had_happened(seed: int, comparison: Comparison, untouched: Comparison) -> None:
    shared = set(SHARED_MEMORY.iterdir())
    draw = random.Random(seed)
    size = (untouched.out / "ledger.sqlite").stat().st_size
    for _ in range(draw.randint(1, 2)):
        fault = draw.choice([kill, suspend, None])  # None: the disk is full, or the clock jumps
        full = fault is None and draw.random() < 0.5
        comparison.start(
            draw.choice([1, 2]),
            jumping=fault is None and not full,
            file_size=int(draw.uniform(0.02, 0.95) * size) if full else None,
        )
        ends_by_itself = fault(comparison, draw) if fault is not None else not full
        code, out, err = comparison.finish()
        assert "Traceback" not in out + err
        if ends_by_itself:
            assert (code, out, err) == (0, "", "")
        elif full:
            assert code == 0 or (code == 3 and "run the same command again" in err)
    comparison.start(2)
    assert comparison.finish() == (0, "", "")
    assert (comparison.out / "leaderboard.csv").read_bytes() == (untouched.out / "leaderboard.csv").read_bytes()
    assert comparison.list_files() == untouched.list_files()
    assert sorted(path.name for path in comparison.folder.iterdir()) == ["clock", "iris", "iris.yaml", "tmp"]
    assert list(comparison.temporary.iterdir()) == []
    wait_until(lambda: set(SHARED_MEMORY.iterdir()) <= shared, 60)  # other programs may use some meanwhile
