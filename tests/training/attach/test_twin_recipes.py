"""Recipes on the user's model, next to the same in plain Keras; and what a Keras model does, with recipes."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import OnBatch
from regzoo.training.attach.attach import AttachedModel, attach
from tests.training.attach.test_twin_calls import CALLS
from tests.training.attach.test_twin_files import COPIES, FIT, X, compile_plainly
from tests.training.attach.twins import (
    HALF,
    ONE_HOT,
    ROUNDING,
    SPARSE,
    WEIGHTS,
    Y,
    compare_outcomes,
    dense,
    get_outcome,
    read_state,
    with_state,
)

pytestmark = pytest.mark.slow

L = keras.layers
RECIPES = ("dropout(0.3)", "l2(0.01)", "mixup(0.2)", "dropout(0.3) + l2(0.01) + mixup(0.2)")


def make_plain(dropout: float = 0.0, l2: float = 0.0) -> keras.Model:
    """Return `dense` with what a user of Keras would write for the recipe."""
    keras.utils.set_random_seed(0)
    penalty = keras.regularizers.L2(l2) if l2 else None
    hidden = L.Dense(8, "relu", name="first", kernel_regularizer=penalty)
    noise = [L.Dropout(dropout, seed=0)] if dropout else []
    head = L.Dense(3, "softmax", kernel_regularizer=penalty)
    return keras.Sequential([keras.Input((5,)), hidden, *noise, head])


def make_with(recipe: str) -> AttachedModel:
    keras.utils.set_random_seed(0)
    return attach(recipe, dense())


def train(model: keras.Model, **given: Any) -> Mapping[str, Any]:
    model.compile(keras.optimizers.SGD(0.1), SPARSE, weighted_metrics=["accuracy"])
    history: Mapping[str, Any] = model.fit(X, Y, **{**FIT, "epochs": 3, **given}).history
    return {**history, **read_state(model, X)}


GIVEN: dict[str, dict[str, Any]] = {
    "arrays": {},
    "weights": {"sample_weight": WEIGHTS},
    "class weights": {"class_weight": {0: 1.0, 1: 3.0, 2: 0.0}},
}


@pytest.mark.parametrize("given", GIVEN)
@pytest.mark.parametrize("policy", ["float32", "mixed_bfloat16"], indirect=True)
def test_l2_is_a_kernel_regularizer(policy: str, given: str) -> None:
    theirs = get_outcome(lambda m: train(m, **GIVEN[given]), make_plain(l2=0.01))
    ours = get_outcome(lambda m: train(m, **GIVEN[given]), make_with("l2(0.01)"))
    compare_outcomes(theirs, ours, ROUNDING if policy == "float32" else HALF)


@pytest.mark.parametrize("given", GIVEN)
def test_dropout_is_a_dropout_layer_of_the_same_stream(given: str) -> None:
    plain, twin = make_plain(dropout=0.3), make_with("dropout(0.3)")
    (inserted,) = [layer for layer in twin.layers if layer.name.startswith("in_training")]
    plain.layers[1].seed_generator.state.assign(inserted.generator.state)
    theirs, ours = (get_outcome(lambda m: train(m, **GIVEN[given]), model) for model in (plain, twin))
    compare_outcomes(theirs, ours)


def test_mixup_is_a_training_on_mixed_batches() -> None:
    """Each batch as `mixup` draws it, in a second model of the same stream, trained on with plain Keras."""
    plain, twin, mixing = make_plain(), make_with("mixup(0.2)"), make_with("mixup(0.2)")
    (mixup,) = mixing.get_regularizers(OnBatch)
    plain.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    twin.compile(keras.optimizers.SGD(0.1), "categorical_crossentropy")
    for start in range(0, 48, 16):
        batch = X[start : start + 16], ONE_HOT[start : start + 16]
        mixed = mixup.batch(*map(keras.ops.convert_to_tensor, batch), mixing.get_stream(mixup))
        assert np.abs(mixed[0] - batch[0]).max() > 0.01
        np.testing.assert_allclose(twin.train_on_batch(*batch), plain.train_on_batch(*mixed), ROUNDING)
    for own, value in zip(twin.get_weights(), plain.get_weights(), strict=True):
        np.testing.assert_allclose(own, value, ROUNDING, ROUNDING)


@pytest.mark.parametrize("recipe", RECIPES[-1:])
def test_every_call_works_with_a_recipe(recipe: str) -> None:
    for name, call in CALLS.items():
        keras.utils.set_random_seed(0)
        model = attach(recipe, with_state())
        for key, value in call(model).items():
            assert np.isfinite(np.asarray(value)).all(), (name, key)


@pytest.mark.parametrize("copied", [name for name in COPIES if name != "as_clone"])  # which leaves the recipe out
def test_a_copy_of_a_model_with_a_recipe_goes_on(copied: str, tmp_path: Path) -> None:
    keras.utils.set_random_seed(0)
    model = attach(RECIPES[-1], with_state())
    compile_plainly(model)
    model.fit(X, Y, epochs=2, **FIT)
    copy = COPIES[copied](model, tmp_path)
    assert (copy.recipe, copy.hits) == (model.recipe, model.hits)
    np.testing.assert_allclose(copy.predict(X, verbose=0), model.predict(X, verbose=0), atol=ROUNDING)
    if not copy.compiled:
        compile_plainly(copy)
    assert np.isfinite(copy.fit(X, Y, epochs=1, **FIT).history["loss"]).all()


def test_a_penalty_goes_on_after_a_break_as_without(tmp_path: Path) -> None:
    model = make_with("l2(0.01) + max_norm(0.9)")
    compile_plainly(model)
    model.fit(X, Y, epochs=2, **FIT)
    model.save(tmp_path / "m.keras")
    loaded = keras.models.load_model(tmp_path / "m.keras")
    again = {**FIT, "epochs": 4, "initial_epoch": 2}
    histories = [each.fit(X, Y, **again).history["loss"] for each in (model, loaded)]
    np.testing.assert_allclose(histories[1], histories[0], ROUNDING)
    for own, value in zip(loaded.get_weights(), model.get_weights(), strict=True):
        np.testing.assert_allclose(own, value, ROUNDING, ROUNDING)


@pytest.mark.parametrize("recipe", RECIPES[-1:])
def test_a_backup_is_restored(recipe: str, tmp_path: Path) -> None:
    class Stop(keras.callbacks.Callback):
        def on_epoch_begin(self, epoch: int, logs: Any = None) -> None:
            if epoch == 2:
                raise RuntimeError("interrupted")

    def backup() -> Any:
        return keras.callbacks.BackupAndRestore(tmp_path / "backup")

    first, second = make_with(recipe), make_with(recipe)
    compile_plainly(first)
    with pytest.raises(RuntimeError, match="interrupted"):
        first.fit(X, Y, epochs=4, callbacks=[backup(), Stop()], **FIT)
    compile_plainly(second)
    assert len(second.fit(X, Y, epochs=4, callbacks=[backup()], **FIT).history["loss"]) == 2
