"""The twin law for copies and files: configs, `.keras`, weights, SavedModel, backups, and training that is resumed."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError
from regzoo.training.attach.attach import attach
from tests.training.attach.twins import (
    ROUNDING,
    SPARSE,
    Make,
    Y,
    assert_same_outcome,
    dense,
    get_outcome,
    make_twins,
    read_state,
    sequences,
    with_state,
    x_for,
)

ROOT = Path(__file__).parents[3]
X = np.random.default_rng(0).normal(size=(50, 5)).astype(np.float32)
FIT: dict[str, Any] = {"batch_size": 16, "shuffle": False, "verbose": 0}


def compile_plainly(model: keras.Model) -> None:
    model.compile(keras.optimizers.Adam(0.05), SPARSE, metrics=["accuracy"], weighted_metrics=["accuracy"])


def train(model: keras.Model, **given: Any) -> Mapping[str, Any]:
    history: Mapping[str, Any] = model.fit(X, Y, **{**FIT, "epochs": 4, **given}).history
    return {**history, **read_state(model, X)}


def as_clone(model: keras.Model, path: Path) -> keras.Model:
    copy = keras.models.clone_model(model)
    copy.set_weights(model.get_weights())
    return copy


def from_config(model: keras.Model, path: Path) -> keras.Model:
    copy = type(model).from_config(model.get_config())
    copy.set_weights(model.get_weights())
    return copy


def from_serialized(model: keras.Model, path: Path) -> keras.Model:
    copy = keras.saving.deserialize_keras_object(keras.saving.serialize_keras_object(model))
    copy.set_weights(model.get_weights())
    return copy


def from_json(model: keras.Model, path: Path) -> keras.Model:
    copy = keras.models.model_from_json(model.to_json())
    copy.set_weights(model.get_weights())
    return copy


def from_file(model: keras.Model, path: Path) -> keras.Model:
    model.save(path / "m.keras")
    return keras.models.load_model(path / "m.keras")


def from_weights(model: keras.Model, path: Path) -> keras.Model:
    model.save_weights(path / "m.weights.h5")
    copy = type(model).from_config(model.get_config())
    copy.load_weights(path / "m.weights.h5")
    return copy


COPIES: dict[str, Callable[[keras.Model, Path], keras.Model]] = {
    each.__name__: each for each in (as_clone, from_config, from_serialized, from_json, from_file, from_weights)
}


@pytest.mark.slow
@pytest.mark.parametrize(
    ("copied", "make"),
    [*((name, with_state) for name in COPIES), ("from_file", sequences), ("from_json", dense)],
)
def test_copies_go_on_the_same(copied: str, make: Make, tmp_path: Path) -> None:
    """A copy is compiled as Keras compiles it, and trains on as the model's own copy does."""

    def run(model: keras.Model) -> Mapping[str, Any]:
        x = x_for(model)
        compile_plainly(model)
        model.fit(x, Y, epochs=2, **FIT)
        folder = tmp_path / type(model).__name__
        folder.mkdir(exist_ok=True)
        copy = COPIES[copied](model, folder)
        before = copy.predict(x, verbose=0)
        np.testing.assert_allclose(before, model.predict(x, verbose=0), atol=ROUNDING)
        found: dict[str, Any] = {"compiled": copy.compiled}
        if not copy.compiled:
            compile_plainly(copy)
        found["evaluated"] = copy.evaluate(x, Y, verbose=0)
        keras.utils.set_random_seed(2)
        return {**found, **copy.fit(x, Y, epochs=2, **FIT).history, **read_state(copy, x)}

    assert_same_outcome(make, run)


@pytest.mark.parametrize("ending", ["h5", "hdf5"])
def test_the_old_format_is_refused(ending: str, tmp_path: Path) -> None:
    _, twin = make_twins(dense)
    with pytest.raises(InputError, match=rf"m\.{ending}: Keras's old HDF5 format .* save a \.keras file"):
        twin.save(tmp_path / f"m.{ending}")
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
@pytest.mark.parametrize("make", [with_state, sequences], ids=lambda make: make.__name__)
def test_an_export_serves_the_same(make: Make, tmp_path: Path) -> None:
    def run(model: keras.Model) -> Mapping[str, Any]:
        x = x_for(model)
        compile_plainly(model)
        model.fit(x, Y, epochs=1, **FIT)
        folder = tmp_path / type(model).__name__
        model.export(folder, verbose=False)
        loaded = tf.saved_model.load(str(folder))
        np.testing.assert_allclose(loaded.serve(x), model.predict(x, verbose=0), atol=ROUNDING)
        return {"served": loaded.serve(x)}

    assert_same_outcome(make, run)


INTERRUPTED = """
import sys
import keras, numpy as np
import regzoo
from tests.training.attach.test_twin_files import SPARSE, FIT, X, Y, compile_plainly, with_state
from tests.training.attach.twins import make_twins

folder, which, interrupted = sys.argv[1], int(sys.argv[2]), sys.argv[3] == "True"

class Stop(keras.callbacks.Callback):
    def on_epoch_begin(self, epoch, logs=None):
        if interrupted and epoch == 2:
            raise RuntimeError("interrupted")

model = make_twins(with_state)[which]
compile_plainly(model)
callbacks = [keras.callbacks.BackupAndRestore(f"{folder}/backup{which}"), Stop()]
history = model.fit(X, Y, epochs=4, callbacks=callbacks, **FIT).history
np.savez(f"{folder}/end{which}.npz", *model.get_weights(), loss=history["loss"])
"""


