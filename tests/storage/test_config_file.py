"""The config in a comparison's folder: it may be extended, not changed, and `jit_compile: auto` is explained."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from regzoo.config import ConfigError, Experiment, from_keywords, read_config
from regzoo.core import InputError
from regzoo.data.catalog import PARTS
from regzoo.storage.config_file import load_experiment, write_config
from regzoo.storage.folder import CONFIG
from regzoo.storage.ledger import FILE, Ledger


def experiment(**given: Any) -> Experiment:
    """Return an experiment on iris, with the keys that are ``given``."""
    return from_keywords(**{"name": "e", "data": {"source": "iris"}, "backbone": "mlp", "recipes": ["l2"], **given})


def test_the_config_is_written_out_and_read_back_equal(tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()
    assert [path.name for path in tmp_path.iterdir()] == [CONFIG]


def test_another_config_is_refused_with_the_difference(tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    with pytest.raises(InputError) as caught:
        write_config(tmp_path, experiment(training={"epochs": 7}, seed=3))
    message = str(caught.value)
    for line in ("  -  epochs: 60", "  +  epochs: 7", "  -seed: 0", "  +seed: 3", "--out", "--fresh"):
        assert line in message
    assert "batch_size" not in message
    assert read_config((tmp_path / CONFIG).read_text()) == experiment()


@pytest.mark.parametrize("more", [{"recipes": ["l2", "dropout"]}, {"recipes": ["dropout", "l2"]}, {"replicates": 9}])
def test_recipes_and_replicates_may_be_added(more: dict[str, Any], tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    write_config(tmp_path, experiment(**more))
    assert read_config((tmp_path / CONFIG).read_text()) == experiment(**more)


def test_the_config_in_the_ledger_counts_even_if_the_file_was_edited(tmp_path: Path) -> None:
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
        ledger._set_note(
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
        trained = ledger.get_trained_config()
    with pytest.raises(InputError, match=r"-  jit_compile: true\n.*\+  jit_compile: false"):
        write_config(tmp_path / "e", experiment(), trained)
    write_config(tmp_path / "e", experiment(training={"jit_compile": True}), trained)
    assert load_experiment(tmp_path / "e" / CONFIG) == experiment(training={"jit_compile": True})


@pytest.mark.parametrize("less", [{"recipes": ["dropout"]}, {"replicates": 3}])
def test_recipes_and_replicates_may_not_be_taken_away(less: dict[str, Any], tmp_path: Path) -> None:
    write_config(tmp_path, experiment())
    with pytest.raises(InputError, match="holds a comparison of another config"):
        write_config(tmp_path, experiment(**less))
