"""Experiments: defaults, normal forms, written YAML that reads back equal, and keywords."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml

from regzoo.backbones.mlp import Mlp
from regzoo.config import ConfigError, Experiment, TrainingConfig, from_keywords, load_config, read_config
from regzoo.core.ranges import Choice, Float
from regzoo.regularizers.dropout import Dropout
from regzoo.regularizers.l2 import L2

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))


GOOD = """\
name: digits
data: {source: digits}
backbone: mlp(widths=[8])
recipes:
  - dropout
"""


def changed(key: str, value: str) -> str:
    """Return GOOD with ``key`` set to ``value``; the line of a new key is the last one."""
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    if key == "recipes":
        lines = lines[:3]
    return "\n".join([*lines, f"{key}: {value}", ""])


def test_the_shortest_config_has_the_documented_defaults() -> None:
    experiment = read_config(GOOD)
    split, training, search = experiment.split, experiment.training, experiment.search
    assert (split.folds, split.duplicates) == (1, "anywhere")
    assert (split.train, split.validation, split.test, split.train_size, split.label_noise) == (
        0.6,
        0.2,
        0.2,
        None,
        0,
    )
    assert (training.epochs, training.batch_size, training.optimizer) == (60, 32, "adam")
    assert training.learning_rate == Float(0.0003, 0.01)
    assert (search.tuner, search.trials) == ("latin_hypercube", 5)
    assert (search.repeats, search.confirm, search.seed, experiment.vary) == (5, 2, 0, ("seed", "search"))
    assert (experiment.replicates, experiment.rank_by, experiment.seed) == (5, None, 0)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("", "such as [seed, search], received nothing"),
        ("null", "such as [seed, search], received nothing"),
        ("{seed: 1}", "such as [seed, search], received"),
        ("[search]", "such as [seed, search], received [search]"),
        ("serach", "takes one of seed, split, search, received serach. Did you mean 'search'?"),
    ],
)
def test_what_varies_is_a_list(given: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_config(changed("vary", given))


@pytest.mark.parametrize(
    ("given", "message"),
    [
        ("my_model.keras", "my_model.keras is a file: write {file: my_model.keras}"),
        (Path("my_model.keras"), "write {file: my_model.keras}"),
        ("models.py:build", "models.py:build is a function in a file: write {function: models.py:build}"),
        ("C:/models.py", "write {function: C:/models.py:build}"),
    ],
)
def test_a_file_in_place_of_a_backbone_is_refused_with_the_form_to_write(given: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        from_keywords(backbone=given, recipes=["none"])
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_config(changed("backbone", str(given)))


def test_none_comes_first_unless_it_is_listed() -> None:
    assert read_config(GOOD).recipes == ("none", "dropout")
    assert read_config(changed("recipes", "[dropout, none, l2]")).recipes == ("dropout", "none", "l2")


def test_recipes_and_backbone_are_in_normal_form_and_can_be_built() -> None:
    experiment = read_config(changed("recipes", "['dropout( rate = .5 )  +  l2(1e-4)']"))
    assert experiment.recipes == ("none", "dropout(0.5) + l2(0.0001)")
    assert experiment.parse_recipes()[1] == Dropout(0.5) + L2(1e-4)
    assert experiment.backbone == "mlp([8])"


@pytest.mark.parametrize("path", CONFIGS, ids=lambda path: path.stem)
def test_shipped_configs_are_read_and_written_back_equal(path: Path) -> None:
    experiment = load_config(path)
    assert read_config(experiment.to_yaml(), "elsewhere/config.yaml") == experiment


def test_the_configs_of_the_readme_are_there() -> None:
    assert {path.stem for path in CONFIGS} >= {"quickstart", "tabular", "cnn", "csv", "label_noise"}


def test_resolved_yaml_has_every_key_and_reads_back_equal() -> None:
    experiment = from_keywords(
        name="1e5",
        data={"csv": "no such.csv", "target": "null"},
        backbone="mlp",
        recipes=["dropout(0.1..0.5)", "l2(1e-07)"],
        split={"train": 0.5, "validation": 0.25, "test": 0.25, "train_size": 10, "label_noise": 0.1},
        training={"learning_rate": 1e-7},
    )
    text = experiment.to_yaml()
    assert read_config(text) == experiment
    written = yaml.safe_load(text)
    assert set(written) == set(Experiment.model_fields)
    assert set(written["training"]) == set(TrainingConfig.model_fields)
    assert Path(written["data"]["csv"]).is_absolute()


def test_optimizer_and_loss_are_in_normal_form_and_written_back_equal() -> None:
    given = "training:\n  optimizer: sgd( nesterov = true )\n  loss: huber(delta=0.5)\n"
    experiment = read_config(GOOD + given)
    assert (experiment.training.optimizer, experiment.training.loss) == ("sgd(nesterov=true)", "huber(delta=0.5)")
    assert read_config(experiment.to_yaml()) == experiment
    assert read_config(GOOD + "training: {loss: }\n").training.loss is None


@pytest.mark.parametrize(
    ("training", "message"),
    [
        ("{optimizer: compiled}", "optimizer: compiled is what a model of your own was compiled with, and mlp([8]) is"),
        ("{loss: compiled}", "name the loss, or leave it out"),
        ("{optimizer: 3}", "takes an optimizer such as adam or sgd(momentum=0.95), as text, received 3"),
        ("{optimizer: [adam]}", "takes an optimizer such as adam"),
        ("{optimizer: sgd(momentum=0.9, nesterov=true)}", "brackets do not match (inside {a: 1, b: 2} YAML splits"),
        ("{loss: [mse, mae]}", "takes a loss such as huber(delta=0.5), as text, received"),
        ("{loss: huber(delta=-1)}", "training.loss: huber: delta takes a number in (0, inf), received -1"),
    ],
)
def test_an_optimizer_or_loss_that_cannot_be_used_is_refused(training: str, message: str) -> None:
    with pytest.raises(ConfigError, match=re.escape(message)):
        read_config(f"{GOOD}training: {training}\n")


@pytest.mark.parametrize(
    "data",
    ["{images: pictures, size: [32, 48]}", "{images: pictures}", "{idx: digits}", "{keras: mnist, download: yes}"],
)
def test_data_sections_are_written_back_equal(data: str, tmp_path: Path) -> None:
    experiment = read_config(changed("data", data), str(tmp_path / "c.yaml"))
    assert read_config(experiment.to_yaml(), "elsewhere/config.yaml") == experiment
    assert experiment.data.images in (None, tmp_path / "pictures")
    assert experiment.data.size == ((32, 48) if "size" in data else None)


def test_an_experiment_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_config(GOOD).seed = 1


def test_keywords_have_the_shapes_of_the_config() -> None:
    experiment = from_keywords(
        name="digits",
        data={"source": "digits"},
        backbone=Mlp((8,)),
        recipes=(Dropout(0.5), Dropout(0.5) + L2(), "l1"),
        training={"epochs": np.int64(3), "learning_rate": Choice((0.1, 0.2))},
        search={"tuner": "grid", "trials": 4},
    )
    assert experiment.recipes == ("none", "dropout(0.5)", "dropout(0.5) + l2", "l1")
    assert experiment.backbone == "mlp([8])"
    assert experiment.training.epochs == 3
    assert read_config(experiment.to_yaml()) == experiment


def test_keywords_without_data_describe_arrays() -> None:
    experiment = from_keywords(backbone="mlp", recipes=["l2"])
    assert (experiment.name, experiment.data.source) == ("comparison", "arrays")
    assert read_config(experiment.to_yaml()) == experiment


def test_wrong_keywords_are_reported_without_a_file() -> None:
    with pytest.raises(ConfigError) as caught:
        from_keywords(backbone="mlp", recipes=["l2", 3], replicate=5, seed=True, training={"epochs": "4"})
    lines = str(caught.value).split("\n")
    assert sorted(lines) == [
        "recipes[1]: a recipe is text such as dropout(0.5) + l2, received 3",
        "replicate: there is no such key. Did you mean 'replicates'?",
        "seed: takes a whole number in [0, inf), received True",
        "training.epochs: takes a whole number in [1, inf), received '4'",
    ]


@pytest.mark.parametrize(
    "keywords",
    [
        {"seed": 10**400, "training": {"learning_rate": 10**400}},
        {"training": {"learning_rate": float("nan")}, "seed": float("inf")},
        {"search": {"tuner": np.zeros(3)}, "seed": np.zeros(3)},
        {"search": {"tuner": None}, "seed": None},
        {"split": {1: 2}, "training": {None: 3}},
        {"data": {"csv": "a\0b", "target": "~nobody/x"}, "seed": []},
        {"data": {"csv": "~nobody-here/a.csv", "target": "y"}, "seed": {}},
    ],
)
def test_strange_python_values_are_rejected_like_others(keywords: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        from_keywords(backbone="mlp", recipes=["l2"], **keywords)
    assert len(caught.value.problems) == 2


def test_reading_a_config_imports_no_heavy_library() -> None:
    code = (
        "import sys, regzoo.config as c; c.from_keywords(backbone='mlp', recipes=['dropout']);"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'sklearn') if m in sys.modules])"
    )
    output = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert output.strip() == "[]"


def test_several_columns_may_be_the_target() -> None:
    data = {"csv": "a.csv", "target": ["red", "round"]}
    experiment = from_keywords(data=data, backbone="mlp", recipes=["none"])
    assert experiment.data.target == ("red", "round")
    assert read_config(experiment.to_yaml()) == experiment
    written = read_config("name: a\ndata: {csv: a.csv, target: [red, 7]}\nbackbone: mlp\nrecipes: [none]\n")
    assert written.data.target == ("red", "7")
    alone = from_keywords(data={**data, "target": ["red"]}, backbone="mlp", recipes=["none"])
    assert alone.data.target == "red"


@pytest.mark.parametrize(
    ("target", "message"),
    [
        ([], "data.target: takes the name of a column, or a list of different ones, received an empty list"),
        (["a", "a"], "data.target: takes the name of a column, or a list of different ones, received 'a' twice"),
        (["a", 3.5j], "data.target: takes text, received 3.5j"),
        (["a", "g"], "data: group and target are both 'g'; a column has one role"),
    ],
)
def test_wrong_targets(target: Any, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        from_keywords(data={"csv": "a.csv", "target": target, "group": "g"}, backbone="mlp", recipes=["none"])


def test_columns_may_be_left_out() -> None:
    written = read_config("name: a\ndata: {csv: a.csv, target: y, drop: [id, 7]}\nbackbone: mlp\nrecipes: [none]\n")
    assert written.data.drop == ("id", "7")
    assert read_config(written.to_yaml()) == written
    one = from_keywords(data={"parquet": "a.parquet", "target": "y", "drop": "id"}, backbone="mlp", recipes=["none"])
    assert one.data.drop == "id"
