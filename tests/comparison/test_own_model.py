"""Comparisons on the user's own Keras model: from an object, a file or a function; resumed, exported, recovered."""

from __future__ import annotations

import shutil
import subprocess
import sys
import textwrap
import tracemalloc
import warnings
import zipfile
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.config import SplitConfig
from regzoo.core import InputError
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.sources import from_arrays
from regzoo.data.splitting.split import split_dataset
from regzoo.result import Result
from regzoo.storage.ledger import Ledger

SMALL: dict[str, Any] = {
    "recipes": ["none", "dropout(0.3, on=dense)", "early_stopping"],
    "training": {"epochs": 2, "batch_size": 16, "learning_rate": 0.01},
    "search": {"trials": 1},
    "vary": ["seed"],
    "replicates": 2,
    "workers": 0,
}

MODELS = """\
import keras

class Scale(keras.layers.Layer):
    def build(self, shape):
        self.scale = self.add_weight(shape=(shape[-1],), initializer="random_normal", name="scale")

    def call(self, x):
        return x * (1.0 + self.scale)

def build(input_shape, outputs):
    inputs = keras.Input(input_shape)
    x = keras.layers.Dense(6, activation="relu")(Scale()(inputs))
    return keras.Model(inputs, keras.layers.Dense(outputs, activation="softmax")(x))

def broken(input_shape, outputs):
    return 1 / 0
"""
"""A user's file, with a layer that nothing registers."""


def build(units: int = 6, **head: Any) -> keras.Model:
    inputs = keras.Input((5,))
    x = keras.layers.Dense(units, activation="relu")(keras.layers.Dense(6, activation="relu")(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, **{"activation": "softmax"} | head)(x))


@pytest.fixture(scope="module")
def compared(rows: Any, sparing: Any, tmp_path_factory: pytest.TempPathFactory) -> Result:
    """A finished comparison, whose model is proven. Read it; do not write to it."""
    with sparing(proof=False):
        return regzoo.compare(*rows, backbone=build(), out=tmp_path_factory.mktemp("own") / "mine", **SMALL)


def list_runs(folder: Path) -> list[str]:
    with Ledger(folder) as ledger:
        return [record.run.key for record in ledger.records()]


def test_every_recipe_is_ranked_and_acts_where_it_says(compared: Result) -> None:
    table = compared.leaderboard
    assert set(table["name"]) == {"none", "dropout(0.3, on=dense)", "early_stopping"}
    assert table["mean"].notna().all()
    assert compared.board.recipes[0].name in set(table["name"])
    with Ledger(compared.folder) as ledger:
        info = ledger.get_comparison_info()
    assert info is not None
    assert info.model is not None
    assert info.model.backbone == "keras_model(name=functional, weights=fresh)"


def test_the_export_answers_as_the_live_model_and_loads_without_regzoo(compared: Result, rows: Any) -> None:
    with Ledger(compared.folder) as ledger:
        note = ledger.get_fold_info(0)
    x = Preprocessor.from_json(note.preprocessor).transform(rows[0])
    served = tf.saved_model.load(str(compared.folder / "model")).signatures["serving_default"]
    probabilities = served(rows=tf.constant(rows[0]))["probabilities"]
    assert np.allclose(compared.model.predict(x, verbose=0), probabilities, atol=1e-6)


@pytest.mark.usefixtures("unverified")
def test_the_same_model_built_again_resumes_and_trains_nothing(compared: Result, rows: Any, tmp_path: Path) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(compared.folder, folder)
    before, board = list_runs(folder), (folder / "leaderboard.csv").read_bytes()
    regzoo.compare(*rows, backbone=build(), out=folder, **SMALL)
    assert list_runs(folder) == before
    assert (folder / "leaderboard.csv").read_bytes() == board


def test_the_folder_holds_all_that_a_resumption_needs(compared: Result, tmp_path: Path) -> None:
    from regzoo.config import load_config
    from regzoo.config.sections import BackboneConfig

    folder = tmp_path / "elsewhere"
    shutil.copytree(compared.folder, folder)
    experiment = load_config(folder / "config.yaml")
    assert experiment.backbone == BackboneConfig(file=folder / "backbone.keras", weights="fresh")
    assert keras.saving.load_model(folder / "backbone.keras").count_params() == build().count_params()


