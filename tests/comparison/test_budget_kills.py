"""A budget is kept over sessions that are really killed: time is counted as it passed, up to the last heartbeat."""

from __future__ import annotations

import math
import os
import signal
import subprocess
import sys
import time
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path
from sqlite3 import Error, connect

import pytest

from regzoo.comparison.elapsed import HEARTBEAT
from regzoo.result import Result
from regzoo.storage.ledger import Ledger
from regzoo.system.work_clock import TICK

pytestmark = pytest.mark.slow

KILLS, AT_LEAST, RECIPES = 2, 9.0, 2
"""Sessions that are killed; seconds that each of them works at least; recipes, one run each in a level."""

CONFIG = """\
name: iris
data: {source: iris}
backbone: mlp([8])
recipes: [none, dropout]
training: {epochs: 60, batch_size: 2}
search: {trials: 300}
vary: [seed]
replicates: 300
"""


@dataclass
class Session:
    """One ``regzoo compare``, watched from outside.

    Attributes:
        folder: the comparison is in its folder ``out``.
        budget: seconds.
        spent: seconds that earlier sessions worked.
        seen: seconds, over all sessions, at which each record appeared.
    """

    folder: Path
    budget: float
    spent: float
    seen: list[float] = field(default_factory=list)
    began: float | None = None

    def __post_init__(self) -> None:
        self.log = self.folder / "log"
        (self.folder / "iris.yaml").write_text(f"{CONFIG}budget: {self.budget}s\n")
        command = [sys.executable, "-m", "regzoo", "compare", "iris.yaml", "--out", "out", "--workers", "1"]
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                command, cwd=self.folder, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )

    def work(self) -> float:
        """Return the seconds so far, from the moment at which it says that it prepares."""
        if self.began is None and "preparing" in self.log.read_text():
            self.began = time.monotonic()
        return self.spent + (0.0 if self.began is None else time.monotonic() - self.began)

    def watch(self, seconds: float = 300.0) -> float:
        """Wait until the runs are made, or it has worked so long and made one; return the seconds over all sessions."""
        end, records = time.monotonic() + 300, len(self.seen)
        while (
            not (self.work() >= self.spent + seconds and len(self.seen) > records)
            and "writing the report" not in self.log.read_text()
        ):
            assert self.process.poll() is None, self.log.read_text()
            assert time.monotonic() < end
            now, count = self.work(), count_records(self.folder / "out" / "ledger.sqlite")
            self.seen += [now] * (count - len(self.seen))
            time.sleep(0.02)
        return self.work()

    def kill(self) -> None:
        """Kill it and all its processes."""
        with suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()


def count_records(ledger: Path) -> int:
    with suppress(Error), closing(connect(f"file:{ledger}?mode=ro", uri=True)) as store:
        return int(store.execute("select count(*) from records").fetchone()[0])
    return 0


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "tmp").mkdir()
    monkeypatch.setenv("TMPDIR", str(tmp_path / "tmp"))
    return tmp_path


def test_a_budget_is_kept_over_sessions_that_are_killed(folder: Path) -> None:
    """A killed session loses what it worked since the last heartbeat, at most HEARTBEAT and two reads of the clock.

    When the last level of two runs was admitted, the records before it were there, and the budget was not used up,
    apart from these losses. A second for each session is for a busy machine.
    """
    spent, seen = 0.0, list[float]()
    for _ in range(KILLS):
        session = Session(folder, 3600.0, spent, seen)
        spent = session.watch(AT_LEAST)
        session.kill()
    budget = math.ceil(spent + 15.0 + 2 * seen[0])  # seen[0]: a preparation and the first run
    session = Session(folder, budget, spent, seen)
    try:
        session.watch()
        assert session.process.wait(300) == 0, session.log.read_text()
    finally:
        session.kill()
    lost = KILLS * (HEARTBEAT + 2 * TICK) + KILLS + 1
    assert lost < KILLS * AT_LEAST  # so that a budget of each session's own would be noticed
    assert seen[-1 - RECIPES] <= budget + lost
    assert seen[-1] > spent
    with Ledger(folder / "out") as ledger:
        info = ledger.get_comparison_info()
    assert info is not None
    assert info.seconds is not None
    assert seen[-1] - lost <= info.seconds <= seen[-1] + 1.0
    assert len(Result(folder / "out").leaderboard) == RECIPES
