"""``regzoo check`` and ``plan``: what they print of a config and its data, and every problem at once."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from PIL import Image

Run = Callable[..., tuple[int, str, str]]

BAD = """\
name: flowers
data: {csv: flowers.csv, target: kind}
backbone: mpl
recipes: [dropuot, l2(-1), dropout(rat=0.5)]
trainign: {epochs: 3}
seed: 1
seed: 2
vary: [seed]
replicates: 1
"""


@pytest.mark.parametrize("command", ["check", "plan", "compare"])
def test_every_problem_of_a_config_is_listed_at_once_and_nothing_is_written(
    command: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "bad.yaml").write_text(BAD)
    code, out, err = run(command, "bad.yaml")
    assert (code, out) == (2, "")
    places = re.findall(r"bad\.yaml:(\d+):(\d+): ", err)
    assert [int(line) for line, _ in places] == [3, 4, 4, 4, 5, 7, 9]
    for words in ("'mlp'", "'dropout'", "[0, inf)", "'rate'", "'training'", "written twice", "received 1"):
        assert words in err
    assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["bad.yaml"]


@pytest.mark.usefixtures("no_workers")
@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"csv: flowers.csv": "csv: nowhere.csv"}, "there is no such file"),
        ({"target: kind": "target: kin"}, "Did you mean 'kind'"),
        ({"mlp([8])": "cnn"}, "cnn needs images"),
        ({"trials: 2": "trials: 1, tuner: hyperband"}, "hyperband over 3 epochs needs"),
        ({"replicates: 3": "rank_by: rmse"}, "cannot be ranked by 'rmse'"),
    ],
)
def test_what_only_the_data_shows_ends_with_2_and_nothing_is_written(
    change: dict[str, str], message: str, run: Run, config: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    text = config.read_text(encoding="utf-8").replace("flowers.csv", str(config.parent / "flowers.csv"))
    for old, new in change.items():
        old = old.replace("flowers.csv", str(config.parent / "flowers.csv"))
        assert old in text
        text = text.replace(old, new)
    (tmp_path / "flowers.yaml").write_text(text, encoding="utf-8")
    for command in ("check", "plan", "compare"):
        code, _, err = run(command, "flowers.yaml")
        assert code == 2
        assert message in err
        assert "Traceback" not in err
    assert [path.name for path in tmp_path.iterdir()] == ["flowers.yaml"]


def test_check_lists_what_was_repaired(run: Run, tensorflow: None, tmp_path: Path) -> None:
    for number, name in enumerate(("cat", "dog") * 10):
        (tmp_path / "pets" / name).mkdir(parents=True, exist_ok=True)
        Image.new("L", (8, 8 + number // 19)).save(tmp_path / "pets" / name / f"{number}.png")
    (tmp_path / "pets.yaml").write_text("name: pets\ndata: {images: pets}\nbackbone: mlp\nrecipes: [l2]\n")
    code, out, err = run("check", tmp_path / "pets.yaml")
    assert (code, err) == (0, "")
    fine, repair, *_ = out.splitlines()
    assert "pets.yaml: fine." in fine
    assert "20 rows of 8 x 8 x 1 images, binary classification into cat, dog; 12 train, 4 validation, 4 test" in fine
    assert repair == "repair: 1 of 20 images (8 x 8 to 9 x 8) were resized to 8 x 8, the median height and width"


@pytest.mark.parametrize(
    ("data", "message"),
    [
        ("{images: nowhere}", "nowhere: there is no such folder; relative paths start at the config's folder"),
        ("{images: pets}", r"pets/cat/a\x1b[31m.png: is no PNG, JPEG, BMP or GIF image; replace or remove it"),
        ("{images: pets}", "pets: needs a folder for each class, at least two, with its images inside, received one"),
        ("{idx: pets}", "pets: holds no IDX files; needs train-images-idx3-ubyte and train-labels-idx1-ubyte"),
        ("{keras: fashion_mnist}", "fashion_mnist is not in Keras's cache: "),
        ("{keras: cifar10}", "cifar10 is not in Keras's cache: "),
    ],
)
def test_images_that_cannot_be_read_end_with_2_and_nothing_is_written(
    data: str, message: str, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    monkeypatch.setattr("regzoo.comparison.runner.import_tensorflow", lambda: None)  # it is not reached
    (tmp_path / "pets" / "cat").mkdir(parents=True)
    (tmp_path / "pets" / "cat" / "a\x1b[31m.png").write_text("hello")
    (tmp_path / "pets.yaml").write_text(f"name: pets\ndata: {data}\nbackbone: cnn\nrecipes: [l2]\n")
    for command in ("check", "compare"):
        code, out, err = run(command, "pets.yaml")
        assert (code, out) == (2, "")
        assert message in err
        assert "Traceback" not in err
        assert "\x1b" not in err
    assert {path.name for path in tmp_path.iterdir()} == {"pets", "pets.yaml"}


def test_check_describes_the_data(run: Run, config: Path) -> None:
    code, out, err = run("check", config)
    assert (code, err) == (0, "")
    assert f"{config}: fine." in out
    assert "100 rows of 5 columns, classification into 3 labels: iris, lily, rose; 60 train, 20 validation, " in out
    assert "20 test, a stratified split; 4 recipes" in out


def test_check_describes_the_folds(run: Run, tensorflow: None, tmp_path: Path) -> None:
    path = tmp_path / "iris.yaml"
    path.write_text("name: iris\ndata: {source: iris}\nbackbone: linear\nrecipes: [l2]\nsplit: {folds: 3}\n")
    code, out, err = run("check", path)
    assert (code, err) == (0, "")
    assert "80 train, 40 validation, 30 test, a stratified split into 3 folds; 2 recipes" in out


def test_check_says_that_the_split_varies(run: Run, tensorflow: None, tmp_path: Path) -> None:
    path = tmp_path / "iris.yaml"
    path.write_text("name: iris\ndata: {source: iris}\nbackbone: linear\nrecipes: [mixup]\nvary: [seed, split]\n")
    code, out, err = run("check", path)
    assert (code, err) == (0, "")
    assert "\ncells: 4 columns, each a number of its own, none a category\n" in out
    assert "90 train, 30 validation, 30 test, a stratified split, drawn again for each replicate; 2 recipes" in out


def test_plan_shows_what_will_be_trained(run: Run, config: Path) -> None:
    code, out, err = run("plan", config)
    assert (code, err) == (0, "")
    assert "20 runs, 75 epochs at most" in out  # four recipes, 2 + 3 runs of 3 epochs, one of them twice
    described = json.loads(run("plan", config, "--json")[1])
    assert (described["runs"], described["epochs"]) == (20, 75)
    assert described["seconds"] >= 0
    assert list(described["recipes"][1]["space"]) == ["learning_rate", "dropout.rate"]