@pytest.mark.parametrize("changed", [{"backbone": build(units=7)}, {"weights": "keep"}, {"backbone": "mlp([6])"}])
def test_another_model_in_the_same_folder_is_refused(
    compared: Result, rows: Any, tmp_path: Path, changed: dict[str, Any]
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(compared.folder, folder)
    with pytest.raises(InputError, match=r"another config|the model has changed since"):
        regzoo.compare(*rows, **{"backbone": build(), **SMALL, **changed}, out=folder)
    assert list_runs(folder) == list_runs(compared.folder)


@pytest.mark.usefixtures("unverified")
@pytest.mark.parametrize(
    "damage",
    ["removed", pytest.param("flipped", marks=pytest.mark.slow), pytest.param("replaced", marks=pytest.mark.slow)],
)
def test_a_model_that_is_missing_or_changed_is_noticed_and_written_again(
    compared: Result, rows: Any, tmp_path: Path, damage: str
) -> None:
    folder = tmp_path / "mine"
    shutil.copytree(compared.folder, folder)
    path = folder / "backbone.keras"
    content = bytearray(path.read_bytes())
    content[len(content) // 2] ^= 1
    path.unlink()
    if damage == "flipped":
        path.write_bytes(content)
    elif damage == "replaced":
        build(units=7).save(path)
    with pytest.raises(InputError, match=r"backbone\.keras (is missing|is damaged or was changed)"):
        Result(folder).export(tmp_path / "model")
    assert not (tmp_path / "model").exists()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always", UserWarning)
        regzoo.compare(*rows, backbone=build(), out=folder, **SMALL)
    assert any("kept under another name" in str(each.message) for each in caught) == (damage != "removed")
    assert Result(folder).model.count_params() > 0


def test_recover_brings_the_model_along(compared: Result, tmp_path: Path) -> None:
    from regzoo.comparison.own_model import list_lost_parts
    from regzoo.storage.recovery import recover_comparison

    recover_comparison(compared.folder, tmp_path / "recovered")
    assert Result(tmp_path / "recovered").model.count_params() > 0
    assert list_lost_parts(tmp_path / "recovered") == []


def test_recover_says_that_the_model_is_damaged(
    compared: Result, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    from regzoo.cli.commands.recover import recover

    folder = tmp_path / "mine"
    shutil.copytree(compared.folder, folder)
    (folder / "backbone.keras").write_bytes((folder / "backbone.keras").read_bytes()[:5000])
    recover(folder, tmp_path / "recovered")
    printed = " ".join(capsys.readouterr().out.split())
    assert "backbone.keras of your own model is missing or damaged" in printed
    assert "config.yaml" not in printed
    with pytest.raises(InputError, match="This is the copy that a comparison keeps: run the comparison again"):
        regzoo.compare(np.zeros((9, 5)), np.arange(9) % 3, backbone={"file": folder / "backbone.keras"}, **SMALL)


def test_fresh_weights_are_the_same_for_every_recipe_and_differ_between_seeds() -> None:
    from regzoo.core import parse
    from regzoo.training.own_model.build import build_own_model
    from regzoo.training.own_model.pack import pack
    from regzoo.training.task import Task

    own, task = pack(build(), "fresh"), Task("classification", 3)
    plain = build_own_model(own, parse("none"), task, 1)
    others = [build_own_model(own, parse(text), task, 1) for text in ("dropout(0.5)", "batch_norm(0.9)", "l2(0.1)")]
    for other in others:
        for layer in [each for each in plain.layers if each.weights]:
            twin = other.get_layer(layer.name)
            assert all(map(np.array_equal, layer.get_weights(), twin.get_weights()))
    second = build_own_model(own, parse("none"), task, 2)
    assert not np.array_equal(plain.get_weights()[0], second.get_weights()[0])


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_kept_weights_score_what_the_model_scores_when_nothing_is_learned(rows: Any) -> None:
    """Expected: Keras's own evaluation of the user's model on the validation rows."""
    model = build(name="head")
    model.layers[1].trainable = False
    training = {"epochs": 1, "learning_rate": 1e-30, "optimizer": "sgd"}
    split = {"train": 0.5, "validation": 0.25, "test": 0.25}
    part = np.resize(["train", "train", "validation", "test"], len(rows[0]))
    asked = {**SMALL, "recipes": ["none", "dropout(0.5)", "l2_sp(0.1)"]}
    asked |= {"training": training, "scale": "none", "split": split}
    result = regzoo.compare(*rows, part=part, backbone=model, weights="keep", **asked)
    model.compile(loss="sparse_categorical_crossentropy")
    expected = model.evaluate(rows[0][part == "validation"], rows[1][part == "validation"], verbose=0)
    assert np.allclose(result.leaderboard["mean"], expected, rtol=1e-5)
    assert np.allclose(result.leaderboard["sd"], 0.0, atol=1e-6)


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_a_function_in_a_file_and_its_own_layers_reach_folder_and_export(rows: Any, tmp_path: Path) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    backbone = {"function": str(tmp_path / "models.py") + ":build"}
    asked = {**SMALL, "recipes": ["none", "dropout(0.3)"], "out": tmp_path / "mine"}
    result = regzoo.compare(*rows, backbone=backbone, **asked)
    assert (tmp_path / "mine" / "backbone.py").read_text() == MODELS
    (tmp_path / "models.py").unlink()  # the folder is enough
    result.export(tmp_path / "model")
    (tmp_path / "mine" / "backbone.py").rename(tmp_path / "moved.py")
    with pytest.raises(InputError, match=r"backbone\.py is missing: it belongs to the model"):
        result.export(tmp_path / "other")
    (tmp_path / "models.py").write_text(MODELS)
    for damaged in (False, True):  # the comparison writes it again, in the place of one that was changed
        if damaged:
            (tmp_path / "mine" / "backbone.py").write_text(MODELS + "# mine\n")
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always", UserWarning)
            regzoo.compare(*rows, backbone=backbone, **asked)
        assert any("backbone.1.py" in str(each.message) for each in caught) == damaged
        assert (tmp_path / "mine" / "backbone.py").read_text() == MODELS
    (tmp_path / "models.py").write_text(MODELS + "# changed\n")
    with pytest.raises(InputError, match="the model has changed since this comparison began"):
        regzoo.compare(*rows, backbone=backbone, **asked)
    again = regzoo.compare(*rows, backbone={"file": tmp_path / "mine" / "backbone.keras"}, **asked)
    assert len(again.records) == len(result.records)


BAD: dict[str, tuple[Any, str]] = {
    "a lambda": (
        lambda: keras.Sequential([keras.Input((5,)), keras.layers.Lambda(lambda x: x), keras.layers.Dense(3)]),
        "holds a Lambda layer",
    ),
    "too few features": (
        lambda: keras.Sequential([keras.Input((4,)), keras.layers.Dense(3, activation="softmax")]),
        r"shape \(4,\)",
    ),
    "too many classes": (lambda: _end(4), r"\(4,\), the data needs \(3,\)"),
    "the wrong end": (lambda: _end(3, "sigmoid"), "ends in sigmoid, which does not go with classification"),
    "not built": (lambda: keras.Sequential([keras.layers.Dense(3)]), "not built"),
    "subclassed": (lambda: _Subclassed(), "subclass"),
    "with a recipe": (lambda: regzoo.build("mlp", "none", (5,), classes=3), "has a recipe already"),
    "a function that raises": (lambda: _raises, "raised ZeroDivisionError"),
    "a function that returns nothing": (lambda: lambda shape, outputs: None, "returned NoneType"),
    "a function of one argument": (lambda: lambda shape: None, "TypeError"),
    "a function that ends the program": (lambda: _exits, "raised SystemExit: no GPU"),
    "a recipe inside": (lambda: _put_inside(False), r"is a model with the recipe l2\(0\.1\)"),
    "a recipe inside of a layer": (lambda: _put_inside(True), r"is a model with the recipe l2\(0\.1\)"),
    "no file": (lambda: {"file": "nowhere.keras"}, r"^backbone\.file: \S+nowhere\.keras cannot be read: No such file"),
    "another file": (lambda: {"file": __file__}, r"takes a \.keras file"),
    "no function": (lambda: {"function": __file__ + ":_raised"}, "has no function '_raised'. Did you mean '_raises'"),
    "no file of functions": (
        lambda: {"function": "nowhere.py:build"},
        r"^backbone\.function: \S+nowhere\.py cannot be read: No such file or directory$",
    ),
    "a name that TensorFlow does not take": (lambda: _name("my layer"), r"named 'my layer', .* \(name='my_layer'\)"),
}


class _Subclassed(keras.Model):
    def call(self, x: Any) -> Any:
        return x


def _end(size: int, activation: str = "softmax") -> keras.Model:
    return keras.Sequential([keras.Input((5,)), keras.layers.Dense(size, activation=activation)])


def _name(name: str) -> keras.Model:
    inner = keras.Sequential([keras.Input((5,), name="in put"), keras.layers.Dense(4, name=name)], name="inner")
    return keras.Sequential([keras.Input((5,)), inner, keras.layers.Dense(3, activation="softmax")])


def _raises(input_shape: Any, outputs: int) -> Any:
    return 1 / 0


def _exits(input_shape: Any, outputs: int) -> Any:
    sys.exit("no GPU")


def _put_inside(wrapped: bool) -> keras.Model:
    inner = regzoo.attach("l2(0.1)", keras.Sequential([keras.Input((5,)), keras.layers.Dense(3, activation="softmax")]))
    inputs = keras.Input((5,))
    if wrapped:
        steps = keras.layers.TimeDistributed(inner)(keras.layers.RepeatVector(2)(inputs))
        return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(keras.layers.Flatten()(steps)))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(inner(inputs)))


@pytest.mark.parametrize("name", BAD)
def test_what_cannot_be_compared_is_refused_before_anything_is_written(name: str, rows: Any, tmp_path: Path) -> None:
    make, message = BAD[name]
    with pytest.raises(InputError, match=message):
        regzoo.compare(*rows, backbone=make(), out=tmp_path / "mine", **SMALL)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("content", [b"", b"PK\x03\x04 no archive", b"\x89HDF\r\n"])
def test_a_file_that_is_no_model_is_refused(content: bytes, rows: Any, tmp_path: Path) -> None:
    path = tmp_path / "bad.keras"
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"bad\.keras is no \.keras file that Keras wrote"):
        regzoo.compare(*rows, backbone={"file": path}, **SMALL)


