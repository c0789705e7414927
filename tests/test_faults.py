"""Faults: whatever happens to a comparison, nothing that was finished is lost, and it can be resumed."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import random
import re
import resource
import shutil
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

pytestmark = pytest.mark.slow

CONFIG = """\
name: iris
data: {source: iris}
backbone: mlp([8])
recipes: [none, dropout, l2(0.001), dropout + l2, ensemble(2)]
training: {epochs: 2, batch_size: 32}
search: {trials: 4}
vary: [seed]
replicates: 6
"""
RUNS = 50
"""Number of runs: ten for each recipe, without the members of ensembles."""

LIMIT = 45
"""Seconds for a run: enough to trace on a slow machine; the test also waits that long for the run that hangs."""

FAILING = Path(__file__).parent / "fixtures" / "failing_once.py"
KINDS = ("Raising", "Hanging", "Holding", "Diverging")

Start = Callable[..., "subprocess.Popen[str]"]


def command(*arguments: object) -> list[str]:
    return [sys.executable, "-m", "regzoo", *map(str, arguments)]


def regzoo(*arguments: object, **options: Any) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command(*arguments), capture_output=True, text=True, check=False, timeout=900, **options)


@pytest.fixture(autouse=True)
def temporary_folder(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Give every process an empty folder for temporary files; fail if any file is left."""
    folder = tmp_path_factory.mktemp("temporary")
    monkeypatch.setenv("TMPDIR", str(folder))
    yield
    assert list(folder.iterdir()) == []


@pytest.fixture
def start() -> Iterator[Start]:
    """Start ``regzoo`` in a process group of its own, which does not outlive the test."""
    with contextlib.ExitStack() as stack:

        def begin(*arguments: object, **options: Any) -> subprocess.Popen[str]:
            pipes: Any = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
            process = stack.enter_context(
                subprocess.Popen(command(*arguments), start_new_session=True, **pipes, **options)
            )
            stack.callback(lambda: kill(process))
            return process

        yield begin


def kill(process: subprocess.Popen[str], how: int = signal.SIGKILL) -> None:
    """Send the signal to the process and every process that it started."""
    with contextlib.suppress(ProcessLookupError):
        os.killpg(process.pid, how)


def until(done: Callable[[], bool], process: subprocess.Popen[str], seconds: float = 600.0) -> None:
    """Wait until ``done`` or the process has ended."""
    end = time.monotonic() + seconds
    while not done() and process.poll() is None:
        assert time.monotonic() < end
        time.sleep(0.01)


def rows(folder: Path) -> list[tuple[int, str, str]]:
    """Return number, key and body of each record, in the order they were made; none if there is no ledger yet."""
    if not (folder / "ledger.sqlite").is_file():
        return []
    with contextlib.closing(sqlite3.connect(folder / "ledger.sqlite")) as store:  # rolls a half-made commit back
        tables = store.execute("select name from sqlite_master where name = 'records'").fetchall()
        return store.execute("select number, key, body from records order by number").fetchall() if tables else []


def holds(folder: Path, records: int) -> Callable[[], bool]:
    return lambda: len(rows(folder)) >= records


def assert_resumed(before: list[tuple[int, str, str]], after: list[tuple[int, str, str]]) -> None:
    """Assert that earlier records are unchanged and no run was made twice."""
    assert after[: len(before)] == before
    keys = [key for _, key, _ in after]
    assert len(keys) == len(set(keys))


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("config") / "iris.yaml"
    path.write_text(CONFIG)
    return path


