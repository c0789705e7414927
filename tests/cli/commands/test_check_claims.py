"""``regzoo check-claims``: what it prints and writes, what it refuses, and that it is resumed."""

from __future__ import annotations

import dataclasses
import json
import re
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from regzoo.storage.ledger import Ledger

Run = Callable[..., tuple[int, str, str]]
ListKeys = Callable[[Path], list[str]]

pytestmark = [pytest.mark.usefixtures("tensorflow"), pytest.mark.slow]


@pytest.fixture
def change_config(copied: Path) -> Callable[[str, str], Path]:
    """Replace text of the config that a finished comparison was made with."""

    def call(old: str, new: str) -> Path:
        with Ledger(copied) as ledger:
            info = ledger.get_comparison_info()
            assert info is not None
            assert old in info.config
            ledger.set_comparison_info(dataclasses.replace(info, config=info.config.replace(old, new)))
        return copied

    return call


@pytest.fixture
def repeated(copied: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A finished comparison that claims every difference; that it was repeated with equal results is only pretended."""
    from regzoo.result import Result

    for seed in (1, 2):
        shutil.copytree(copied, copied.parent / "other" / f"seed_{seed}")
    shutil.move(copied.parent / "other", copied / "claims")
    board = Result(copied).board
    pairs = tuple(dataclasses.replace(pair, significant=True) for pair in board.pairs)
    board = dataclasses.replace(board, pairs=pairs)
    monkeypatch.setattr("regzoo.publish.read_leaderboard", lambda *_: board)
    monkeypatch.setattr("regzoo.publish.repeat_comparison", lambda *_, **__: {1: board, 2: board})
    return copied


def test_it_prints_the_claims_and_writes_them_next_to_the_ledger(run: Run, repeated: Path) -> None:
    (repeated / "claims.csv").write_text("mine")
    code, out, err = run("check-claims", repeated, "--searches", "2")
    assert code == 0
    assert "claims.csv is now claims.1.csv" in err
    assert re.match(r"Of \d+ claims? \(.*\), \d+ held in both repetitions, none tied, none turned\.\n", out)
    assert re.search(r"^claim +difference +tier order$", out, re.MULTILINE)
    assert out.endswith(f"\nClaims: {repeated / 'claims.md'}\n")
    assert (repeated / "claims.1.csv").read_text() == "mine"
    assert "do its claims hold in another search?" in (repeated / "claims.md").read_text()
    code, out, err = run("check-claims", repeated, "--csv", "--quiet")
    assert (code, err) == (0, "")
    assert out == (repeated / "claims.csv").read_text()
    code, out, err = run("check-claims", repeated, "--json", "--quiet")
    assert (code, err) == (0, "")
    assert {"headline", "claims", "new", "agreement"} <= set(json.loads(out, parse_constant=pytest.fail))
    assert run("check-claims", repeated, "--quiet") == (0, "", "")


def test_a_failed_run_of_a_repetition_is_1_and_says_how_to_make_it_again(run: Run, repeated: Path) -> None:
    from regzoo.core import Objective

    folder = repeated / "claims" / "seed_2"
    with Ledger(folder) as ledger:
        record = ledger.records()[-1]
        failed = dataclasses.replace(record.run, number=99)
        ledger.add(
            dataclasses.replace(record, run=failed, status="failed", error="ValueError"), Objective("nll", "min")
        )
        info = ledger.get_comparison_info()
        assert info is not None
        ledger.set_comparison_info(dataclasses.replace(info, command=f"regzoo check-claims {repeated}"))
    code, _, err = run("check-claims", repeated, "--quiet")
    assert (code, err) == (1, f"some runs failed; see: regzoo failures {folder}\n")
    how = f"to make the failed runs again: regzoo check-claims {repeated} --retry-failed\n"
    assert how in run("failures", folder)[1]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "replicates: 3",
            "replicates: 4",
            "holds an unfinished comparison, whose claims may still change: finish it first",
        ),
        ("flowers.csv", "gone.csv", "gone.csv"),
        ("csv: ", "npz: ", "npz"),
        ("train: 0.6", "train: 0.5\n  # ", "must be 1"),
    ],
)
def test_what_cannot_be_repeated_is_refused_before_anything_is_written(
    old: str, new: str, message: str, run: Run, change_config: Callable[[str, str], Path]
) -> None:
    folder = change_config(old, new)
    before = sorted(folder.rglob("*"))
    code, out, err = run("check-claims", folder, "--workers", "1", "--quiet")
    assert (code, out) == (2, "")
    assert message in err
    assert sorted(folder.rglob("*")) == before


def test_other_data_is_refused(run: Run, change_config: Callable[[str, str], Path], table: Any, tmp_path: Path) -> None:
    table.iloc[::-1].to_csv(tmp_path / "other.csv", index=False)
    folder = change_config("csv: ", f"csv: {tmp_path / 'other.csv'} #")
    code, _, err = run("check-claims", folder, "--quiet")
    assert (code, "is not what" in err) == (2, True)


def test_data_that_was_passed_in_python_is_asked_for(run: Run, change_config: Callable[[str, str], Path]) -> None:
    folder = change_config("csv: ", "source: arrays #")
    with Ledger(folder) as ledger:
        info = ledger.get_comparison_info()
        assert info is not None
        config = info.config.replace("  target: kind\n", "")
        ledger.set_comparison_info(dataclasses.replace(info, config=config))
    code, _, err = run("check-claims", folder, "--quiet")
    assert code == 2
    assert "was passed in Python, and is not kept: pass them again" in err
    assert "check_claims(x=x, y=y)" in err


def test_without_a_search_there_is_nothing_to_check(run: Run, mixed: Any, tmp_path: Path) -> None:
    folder = shutil.copytree(mixed.folder, tmp_path / "visits")
    code, _, err = run("check-claims", folder, "--quiet")
    assert code == 2
    assert "nothing is searched, and another search cannot change the result" in err


def test_a_folder_of_the_user_is_left_alone(run: Run, copied: Path) -> None:
    (copied / "claims" / "seed_1").mkdir(parents=True)
    (copied / "claims" / "mine.txt").write_text("mine")
    code, _, err = run("check-claims", copied, "--quiet")
    assert (code, "holds 'mine.txt', which is no repetition" in err) == (2, True)
    (copied / "claims" / "mine.txt").rename(copied / "claims" / "seed_1" / "mine.txt")
    code, _, err = run("check-claims", copied, "--quiet")
    assert (code, "holds 'mine.txt' and no comparison" in err) == (2, True)
    shutil.rmtree(copied / "claims")
    (copied / "claims").write_text("mine")
    code, _, err = run("check-claims", copied, "--quiet")
    assert (code, "claims is no folder" in err) == (2, True)
    assert (copied / "claims").read_text() == "mine"


def test_a_repetition_of_another_config_is_refused_and_a_repetition_is_not_repeated(run: Run, copied: Path) -> None:
    folder = copied / "claims" / "seed_1"
    shutil.copytree(copied, copied.parent / "other")
    folder.parent.mkdir()
    shutil.move(copied.parent / "other", folder)
    code, _, err = run("check-claims", copied, "--quiet")
    assert code == 2
    assert f"{folder} holds a comparison of another config or other data" in err
    code, _, err = run("check-claims", folder, "--quiet")
    assert code == 2
    assert "is itself a repetition" in err


def test_a_folder_in_use_or_without_a_comparison_is_refused(run: Run, copied: Path, tmp_path: Path) -> None:
    from regzoo.storage.folder import lock_folder
    from regzoo.system.lock import lock_path

    code, _, err = run("check-claims", tmp_path / "nowhere", "--quiet")
    assert (code, "holds no comparison" in err) == (2, True)
    with lock_folder(copied):
        code, _, err = run("check-claims", copied, "--quiet")
        assert (code, "is in use" in err) == (3, True)
    with lock_path(copied / "claims"):  # as another check does
        code, _, err = run("check-claims", copied, "--quiet")
        assert (code, "is in use" in err) == (3, True)
    assert run("check-claims", copied, "--searches", "0")[0] == 2


CONFIG = """\
name: iris
data: {source: iris}
backbone: mlp([8])
recipes: [none, dropout, l2]
training: {epochs: 5, batch_size: 16}
search: {trials: 2, repeats: 2, confirm: 2}
replicates: 4
"""


@pytest.mark.usefixtures("ctrl_c")
def test_interrupted_and_resumed_it_makes_no_run_twice_and_finds_the_same(
    run: Run, run_process: Callable[..., subprocess.CompletedProcess[str]], list_keys: ListKeys, tmp_path: Path
) -> None:
    (tmp_path / "iris.yaml").write_text(CONFIG)
    assert run_process("compare", tmp_path / "iris.yaml", "--out", tmp_path / "a").returncode == 0
    before = list_keys(tmp_path / "a" / "ledger.sqlite")
    shutil.copytree(tmp_path / "a", tmp_path / "b")
    command = [sys.executable, "-m", "regzoo", "check-claims", str(tmp_path / "a"), "--searches", "2"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    second = tmp_path / "a" / "claims" / "seed_2" / "ledger.sqlite"
    while process.poll() is None and len(list_keys(second)) < 3:
        time.sleep(0.02)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "")
    assert "run the same command again to resume" in err
    assert "2 repetitions to make, in " in err
    made = list_keys(second)
    first = list_keys(tmp_path / "a" / "claims" / "seed_1" / "ledger.sqlite")

    done = run_process("check-claims", tmp_path / "a", "--searches", "2")
    assert done.returncode == 0, done.stderr
    assert "1 repetition to make (1 made before), in " in done.stderr
    assert "repetition 2 of 2: " in done.stderr
    assert list_keys(second)[: len(made)] == made
    assert list_keys(tmp_path / "a" / "claims" / "seed_1" / "ledger.sqlite") == first
    again = run_process("check-claims", tmp_path / "b", "--searches", "2", "--workers", "1")
    assert again.returncode == 0
    assert again.stdout.replace(f"{tmp_path / 'b'}", "") == done.stdout.replace(f"{tmp_path / 'a'}", "")
    for name in ("claims.csv", "claims.md", "claims/seed_1/leaderboard.csv", "claims/seed_2/leaderboard.csv"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()

    assert list_keys(tmp_path / "a" / "ledger.sqlite") == before
    ordinary = {tuple(sorted(before)), tuple(sorted(first)), tuple(sorted(list_keys(second)))}
    assert len(ordinary) == 3  # other searches, other runs
    assert run("report", tmp_path / "a" / "claims" / "seed_1")[0] == 0
    code, out, err = run("check-claims", tmp_path / "a", "--searches", "2", "--json")
    assert (code, "to make" in err) == (0, False)
    assert json.loads(out)["seeds"] == [1, 2]