def test_a_file_of_a_model_with_a_recipe_is_refused(rows: Any, tmp_path: Path) -> None:
    regzoo.attach("l2(0.1)", build()).save(tmp_path / "mine.keras")
    with pytest.raises(InputError, match="has a recipe already"):
        regzoo.compare(*rows, backbone={"file": tmp_path / "mine.keras"}, **SMALL)


def test_a_python_file_that_ends_the_program_is_refused(rows: Any, tmp_path: Path) -> None:
    """Such as a script that calls ``sys.exit(main())``; it would end the comparison with the exit code 0."""
    (tmp_path / "models.py").write_text(MODELS + "raise SystemExit(0)\n")
    with pytest.raises(InputError, match=r"models\.py cannot be imported: SystemExit: 0 \(line \d+\)"):
        regzoo.compare(*rows, backbone={"function": str(tmp_path / "models.py") + ":build"}, **SMALL)


@pytest.mark.parametrize(
    ("part", "message"),
    [
        ("../../other.txt", r"^bad\.keras has a part '\.\./\.\./other\.txt', which points out of the file"),
        ("assets/../../other.txt", "points out of the file"),
        ("/tmp/other.txt", "points out of the file"),
        ("C:\\other.txt", "points out of the file"),
        ("..\\other.txt", "points out of the file"),
        ("zeros.bin", r"^bad\.keras has a part 'zeros\.bin' that is 134,217,728 bytes, of \d+,\d+ in the file"),
        ("config.json", r"has a part 'config\.json' that is 134,217,728 bytes"),
        ("list.json", "holds no model"),
        ("", "holds no model"),
    ],
)
def test_a_file_with_a_part_that_keras_does_not_write_is_refused_before_it_is_read(
    part: str, message: str, tmp_path: Path
) -> None:
    from regzoo.training.own_model.archive import read_archive_config

    path = tmp_path / "bad.keras"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        if part != "config.json":
            archive.writestr("config.json", "[]" if part in ("list.json", "") else "{}")
        with archive.open(part, "w") as file:
            for _ in range(128 if part in ("zeros.bin", "config.json") else 1):
                file.write(bytes(2**20))
    content = path.read_bytes()
    tracemalloc.start()
    with pytest.raises(InputError, match=message):
        read_archive_config(content, "bad.keras")
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert most < 2**24


