"""Reading of configs: every problem is one line with its place, all at once; files and paths."""

from __future__ import annotations

from pathlib import Path

import pytest

from regzoo.config import ConfigError, load_config, read_config

GOOD = """\
name: digits
data: {source: digits}
backbone: mlp(widths=[8])
recipes:
  - dropout
"""


def problems(text: str) -> list[str]:
    """Return the lines of the error that ``text`` raises."""
    with pytest.raises(ConfigError) as caught:
        read_config(text, "c.yaml")
    return str(caught.value).split("\n")


def changed(key: str, value: str) -> str:
    """Return GOOD with ``key`` set to ``value``; the line of a new key is the last one."""
    lines = [line for line in GOOD.splitlines() if not line.startswith(f"{key}:")]
    if key == "recipes":
        lines = lines[:3]
    return "\n".join([*lines, f"{key}: {value}", ""])


TABLE = [
    # one top-level key
    ("trainig: {epochs: 3}", 6, 1, "trainig: there is no such key. Did you mean 'training'?"),
    ("zebra: 1", 6, 1, "zebra: there is no such key. Available: backbone, budget, data,"),
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
        "data.xyz: there is no such key. Available: categorical_features, csv, dates, decimal,",
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
    ("split: {folds: 1000000000}", 6, 16, "split.folds: takes a whole number up to 1,000,000, received 1000000000"),
    ("training: {epochs: 1000001}", 6, 20, "training.epochs: takes a whole number up to 1,000,000, received 1000001"),
    ("training: {batch_size: 1.0e+23}", 6, 24, "training.batch_size: takes a whole number up to 1,000,000"),
    ("search: {trials: 1000000000}", 6, 18, "search.trials: takes a whole number up to 10,000"),
    ("replicates: 1000000000", 6, 13, "replicates: takes a whole number up to 10,000"),
    ("split: {folds: 2.5}", 6, 16, "split.folds: takes a whole number in [1, inf), received 2.5"),
    ("split: {duplicates: apart}", 6, 21, "split.duplicates: takes one of anywhere, together, received apart"),
    ("split: {train_size: 1}", 6, 21, "split.train_size: takes a whole number in [2, inf), received 1"),
    ("split: {label_noise: 1.0}", 6, 22, "split.label_noise: takes a number in [0, 1), received 1.0"),
    ("backbone: mpl", 6, 11, "backbone: there is no backbone 'mpl'. Did you mean 'mlp'?"),
    ("backbone: mlp(widhts=[3])", 6, 11, "backbone: mlp has no field 'widhts'. Did you mean 'widths'?"),
    ("backbone: mlp(widths=[0])", 6, 11, "backbone: mlp: widths must lie in [1, inf), received 0"),
    ("backbone: mlp(", 6, 11, "backbone: cannot read 'mlp('"),
    (
        "backbone: {mlp: [3]}",
        6,
        12,
        "backbone.mlp: there is no such key. Available: expand_nested, file, function, weights.",
    ),
    ("backbone: {file: m.keras, weights: old}", 6, 36, "backbone.weights: takes one of fresh, keep, received old."),
    ("backbone: {weights: keep}", 6, 11, "backbone: takes {file: my_model.keras} or {function: models.py:build}"),
    ("backbone: {file: m.keras, function: m.py:f}", 6, 11, "backbone: takes {file: my_model.keras} or"),
    (
        "backbone: {function: build}",
        6,
        22,
        "backbone.function: takes a file and a function in it, such as models.py:build",
    ),
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
        "schedule_free_adamw, received Adam. Did you mean 'adam'?",
    ),
    ("training: {learning_rate: 0}", 6, 27, "training.learning_rate: takes a number in (0, inf), received 0"),
    ("training: {learning_rate: 0..1}", 6, 27, "takes a number in (0, inf), received 0"),
    ("training: {learning_rate: 0.1..0.01}", 6, 27, "a range goes from low to high, received 0.1..0.01"),
    (
        "training: {learning_rate: fast}",
        6,
        27,
        "a range such as 0.0003..0.01, a choice such as 0.001|0.003 or a schedule such as cosine(0.1, 0.0), rec",
    ),
    ("training: {learning_rate: 0.1|0.1}", 6, 27, "a choice needs at least two different numbers"),
    ("training: {learning_rate: cosin(0.1)}", 6, 27, "learning_rate: 'cosin' is no schedule of the learning rate. Did"),
    ("training: {learning_rate: cosine(0..1)}", 6, 27, "learning_rate: start takes a number in (0, inf), received 0"),
    (
        "training: {learning_rate: warmup(60)}",
        6,
        27,
        "learning_rate: warmup needs schedule; write warmup(5, cosine(0.1, 0.0))",
    ),
    (
        "training: {epochs: 5, learning_rate: 'warmup(5, 0.1)'}",
        6,
        11,
        "learning_rate: warmup(5, 0.1): the warmup of 5 epochs leaves none of 5; shorten the schedule, or raise epochs",
    ),
    ("training: {learning_rate: [0.1, 0.2]}", 6, 27, "takes a number in (0, inf), a range such as"),
    (
        "search: {tuner: hyperbnd}",
        6,
        17,
        "random, latin_hypercube, grid, bayesian, hyperband, received hyperbnd. Did you mean",
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
    (problem,) = problems("\n".join([*lines, line, ""]))
    assert problem.startswith(f"c.yaml:{row}:{column}: ")
    assert message in problem


def test_all_problems_come_at_once_in_the_order_of_the_file() -> None:
    text = """\
name: .x
data: {source: digts}
recipes: [dropuot, l2, dropout(2)]
training: {epochs: 0, epocs: 3}
search: {trials: 2}
search: {trials: 3}
"""
    found = problems(text)
    places = ["1:1", "1:7", "2:16", "3:11", "3:24", "4:20", "4:23", "6:1"]
    assert [":".join(line.split(":")[1:3]) for line in found] == places
    assert "backbone: is missing; give a model such as mlp(widths=[64, 64])" in found[0]
    assert "search: is written twice, on lines 5 and 6; keep one" in found[-1]


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    (tmp_path / "latin.yaml").write_bytes(b"name: a\ndata: \xe9\n")
    (tmp_path / "quickstart.yaml").write_text(GOOD, encoding="utf-8")
    cases = [
        (tmp_path / "latin.yaml", ":2:7: not UTF-8 text: byte 0xe9; save the file as UTF-8"),
        (tmp_path / "quikstart.yaml", ": there is no such file. Did you mean 'quickstart.yaml'?"),
        (tmp_path / "nowhere" / "a.yaml", ": there is no such file"),
        (tmp_path, ": is a folder, not a config file"),
        (tmp_path / "table.yaml", ": cannot be read: it is 100.0 GB large"),
    ]
    with (tmp_path / "table.yaml").open("wb") as file:
        file.truncate(10**11)  # it takes no room on the disk
    for path, message in cases:
        with pytest.raises(ConfigError) as caught:
            load_config(path)
        assert str(caught.value) == f"{path}{message}"


def test_a_byte_order_mark_and_windows_line_ends_are_fine(tmp_path: Path) -> None:
    path = tmp_path / "windows.yaml"
    path.write_bytes(b"\xef\xbb\xbf" + GOOD.replace("\n", "\r\n").encode())
    assert load_config(path) == read_config(GOOD)


def test_paths_start_at_the_folder_of_the_config(tmp_path: Path) -> None:
    (tmp_path / "configs").mkdir()
    path = tmp_path / "configs" / "mine.yaml"
    path.write_text(changed("data", "{npz: ../arrays.npz}"), encoding="utf-8")
    assert load_config(path).data.npz == tmp_path / "configs" / ".." / "arrays.npz"