def in_this_tree() -> dict[str, str]:
    """Return the environment of a process that imports regzoo and its tests from this tree."""
    return {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}


@pytest.mark.slow
def test_an_interrupted_training_is_resumed_in_a_new_process(tmp_path: Path) -> None:
    """BackupAndRestore: the second process trains the last two epochs, from the state of model and optimizer."""
    for which in (0, 1):
        for interrupted in (True, False):
            command = [sys.executable, "-c", INTERRUPTED, str(tmp_path), str(which), str(interrupted)]
            done = subprocess.run(command, env=in_this_tree(), capture_output=True, text=True, check=False)
            assert ("RuntimeError: interrupted" in done.stderr) is interrupted, done.stderr[-2000:]
    theirs, ours = (dict(np.load(tmp_path / f"end{which}.npz")) for which in (0, 1))
    assert len(theirs["loss"]) == 2
    for name, value in theirs.items():
        np.testing.assert_allclose(ours[name], value, ROUNDING, ROUNDING, err_msg=name)


@pytest.mark.slow
def test_a_file_that_is_trained_on_equals_a_training_without_a_break(tmp_path: Path) -> None:
    for number, model in enumerate(make_twins(dense)):
        compile_plainly(model)
        model.fit(X, Y, epochs=2, **FIT)
        model.save(tmp_path / f"{number}.keras")
        whole = get_outcome(lambda model: train(model, initial_epoch=2), model)
        resumed = get_outcome(
            lambda model: train(model, initial_epoch=2), keras.models.load_model(tmp_path / f"{number}.keras")
        )
        for name, value in whole.items():
            np.testing.assert_allclose(resumed[name], value, ROUNDING, ROUNDING, err_msg=name)


@pytest.mark.parametrize("make", [dense, pytest.param(with_state, marks=pytest.mark.slow)])
def test_weights_of_the_model_are_those_of_the_twin(make: Make, tmp_path: Path) -> None:
    """`get_weights` of one is `set_weights` of the other; files of weights are read by the one that wrote them."""
    model, twin = make_twins(make)
    assert [weight.shape for weight in model.weights] == [weight.shape for weight in twin.weights]
    x = x_for(model)
    changed = [weight + 0.1 for weight in model.get_weights()]
    for one, other in ((model, twin), (twin, model)):
        one.set_weights(changed)
        other.set_weights(one.get_weights())
        np.testing.assert_allclose(other.predict(x, verbose=0), one.predict(x, verbose=0), atol=ROUNDING)
        changed = [weight * 1.5 for weight in changed]


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore:Skipping variable loading for optimizer")
@pytest.mark.parametrize("make", [with_state, sequences], ids=lambda make: make.__name__)
def test_files_of_weights_are_read_by_model_and_twin(make: Make, tmp_path: Path) -> None:
    model, twin = make_twins(make)
    x = x_for(model)
    for name, one, other in (("m", model, twin), ("t", twin, model)):
        one.set_weights([weight + 0.1 for weight in one.get_weights()])
        one.save_weights(tmp_path / f"{name}.weights.h5")
        other.load_weights(tmp_path / f"{name}.weights.h5")
        np.testing.assert_allclose(other.predict(x, verbose=0), one.predict(x, verbose=0), atol=ROUNDING)


LOADED = """
import sys
import keras, numpy as np
import regzoo
x, expected = np.load("x.npy"), np.load("expected.npz")
for name in expected.files:
    loaded = keras.models.load_model(f"{name}.keras")
    np.testing.assert_allclose(loaded.predict(x, verbose=0), expected[name], atol=1e-6, err_msg=name)
    assert loaded.compiled == (name in ("twin", "attached", "built")), name
print("loaded", len(expected.files))
"""


@pytest.mark.slow
def test_files_load_in_a_new_process_that_imports_regzoo(tmp_path: Path) -> None:
    dropout = "dropout(0.3) + l2(0.01)"
    attached, built = attach(dropout, dense()), regzoo.build("mlp([4])", f"{dropout} + mc_dropout(3)", (5,), classes=3)
    snapshots = attach("snapshot_ensemble(2)", dense())
    models = {"twin": make_twins(with_state)[1], "attached": attached, "built": built, "snapshots": snapshots}
    for model in models.values():
        model.fit(X, Y, epochs=2, **FIT)
        for _ in range(2):  # a copy leaves the config as it is
            type(model).from_config(model.get_config())
    models |= {"snapshots": snapshots.finished(), "monte_carlo": built.finished()}
    for name, model in models.items():
        model.save(tmp_path / f"{name}.keras")
    np.save(tmp_path / "x.npy", X)
    np.savez(tmp_path / "expected.npz", **{name: model.predict(X, verbose=0) for name, model in models.items()})
    done = subprocess.run(
        [sys.executable, "-c", LOADED], cwd=tmp_path, env=in_this_tree(), capture_output=True, text=True, check=False
    )
    assert done.stdout.strip() == f"loaded {len(models)}", done.stderr[-3000:]
