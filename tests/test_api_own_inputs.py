"""Own models with several inputs, whole numbers and text, from the data to predictions of the exported model."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf
from keras import layers as L

import regzoo
import regzoo.result
from regzoo.core import InputError
from regzoo.export.predict import predict_file

pytestmark = pytest.mark.slow

ROWS = 96
QUICK: Any = {
    "recipes": ["none"],
    "vary": ["seed"],
    "replicates": 2,
    "training": {"epochs": 1, "batch_size": 16, "learning_rate": 0.01},
}
RANDOM = np.random.default_rng(0)
X: Any = {"tokens": RANDOM.integers(1, 9, (ROWS, 6)), "numbers": RANDOM.normal(50, 9, (ROWS, 3))}
TEXTS = np.array(["good film", "bad film", "so so", "très bon"])[RANDOM.integers(0, 4, ROWS)]
Y = np.array(["no", "yes"])[RANDOM.integers(0, 2, ROWS)]


def two_inputs() -> keras.Model:
    numbers, tokens = keras.Input((3,), name="numbers"), keras.Input((6,), dtype="int32", name="tokens")
    embedded = L.GlobalAveragePooling1D()(L.Embedding(9, 4)(tokens))
    hidden = L.Concatenate()([L.Dense(8, activation="relu")(numbers), embedded])
    return keras.Model([numbers, tokens], L.Dense(2, activation="softmax")(L.Dense(8, activation="relu")(hidden)))


def lstm() -> keras.Model:
    model = keras.Sequential(
        [L.Embedding(9, 4, mask_zero=True), L.LSTM(4), L.Dense(4, "relu"), L.Dense(2, activation="softmax")]
    )
    model.build((None, 6))
    return model


def lookup() -> keras.Model:
    city, age = keras.Input((1,), dtype="string", name="city"), keras.Input((), name="age")
    known = L.StringLookup(vocabulary=["rome", "paris"], output_mode="one_hot")(city)
    hidden = L.Dense(4, activation="relu")(L.Concatenate()([L.Reshape((1,))(age), known]))
    return keras.Model({"age": age, "city": city}, L.Dense(2, activation="softmax")(hidden))


def vectorized() -> keras.Model:
    vectorize = L.TextVectorization(max_tokens=12, output_sequence_length=3)
    vectorize.adapt(TEXTS)
    review = keras.Input((1,), dtype="string", name="review")
    embedded = L.GlobalAveragePooling1D()(L.Embedding(12, 3)(vectorize(review)))
    return keras.Model(review, L.Dense(2, activation="softmax")(embedded))


def build(input_shape: Any, outputs: int) -> keras.Model:
    inputs = {
        name: keras.Input(shape, name=name, dtype="int32" if name == "tokens" else "float32")
        for name, shape in input_shape.items()
    }
    embedded = L.Flatten()(L.Embedding(9, 2)(inputs["tokens"]))
    return keras.Model(inputs, L.Dense(outputs, activation="softmax")(L.Concatenate()([embedded, inputs["numbers"]])))


def serve(folder: Path, **inputs: Any) -> np.ndarray:
    """Return the probabilities of the exported model, loaded by plain TensorFlow."""
    model = tf.saved_model.load(str(folder))
    answers = model.signatures["serving_default"](**inputs)
    return np.asarray(answers["probabilities"])


@pytest.fixture(scope="module")
def results(tmp_path_factory: pytest.TempPathFactory) -> list[regzoo.result.Result]:
    """The same comparison, made in this process and by two workers."""
    folder = tmp_path_factory.mktemp("two_inputs")
    recipes = ["none", "gaussian_noise(0.1)", "dropout(0.3) + mc_dropout(4)", "ensemble(2)"]
    given = QUICK | {"recipes": recipes}
    return [
        regzoo.compare(X, Y, backbone=two_inputs(), workers=workers, out=folder / str(workers), **given)
        for workers in (0, 2)
    ]


def test_two_inputs_give_the_same_leaderboard_with_any_workers(results: list[regzoo.result.Result]) -> None:
    assert (results[0].leaderboard["status"] == "ok").all()
    pd.testing.assert_series_equal(results[0].leaderboard["mean"], results[1].leaderboard["mean"])


@pytest.mark.parametrize("recipe", ["none", "dropout(0.3) + mc_dropout(4)", "ensemble(2)"])
def test_the_exported_model_is_served_and_predicts_from_an_archive(
    recipe: str, results: list[regzoo.result.Result], tmp_path: Path
) -> None:
    folder = results[1].export(tmp_path / "model", recipe=recipe)
    np.savez(tmp_path / "x.npz", **X)
    predict_file(folder, tmp_path / "x.npz", tmp_path / "answers.npz")
    tensors = {"tokens": tf.constant(X["tokens"], tf.int32), "numbers": tf.constant(X["numbers"], tf.float32)}
    with np.load(tmp_path / "answers.npz") as answers:
        np.testing.assert_allclose(answers["probabilities"], serve(folder, **tensors), atol=1e-6)


def test_a_refit_reads_several_inputs(results: list[regzoo.result.Result], tmp_path: Path) -> None:
    folder = results[1].export(tmp_path / "refit", recipe="none", refit=True, x=X, y=Y)
    assert json.loads((folder / "recipe.json").read_text())["dtypes"] == {"numbers": "float32", "tokens": "int32"}


def run_tokens(folder: Path) -> Any:
    return regzoo.compare(X["tokens"], Y, backbone=lstm(), out=folder, workers=0, **QUICK)


def run_columns(folder: Path) -> Any:
    frame = pd.DataFrame({"city": np.array(["rome", "oslo", "paris"])[X["tokens"][:, 0] % 3], "age": X["tokens"][:, 1]})
    return regzoo.compare(frame, Y, backbone=lookup(), out=folder, workers=2, **QUICK)


def run_text_file(folder: Path) -> Any:
    vectorized().save(folder.with_name("model.keras"))
    pd.DataFrame({"review": TEXTS, "y": Y}).to_csv(folder.with_name("t.csv"), index=False)
    data = {"csv": str(folder.with_name("t.csv")), "target": "y", "scale": "none"}
    file = {"file": str(folder.with_name("model.keras"))}
    return regzoo.compare(data=data, backbone=file, out=folder, workers=0, **QUICK)


def run_function(folder: Path) -> Any:
    return regzoo.compare(X, Y, backbone=build, out=folder, workers=0, **QUICK)


def run_archive(folder: Path) -> Any:
    path = folder.with_name("data.npz")
    np.savez(path, **X, y=Y)
    return regzoo.compare(data={"npz": str(path)}, backbone=two_inputs(), out=folder, workers=0, **QUICK)


def run_tf_dataset(folder: Path) -> Any:
    data = tf.data.Dataset.from_tensor_slices((X, Y)).batch(10)
    return regzoo.compare(data, backbone=two_inputs(), out=folder, workers=0, **QUICK)


CASES: dict[str, tuple[Callable[[Path], Any], dict[str, str]]] = {
    "tokens": (run_tokens, {"inputs": "int32"}),
    "columns": (run_columns, {"age": "float32", "city": "string"}),
    "text": (run_text_file, {"review": "string"}),
    "function": (run_function, {"tokens": "int32", "numbers": "float32"}),
    "archive": (run_archive, {"numbers": "float32", "tokens": "int32"}),
    "tf.data": (run_tf_dataset, {"numbers": "float32", "tokens": "int32"}),
}


@pytest.mark.parametrize("case", CASES)
def test_every_form_of_data_reaches_the_exported_model(
    case: str, results: list[regzoo.result.Result], tmp_path: Path
) -> None:
    run, dtypes = CASES[case]
    result = run(tmp_path / "out")
    assert (result.leaderboard["status"] == "ok").all()
    recipe = json.loads((tmp_path / "out/model/recipe.json").read_text())
    assert recipe["dtypes"] == dtypes
    assert recipe["parity"]["labels_equal"]
    if case in ("archive", "tf.data"):  # the same data, model and seeds
        arrays = results[0].leaderboard.set_index("name")
        assert result.leaderboard["mean"].iloc[0] == arrays.loc["none", "mean"]


def test_what_does_not_fit_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    refused = [
        (X | {"more": Y}, QUICK, r"the model takes the inputs 'numbers' and 'tokens', the data has 'more' besides"),
        (X | {"numbers": X["numbers"][:9]}, QUICK, r"x\['tokens'\] has 96 rows and x\['numbers'\] has 9"),
        (X, QUICK | {"recipes": ["none", "mixup(0.2)"]}, r"recipes: mixup\(0.2\): mixup needs inputs of floating"),
    ]
    for x, given, message in refused:
        with pytest.raises(InputError, match=message):
            regzoo.compare(x, Y, backbone=two_inputs(), out=tmp_path / "out", workers=0, **given)
    with pytest.raises(InputError, match="only a model of your own takes"):
        regzoo.compare(X, Y, backbone="mlp", out=tmp_path / "out", workers=0, **QUICK)
    assert not (tmp_path / "out").exists()


def test_without_scaling_a_regression_predicts_and_scores_in_the_users_units(tmp_path: Path) -> None:
    x, y = X["numbers"], 1000 + 50 * X["numbers"][:, 0]
    model = keras.Sequential([keras.Input((3,)), L.Dense(1)])
    model.set_weights([np.array([[50.0], [0.0], [0.0]]), np.array([1010.0])])
    options = QUICK | {"training": {"epochs": 1, "learning_rate": 1e-12}}
    result = regzoo.compare(
        x, y, backbone=model, weights="keep", scale="none", out=tmp_path / "out", workers=0, **options
    )
    assert result.leaderboard["mean"].iloc[0] == pytest.approx(10.0, rel=1e-4)  # the root mean square error of + 10
    served = tf.saved_model.load(str(tmp_path / "out/model")).signatures["serving_default"]
    answers = served(rows=tf.constant(x, tf.float32))["prediction"]
    np.testing.assert_allclose(answers[:, 0], model.predict(x, verbose=0)[:, 0], rtol=1e-5)