@pytest.mark.parametrize(
    ("tokens", "message"),
    [
        (
            range(1, 10),
            r"the input 'inputs' holds 9, and the Embedding 'words' takes whole numbers from 0 to 8: give it ",
        ),
        (range(-1, 8), r"the input 'inputs' holds -1, .*count from 0"),
    ],
)
@pytest.mark.parametrize("nested", [False, True])
def test_tokens_that_an_embedding_has_no_row_for_are_refused(tokens: Any, message: str, nested: bool) -> None:
    words = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(9, 2, name="words"), keras.layers.Flatten()])
    model = keras.Sequential([keras.Input((3,)), *([words] if nested else words.layers)])
    model.add(keras.layers.Dense(3, activation="softmax"))
    x = np.resize(list(tokens), (60, 3))
    with pytest.raises(InputError, match=message):
        regzoo.compare(x, np.arange(60) % 3, backbone=model, **SMALL)


def test_tokens_of_every_split_are_checked() -> None:
    """The token is in a row that the first split leaves out, because of ``train_size``, and others do not."""
    y, split = np.arange(60) % 3, {"train_size": 6}
    model = keras.Sequential([keras.Input((3,)), keras.layers.Embedding(9, 2, name="words"), keras.layers.Flatten()])
    model.add(keras.layers.Dense(3, activation="softmax"))
    x = np.zeros((60, 3), np.int64)
    first = split_dataset(from_arrays(x, y), SplitConfig(train_size=6), 0)
    x[np.setdiff1d(np.arange(60), [*first.train, *first.validation, *first.test])[0]] = 9
    with pytest.raises(InputError, match="holds 9, and the Embedding 'words' takes whole numbers from 0 to 8"):
        regzoo.compare(x, y, backbone=model, **{**SMALL, "split": split, "vary": ["seed", "split"], "replicates": 30})


