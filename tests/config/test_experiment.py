"""The config: what is accepted, and that every problem is said at once with its place."""

from __future__ import annotations

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
from regzoo.training.metrics import METRICS

CONFIGS = sorted((Path(__file__).parents[2] / "configs").glob("*.yaml"))

GOOD = """\
name: digits
data: {source: digits}
backbone: mlp(widths=[8])
recipes:
  - dropout
"""


def problems(text: str) -> list[str]:
    """The lines of the error that ``text`` raises."""
    with pytest.raises(ConfigError) as caught:
        read_config(text, "c.yaml")
    return str(caught.value).split("\n")


def changed(key: str, value: str) -> str:
    """GOOD with ``key`` set to ``value``; its line is the last one if it is new."""
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
    assert (search.tuner, search.trials) == ("random", 8)
    assert (experiment.replicates, experiment.rank_by, experiment.seed) == (5, None, 0)


def test_none_comes_first_unless_it_is_listed() -> None:
    assert read_config(GOOD).recipes == ("none", "dropout")
    assert read_config(changed("recipes", "[dropout, none, l2]")).recipes == ("dropout", "none", "l2")


def test_recipes_and_backbone_are_in_normal_form_and_can_be_built() -> None:
    experiment = read_config(changed("recipes", "['dropout( rate = .5 )  +  l2(1e-4)']"))
    assert experiment.recipes == ("none", "dropout(0.5) + l2(0.0001)")
    assert experiment.parse_recipes()[1] == Dropout(0.5) + L2(1e-4)
    assert experiment.backbone == "mlp([8])"


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("0.001", 0.001),
        ("1e-4", 1e-4),
        ("1", 1.0),
        ("1e-4..1e-2", Float(1e-4, 1e-2)),
        ("1..3", Float(1.0, 3.0)),
        ("0.001|0.003", Choice((0.001, 0.003))),
        ("'0.001|0.003'", Choice((0.001, 0.003))),
    ],
)
def test_learning_rates(written: str, meant: float | Float | Choice) -> None:
    training = read_config(changed("training", f"{{learning_rate: {written}}}")).training
    assert training.learning_rate == meant
    assert type(training.learning_rate) is type(meant)


@pytest.mark.parametrize(
    ("key", "written", "meant"),
    [
        ("name", "2024", "2024"),
        ("name", "1e5", "1e5"),
        ("name", "2024-01-31", "2024-01-31"),
        ("name", "'no'", "no"),
        ("name", "007", "007"),
        ("seed", "1_000", 1000),
        ("seed", "1e3", 1000),
        ("replicates", "7.0", 7),
        ("rank_by", "null", None),
        ("rank_by", "", None),
    ],
)
def test_what_yaml_calls_a_number_a_date_or_nothing(key: str, written: str, meant: object) -> None:
    assert getattr(read_config(changed(key, written)), key) == meant


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


def test_paths_start_at_the_folder_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "mine.yaml"
    path.write_text(changed("data", "{npz: ../arrays.npz}"), encoding="utf-8")
    assert load_config(path).data.npz == tmp_path / "configs" / ".." / "arrays.npz"


@pytest.mark.parametrize(
    "data",
    ["{images: pictures, size: [32, 48]}", "{images: pictures}", "{idx: digits}", "{keras: mnist, download: yes}"],
)
def test_data_with_what_goes_with_it_is_written_back_equal(data: str, tmp_path: Path) -> None:
    experiment = read_config(changed("data", data), str(tmp_path / "c.yaml"))
    assert read_config(experiment.to_yaml(), "elsewhere/config.yaml") == experiment
    assert experiment.data.images in (None, tmp_path / "pictures")
    assert experiment.data.size == ((32, 48) if "size" in data else None)


def test_an_experiment_is_frozen() -> None:
    with pytest.raises(ValueError, match="frozen"):
        read_config(GOOD).seed = 1  # type: ignore[misc]


