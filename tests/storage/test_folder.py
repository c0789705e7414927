"""Folder: one process at a time, nothing foreign touched, no config mixed with another."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from regzoo.config import ConfigError, Experiment, from_keywords, read_config
from regzoo.core import EnvironmentFailure, InputError
from regzoo.core.errors import BusyError
from regzoo.data.catalog import PARTS
from regzoo.storage.folder import (
    CONFIG,
    LOCK,
    archive_existing,
    load_experiment,
    lock_folder,
    write_config,
    write_text_atomic,
)
from regzoo.storage.ledger import FILE, Ledger

HOLD = """
import sys
from pathlib import Path
from regzoo.storage.folder import lock_folder

with lock_folder(Path(sys.argv[1])):
    print("held", flush=True)
    sys.stdin.read()
"""


def experiment(**given: Any) -> Experiment:
    return from_keywords(**{"name": "e", "data": {"source": "iris"}, "backbone": "mlp", "recipes": ["l2"], **given})


@pytest.fixture
def holder(tmp_path: Path) -> Iterator[int]:
    """The id of another process that holds tmp_path / 'held'."""
    with subprocess.Popen(
        [sys.executable, "-c", HOLD, str(tmp_path / "held")], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdout
        assert process.stdout.readline() == b"held\n"
        yield process.pid
        process.communicate()


def test_a_new_folder_is_made_and_let_go(tmp_path: Path) -> None:
    folder = tmp_path / "reports" / "new"
    with lock_folder(folder):
        assert (folder / LOCK).read_text() == f"{os.getpid()}\n"
    with lock_folder(folder):
        assert folder.is_dir()


def test_a_folder_in_use_is_refused_with_the_process_that_holds_it(holder: int, tmp_path: Path) -> None:
    for _ in range(2):  # asking does not loosen it
        with (
            pytest.raises(BusyError, match=rf"held is in use by process {holder}; wait for it"),
            lock_folder(tmp_path / "held"),
        ):
            pytest.fail("it is held")
    assert issubclass(BusyError, EnvironmentFailure)


def test_a_comparison_in_use_is_not_moved_aside(holder: int, tmp_path: Path) -> None:
    Ledger(tmp_path / "held", create=True).__exit__()
    with pytest.raises(BusyError, match=f"process {holder}"):
        archive_existing(tmp_path / "held")
    assert (tmp_path / "held" / FILE).is_file()


def test_a_lock_of_a_dead_process_holds_nothing(tmp_path: Path) -> None:
    (tmp_path / LOCK).write_text("1\n")
    with lock_folder(tmp_path):
        pass


def test_foreign_files_are_refused_and_untouched(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(InputError, match=r"holds 'thesis\.txt' and no comparison"), lock_folder(tmp_path):
        pytest.fail("it is foreign")
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_file_is_no_folder(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("text")
    with pytest.raises(InputError, match="is a file; choose another folder"), lock_folder(tmp_path / "file"):
        pytest.fail("it is a file")


def test_files_beside_a_ledger_are_the_users(tmp_path: Path) -> None:
    Ledger(tmp_path, create=True).__exit__()
    (tmp_path / "notes.txt").write_text("mine")
    with lock_folder(tmp_path):
        pass
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_the_config_is_written_out_and_read_back_equal(tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG]


def test_another_config_is_refused_with_the_difference(tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    with pytest.raises(InputError) as caught:
        write_config(tmp_path, experiment(training={"epochs": 7}, seed=3))
    said = str(caught.value)
    for line in ("  -  epochs: 60", "  +  epochs: 7", "  -seed: 0", "  +seed: 3", "--out", "--fresh"):
        assert line in said
    assert "batch_size" not in said
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()


@pytest.mark.parametrize("more", [{"recipes": ["l2", "dropout"]}, {"recipes": ["dropout", "l2"]}, {"replicates": 9}])
def test_recipes_and_replicates_may_be_added(more: dict[str, Any], tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    write_config(tmp_path, experiment(**more))
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(**more)


def test_the_config_that_the_records_were_made_with_counts_whatever_stands_in_the_file(tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    edited = experiment(training={"batch_size": 7})
    for text in (edited.to_yaml(), "no config: at all"):
        (tmp_path / CONFIG).write_text(text)
        with pytest.raises(InputError, match=r"-  batch_size: 32\n.*\+  batch_size: 7"):
            write_config(tmp_path, edited, experiment().to_yaml())
    write_config(tmp_path, experiment(replicates=9), experiment().to_yaml())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(replicates=9)


AUTO = "name: e\ndata: {source: iris}\nbackbone: mlp\nrecipes: [l2]\ntraining: {jit_compile: auto}\n"


def train_with_auto(folder: Path, chosen: bool) -> None:
    """Make the ledger of a comparison that began when ``jit_compile: auto`` was allowed."""
    folder.mkdir(parents=True)
    text = experiment().to_yaml().replace("  jit_compile: false\n", "  jit_compile: auto\n")
    (folder / CONFIG).write_text(text)
    split = {"kind": "stratified"}
    data = {"source": "iris", "digest": "a", "rows": 9, "inputs": "", "task": "classification", "split": split}
    info = {"name": "e", "rank_by": "nll", "direction": "min", "versions": {}, "command": "", "trials": 1}
    with Ledger(folder, create=True) as ledger:
        ledger.set_setup_json({"jit_compile": chosen})
        ledger.set_info(
            "study",
            {**info, "tuner": "", "replicates": 5, "config": text, "data": data | dict.fromkeys(PARTS, 3)},
        )


@pytest.mark.parametrize("chosen", [True, False])
@pytest.mark.parametrize("where", ["default", "out", "own"])
def test_jit_compile_auto_is_refused_with_the_value_that_was_trained_with(
    where: str, chosen: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    folder = Path("reports/e") if where == "default" else Path("mine")
    train_with_auto(folder, chosen)
    config = folder / CONFIG if where == "own" else Path("e.yaml")
    if where != "own":
        config.write_text(AUTO)
    with pytest.raises(ConfigError) as caught:
        load_experiment(config, folder if where == "out" else None)
    words = f"training.jit_compile: auto was removed: .*; write true or false .{folder} was trained with jit_compile: "
    assert re.search(words + str(chosen).lower(), str(caught.value))


@pytest.mark.parametrize("ledger", [None, "", "no store", "empty"])
def test_jit_compile_auto_is_refused_where_nothing_was_trained(ledger: str | None, tmp_path: Path) -> None:
    (tmp_path / "e.yaml").write_text(AUTO)
    if ledger == "empty":
        Ledger(tmp_path, create=True).__exit__()
    elif ledger is not None:
        (tmp_path / FILE).write_text(ledger * 100)
    with pytest.raises(ConfigError, match=r"e\.yaml:5:25: training\.jit_compile: auto was .* write true or false$"):
        load_experiment(tmp_path / "e.yaml", tmp_path)


def test_what_auto_stood_for_goes_on_and_the_other_value_is_refused(tmp_path: Path) -> None:
    train_with_auto(tmp_path / "e", chosen=True)
    with Ledger(tmp_path / "e") as ledger:
        began = ledger.trained_config()
    with pytest.raises(InputError, match=r"-  jit_compile: true\n.*\+  jit_compile: false"):
        write_config(tmp_path / "e", experiment(), began)
    write_config(tmp_path / "e", experiment(training={"jit_compile": True}), began)
    assert load_experiment(tmp_path / "e" / CONFIG) == experiment(training={"jit_compile": True})


@pytest.mark.parametrize("less", [{"recipes": ["dropout"]}, {"replicates": 3}])
def test_recipes_and_replicates_may_not_be_taken_away(less: dict[str, Any], tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    with pytest.raises(InputError, match="holds a comparison of another config"):
        write_config(tmp_path, experiment(**less))


def test_a_file_is_written_whole_or_left_as_it_was(tmp_path: Path) -> None:
    write_text_atomic(tmp_path / "a.txt", "old\n")
    with pytest.raises(UnicodeEncodeError):
        write_text_atomic(tmp_path / "a.txt", "new \ud800")  # half of a character, which UTF-8 cannot write
    assert [(path.name, path.read_bytes()) for path in tmp_path.iterdir()] == [("a.txt", b"old\n")]


def test_a_comparison_is_moved_to_a_free_name(tmp_path: Path) -> None:
    for wanted in ("e.1", "e.2"):
        (tmp_path / "e").mkdir()
        Ledger(tmp_path / "e", create=True).__exit__()
        assert archive_existing(tmp_path / "e") == tmp_path / wanted
        assert (tmp_path / wanted / FILE).is_file()
        assert not (tmp_path / "e").exists()


def test_what_is_no_comparison_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("years of work")
    assert archive_existing(tmp_path / "mine") is None
    assert archive_existing(tmp_path / "nowhere") is None
    assert (tmp_path / "mine" / "thesis.txt").is_file()
