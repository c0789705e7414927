"""``regzoo compare``: the files that it writes, what it prints, and how it resumes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regzoo.storage.folder import lock_folder
from regzoo.storage.ledger import Ledger
from regzoo.storage.sqlite.formats import RECORDS

Run = Callable[..., tuple[int, str, str]]
RunProcess = Callable[..., subprocess.CompletedProcess[str]]
ListKeys = Callable[[Path], list[str]]


@pytest.fixture(scope="module")
def compared(
    run_process: RunProcess, config: Path, tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A comparison by ``regzoo compare`` with two workers, whose output goes to no terminal."""
    folder = tmp_path_factory.mktemp("two") / "mine"
    return folder, run_process("compare", config, "--out", folder, "--workers", 2)


def test_compare_writes_every_file_of_the_contract(compared: Any) -> None:
    folder, done = compared
    assert (done.returncode, done.stderr) == (0, done.stderr)
    wanted = {"config.yaml", "ledger.sqlite", "leaderboard.csv", "report.html", "report.md", "figures", "model"}
    assert {path.name for path in folder.iterdir() if not path.name.startswith(".")} == wanted
    assert {path.name for path in (folder / "model").iterdir()} >= {"saved_model.pb", "recipe.json", "README.md"}
    card = (folder / "model" / "README.md").read_text(encoding="utf-8")
    assert "answered 20 held-out raw rows at batch\nsizes 1 and 7 like the live model" in card  # a fifth of 100
    parity = json.loads((folder / "model" / "recipe.json").read_text(encoding="utf-8"))["parity"]
    assert (parity["rows"], parity["batches"]) == (20, [1, 7])
    assert 0 <= parity["largest_difference"] < 1e-5
    assert list((folder / "figures").glob("*.svg"))
    assert not re.search(r"(src|href)=.https?://", (folder / "report.html").read_text(encoding="utf-8"))


def test_compare_prints_the_leaderboard_and_nothing_of_others(compared: Any) -> None:
    folder, done = compared
    for words in ("none", "dropout(", "l2(0.001)", "ensemble(2)", "winner", f"Report: {folder}", f"Model:  {folder}"):
        assert words in done.stdout.replace("\n", " ")
    progress = r"preparing: .*|\d+ of 20 runs, .*|writing the report.*"
    assert [line for line in done.stderr.splitlines() if not re.fullmatch(progress, line)] == []
    for word in ("tensorflow/", "keras_tuner", "WARNING", "Trial", "oneDNN", "\x1b"):
        assert word not in done.stdout + done.stderr


def test_two_workers_elsewhere_give_the_same_bytes_as_this_process(compared: Any, finished: Any) -> None:
    assert (compared[0] / "leaderboard.csv").read_bytes() == (finished.folder / "leaderboard.csv").read_bytes()


@pytest.mark.slow
@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_by_ctrl_c_it_resumes_and_ends_the_same(
    list_keys: ListKeys, run_process: RunProcess, config: Path, finished: Any, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "regzoo", "compare", str(config), "--workers", "1"]
    ledger = tmp_path / "reports" / "flowers" / "ledger.sqlite"
    with subprocess.Popen(
        command, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, start_new_session=True
    ) as first:
        while len(list_keys(ledger)) < 5 and first.poll() is None:
            time.sleep(0.01)
        os.killpg(first.pid, signal.SIGINT)  # a terminal sends it to the workers as well
        out, err = first.communicate(timeout=300)
    assert first.returncode == 130
    assert "Interrupted. Nothing is lost: run the same command again to resume." in err
    assert "Traceback" not in out + err
    before = list_keys(ledger)
    assert len(before) >= 5
    again = run_process("compare", config, "--workers", 1, "--quiet", cwd=tmp_path)
    assert (again.returncode, again.stdout, again.stderr) == (0, "", "")
    after = list_keys(ledger)
    assert after[: len(before)] == before
    assert len(after) == len(set(after)) == len(list_keys(finished.folder / "ledger.sqlite"))
    wanted = (finished.folder / "leaderboard.csv").read_bytes()
    assert (tmp_path / "reports" / "flowers" / "leaderboard.csv").read_bytes() == wanted