TABLE = [
    # one top-level key
    ("trainig: {epochs: 3}", 6, 1, "trainig: there is no such key. Did you mean 'training'?"),
    ("zebra: 1", 6, 1, "zebra: there is no such key. There is: backbone, budget, data,"),
    ("no: 1", 6, 1, "no: there is no such key."),
    ("name: .hidden", 6, 7, "name: takes a folder name: up to 100 letters"),
    ("name: a/b", 6, 7, "received a/b"),
    ("name: ..", 6, 7, "received .."),
    ("name: ''", 6, 7, "name: takes text, received '' in quotes"),
    ("name: no", 6, 7, "received no, which YAML reads as true or false (put it in quotes"),
    ("name:", 6, 6, "name: takes text, received nothing"),
    ("name: [a]", 6, 7, "name: takes text, received a list"),
    (
        "data: digits",
        6,
        7,
        "data: takes keys and values (source, csv, target, drop, npz, parquet, separator, encoding, ",
    ),
    ("data: {source: digts}", 6, 16, "data.source: takes one of digits, iris, wine"),
    ("data: {source: digts}", 6, 16, "received digts. Did you mean 'digits'?"),
    ("data: {sorce: digits}", 6, 8, "data.sorce: there is no such key. Did you mean 'source'?"),
    ("data: {image: folder}", 6, 8, "data.image: there is no such key. Did you mean 'images'?"),
    (
        "data: {xyz: folder}",
        6,
        8,
        "data.xyz: there is no such key. There is: csv, download, drop, encoding, group,",
    ),
    ("data: {images: [a]}", 6, 16, "data.images: takes text, received a list"),
    ("data: {images: a, size: 32}", 6, 25, "data.size: takes [height, width] in pixels, such as [32, 32], received 32"),
    ("data: {images: a, size: [32]}", 6, 25, "received a list of 1"),
    ("data: {images: a, size: [32, 0]}", 6, 25, "data.size: takes a whole number in [1, inf), received 0"),
    ("data: {images: a, size: [32, [32]]}", 6, 25, "data.size: takes a whole number in [1, inf), received a list"),
    ("data: {images: a, size: [1, 2, 3, 4, 5, 6, 7, 8, 9]}", 6, 25, "received a list"),
    ("data: {idx: a, size: [32, 32]}", 6, 7, "data: size goes with images, received it with idx; take it out"),
    ("data: {keras: mnits}", 6, 15, "takes one of mnist, fashion_mnist, cifar10, cifar100, received mnits. Did you"),
    ("data: {keras: mnist, download: 1}", 6, 32, "data.download: takes true or false, received 1"),
    ("data: {idx: a, download: true}", 6, 7, "data: download goes with keras, received it with idx; take it out"),
    ("data: {}", 6, 7, "received none of them"),
    (
        "data: {source: iris, npz: a.npz}",
        6,
        7,
        "data: takes one of {source: digits}, {csv: path, target: column}",
    ),
    ("data: {csv: a.csv}", 6, 7, "data: csv needs the column to predict"),
    ("data: {source: iris, target: y}", 6, 7, "target goes with csv or parquet, received it with source"),
    ('data: {npz: a.npz, separator: ";"}', 6, 7, "separator goes with csv, received it with npz"),
    ("data: {parquet: a.parquet}", 6, 7, "data: parquet needs the column to predict: {parquet: path, target: column}"),
    ("data: {source: iris, group: g}", 6, 7, "data: group must go with csv, parquet or npz; name such a file"),
    ("data: {source: iris, test: t.csv}", 6, 7, "data: test must go with csv, parquet or npz"),
    (
        'data: {csv: "https://example.org/a.csv", target: y}',
        6,
        13,
        "data.csv: takes a path on this machine, received 'https://example.org/a.csv' in quotes; fetch",
    ),
    ("data: {csv: a.csv, target: y, drop: [x, y]}", 6, 7, "data: target and drop are both 'y'; a column has one role"),
    ("data: {npz: a.npz, drop: [x]}", 6, 7, "drop goes with csv or parquet, received it with npz; take it out"),
    ("data: {csv: a.csv, target: y, drop: []}", 6, 37, "data.drop: takes the name of a column, or a list of different"),
    ("data: {csv: a.csv, target: y, group: y}", 6, 7, "data: group and target are both 'y'; a column has one role"),
    ("data: {csv: a.csv, target: y, group: g, time: g}", 6, 7, "data: group and time are both 'g'"),
    (
        "data: {csv: a.csv, target: y, part: p, test: t.csv}",
        6,
        7,
        "data: part and test both say which rows are which part; keep one of them",
    ),
    (
        "data: {csv: a.csv, target: on}",
        6,
        28,
        "data.target: takes text, received on, which YAML reads as true",
    ),
    ("data: {csv: [a.csv], target: y}", 6, 13, "data.csv: takes text, received a list"),
    (
        "split: 0.6",
        6,
        8,
        "split: takes keys and values (train, validation, test, folds, train_size, label_noise, dupl",
    ),
    ("split:", 6, 7, "received nothing"),
    ("split: {train: 0.7}", 6, 8, "train + validation + test must be 1, received 0.7 + 0.2 + 0.2 = 1.1"),
    (
        "split: {train: 0, validation: .5, test: .5}",
        6,
        16,
        "split.train: takes a number in (0, 1), received 0",
    ),
    ("split: {train: .inf}", 6, 16, "split.train: takes a number in (0, 1), received .inf"),
    ("split: {train: '0.6'}", 6, 16, "received '0.6' in quotes"),
    ("split: {fold: 3}", 6, 9, "split.fold: there is no such key. Did you mean 'folds'?"),
    ("split: {folds: 0}", 6, 16, "split.folds: takes a whole number in [1, inf), received 0"),
    ("split: {folds: 2.5}", 6, 16, "split.folds: takes a whole number in [1, inf), received 2.5"),
    ("split: {duplicates: apart}", 6, 21, "split.duplicates: takes one of anywhere, together, received apart"),
    ("split: {train_size: 1}", 6, 21, "split.train_size: takes a whole number in [2, inf), received 1"),
    ("split: {label_noise: 1.0}", 6, 22, "split.label_noise: takes a number in [0, 1), received 1.0"),
    ("backbone: mpl", 6, 11, "backbone: there is no backbone 'mpl'. Did you mean 'mlp'?"),
    ("backbone: mlp(widhts=[3])", 6, 11, "backbone: mlp has no field 'widhts'. Did you mean 'widths'?"),
    ("backbone: mlp(widths=[0])", 6, 11, "backbone: mlp: widths must lie in [1, inf), received 0"),
    ("backbone: mlp(", 6, 11, "backbone: cannot read 'mlp('"),
    ("backbone: {mlp: [3]}", 6, 11, "backbone: takes text, received keys and values"),
    (
        "recipes: dropout",
        6,
        10,
        "recipes: takes a list of recipes such as [none, dropout, l2], received dropout",
    ),
    ("recipes: []", 6, 10, "received an empty list"),
    ("recipes: [dropuot]", 6, 11, "recipes[0]: there is no regularizer 'dropuot'. Did you mean 'dropout'?"),
    ("recipes: [l2, dropout(1.5)]", 6, 15, "recipes[1]: dropout: rate must lie in [0, 1], received 1.5"),
    ("recipes: [dropout(rte=0.5)]", 6, 11, "recipes[0]: dropout has no field 'rte'. Did you mean 'rate'?"),
    ("recipes: [dropout + dropout]", 6, 11, "a recipe holds each regularizer once"),
    (
        "recipes:\n  - l2\n  - dropout: 0.5",
        8,
        5,
        "recipes[1]: a recipe is text such as dropout(0.5) + l2, received",
    ),
    (
        "recipes: [l1, l2, 'l2( )']",
        6,
        19,
        "recipes[2]: 'l2' is listed twice, it is recipe 2 as well; keep one",
    ),
    ("recipes: ['dropout(0.5)', 'dropout(.5)']", 6, 27, "'dropout(0.5)' is listed twice"),
    ("recipes: [l2, no]", 6, 15, "recipes[1]: takes text, received no, which YAML reads as"),
    ("recipes: [[l2]]", 6, 11, "recipes[0]: a recipe is text such as dropout(0.5) + l2, received a list"),
    ("recipes: [l2 +]", 6, 11, "expected a name at column"),
    ("training: {epochs: 0}", 6, 20, "training.epochs: takes a whole number in [1, inf), received 0"),
    ("training: {epochs: 1.5}", 6, 20, "training.epochs: takes a whole number in [1, inf), received 1.5"),
    ("training: {epochs: 017}", 6, 20, "training.epochs: takes a whole number in [1, inf), received 017"),
    (
        "training: {epochs: yes}",
        6,
        20,
        "training.epochs: takes a whole number in [1, inf), received yes, which",
    ),
    ("training: {epochs: }", 6, 19, "training.epochs: takes a whole number in [1, inf), received nothing"),
    (
        "training: {batch_size: 1:30}",
        6,
        24,
        "training.batch_size: takes a whole number in [1, inf), received 1:30",
    ),
    ("training: {batch_size: 1e999}", 6, 24, "received 1e999"),
    (
        "training: {optimizer: Adam}",
        6,
        23,
        "takes one of adam, sgd, rmsprop, received Adam. Did you mean 'adam'?",
    ),
    ("training: {learning_rate: 0}", 6, 27, "training.learning_rate: takes a number in (0, inf), received 0"),
    ("training: {learning_rate: 0..1}", 6, 27, "takes a number in (0, inf), received 0"),
    ("training: {learning_rate: 0.1..0.01}", 6, 27, "a range goes from low to high, received 0.1..0.01"),
    (
        "training: {learning_rate: fast}",
        6,
        27,
        "a range such as 0.0003..0.01 or a choice such as 0.001|0.003, rec",
    ),
    ("training: {learning_rate: 0.1|0.1}", 6, 27, "a choice needs at least two different numbers"),
    ("training: {learning_rate: [0.1, 0.2]}", 6, 27, "takes a number in (0, inf), a range such as"),
    (
        "search: {tuner: hyperbnd}",
        6,
        17,
        "random, grid, bayesian, hyperband, received hyperbnd. Did you mean",
    ),
    ("search: {trials: -1}", 6, 18, "search.trials: takes a whole number in [1, inf), received -1"),
    ("replicates: 1", 6, 13, "replicates: takes a whole number in [2, inf), received 1"),
    (
        "rank_by: loss",
        6,
        10,
        "rank_by: takes one of nll, error, accuracy, balanced_accuracy, brier, ece, auroc, rmse, mae",
    ),
    ("seed: -1", 6, 7, "seed: takes a whole number in [0, inf), received -1"),
    (
        "seed: !!python/object/apply:os.getcwd []",
        6,
        7,
        "seed: the tag '!!python/object/apply:os.getcwd' is not",
    ),
    ("<<: {seed: 1}", 6, 1, "merge keys (<<) are not read: write the keys out"),
    ("? [seed]\n: 1", 6, 3, "a list as a key is not read"),
]


