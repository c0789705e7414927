"""SavedModel export: plain TensorFlow serves it, with the names and in the units of the user's data."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pandas as pd
import pytest
import tensorflow as tf

from regzoo.config import SplitConfig
from regzoo.core import parse
from regzoo.data.dataset import Array
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.export.saved_model import predict_live, write_saved_model
from regzoo.export.signature import split_inputs
from regzoo.training.engine.make_model import build_compiled_model, load_finished_model
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task

EVERYTHING = (
    "dropout(0.5) + batch_norm(0.9) + activation_noise(0.1) + gaussian_noise(0.1) + l2(0.1) + weight_decay(0.1)"
)

SERVE = """
import gc, json, sys
import numpy as np

gc.disable()  # it and what a model does not need are half of the time that the import takes
sys.modules.update(dict.fromkeys(("keras", "matplotlib", "pandas", "sklearn")))
import tensorflow as tf

for folder in sys.argv[1:]:
    serve = tf.saved_model.load(f"{folder}/model").signatures["serving_default"]
    with np.load(f"{folder}/inputs.npz") as file:
        given = {name: file[name] for name in file.files}
    answers = {}
    for batch in (1, 7):
        chunks = [
            serve(**{name: tf.constant(value[start:start + batch]) for name, value in given.items()})
            for start in range(0, 14, batch)
        ]
        answers |= {f"{name} {batch}": np.concatenate([chunk[name].numpy() for chunk in chunks]) for name in chunks[0]}
    np.savez(f"{folder}/answers.npz", **{n: v.astype("S") if v.dtype == object else v for n, v in answers.items()})
    definition = serve.graph.as_graph_def()
    operations = {node.op for node in definition.node}
    operations |= {node.op for function in definition.library.function for node in function.node_def}
    with open(f"{folder}/info.json", "w") as file:
        json.dump({
            "inputs": {name: [list(spec.shape), spec.dtype.name] for name, spec in
                       serve.structured_input_signature[1].items()},
            "operations": sorted(operations),
            "modules": sorted(sys.modules),
        }, file)
