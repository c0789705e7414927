"""The config in a comparison's folder: it may be extended, not changed, and `jit_compile: auto` is explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from regzoo.config import ConfigError, Experiment, from_keywords, read_config
from regzoo.core import InputError
from regzoo.core.errors import MovedAsideWarning
from regzoo.data.catalog import PARTS
from regzoo.storage.config_file import load_experiment, write_config
from regzoo.storage.folder import CONFIG
from regzoo.storage.ledger import FILE, Ledger


def write(folder: Path, wanted: Experiment, trained: str | None = None) -> None:
    """Write the config; ``trained`` is what the ledger says that the records were made with."""
    with Ledger(folder, create=True) as ledger:
        if trained is not None:
            ledger.set_setup_json({"jit_compile": False})
            note = {"name": "e", "rank_by": "nll", "direction": "min", "versions": {}, "command": "", "trials": 1}
            ledger._set_note("study", {**note, "tuner": "", "replicates": 5, "config": trained, "data": DATA})
        write_config(folder, wanted, ledger)


def experiment(**given: Any) -> Experiment:
    """Return an experiment on iris, with the keys that are ``given``."""
    return from_keywords(**{"name": "e", "data": {"source": "iris"}, "backbone": "mlp", "recipes": ["l2"], **given})


def test_the_config_is_written_out_and_read_back_equal(tmp_path: Path) -> None:
    write(tmp_path, experiment())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()
    assert sorted(path.name for path in tmp_path.iterdir()) == [CONFIG, FILE]


def test_another_config_is_refused_with_the_difference(tmp_path: Path) -> None:
    write(tmp_path, experiment())
    with pytest.raises(InputError) as caught:
        write(tmp_path, experiment(training={"epochs": 7}, seed=3))
    message = str(caught.value)
    for line in ("  -  epochs: 60", "  +  epochs: 7", "  -seed: 0", "  +seed: 3", "--out", "--fresh"):
        assert line in message
    assert "batch_size" not in message
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()


@pytest.mark.parametrize("more", [{"recipes": ["l2", "dropout"]}, {"recipes": ["dropout", "l2"]}, {"replicates": 9}])
def test_recipes_and_replicates_may_be_added(more: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, experiment())
    write(tmp_path, experiment(**more))
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(**more)


def test_the_config_in_the_ledger_counts_even_if_the_file_was_edited(tmp_path: Path) -> None:
    write(tmp_path, experiment())
    edited = experiment(training={"batch_size": 7})
    for text in (edited.to_yaml(), "no config: at all"):
        (tmp_path / CONFIG).write_text(text)
        with pytest.raises(InputError, match=r"-  batch_size: 32\n.*\+  batch_size: 7"):
            write(tmp_path, edited, experiment().to_yaml())
    with pytest.warns(MovedAsideWarning, match=r"config\.yaml is now config\.1\.yaml"):
        write(tmp_path, experiment(replicates=9), experiment().to_yaml())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(replicates=9)
    assert (tmp_path / "config.1.yaml").read_text() == "no config: at all"


def test_a_config_of_the_users_is_never_lost(tmp_path: Path) -> None:
    mine = "# why: see chapter 3\n" + experiment().to_yaml()
    (tmp_path / CONFIG).write_text(mine)
    for number in (1, 2):
        with pytest.warns(MovedAsideWarning):
            write(tmp_path, experiment(), experiment().to_yaml() if number == 2 else None)
        assert (tmp_path / f"config.{number}.yaml").read_text() == mine
        assert (tmp_path / CONFIG).read_text() == experiment().to_yaml()
        (tmp_path / CONFIG).write_text(mine)


def test_a_config_that_an_older_version_wrote_is_known_from_the_ledger(tmp_path: Path) -> None:
    (tmp_path / CONFIG).write_text(experiment().to_yaml())
    write(tmp_path, experiment(replicates=9), experiment().to_yaml())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(replicates=9)
    assert sorted(path.name for path in tmp_path.iterdir()) == [CONFIG, FILE]


DATA = {"source": "iris", "digest": "a", "rows": 9, "inputs": "", "task": "classification"} | {
    "split": {"kind": "stratified"},
    **dict.fromkeys(PARTS, 3),
}

AUTO = "name: e\ndata: {source: iris}\nbackbone: mlp\nrecipes: [l2]\ntraining: {jit_compile: auto}\n"


def train_with_auto(folder: Path, chosen: bool) -> None:
    """Make the ledger of a comparison that began when ``jit_compile: auto`` was allowed."""
    folder.mkdir(parents=True)
    text = experiment().to_yaml().replace("  jit_compile: false\n", "  jit_compile: auto\n")
    (folder / CONFIG).write_text(text)
    info = {"name": "e", "rank_by": "nll", "direction": "min", "versions": {}, "command": "", "trials": 1}
    with Ledger(folder, create=True) as ledger:
        ledger.set_setup_json({"jit_compile": chosen})
        ledger._set_note(
            "study",
            {**info, "tuner": "", "replicates": 5, "config": text, "data": DATA},
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
    with pytest.raises(InputError, match=r"-  jit_compile: true\n.*\+  jit_compile: false"):
        write(tmp_path / "e", experiment())
    write(tmp_path / "e", experiment(training={"jit_compile": True}))
    assert load_experiment(tmp_path / "e" / CONFIG) == experiment(training={"jit_compile": True})


@pytest.mark.parametrize("less", [{"recipes": ["dropout"]}, {"replicates": 3}])
def test_recipes_and_replicates_may_not_be_taken_away(less: dict[str, Any], tmp_path: Path) -> None:
    write(tmp_path, experiment())
    with pytest.raises(InputError, match="holds a comparison of another config"):
        write(tmp_path, experiment(**less))