@pytest.mark.parametrize(("line", "row", "column", "message"), TABLE, ids=lambda value: str(value)[:40])
def test_one_problem_is_one_line_with_its_place(line: str, row: int, column: int, message: str) -> None:
    key = line.split(":")[0]
    lines = GOOD.splitlines()
    for number, text in enumerate(lines):  # a key that GOOD holds is moved to line 6
        if text.startswith(f"{key}:"):
            lines[number] = "#"
    if key == "recipes":
        lines[4] = "#"
    (said,) = problems("\n".join([*lines, line, ""]))
    assert said.startswith(f"c.yaml:{row}:{column}: ")
    assert message in said


def test_a_recipe_that_yaml_cuts_at_its_commas_is_explained() -> None:
    first, *_ = problems(changed("recipes", "[dropout(linear(0.5, 0, epochs=9))]"))
    assert first.startswith("c.yaml:4:11: recipes[0]: cannot read 'dropout(linear(0.5': brackets do not match")
    assert "write one recipe a line after a dash, or use quotes" in first


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
name: .x
data: {source: digts}
recipes: [dropuot, l2, dropout(2)]
training: {epochs: 0, epocs: 3}
search: {trials: 2}
search: {trials: 3}
"""
    said = problems(text)
    places = ["1:1", "1:7", "2:16", "3:11", "3:24", "4:20", "4:23", "6:1"]
    assert [":".join(line.split(":")[1:3]) for line in said] == places
    assert "backbone: is missing; give a model such as mlp(widths=[64, 64])" in said[0]
    assert "search: is written twice, on lines 5 and 6; keep one" in said[-1]


def test_duplicates_are_found_at_every_level() -> None:
    text = changed("training", "\n  epochs: 3\n  epochs: 4")
    assert problems(text) == ["c.yaml:8:3: training.epochs: is written twice, on lines 7 and 8; keep one"]


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("", "1:1", "a config is made of keys and values, received nothing: the file is empty"),
        ("# only a comment\n", "1:1", "the file is empty"),
        ("- a\n", "1:1", "a config is made of keys and values, received a list"),
        ("digits\n", "1:1", "received the single value 'digits'"),
        ("a: [1,\n", "2:1", "not YAML: expected the node content"),
        ("a:\n\t- b\n", "2:1", "indent with spaces, not with tabs"),
        ("a: *b\n", "1:4", "not YAML: found undefined alias 'b'"),
        ("a: 'x\n", "2:1", "not YAML: found unexpected end of stream"),
        ("a: 1\n---\nb: 2\n", "2:1", "not YAML: but found another document"),
        ("a:\n  \x07\n", "2:3", "not YAML: the character '\\x07' is not allowed"),
        ("[" * 5000, "1:1", "nested too deeply"),
        ("#" * 300_000, "1:1", "a config has at most 262144 characters, received 300000"),
    ],
)
def test_what_is_no_config_is_one_line(text: str, place: str, message: str) -> None:
    (said,) = problems(text)
    assert said.startswith(f"c.yaml:{place}: ")
    assert message in said


def test_anchors_are_followed() -> None:
    text = changed("training", "{epochs: &few 3}") + "search: {trials: *few}\n"
    experiment = read_config(text)
    assert (experiment.training.epochs, experiment.search.trials) == (3, 3)


def test_aliases_cannot_multiply_or_loop() -> None:
    bomb = "a0: &a0 [x, x, x, x, x, x, x, x, x]\n"
    bomb += "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]\n" for n in range(1, 30))
    said = problems(bomb + GOOD.replace("  - dropout", "  - *a29") + "seed: &loop [*loop]\n")
    assert len(said) == 32  # 30 unknown keys, the recipe, the seed
    assert "recipes[0]: a recipe is text such as dropout(0.5) + l2, received a list" in said[-2]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ndata: \xe9\n")
    (tmp_path / "quickstart.yaml").write_text(GOOD, encoding="utf-8")
    cases = [
        (tmp_path / "latin.yaml", ":2:7: not UTF-8 text: byte 0xe9; save the file as UTF-8"),
        (tmp_path / "quikstart.yaml", ": there is no such file. Did you mean 'quickstart.yaml'?"),
        (tmp_path / "nowhere" / "a.yaml", ": there is no such file"),
        (tmp_path, ": is a folder, not a config file"),
    ]
    for path, message in cases:
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value) == f"{path}{message}"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_config(path) == read_config(GOOD)


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


def test_keywords_without_data_stand_for_arrays() -> None:
    experiment = from_keywords(backbone="mlp", recipes=["l2"])
    assert (experiment.name, experiment.data.source) == ("comparison", "arrays")
    assert read_config(experiment.to_yaml()) == experiment


def test_wrong_keywords_are_said_without_a_file() -> None:
    with pytest.raises(ConfigError) as caught:
        from_keywords(backbone="mlp", recipes=["l2", 3], replicate=5, seed=True, training={"epochs": "4"})
    said = str(caught.value).split("\n")
    assert sorted(said) == [
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
def test_strange_python_values_are_refused_like_others(keywords: dict[str, object]) -> None:
    with pytest.raises(ConfigError) as caught:
        from_keywords(backbone="mlp", recipes=["l2"], **keywords)
    assert len(caught.value.problems) == 2


def test_the_task_may_be_said_and_reconstruction_needs_no_target() -> None:
    assert read_config(GOOD).task is None
    assert read_config(changed("task", "regression")).task == "regression"
    experiment = read_config(changed("data", "{csv: a.csv}") + "task: reconstruction\n")
    assert (experiment.task, experiment.data.target) == ("reconstruction", None)
    with pytest.raises(ConfigError, match="task: takes one of classification, multilabel, regression, reconstruction"):
        read_config(changed("task", "regresion"))


@pytest.mark.parametrize(("written", "seconds"), [("90s", 90), ("10m", 600), ("1.5h", 5400), ("45", 45), ("2 m", 120)])
def test_lengths_of_time(written: str, seconds: float) -> None:
    assert read_config(changed("budget", written)).budget == seconds
    assert read_config(changed("run_limit", written)).run_limit == seconds


@pytest.mark.parametrize("written", ["10 minutes", "-1", "0", "m", "true", "1d"])
def test_no_length_of_time(written: str) -> None:
    with pytest.raises(ConfigError, match=r"budget: takes a length of time such as 90s, 10m or 1\.5h, received"):
        read_config(changed("budget", written))


def test_every_metric_may_be_ranked_by() -> None:
    for metrics in METRICS.values():
        assert [read_config(changed("rank_by", metric)).rank_by for metric in metrics] == list(metrics)


def test_reading_a_config_imports_no_heavy_library() -> None:
    code = (
        "import sys, regzoo.config as c; c.from_keywords(backbone='mlp', recipes=['dropout']);"
        "print([m for m in ('tensorflow', 'keras', 'pandas', 'sklearn') if m in sys.modules])"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert said.strip() == "[]"


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
    ("target", "said"),
    [
        ([], "data.target: takes the name of a column, or a list of different ones, received an empty list"),
        (["a", "a"], "data.target: takes the name of a column, or a list of different ones, received 'a' twice"),
        (["a", 3.5j], "data.target: takes text, received 3.5j"),
        (["a", "g"], "data: group and target are both 'g'; a column has one role"),
    ],
)
def test_targets_that_are_none(target: Any, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        from_keywords(data={"csv": "a.csv", "target": target, "group": "g"}, backbone="mlp", recipes=["none"])


def test_columns_may_be_left_out() -> None:
    written = read_config("name: a\ndata: {csv: a.csv, target: y, drop: [id, 7]}\nbackbone: mlp\nrecipes: [none]\n")
    assert written.data.drop == ("id", "7")
    assert read_config(written.to_yaml()) == written
    one = from_keywords(data={"parquet": "a.parquet", "target": "y", "drop": "id"}, backbone="mlp", recipes=["none"])
    assert one.data.drop == "id"
