"""The twin law: ``attach("none", m)`` trains, evaluates, predicts and is saved as ``m`` is. Keras gives the values."""

from __future__ import annotations

import functools
import inspect
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from tests.training.attach.twins import (
    DENSE,
    HALF,
    ONE_HOT,
    ROUNDING,
    SPARSE,
    WEIGHTS,
    Batches,
    Case,
    Y,
    assert_same_training,
    compile_and_fit,
    dataset,
    dense,
    generate,
    images,
    make_twins,
    metrics,
    sequences,
    shared,
    two_inputs,
    with_state,
    x_for,
)

L = keras.layers


def optimizers() -> dict[str, Case]:
    """Return a case for each optimizer of the installed Keras, and for what all of them take."""
    found = {name: kind for name, kind in vars(keras.optimizers).items() if inspect.isclass(kind)}
    wrappers = ("Optimizer", "OptimizerMap", "MultiOptimizer", "LossScaleOptimizer")
    plain = {name: kind for name, kind in found.items() if name not in wrappers and name[0].isupper()}
    options: dict[str, dict[str, Any]] = {
        "loss_scale_factor": {"loss_scale_factor": 512.0},
        "ema": {"use_ema": True, "ema_momentum": 0.7, "ema_overwrite_frequency": 3},
        "accumulation": {"gradient_accumulation_steps": 2},
        "clipnorm": {"clipnorm": 0.01},
        "global_clipnorm": {"global_clipnorm": 0.01},
        "clipvalue": {"clipvalue": 0.001},
        "weight_decay": {"weight_decay": 0.1},
        "schedule": {"learning_rate": keras.optimizers.schedules.ExponentialDecay(0.1, 2, 0.5)},
    }

    def scaled() -> Any:
        return keras.optimizers.LossScaleOptimizer(keras.optimizers.SGD(0.1), initial_scale=64.0)

    def several() -> Any:
        adam, sgd = keras.optimizers.Adam(0.01), keras.optimizers.SGD(0.1)
        return keras.optimizers.MultiOptimizer(lambda variable: adam if "first" in variable.path else sgd)

    return {
        **{name: Case(optimizer=kind) for name, kind in plain.items()},
        **{name: Case(optimizer=functools.partial(keras.optimizers.Adam, **given)) for name, given in options.items()},
        "loss scale optimizer": Case(optimizer=scaled),
        "one for each layer": Case(optimizer=several),
    }


M = keras.metrics

TARGETS = {
    "one-hot": Case(
        y=ONE_HOT,
        loss=DENSE,
        compile=metrics(
            lambda: "accuracy",
            M.CategoricalAccuracy,
            M.AUC,
            lambda: M.F1Score(average="macro"),
            M.Precision,
            lambda: M.Recall(class_id=1),
            lambda: M.TopKCategoricalAccuracy(2),
            M.KLDivergence,
        ),
    ),
    "class numbers": Case(compile=metrics(lambda: "accuracy", lambda: M.SparseTopKCategoricalAccuracy(2))),
    "a column of class numbers": Case(y=Y[:, None], compile=metrics(lambda: "accuracy")),
    "label smoothing": Case(y=ONE_HOT, loss=keras.losses.CategoricalCrossentropy(label_smoothing=0.1)),
    "focal": Case(y=ONE_HOT, loss=keras.losses.CategoricalFocalCrossentropy()),
    "the sum of a batch": Case(loss=keras.losses.SparseCategoricalCrossentropy(reduction="sum")),
    "an ignored class": Case(loss=keras.losses.SparseCategoricalCrossentropy(ignore_class=1)),
    "a list of one loss": Case(loss=[SPARSE], compile=lambda: {"loss_weights": [0.5]}),
    "hinge": Case(y=2 * ONE_HOT - 1, loss="categorical_hinge"),
    "a function": Case(y=ONE_HOT, loss=lambda y, p: keras.ops.mean(keras.ops.square(y - p), axis=-1)),
    "one sigmoid": Case(
        make=lambda: dense(L.Dense(1, "sigmoid")),
        y=(Y > 0).astype(np.float32),
        loss="binary_crossentropy",
        compile=metrics(lambda: "accuracy", M.AUC, M.Precision),
    ),
    "labels": Case(
        make=lambda: dense(L.Dense(3, "sigmoid")), y=ONE_HOT, loss="binary_crossentropy", compile=metrics(M.AUC)
    ),
    "numbers": Case(make=lambda: dense(L.Dense(1)), y=Y * 0.5, loss="huber", compile=metrics(lambda: "mae")),
    "two numbers": Case(make=lambda: dense(L.Dense(3)), y=ONE_HOT, loss="mse", compile=metrics(lambda: "mae")),
}

