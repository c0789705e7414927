"""Absolute paths become names: in the data's source and sentences, in the config, in the command, in errors."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from regzoo.storage.info import ComparisonInfo, DataInfo, SplitInfo
from regzoo.storage.public_info import _hide_folders_in_config, hide_folders, make_public_data, make_public_info


def make_data(**values: Any) -> DataInfo:
    data = DataInfo("iris", "d", 9, 5, 2, 2, "4 columns", "classification", SplitInfo("random"))
    return DataInfo(**{**vars(data), **values})


def make_info(**values: Any) -> ComparisonInfo:
    given = {"config": "name: a\n", "command": "regzoo compare a.yaml", "data": make_data(), **values}
    return ComparisonInfo(
        name="a", rank_by="nll", direction="min", versions={}, trials=1, tuner="random", replicates=1, **given
    )


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[Errno 2] No such file or directory: '/home/ali ce/a/t.csv'", "[Errno 2] No such file or directory: 't.csv'"),
        ("/home/alice/site.py:12: wrong", "site.py:12: wrong"),
        ('File "/home/alice/x y/site.py", line 3', 'File "site.py", line 3'),
        ("path=/home/alice/a.csv, (/home/alice/b.csv) [/srv/c d]", "path=a.csv, (b.csv) [c d]"),
        ("https://keras.io/api/layers and 1/2 of n/a, a/b/c and dropout / l2", None),
        ("accuracy 3 / 4 / 5", None),
    ],
)
def test_folders_are_hidden_in_text(text: str, shown: str | None) -> None:
    assert hide_folders(text) == (text if shown is None else shown)


def test_sources_are_named_by_their_last_name() -> None:
    source = "/home/alice/data/a b.csv + /home/alice/data/test.csv"
    data = make_data(source=source, warnings=(f"{source}: odd", "/home/alice/data/test.csv: even", "/tmp/x/y: 3"))
    public = make_public_data(data)
    assert public.source == "a b.csv + test.csv"
    assert public.warnings == ("a b.csv + test.csv: odd", "test.csv: even", "y: 3")
    images = make_data(source="/home/alice/cats", repairs=("/home/alice/cats/tom/1.png: resized",))
    assert make_public_data(images).repairs == ("cats/tom/1.png: resized",)
    for plain in ("iris", "fashion_mnist (Keras)", "arrays"):
        assert make_public_data(make_data(source=plain)).source == plain


@pytest.mark.parametrize(
    ("command", "shown"),
    [
        ("regzoo compare /home/alice/my work/a b.yaml", "regzoo compare a b.yaml"),
        ("regzoo compare ../work/a.yaml", "regzoo compare ../work/a.yaml"),
        (
            "regzoo sweep '/home/ali ce/a.yaml' --over dropout.rate --values 0,1/2",
            "regzoo sweep a.yaml --over dropout.rate --values 0,1/2",
        ),
        ("regzoo sweep /home/alice/a.yaml --over l2.strength", "regzoo sweep a.yaml --over l2.strength"),
        ("regzoo compare '/home/ali'\"'\"'ce/my work/a.yaml'", "regzoo compare a.yaml"),
        ("regzoo compare '/home/alice/a b.yaml'", "regzoo compare 'a b.yaml'"),
        ("regzoo.compare(...)", "regzoo.compare(...)"),
    ],
)
def test_the_command_names_the_config_alone(command: str, shown: str) -> None:
    assert make_public_info(make_info(command=command)).command == shown


def test_the_config_names_files_alone_and_is_else_unchanged() -> None:
    values = {
        "name": "a",
        "data": {"csv": "/home/alice/t.csv", "target": "/ratio", "drop": ["a/b"]},
        "recipes": ["none"],
    }
    public = yaml.safe_load(make_public_info(make_info(config=yaml.safe_dump(values))).config)
    assert public["data"]["csv"] == "t.csv"
    assert public["data"]["drop"] == ["a/b"]
    same = "name: a   # mine\n"
    assert make_public_info(make_info(config=same)).config == same


@pytest.mark.parametrize(
    "config",
    [
        "a: [",
        "\x1b[31m",
        "[" * 5000,
        "a: 2024-99-99",
        "a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b, *b]\n",
        "!!python/name:x",
    ],
    ids=range(6),
)
@pytest.mark.slow
def test_a_config_that_regzoo_has_not_written_is_left_as_it_is(config: str) -> None:
    assert _hide_folders_in_config(config) == config