@pytest.fixture(scope="module")
def uninterrupted(config: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a comparison that was not interrupted."""
    folder = tmp_path_factory.mktemp("uninterrupted") / "iris"
    done = regzoo("compare", config, "--out", folder, "--workers", 1, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    return folder


def assert_same_end(folder: Path, uninterrupted: Path) -> None:
    assert (folder / "leaderboard.csv").read_bytes() == (uninterrupted / "leaderboard.csv").read_bytes()
    assert sorted(key for _, key, _ in rows(folder)) == sorted(key for _, key, _ in rows(uninterrupted))
    for name in ("report.html", "report.md", "model/saved_model.pb"):
        assert (folder / name).is_file()


@pytest.fixture
def failing(tmp_path: Path) -> dict[str, Any]:
    """Install a package of the user's with failing regularizers; return options for a process that imports it."""
    site = tmp_path / "site"
    (site / "failing-1.dist-info").mkdir(parents=True)
    shutil.copy(FAILING, site)
    (site / "failing-1.dist-info" / "METADATA").write_text("Metadata-Version: 2.1\nName: failing\nVersion: 1\n")
    points = [f"{kind.lower()} = failing_once:{kind}" for kind in KINDS]
    (site / "failing-1.dist-info" / "entry_points.txt").write_text("\n".join(["[regzoo.regularizers]", *points, ""]))
    path = os.pathsep.join([str(site), *filter(None, [os.environ.get("PYTHONPATH")])])
    return {"env": {**os.environ, "PYTHONPATH": path}, "cwd": tmp_path}


def bad_config(folder: Path, recipes: str, more: str = "") -> Path:
    text = CONFIG.replace("none, dropout, l2(0.001), dropout + l2, ensemble(2)", f"none, {recipes}")
    text = text.replace("trials: 4", "trials: 1").replace("replicates: 6", "replicates: 2") + more
    (folder / "bad.yaml").write_text(text)
    return folder / "bad.yaml"


def test_a_run_that_raises_hangs_or_diverges_costs_itself_only_and_one_that_is_killed_is_made_again(
    start: Start, failing: dict[str, Any], tmp_path: Path
) -> None:
    path = bad_config(tmp_path, "raising(0.5), hanging(0.5), holding(0.5), diverging(0.5)", f"run_limit: {LIMIT}s\n")
    folder = tmp_path / "bad"
    process = start("compare", path, "--out", folder, "--workers", 2, **failing)
    held = tmp_path / "site" / "holding.pid"
    until(lambda: held.is_file() and held.read_text().endswith("\n"), process)
    os.kill(int(held.read_text()), signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1, err
    assert f"some runs failed; see: regzoo failures {folder}" in err
    assert "Traceback" not in out + err
    board = {
        row["name"]: row for row in json.loads(regzoo("leaderboard", folder, "--json", **failing).stdout)["recipes"]
    }
    records = [json.loads(body) for _, _, body in rows(folder)]
    failed = {record["run"]["name"]: record for record in records if record["status"] == "failed"}
    assert len(records) == 5 * 3
    assert sorted(failed) == ["hanging(0.5)", "raising(0.5)"]
    assert sum(record["status"] == "failed" for record in records) == 2
    assert "ZeroDivisionError: " in failed["raising(0.5)"]["error"]
    assert "out of luck" in failed["raising(0.5)"]["error"]
    assert failed["hanging(0.5)"]["error"] == f"ran past its limit of {LIMIT} s"
    assert failed["hanging(0.5)"]["fit_seconds"] >= LIMIT
    killed = "the worker was killed (signal 9): out of memory, or killed from outside"
    [again] = [record for record in records if "attempts" in record]  # the kill was not the run's fault
    assert (again["run"]["name"], again["status"]) == ("holding(0.5)", "ok")
    assert [attempt["error"] for attempt in again["attempts"]] == [killed]
    assert board["diverging(0.5)"]["rank"] == 5
    assert board["diverging(0.5)"]["diverged"] == 2
    assert board["none"]["failed"] == 0
    assert all(board[name]["mean"] is not None for name in ("none", *failed))  # the rest of their runs is ranked
    printed = regzoo("failures", folder, **failing).stdout
    for words in (
        "out of luck",
        f"ran past its limit of {LIMIT} s",
        "not finite",
        "--retry-failed",
        "1 run was made again",
    ):
        assert words in re.sub(r"\s+", " ", printed)
    retried = regzoo("compare", path, "--out", folder, "--workers", 2, "--quiet", "--retry-failed", **failing)
    assert (retried.returncode, retried.stdout, retried.stderr) == (0, "", "")
    assert len(rows(folder)) == 5 * 3
    straight = tmp_path / "straight"  # nothing fails a second time
    assert regzoo("compare", path, "--out", straight, "--workers", 2, "--quiet", **failing).returncode == 0
    assert (folder / "leaderboard.csv").read_bytes() == (straight / "leaderboard.csv").read_bytes()


def test_a_second_process_is_refused_and_readers_are_not(start: Start, failing: dict[str, Any], tmp_path: Path) -> None:
    path, folder = bad_config(tmp_path, "holding(0.5)"), tmp_path / "bad"
    first = start("compare", path, "--out", folder, "--workers", 2, **failing)
    until(lambda: len(rows(folder)) == 3 and (tmp_path / "site" / "holding.pid").is_file(), first)
    second = regzoo("compare", path, "--out", folder, **failing)
    assert (second.returncode, second.stdout) == (3, "")
    assert f"Failed: {folder} is in use by process {first.pid}; wait for it" in second.stderr
    for reading in ("leaderboard", "failures", "report"):
        done = regzoo(reading, folder, **failing)
        assert (done.returncode, done.stderr) == (0, "")
    (tmp_path / "site" / "go").touch()
    _, err = first.communicate(timeout=300)
    assert first.returncode == 0, err
    assert len(rows(folder)) == 6


def test_a_comparison_killed_at_a_dozen_moments_ends_as_one_that_was_not(
    start: Start, config: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """A fifth of the kills come in the first seconds, the others some records after the last one.

    On a fast machine the comparison may end before it is killed. It must then be complete, and another one starts.
    """
    draw, folders, kills = random.Random(20), (tmp_path / f"iris{number}" for number in itertools.count()), 0
    folder = next(folders)
    while kills < 12 or not rows(folder):
        before = rows(folder)
        process = start("compare", config, "--out", folder, "--workers", 2, "--quiet")
        if draw.random() < 0.2:
            time.sleep(draw.uniform(0.0, 8.0))
        else:
            until(holds(folder, len(before) + draw.randint(0, 2)), process)
            time.sleep(draw.uniform(0.0, 0.1))
        kill(process)
        out, err = process.communicate(timeout=300)
        assert_resumed(before, rows(folder))
        if process.returncode == -signal.SIGKILL:
            kills += 1
        else:
            assert (process.returncode, out, err) == (0, "", "")
            assert_same_end(folder, uninterrupted)
            folder = next(folders)
    before = rows(folder)
    done = regzoo("compare", config, "--out", folder, "--workers", 2, "--quiet")
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert_resumed(before, rows(folder))
    assert_same_end(folder, uninterrupted)


@pytest.mark.parametrize("share", [0.02, 0.5, 0.9])
def test_a_disk_that_fills_up_costs_no_finished_run(
    share: float, config: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    """No file may grow beyond this ``share`` of the finished ledger's size."""
    folder, size = tmp_path / "iris", int(share * (uninterrupted / "ledger.sqlite").stat().st_size)

    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))

    done = regzoo("compare", config, "--out", folder, "--workers", 2, "--quiet", preexec_fn=full)
    assert (done.returncode, done.stdout) == (3, "")
    assert re.fullmatch(
        r"Failed: .*ledger\.sqlite cannot be written .*is the disk full\?.*run the same command again\n", done.stderr
    )
    before = rows(folder)
    assert len(before) < RUNS
    assert bool(before) == (share > 0.1)
    again = regzoo("compare", config, "--out", folder, "--workers", 2, "--quiet")
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    assert_resumed(before, rows(folder))
    assert_same_end(folder, uninterrupted)


def test_a_disk_that_is_full_when_the_model_is_written_is_reported(uninterrupted: Path, tmp_path: Path) -> None:
    def full() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, 10_000))

    for arguments in (["report", uninterrupted], ["export", uninterrupted, "--to", tmp_path / "model"]):
        done = regzoo(*arguments, preexec_fn=full)
        assert (done.returncode, done.stdout) == (3, "")
        assert done.stderr.startswith("Failed: ")
        assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []
    again = regzoo("report", uninterrupted)
    assert (again.returncode, again.stderr) == (0, "")


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGHUP])
def test_a_termination_is_resumable(
    how: signal.Signals, start: Start, config: Path, uninterrupted: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "iris"
    process = start("compare", config, "--out", folder, "--workers", 2, "--quiet")
    until(holds(folder, 3), process)
    process.send_signal(how)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 128 + how
    assert err == "\nInterrupted. Nothing is lost: run the same command again to resume.\n"
    before = rows(folder)
    done = regzoo("compare", config, "--out", folder, "--workers", 2, "--quiet")
    assert (done.returncode, done.stdout, done.stderr, out) == (0, "", "", "")
    assert_resumed(before, rows(folder))
    assert_same_end(folder, uninterrupted)


@pytest.mark.usefixtures("ctrl_c")
def test_ctrl_c_at_any_moment_is_resumable(start: Start, config: Path, uninterrupted: Path, tmp_path: Path) -> None:
    """Interrupt while the workers start, while runs are made, and after the last run."""
    folder = tmp_path / "iris"
    for records in (0, 1, 6, len(rows(uninterrupted))):
        before = rows(folder)
        process = start("compare", config, "--out", folder, "--workers", 2)
        assert process.stderr is not None
        assert process.stderr.readline() == "preparing: starting workers, importing TensorFlow\n"
        until(holds(folder, records), process)
        kill(process, signal.SIGINT)  # a terminal sends it to the workers as well
        out, err = process.communicate(timeout=300)
        assert process.returncode == 130, err
        assert "Interrupted. Nothing is lost: run the same command again to resume." in err
        assert "Traceback" not in out + err
        assert_resumed(before, rows(folder))
    before = rows(folder)
    assert regzoo("compare", config, "--out", folder, "--quiet").returncode == 0
    assert rows(folder) == before
    assert_same_end(folder, uninterrupted)