"""


@dataclass
class Case:
    """A model with the data it predicts."""

    model: keras.Model
    prepared: PreparedData

    @property
    def raw(self) -> Array:
        rows = self.prepared.held_out[0][:14]
        assert isinstance(rows, np.ndarray)
        return rows


@dataclass
class Answer:
    """The answers of plain TensorFlow for a case."""

    case: Case
    info: dict[str, Any]
    answers: dict[str, Array]


def make_case(x: Any, y: Any, recipe: str = "none", backbone: str = "mlp([4])", members: int = 0) -> Case:
    prepared = prepare_fold(from_arrays(x, y), SplitConfig(), seed=0)
    preprocessor = prepared.preprocessor
    task = Task(preprocessor.task, preprocessor.outputs, preprocessor.target_scale)
    setup = TrainingSetup(backbone, task, preprocessor.input_shape, "adam", 16, "nll", "test")
    if members:
        single = parse("none")
        weights = [build_compiled_model(setup, single, seed=seed).get_weights() for seed in range(members)]
        model = load_finished_model(setup, parse(recipe), weights)
    else:
        model = build_compiled_model(setup, parse(recipe), seed=5)
    return Case(model, prepared)


def make_cases(rows: Any, images: Any, numbers: Any, table: pd.DataFrame) -> dict[str, Case]:
    x, y = np.tile(rows[0], (2, 1)), np.tile(rows[1], 2)
    return {
        "rows": make_case(x, 10 * y - 10, EVERYTHING),
        "images": make_case(np.tile(images[0], (2, 1, 1, 1)), y > 0, EVERYTHING, "cnn([2], dense=4)"),
        "columns": make_case(table.drop(columns="kind"), table["kind"].replace("rose", "größe")),
        "regression": make_case(np.tile(numbers[0], (2, 1)), np.tile(numbers[1], 2)),
        "ensemble": make_case(x, y.astype(float), "ensemble(3)", members=3),
        "reconstruction": make_case(x, None, backbone="autoencoder([4], code=2)"),
        "reconstructions": make_case(
            x.reshape(-1, 5, 1, 1), None, "ensemble(2)", "autoencoder([4], code=2)", members=2
        ),
        "passes": make_case(x, y, "dropout(0.5) + mc_dropout(10)", members=1),
    }


@pytest.fixture(scope="module")
def served(
    rows: Any, images: Any, numbers: Any, table: pd.DataFrame, tmp_path_factory: pytest.TempPathFactory
) -> dict[str, Answer]:
    """Write every case, and serve them all in one process that imports TensorFlow but not regzoo."""
    folder, cases = tmp_path_factory.mktemp("served"), make_cases(rows, images, numbers, table)
    for name, case in cases.items():
        write_saved_model(case.model, case.prepared.preprocessor, folder / name / "model")
        inputs = split_inputs(case.raw, case.prepared.preprocessor)
        np.savez(folder / name / "inputs.npz", **inputs)  # type: ignore[arg-type]  # the stub takes any keyword for allow_pickle
    command = [sys.executable, "-I", "-c", SERVE, *(str(folder / name) for name in cases)]
    subprocess.run(command, check=True, capture_output=True)
    answers_by_name = {}
    for name, case in cases.items():
        with np.load(folder / name / "answers.npz") as file:
            answers = {key: file[key] for key in file.files}
        answers_by_name[name] = Answer(case, json.loads((folder / name / "info.json").read_text()), answers)
    return answers_by_name


NAMES = ("rows", "images", "columns", "regression", "ensemble", "reconstruction", "reconstructions")


@pytest.mark.parametrize("name", [*NAMES, "passes"])
def test_it_answers_as_the_live_model_does_at_any_batch_size(name: str, served: dict[str, Answer]) -> None:
    answer = served[name]
    expected = predict_live(answer.case.model, answer.case.prepared.preprocessor, answer.case.raw)
    assert set(answer.answers) == {f"{output} {batch}" for output in expected for batch in (1, 7)}
    for key, value in answer.answers.items():
        live = expected[key.split()[0]]
        if key.startswith("label"):
            np.testing.assert_array_equal(value, live.astype(value.dtype))
        else:
            np.testing.assert_allclose(value, live, rtol=1e-5, atol=1e-6)  # float32 at other batch sizes


@pytest.mark.parametrize("name", NAMES)
def test_it_holds_no_random_and_no_training_operation(name: str, served: dict[str, Answer]) -> None:
    inference = {
        *("AddV2", "ArgMax", "AvgPool", "BatchMatMulV2", "BiasAdd", "Cast", "Const", "Conv2D", "ExpandDims"),
        *("FusedBatchNormV3", "GatherV2", "Identity", "MatMul", "MaxPool", "Mul", "NoOp", "Pack", "PartitionedCall"),
        *("Placeholder", "ReadVariableOp", "RealDiv", "Relu", "Reshape", "Rsqrt", "Shape", "Softmax", "StridedSlice"),
        *("StatefulPartitionedCall", "Squeeze", "Sub", "AddN"),
        *("Maximum", "Mean", "Neg", "Sqrt", "Square", "Sum", "Log"),  # an ensemble's uncertainty
    }
    assert set(served[name].info["operations"]) <= inference


def test_it_is_served_without_regzoo(served: dict[str, Answer]) -> None:
    modules = served["rows"].info["modules"]
    assert "tensorflow" in modules
    assert [name for name in modules if name.split(".")[0] == "regzoo"] == []


def test_inputs_are_named_after_the_data(served: dict[str, Answer]) -> None:
    assert served["rows"].info["inputs"] == {"rows": [[None, 5], "float32"]}
    assert served["images"].info["inputs"] == {"images": [[None, 8, 8, 1], "float32"]}
    assert set(served["columns"].info["inputs"]) == {
        *("age", "mean_radius_m", "Mean_Radius", "column_2nd_visit", "column_class"),
    }
    assert set(map(str, served["columns"].info["inputs"].values())) == {"[[None], 'float32']"}


@pytest.mark.parametrize(
    ("name", "labels"),
    [
        ("rows", [-10, 0, 10]),
        ("images", [False, True]),
        ("columns", ["größe".encode(), b"iris", b"lily"]),
        ("ensemble", [0.0, 1.0, 2.0]),
    ],
)
def test_labels_are_those_of_the_user(name: str, labels: list[Any], served: dict[str, Answer]) -> None:
    answer = served[name]
    found, probabilities = answer.answers["label 7"], answer.answers["probabilities 7"]
    assert set(found.tolist()) <= set(labels)
    assert type(found.tolist()[0]) is type(labels[0])
    order = sorted(labels, key=lambda label: label.decode() if isinstance(label, bytes) else label)
    assert found.tolist() == [order[index] for index in probabilities.argmax(1)]
    np.testing.assert_allclose(probabilities.sum(1), 1.0, atol=1e-6)


def test_an_ensemble_averages_the_probabilities_of_its_members(served: dict[str, Answer]) -> None:
    answer = served["ensemble"]
    x = answer.case.prepared.preprocessor.transform(answer.case.raw)
    members = [layer for layer in answer.case.model.layers if isinstance(layer, keras.Model)]
    assert len(members) == 3
    mean = np.mean([member(x).numpy() for member in members], axis=0)
    np.testing.assert_allclose(answer.answers["probabilities 7"], mean, atol=1e-6)


def entropy(p: Any) -> Any:
    """In nats, over the last axis."""
    return -(p * np.log(p)).sum(-1)


def test_an_ensemble_says_how_uncertain_it_is(served: dict[str, Answer]) -> None:
    answer = served["ensemble"]
    x = answer.case.prepared.preprocessor.transform(answer.case.raw)
    members = np.stack([layer(x).numpy() for layer in answer.case.model.layers if isinstance(layer, keras.Model)])
    uncertainty, disagreement = (answer.answers[f"{name} 7"] for name in ("uncertainty", "mutual_information"))
    np.testing.assert_allclose(uncertainty, entropy(members.mean(0)), atol=1e-6)
    np.testing.assert_allclose(disagreement, uncertainty - entropy(members).mean(0), atol=1e-6)
    assert (disagreement > 0).all()


def test_monte_carlo_dropout_answers_with_its_uncertainty(served: dict[str, Answer]) -> None:
    answers = served["passes"].answers
    assert (answers["mutual_information 7"] > 0).any()
    np.testing.assert_allclose(answers["uncertainty 7"], entropy(answers["probabilities 7"]), atol=1e-6)
    assert "uncertainty 7" not in served["rows"].answers


def test_the_number_of_passes_can_be_chosen(rows: Any, tmp_path: Path) -> None:
    monte_carlo = make_case(np.tile(rows[0], (2, 1)), np.tile(rows[1], 2), "dropout(0.5) + mc_dropout(10)", members=1)
    write_saved_model(monte_carlo.model, monte_carlo.prepared.preprocessor, tmp_path / "model")
    loaded = tf.saved_model.load(str(tmp_path / "model"))
    inputs = tf.constant(monte_carlo.raw)
    usual = loaded.signatures["serving_default"](rows=inputs)
    found = {
        count: loaded.signatures["with_samples"](rows=inputs, samples=tf.constant(count)) for count in (1, 10, 200, 201)
    }
    for name, value in usual.items():
        np.testing.assert_allclose(found[10][name], value, atol=1e-6)  # the recipe's own number: the same masks
    assert np.abs(found[1]["mutual_information"]).max() < 1e-6  # a single pass cannot disagree
    assert (found[200]["mutual_information"].numpy() > 1e-3).any()
    # One more pass of 200 moves a mean of probabilities by at most 1/201; the first 200 passes stay the same.
    assert np.abs(found[201]["probabilities"] - found[200]["probabilities"]).max() <= 1 / 201 + 1e-6
    with pytest.raises(tf.errors.InvalidArgumentError, match="samples must be 1 or more"):
        loaded.signatures["with_samples"](rows=inputs, samples=tf.constant(0))


def test_regression_answers_in_the_units_of_the_user(served: dict[str, Answer]) -> None:
    answer = served["regression"]
    preprocessor = answer.case.prepared.preprocessor
    standardized = answer.case.model(preprocessor.transform(answer.case.raw)).numpy()
    assert preprocessor.target_mean == pytest.approx(300, abs=5 * 50 * np.sqrt(5 / 60))  # 5 standard errors
    np.testing.assert_allclose(
        answer.answers["prediction 7"], standardized * preprocessor.target_scale + preprocessor.target_mean, rtol=1e-5
    )


@pytest.mark.parametrize("name", ["reconstruction", "reconstructions"])
def test_reconstruction_answers_in_the_units_of_the_user(name: str, served: dict[str, Answer]) -> None:
    answer = served[name]
    preprocessor, raw = answer.case.prepared.preprocessor, answer.case.raw
    standardized = preprocessor.transform(raw)
    rebuilt = answer.case.model(standardized).numpy().reshape(raw.shape)
    units = rebuilt * np.array(preprocessor.scale) + np.array(preprocessor.mean)
    np.testing.assert_allclose(answer.answers["reconstruction 7"], units, rtol=1e-5, atol=1e-5)
    axes = tuple(range(1, raw.ndim))
    distance = np.sqrt(np.mean((rebuilt - standardized) ** 2, axis=axes))
    np.testing.assert_allclose(answer.answers["distance 7"], distance, rtol=1e-5)
    assert ("uncertainty 7" in answer.answers) == (name == "reconstructions")