MODELS = {
    "state": Case(make=with_state),
    "shared": Case(make=shared),
    "sequences": Case(make=sequences),
    "two inputs": Case(make=two_inputs),
    "images": Case(make=images),
}


DATA = {
    "dataset": Case(data=lambda x, y: {"x": dataset(x, y)}),
    "endless dataset": Case(data=lambda x, y: {"x": dataset(x, y).repeat(), "steps_per_epoch": 3}),
    "PyDataset": Case(data=lambda x, y: {"x": Batches(x, y)}),
    "generator": Case(data=lambda x, y: {"x": generate(x, y), "steps_per_epoch": 4}),
    "sample weights": Case(fit=lambda: {"sample_weight": WEIGHTS}, compile=metrics(lambda: "accuracy")),
    "sample weights and penalties": Case(make=with_state, fit=lambda: {"sample_weight": WEIGHTS}),
    "class weights": Case(fit=lambda: {"class_weight": {0: 1.0, 1: 5.0, 2: 0.0}}),
    "validation split": Case(fit=lambda: {"validation_split": 0.3}, compile=metrics(lambda: "accuracy")),
}

FLAGS = {
    "eager": Case(compile=lambda: {"run_eagerly": True}),
    "several steps": Case(compile=lambda: {"steps_per_execution": 3}),
    "XLA": Case(compile=lambda: {"jit_compile": True}, data=lambda x, y: {"x": x[:48], "y": y[:48], "batch_size": 16}),
    "mixed_bfloat16": Case(policy="mixed_bfloat16", tolerance=HALF),
    "mixed_float16": Case(policy="mixed_float16", tolerance=HALF),
    "float64": Case(policy="float64", tolerance=1e-9),
}

CASES = {
    f"{group}: {name}": case
    for group, cases in {
        "optimizer": optimizers(),
        "targets": TARGETS,
        "model": MODELS,
        "data": DATA,
        "flag": FLAGS,
    }.items()
    for name, case in cases.items()
}

QUICK = {
    *("optimizer: loss_scale_factor", "flag: float64"),
}


@pytest.mark.parametrize(
    ("policy", "case"),
    [
        pytest.param(case.policy, case, id=name, marks=[] if name in QUICK else [pytest.mark.slow])
        for name, case in CASES.items()
    ],
    indirect=["policy"],
)
def test_the_twin_trains_as_the_model_does(policy: str, case: Case) -> None:
    assert_same_training(*make_twins(case.make), case)


NEUTRAL = "l2(0.0) + gradient_clip(1000000.0)"
"""A recipe that takes part in the training step and changes nothing."""

NEUTRAL_ON_EXAMPLES = "flooding(0.0)"
"""One that receives the loss of each example, and changes nothing."""

NO_EXAMPLE_LOSS = ("the sum of a batch", "an ignored class", "a list of one loss")


@pytest.mark.slow
@pytest.mark.parametrize("policy", ["float32"], indirect=True)
@pytest.mark.parametrize(
    ("name", "recipe"),
    [
        (name, recipe)
        for name in {**TARGETS, **MODELS, **DATA}
        for recipe in (NEUTRAL, NEUTRAL_ON_EXAMPLES)
        if recipe == NEUTRAL or name not in NO_EXAMPLE_LOSS
    ],
)
def test_a_loss_counts_in_regzoos_own_step_as_in_keras(policy: str, name: str, recipe: str) -> None:
    case = {**TARGETS, **MODELS, **DATA}[name]
    assert_same_training(*make_twins(case.make, recipe), case)


@pytest.mark.parametrize("name", NO_EXAMPLE_LOSS)
def test_a_loss_without_a_value_for_each_example_is_refused(name: str) -> None:
    _, twin = make_twins(dense, NEUTRAL_ON_EXAMPLES)
    with pytest.raises(InputError, match=r"takes one loss|reduction='sum'|ignore_class"):
        twin.compile("sgd", TARGETS[name].loss)


@pytest.mark.slow
@pytest.mark.parametrize("frozen_before", [True, False])
def test_frozen_and_unfrozen_layers_train_as_in_the_model(frozen_before: bool) -> None:
    def make() -> keras.Model:
        model = dense()
        model.get_layer("first").trainable = not frozen_before
        return model

    moved = []
    for model in make_twins(make):
        weights = model.get_layer("first").get_weights()
        if not frozen_before:
            model.get_layer("first").trainable = False
        compile_and_fit(model, Case(), x_for(model))
        np.testing.assert_array_equal(model.get_layer("first").get_weights()[0], weights[0])
        model.get_layer("first").trainable = True
        moved.append(compile_and_fit(model, Case(), x_for(model))["p"])
    np.testing.assert_allclose(moved[1], moved[0], atol=ROUNDING)