def test_weights_go_with_a_model_alone(rows: Any) -> None:
    with pytest.raises(InputError, match="weights: goes with a Keras model of your own"):
        regzoo.compare(*rows, backbone="mlp", weights="keep", **SMALL)


@pytest.mark.parametrize("ending", ["softmax", "linear"])
def test_the_loss_and_the_optimizer_that_the_model_was_compiled_with(rows: Any, ending: str) -> None:
    """Expected: plain Keras, with the same batches, the same loss and the same optimizer."""
    from regzoo.core import parse
    from regzoo.training.engine.make_model import build_compiled_model
    from regzoo.training.own_model.pack import pack
    from regzoo.training.setup import TrainingSetup
    from regzoo.training.task import Task

    model = build(activation=ending)
    loss = keras.losses.SparseCategoricalCrossentropy(from_logits=ending == "linear")
    model.compile(keras.optimizers.SGD(0.05, momentum=0.7, nesterov=True), loss)
    own, task = pack(model, "keep"), Task("classification", 3)
    setup = TrainingSetup(own.text, task, (5,), "compiled", 16, "nll", "x", loss="compiled", model=own)
    ours = build_compiled_model(setup, parse("none"))
    ours.optimizer.learning_rate.assign(0.05)
    for _ in range(3):
        ours.update(tf.constant(rows[0]), task.encode(tf.constant(rows[1])))
        model.train_on_batch(*rows)
    for expected, found in zip(model.get_weights(), ours.get_weights(), strict=True):
        assert np.allclose(expected, found, rtol=1e-5, atol=1e-6)