@pytest.mark.usefixtures("no_workers", "unverified")
def test_a_finished_comparison_is_only_read_again(
    run: Run, copied: Path, config: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from regzoo.execution.serial import SerialExecutor

    def refuse(*_: object) -> None:
        raise AssertionError("a run is made again")

    monkeypatch.setattr(SerialExecutor, "start", refuse)
    before = (copied / "leaderboard.csv").read_bytes()
    code, out, err = run("compare", config, "--out", copied)
    assert code == 0
    assert "winner" in out
    assert "Traceback" not in err
    assert (copied / "leaderboard.csv").read_bytes() == before


@pytest.mark.usefixtures("no_workers", "unverified")
@pytest.mark.slow
def test_failed_runs_end_with_1_and_the_rest_is_ranked(run: Run, copied: Path, config: Path) -> None:
    before = (copied / "leaderboard.csv").read_bytes()
    fail_one(copied)
    code, out, err = run("compare", config, "--out", copied)
    assert code == 1
    assert "winner" in out
    assert f"some runs failed; see: regzoo failures {copied}" in err
    code, out, _ = run("failures", copied)
    assert code == 0
    assert "ValueError: out of luck" in out
    assert "to make the failed runs again: regzoo compare" in out
    assert "--retry-failed" in out
    leaderboard = json.loads(run("leaderboard", copied, "--json")[1])
    assert [row["failed"] for row in leaderboard["recipes"] if row["name"] == "l2(0.001)"] == [1]
    code, _, err = run("compare", config, "--out", copied, "--retry-failed")
    assert code == 0, err
    assert (copied / "leaderboard.csv").read_bytes() == before
    code, out, _ = run("failures", copied)
    assert (code, out) == (0, "no run failed or diverged\n1 run was made again after a failure\n")


def fail_one(folder: Path) -> None:
    """Turn one replicate of l2 into a failed run."""
    with Ledger(folder) as ledger:
        rows = ledger._store.read_all(RECORDS)
        number, key, stage, name, _, body = next(row for row in rows if row[2:4] == ("replicate", "l2(0.001)"))
        record = {**json.loads(body), "status": "failed", "metrics": {}, "error": "ValueError: out of luck"}
        with ledger._store.commit() as written:
            written.put(RECORDS, (number, key, stage, name, "failed", json.dumps(record)))


@pytest.mark.usefixtures("no_workers")
def test_a_folder_of_something_else_ends_with_2_and_stays(run: Run, config: Path, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, err = run("compare", config, "--out", tmp_path)
    assert code == 2
    assert "holds 'thesis.txt' and no comparison" in err
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


@pytest.mark.usefixtures("no_workers")
def test_a_folder_in_use_ends_with_3(run: Run, copied: Path, config: Path) -> None:
    with lock_folder(copied):
        for more in ([], ["--fresh"]):
            code, _, err = run("compare", config, "--out", copied, *more)
            assert code == 3
            assert f"Failed: {copied} is in use by process {os.getpid()}" in err


@pytest.mark.slow
@pytest.mark.usefixtures("no_workers", "unverified")
def test_fresh_moves_the_old_comparison_aside(run: Run, copied: Path, config: Path) -> None:
    text = config.read_text(encoding="utf-8").replace("epochs: 3", "epochs: 1").replace("trials: 2", "trials: 1")
    (config.parent / "shorter.yaml").write_text(text, encoding="utf-8")
    code, _, err = run("compare", config.parent / "shorter.yaml", "--out", copied)
    assert code == 2
    assert "epochs: 3" in err
    assert "epochs: 1" in err
    old = (copied / "leaderboard.csv").read_bytes()
    code, out, _ = run("compare", config.parent / "shorter.yaml", "--out", copied, "--fresh", "--quiet")
    assert (code, out) == (0, "")
    assert (copied.with_name("flowers.1") / "leaderboard.csv").read_bytes() == old
    assert (copied / "leaderboard.csv").read_bytes() != old
