"""`regzoo.compare`: lists, arrays, DataFrames, data sets and folders of images in; what is refused."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any, Self

import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from PIL import Image

import regzoo
from regzoo import api
from regzoo.comparison import runner
from regzoo.core import EnvironmentFailure, InputError, parse
from regzoo.execution.serial import SerialExecutor
from regzoo.regularizers import L2, Dropout
from regzoo.storage.folder import lock_folder
from regzoo.storage.ledger import Ledger

SMALL: dict[str, Any] = {
    "backbone": "mlp([4])",
    "recipes": ["none", "l2(0.001)"],
    "training": {"epochs": 2, "learning_rate": 0.01},
    "vary": ["seed"],
    "replicates": 2,
    "workers": 0,
}


@pytest.fixture(params=["lists", "arrays", "frames", "series"])
def given(request: pytest.FixtureRequest, rows: Any) -> tuple[Any, Any]:
    """The same 60 rows with labels as text, as users hold them."""
    x, y = rows[0], np.array(["rose", "lily", "iris"])[rows[1]]
    forms = {
        "lists": (x.tolist(), y.tolist()),
        "arrays": (x, y),
        "frames": (pd.DataFrame(x), pd.DataFrame({"kind": y})),
        "series": (pd.DataFrame(x, index=range(100, 160)), pd.Series(y, name="kind").astype("category")),
    }
    return forms[request.param]


@pytest.mark.usefixtures("unverified")
def test_compare_takes_what_users_hold_and_changes_nothing(given: tuple[Any, Any], tmp_path: Path) -> None:
    before = copy.deepcopy(given)
    result = regzoo.compare(*given, out=tmp_path / "mine", **SMALL)
    for one, other in zip(given, before, strict=True):
        assert type(one) is type(other)
        np.testing.assert_array_equal(np.asarray(one), np.asarray(other))
    leaderboard = result.leaderboard
    assert isinstance(leaderboard, pd.DataFrame)
    assert list(leaderboard["rank"]) == [1, 2]
    assert set(leaderboard["recipe"]) == {"none", "l2(0.001)"}
    assert str(result.best) == leaderboard["recipe"][0]
    assert result.model.output_shape == (None, 3)
    assert len(result.records) == 2 + 4


@pytest.mark.usefixtures("unverified")
def test_groups_stay_together(rows: Any, tmp_path: Path) -> None:
    result = regzoo.compare(*rows, groups=np.arange(12).repeat(5), out=tmp_path / "mine", **SMALL)
    with Ledger(result.folder) as ledger:
        info = ledger.get_comparison_info()
    assert info is not None
    assert info.data.split.kind == "grouped"
    assert [rows % 5 for rows in (info.data.train, info.data.validation, info.data.test)] == [0, 0, 0]


def test_roles_go_with_arrays(config: Path) -> None:
    data = {"csv": config.parent / "flowers.csv", "target": "kind"}
    with pytest.raises(InputError, match="groups: goes with x and y; with data=, name the column or array in it"):
        regzoo.compare(data=data, groups=[1] * 100, **SMALL)


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_weights_of_rows_and_classes_change_the_training(rows: Any) -> None:
    def train(**given: Any) -> list[float | None]:
        training = {**SMALL["training"], "class_weight": given.pop("class_weight", "none")}
        result = regzoo.compare(rows[0], rows[1], **given, **{**SMALL, "training": training})
        return [record.metrics["train"]["nll"] for record in result.records]

    plain, ones = train(), train(sample_weight=np.ones(60))
    assert ones == pytest.approx(plain, abs=1e-6)
    assert train(sample_weight=np.linspace(0.1, 2.0, 60)) != pytest.approx(plain, abs=1e-3)
    assert train(class_weight="balanced") == pytest.approx(plain, abs=1e-6)  # the classes are balanced already


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_a_schedule_sets_the_learning_rate_of_each_epoch(rows: Any, tmp_path: Path) -> None:
    training = {"epochs": 3, "learning_rate": "step(0.001..0.1, 0.0, epochs=2)"}
    given = {**SMALL, "training": training, "search": {"trials": 2}, "out": tmp_path / "scheduled"}
    result = regzoo.compare(*rows, **given)
    for record in result.records:
        first, second, third = record.history["train"]["nll"]
        assert first != second == third  # a learning rate of zero moves no weight
    seconds = [record.fit_seconds for record in result.records]
    assert [record.fit_seconds for record in regzoo.compare(*rows, **given).records] == seconds  # nothing is made again
    card = (result.export(tmp_path / "exported", "l2(0.001)") / "README.md").read_text(encoding="utf-8")
    assert "with the learning rate `step(0." in card
    assert "that a schedule starts at (`step(0.001..0.1, 0.0, epochs=2)`)" in (
        tmp_path / "scheduled" / "report.md"
    ).read_text(encoding="utf-8")


@pytest.mark.usefixtures("unverified")
def test_recipes_and_backbones_may_be_objects(rows: Any) -> None:
    from regzoo.backbones import Mlp

    given = {**SMALL, "backbone": Mlp((4,)), "recipes": [Dropout(0.1) + L2(0.001), L2(0.001)]}
    result = regzoo.compare(*rows, **given)
    assert set(result.leaderboard["name"]) == {"none", "dropout(0.1) + l2(0.001)", "l2(0.001)"}


@pytest.mark.usefixtures("unverified")
def test_regression_is_in_the_units_of_the_user(numbers: Any) -> None:
    result = regzoo.compare(*numbers, **SMALL)
    leaderboard = result.board
    assert (leaderboard.rank_by, leaderboard.direction) == ("rmse", "min")
    spread = float(np.std(numbers[1]))
    # two epochs learn little: the error is near the targets' own spread, not near that of standardized targets, 1
    assert 0.2 * spread < leaderboard.recipes[0].metrics["test"]["rmse"] < 3 * spread  # type: ignore[operator]
    assert result.model.output_shape == (None, 1)


@pytest.mark.usefixtures("unverified")
def test_data_as_in_a_config(config: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    data = {"csv": config.parent / "flowers.csv", "target": "kind"}
    result = regzoo.compare(data=data, out=tmp_path / "mine", **SMALL)
    assert {path.name for path in result.folder.iterdir()} >= {"config.yaml", "leaderboard.csv", "model"}
    assert capfd.readouterr() == ("", "")


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_a_tf_dataset_is_the_arrays_that_it_gives(rows: Any) -> None:
    batches = tf.data.Dataset.from_tensor_slices(rows).batch(16)
    quick = {**SMALL, "recipes": ["none"], "training": {"epochs": 1, "learning_rate": 0.01}}
    leaderboards = [regzoo.compare(*given, **quick).leaderboard for given in ((batches,), rows)]
    pd.testing.assert_series_equal(leaderboards[0]["mean"], leaderboards[1]["mean"])


@pytest.mark.usefixtures("unverified")
def test_a_folder_of_images_gives_a_model_that_takes_raw_pixels_and_answers_with_its_names(tmp_path: Path) -> None:
    """Dark cats and bright dogs, by names that a page and a spreadsheet must not take at their word."""
    random, classes = np.random.default_rng(0), {"<img src=x>cat": 60, "=1+1": 190}
    for name, brightness in classes.items():
        (tmp_path / "pets" / name).mkdir(parents=True)
        for number in range(20):
            pixels = brightness + random.integers(-50, 50, size=(4 + number % 2, 4))
            Image.fromarray(pixels.astype(np.uint8)).save(tmp_path / "pets" / name / f"{number}.png")
    training = {"epochs": 20, "learning_rate": 0.03}
    result = regzoo.compare(data={"images": tmp_path / "pets"}, **{**SMALL, "recipes": ["none"], "training": training})
    serve = tf.saved_model.load(str(result.folder / "model")).signatures["serving_default"]
    answers = serve(images=tf.constant(np.stack([np.full((4, 4, 1), b, np.float32) for b in classes.values()])))
    assert [label.decode() for label in answers["label"].numpy()] == list(classes)
    page = (result.folder / "report.html").read_text(encoding="utf-8")
    assert "20 of 40 images (4 x 4 to 5 x 4) were resized to 4 x 4, the median height and width" in page
    assert "<img" not in page


def test_a_recipe_that_diverges_is_last_and_the_rest_is_ranked(rows: Any, sparing: Any) -> None:
    recipes = ["none", "weight_decay(1e30)"]  # weights grow beyond all numbers in a few steps
    with sparing(pictures=False):
        result = regzoo.compare(*rows, **{**SMALL, "recipes": recipes})
    leaderboard = result.board
    assert [row.name for row in leaderboard.recipes] == ["none", "weight_decay(1e+30)"]
    assert (leaderboard.recipes[1].diverged, leaderboard.recipes[1].mean, leaderboard.winner) == (2, None, "none")


def test_changed_data_is_refused(finished: Any, tmp_path: Path) -> None:
    x, y = finished.table.drop(columns="kind") + 1.0, finished.table["kind"]
    with pytest.raises(InputError, match="the data has changed since this comparison began"):
        regzoo.compare(x, y, out=finished.folder, **SMALL)


@pytest.mark.usefixtures("unverified")
@pytest.mark.slow
def test_other_rows_in_the_same_folder_are_refused(rows: Any, tmp_path: Path) -> None:
    regzoo.compare(*rows, out=tmp_path / "mine", **SMALL)
    x = rows[0].copy()
    x[0, 0] += 1
    with pytest.raises(InputError, match="the data has changed since this comparison began"):
        regzoo.compare(x, rows[1], out=tmp_path / "mine", **SMALL)
    fresh = regzoo.compare(x, rows[1], out=tmp_path / "mine", fresh=True, **SMALL)
    assert (tmp_path / "mine.1" / "ledger.sqlite").is_file()
    assert len(fresh.records) == 6


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"y": None}, "give x and y \\(x alone for task"),
        ({"x": None}, "give x and y \\(x alone for task"),
        ({"data": {"source": "iris"}}, "give x and y \\(x alone for task"),
        ({"workers": -1}, "workers must be 0 or more, received -1"),
        ({"recepies": ["none"]}, r"recepies: there is no such key\. Did you mean 'recipes'"),
        ({"training": {"epoch": 3}}, r"training\.epoch: there is no such key\. Did you mean 'epochs'"),
        ({"recipes": ["dropuot"]}, "Did you mean 'dropout'"),
        ({"rank_by": "rmse"}, "classification cannot be ranked by 'rmse'"),
        ({"backbone": "cnn"}, "cnn needs images"),
        ({"y": [0, 1]}, "x has 60 rows and y has 2"),
        ({"search": {"tuner": "hyperband", "trials": 1}, "recipes": ["l2"]}, "hyperband over 2 epochs needs"),
    ],
)
def test_wrong_input_is_refused_before_anything_is_written(
    changes: dict[str, Any], message: str, rows: Any, tmp_path: Path
) -> None:
    given = {"x": rows[0], "y": rows[1], **SMALL, **changes}
    with pytest.raises(InputError, match=message):
        regzoo.compare(out=tmp_path / "mine", **given)
    assert list(tmp_path.iterdir()) == []


def test_every_recipe_that_finds_no_place_is_named_at_once(rows: Any) -> None:
    with pytest.raises(InputError) as caught:
        regzoo.compare(*rows, **{**SMALL, "recipes": ["dropout", "l2"], "backbone": "cnn"})
    assert [line.split(": ")[1] for line in str(caught.value).splitlines()] == ["none", "dropout", "l2"]


@pytest.mark.usefixtures("unverified")
def test_inputs_alone_are_reconstructed(images: Any, tmp_path: Path) -> None:
    small = {**SMALL, "backbone": "autoencoder([8], code=4)", "recipes": ["none", "input_dropout(0.1)"]}
    result = regzoo.compare(images[0], task="reconstruction", out=tmp_path / "mine", **small)
    assert result.board.to_dict()["rank_by"] == "rmse"
    assert set(result.leaderboard["recipe"]) == {"none", "input_dropout(0.1)"}
    record = result.records[-1]
    x = images[0].reshape(60, -1)
    assert record.metrics["test"]["rmse"] < 3 * np.sqrt(np.mean((x / x.std(0)) ** 2))  # in standard deviations


def test_workers_start_before_the_data_is_read_and_not_at_all_for_a_bad_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    events: list[str] = []

    class RecordedExecutor(SerialExecutor):
        def __enter__(self) -> Self:
            events.append("start")
            return self

        def __exit__(self, *_: object) -> None:
            events.append("stop")

    def read(*_: object) -> None:
        events.append("read")
        raise InputError("there is no such file")

    monkeypatch.setattr(runner, "ProcessPool", lambda count, limit: RecordedExecutor())
    monkeypatch.setattr(api, "read_data", read)
    given = {**SMALL, "data": {"source": "iris"}, "out": tmp_path / "mine", "workers": 2}
    with pytest.raises(InputError, match="there is no such file"):
        regzoo.compare(**given)
    assert events == ["start", "read", "stop"]
    with pytest.raises(InputError, match="mlp"):
        regzoo.compare(**{**given, "backbone": "mpl"})
    with lock_folder(tmp_path / "mine"), pytest.raises(EnvironmentFailure, match="in use by process"):
        regzoo.compare(**given)
    assert events == ["start", "read", "stop"]


@pytest.mark.slow
def test_a_regularizer_that_stands_twice_is_searched_resumed_and_exported(
    tmp_path: Path, sparing: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each has a searched rate of its own; the leaderboard of a resumed comparison is that of one in one go."""
    draw = np.random.default_rng(0)
    x, y = draw.standard_normal((90, 8, 8, 1)), draw.integers(0, 3, 90)
    twice = "dropout(0.25, on=conv) + dropout(0.5, on=dense)"
    searched = "dropout(0.1..0.3, on=conv) + dropout(0.4..0.6, on=dense)"
    recipes = ["none", twice, searched, "dropout(0.25, on=conv)", "l2(exclude='head')"]
    given: dict[str, Any] = {**SMALL, "backbone": "cnn(filters=[2, 2], dense=4)", "search": {"trials": 2}}
    given |= {"recipes": recipes, "training": {"epochs": 1}, "verbose": False}
    with sparing():
        whole = regzoo.compare(x, y, out=tmp_path / "whole", **given)
    row = whole.leaderboard.set_index("name").loc[searched]
    rates: list[Any] = list(parse(str(row["recipe"])).dials().values())
    assert 0.1 <= rates[0] <= 0.3
    assert 0.4 <= rates[1] <= 0.6

    collect, left = SerialExecutor.collect, iter(range(7))

    def interrupt(executor: SerialExecutor) -> Any:
        if next(left, None) is None:
            raise KeyboardInterrupt
        return collect(executor)

    with monkeypatch.context() as patch:
        patch.setattr(SerialExecutor, "collect", interrupt)
        with pytest.raises(KeyboardInterrupt):
            regzoo.compare(x, y, out=tmp_path / "resumed", **given)
    with sparing():
        regzoo.compare(x, y, out=tmp_path / "resumed", **given)
    one, other = (pd.read_csv(tmp_path / name / "leaderboard.csv") for name in ("whole", "resumed"))
    pd.testing.assert_frame_equal(one, other)

    whole.export(tmp_path / "model", recipe=searched)  # compares its outputs to the live model's
    described = json.loads((tmp_path / "model" / "recipe.json").read_text("utf-8"))
    assert described["recipe"] == row["recipe"]