@pytest.mark.parametrize("scale", ["standardize", "none"])
def test_a_function_reads_plain_numbers_once_and_others_again(rows: Any, scale: str) -> None:
    """Expected: what is read for the model's inputs at once."""
    from regzoo.comparison.own_model import read_with_model
    from regzoo.comparison.runner import prepare_dataset
    from regzoo.config import from_keywords
    from regzoo.config.sections import BackboneConfig
    from regzoo.data.inputs import InputSpec
    from regzoo.data.sources import from_arrays

    read_for: list[Any] = []
    experiment = from_keywords(backbone="mlp", recipes=["none"], scale=scale)

    def read(specs: Any) -> Any:
        read_for.append(specs)
        return prepare_dataset(experiment, from_arrays(*rows, inputs=specs), specs)

    def build_for(dtype: str) -> Any:
        def build(input_shape: Any, outputs: int) -> keras.Model:
            inputs = keras.Input(input_shape, dtype=dtype, name="numbers")
            return keras.Model(inputs, keras.layers.Dense(outputs)(keras.layers.Rescaling(1.0)(inputs)))

        return build

    data, model = read_with_model(BackboneConfig(given=build_for("float32")), read)
    assert read_for == [()]
    assert model is not None
    expected = read((InputSpec("numbers", (5,), "float32"),))
    assert data.preprocessor == expected.preprocessor
    assert all(np.array_equal(a, b) for a, b in zip(data.train, expected.train, strict=True))
    read_for.clear()
    rows = (np.round(rows[0]), rows[1])
    assert read_with_model(BackboneConfig(given=build_for("int32")), read)[0].preprocessor.specs == read_for[1]


SCRIPT = """\
import sys
import keras
import numpy as np
import regzoo

@keras.saving.register_keras_serializable("script")
class Half(keras.layers.Layer):
    def call(self, x):
        return x / 2

def build():
    inputs = keras.Input((5,))
    x = keras.layers.Dense(6, activation="relu")(Half()(inputs))
    return keras.Model(inputs, keras.layers.Dense(3, activation="softmax")(x))

if __name__ == "__main__":
    random = np.random.default_rng(0)
    y = np.arange(60) % 3
    x = (random.normal(size=(3, 5))[y] * 2 + random.normal(size=(60, 5))).astype("float32")
    recipes = ["none", "dropout(on=dense)", "l2", "early_stopping"]
    regzoo.compare(
        x, y, backbone=build(), recipes=recipes, out=sys.argv[1], workers=int(sys.argv[2]), vary=["seed"], replicates=3,
        training={"epochs": 3}, search={"trials": 2},
    )
"""


LOCAL = """\
import sys
import keras
import numpy as np
import regzoo

def make():
    @keras.saving.register_keras_serializable("local")
    class Half(keras.layers.Layer):
        def call(self, x):
            return x / 2
    return Half

if __name__ == "__main__":
    @keras.saving.register_keras_serializable("guarded")
    class Twice(keras.layers.Layer):
        def call(self, x):
            return x * 2

    kept = {"Half": make(), "Twice": Twice}[sys.argv[2]]()
    model = keras.Sequential([keras.Input((5,)), kept, keras.layers.Dense(3, activation="softmax")])
    x, y = np.random.default_rng(0).normal(size=(60, 5)), np.arange(60) % 3
    regzoo.compare(
        x, y, backbone=model, recipes=["none"], out=sys.argv[1], workers=int(sys.argv[3]), vary=["seed"], replicates=2,
        training={"epochs": 1}, search={"trials": 1},
    )
"""


@pytest.mark.slow
@pytest.mark.parametrize(("name", "workers"), [("Half", 1), ("Twice", 1), ("Half", 0)])
def test_a_class_that_workers_cannot_have_is_refused_before_anything_is_written(
    tmp_path: Path, name: str, workers: int
) -> None:
    """It is registered in this process, which can train with it itself."""
    (tmp_path / "script.py").write_text(LOCAL)
    command: list[Any] = [sys.executable, tmp_path / "script.py", tmp_path / "out", name, str(workers)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if workers:
        assert "worker processes cannot load your model; workers=0 trains in this one: the model needs" in (done.stderr)
        assert f"__main__.{name}" in done.stderr
        assert "top level of a module" in done.stderr
    assert ((tmp_path / "out").exists(), done.returncode) == ((False, 1) if workers else (True, 0))


@pytest.mark.slow
def test_one_worker_and_a_comparison_of_two_that_was_killed_have_the_same_leaderboard(tmp_path: Path) -> None:
    """With a layer that the script itself defines."""
    script = tmp_path / "script.py"
    script.write_text(SCRIPT)

    def start(name: str, workers: int) -> subprocess.Popen[bytes]:
        return subprocess.Popen([sys.executable, script, tmp_path / name, str(workers)])

    assert start("one", 1).wait(600) == 0
    killed = start("killed", 2)
    while not _count_runs(tmp_path / "killed"):
        assert killed.poll() is None
    killed.kill()
    killed.wait()
    assert _count_runs(tmp_path / "killed") < _count_runs(tmp_path / "one")
    assert start("killed", 2).wait(600) == 0
    boards = [(tmp_path / name / "leaderboard.csv").read_bytes() for name in ("one", "killed")]
    assert boards[0] == boards[1]


def _count_runs(folder: Path) -> int:
    import contextlib

    with contextlib.suppress(regzoo.core.InputError, regzoo.core.EnvironmentFailure):
        return len(list_runs(folder))
    return 0


@pytest.mark.slow
def test_a_config_with_a_function_on_the_command_line(tmp_path: Path, rows: Any) -> None:
    (tmp_path / "models.py").write_text(MODELS)
    np.savez(tmp_path / "rows.npz", x=rows[0], y=rows[1])
    (tmp_path / "mine.yaml").write_text(
        textwrap.dedent("""\
            name: mine
            data: {npz: rows.npz}
            backbone: {function: models.py:build, weights: fresh}
            recipes: [none, dropout]
            training: {epochs: 2}
            search: {trials: 1}
            vary: [seed]
            replicates: 2
        """)
    )

    def call(*words: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "regzoo", *words]
        return subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)

    assert "fine" in call("check", "mine.yaml").stdout
    planned = call("plan", "mine.yaml")
    assert planned.returncode == 0, planned.stderr
    done = call("compare", "mine.yaml", "--out", "out", "--workers", "2")
    assert done.returncode == 0, done.stderr
    shutil.move(tmp_path / "out", tmp_path / "moved")
    (tmp_path / "models.py").unlink()
    exported = call("export", "moved", "--to", "model")
    assert exported.returncode == 0, exported.stderr
    (tmp_path / "mine.yaml").write_text((tmp_path / "mine.yaml").read_text().replace(":build", ":broken"))
    (tmp_path / "models.py").write_text(MODELS)
    refused = call("check", "mine.yaml")
    assert refused.returncode == 2
    assert "broken((5,), 3) raised ZeroDivisionError: division by zero (line 16)" in " ".join(refused.stderr.split())


def _of_labels(y: Any, p: Any) -> Any:
    return keras.losses.sparse_categorical_crossentropy(y, p)


def _of_one_hot(y: Any, p: Any) -> Any:
    return -keras.ops.sum(y * keras.ops.log(p), -1)


@pytest.mark.parametrize("loss", [_of_labels, lambda y, p: 0.0 * p])
def test_a_compiled_loss_that_cannot_be_used_is_refused_before_training(loss: Any, rows: Any, tmp_path: Path) -> None:
    model = build()
    model.compile(loss=loss)
    training = SMALL["training"] | {"loss": "compiled"}
    arguments = SMALL | {"training": training, "out": tmp_path / "out"}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # Keras's, of a lambda
        with pytest.raises(InputError, match=r"training\.loss: (_of_labels fails|the loss that)"):
            regzoo.compare(*rows, backbone=model, **arguments)
    assert not (tmp_path / "out").exists()


@pytest.mark.slow
@pytest.mark.usefixtures("unverified")
def test_a_compiled_loss_function_that_nothing_registers_is_used(rows: Any, tmp_path: Path) -> None:
    import random

    model = build()
    model.compile(loss=_of_one_hot)
    random.seed(5)
    before = random.getstate()
    training = SMALL["training"] | {"loss": "compiled"}
    own = regzoo.compare(*rows, backbone=model, out=tmp_path / "own", **SMALL | {"training": training})
    assert random.getstate() == before
    task = regzoo.compare(*rows, backbone=model, out=tmp_path / "task", **SMALL)
    means = [result.leaderboard.set_index("name")["mean"].sort_index() for result in (own, task)]
    assert np.allclose(means[0], means[1], rtol=1e-4)
