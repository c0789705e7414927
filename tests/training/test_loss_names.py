"""Losses as text: the table is the installed Keras's, values are Keras's, a loss fits its task or is refused."""

from __future__ import annotations

import inspect

import keras
import numpy as np
import pytest
import tensorflow as tf

from regzoo.core import InputError
from regzoo.training.loss_names import LOSSES, LOSSES_OF_TASKS, check_loss, read_loss
from regzoo.training.losses import make_loss
from regzoo.training.task import Task

TASKS = [
    Task("classification", 3),
    Task("multilabel", 4),
    Task("regression", 2, 3.0),
    Task("regression", 2),
    Task("reconstruction", 5),
]
ULP = 2.0**-23


def list_keras_classes() -> set[str]:
    """Return the losses that the installed Keras exports, by class name."""
    found = {name: getattr(keras.losses, name) for name in dir(keras.losses) if name[0].isupper()}
    classes = {name for name, kind in found.items() if inspect.isclass(kind) and issubclass(kind, keras.losses.Loss)}
    return {name for name in classes if name == found[name].__name__}  # without aliases


def test_the_table_has_every_loss_of_the_installed_keras() -> None:
    assert {kind.name for kind in LOSSES.classes.values()} == list_keras_classes() - {"Loss", "CTC", "Circle"}
    assert {name for names in LOSSES_OF_TASKS.values() for name in names} == set(LOSSES.classes)


@pytest.mark.parametrize("name", LOSSES.classes)
def test_arguments_and_defaults_are_those_of_the_installed_keras(name: str) -> None:
    kind = LOSSES.classes[name]
    expected = {
        key: one.default
        for key, one in inspect.signature(getattr(keras.losses, kind.name)).parameters.items()
        if key in kind.arguments or key not in LOSSES.elsewhere
    }
    assert {key: one.default for key, one in kind.arguments.items()} == expected


def make_rows(task: Task) -> tuple[np.ndarray, np.ndarray]:
    """Return targets and outputs (8, size) of the task's kind."""
    random = np.random.default_rng(0)
    logits = random.normal(size=(8, task.size)).astype(np.float32)
    if task.kind == "classification":
        return np.eye(task.size, dtype=np.float32)[random.integers(task.size, size=8)], logits
    if task.kind == "multilabel":
        return random.integers(2, size=logits.shape).astype(np.float32), logits
    return np.abs(random.normal(size=logits.shape)).astype(np.float32), np.abs(logits)


def list_texts(name: str) -> list[str]:
    """Return the loss with its defaults, and with every argument."""
    kind = LOSSES.classes[name]
    axis = "axis=-1" if "axis" in kind.arguments else ""
    values = {"label_smoothing": 0.1, "alpha": 0.4, "gamma": 1.5, "beta": 0.7, "delta": 0.5, "axis": -1, "q": 0.7}
    written = ", ".join(f"{key}={values.get(key, 'true')}" for key in kind.arguments)
    return [f"{name}({axis})", f"{name}({written})"]


def test_every_loss_of_every_task_is_the_mean_that_keras_computes() -> None:
    checked = 0
    for task in TASKS:
        y, logits = make_rows(task)
        outputs = np.asarray(task.predict(logits))
        for name in LOSSES.classes:
            try:
                check_loss(list_texts(name)[0], task)
            except InputError:
                continue
            for text in list_texts(name):
                loss = make_loss(text, task)
                assert loss is not None
                own = getattr(keras.losses, LOSSES.classes[name].name)(**read_loss(text).arguments)
                labels = y.argmax(1) if name.startswith("sparse") or "generalized" in name else y
                found, expected = np.asarray(loss(y, outputs)), np.asarray(own(labels, outputs))
                assert found.shape == (8,)
                # a mean of 8 sums of 5 terms, each within a few ulp
                np.testing.assert_allclose(found.mean(), expected.mean(), rtol=64 * ULP, atol=64 * ULP)
                checked += 1
    assert checked > 50


REFUSED = [
    ("categorical_crossentropy", Task("regression", 2), "no loss for regression, which takes mean_squared_error"),
    ("hinge", Task("regression", 1), "no loss for regression"),
    ("binary_crossentropy", Task("reconstruction", 4), "no loss for reconstruction"),
    ("categorical_focal_crossentropy", Task("multilabel", 3), r"Did you mean 'binary_focal_crossentropy'\?"),
    ("poisson", Task("regression", 1, 2.0), r"positive numbers, and the targets of a regression are standardized"),
    ("mape", Task("regression", 1, 2.0), r"mean_absolute_percentage_error is no loss .*standardized"),
    ("mape", Task("classification", 3), "no loss for classification"),
    ("cosine_similarity", Task("regression", 1), "of one output, only the sign would count"),
    ("dice(axis=-1)", Task("multilabel", 1), "of one label alone"),
]


@pytest.mark.parametrize(("text", "task", "message"), REFUSED)
def test_a_loss_that_does_not_fit_the_task_is_refused(text: str, task: Task, message: str) -> None:
    with pytest.raises(InputError, match=message):
        make_loss(text, task)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("hubber", r"received hubber\. Did you mean 'huber'\?"),
        ("huber(0.5)", r"takes arguments by name, received 0\.5; write huber\(delta=\.\.\.\)"),
        ("huber(delta=0)", r"huber: delta takes a number in \(0, inf\), received 0"),
        ("huber(delt=1)", r"huber has no argument 'delt'\. Did you mean 'delta'\?"),
        ("mae(1)", "write mean_absolute_error alone"),
        ("mae(delta=1)", r"mean_absolute_error has no argument 'delta'\. It takes none\."),
        ("categorical_crossentropy(from_logits=true)", "outputs, which are probabilities"),
        ("huber(reduction=sum)", "the mean over the examples is minimized"),
        ("dice", r"over the whole batch at once.*write dice\(axis=-1\)"),
        ("tversky(alpha=0.3)", r"write tversky\(axis=-1\)"),
        ("ctc", "sequences of labels"),
        ("circle", "no example has a loss of its own"),
    ],
)
def test_what_is_wrong_is_named_with_what_is_allowed(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        read_loss(text)


@pytest.mark.parametrize(
    ("text", "normal"),
    [("mse", "mean_squared_error"), ("huber(delta=1)", "huber"), ("logcosh", "log_cosh"), ("kld", "kl_divergence")],
)
def test_normal_forms(text: str, normal: str) -> None:
    assert str(read_loss(text)) == normal


def test_a_loss_of_keras_and_its_config_are_taken_too() -> None:
    own = keras.losses.CategoricalFocalCrossentropy(alpha=0.4)
    y, logits = make_rows(TASKS[0])
    outputs = np.asarray(TASKS[0].predict(logits))
    for given in (own, keras.losses.serialize(own), lambda y, p: own.call(y, p)):
        loss = make_loss(given, TASKS[0])
        assert loss is not None
        np.testing.assert_array_equal(np.asarray(loss(y, outputs)), np.asarray(own.call(y, outputs)))
    assert make_loss(None, TASKS[0]) is None


def test_a_loss_on_logits_receives_logits() -> None:
    own = keras.losses.CategoricalCrossentropy(from_logits=True)
    y, logits = make_rows(TASKS[0])
    for given, expected in ((own, own.call(y, logits)), ("categorical_crossentropy", TASKS[0].loss(y, logits))):
        loss = make_loss(given, TASKS[0])
        assert loss is not None
        np.testing.assert_allclose(loss.compute(TASKS[0], y, tf.constant(logits)), expected, rtol=16 * ULP)


def test_generalized_cross_entropy_has_gradients_where_a_probability_is_zero() -> None:
    loss = make_loss("categorical_generalized_cross_entropy", TASKS[0])
    assert loss is not None
    y, outputs = tf.constant([[0.0, 0.7, 0.3]]), tf.constant([[0.0, 0.25, 0.75]])
    with tf.GradientTape() as tape:
        tape.watch(outputs)
        value = loss(y, outputs)
    np.testing.assert_allclose(value, [0.7 * 2 * (1 - 0.5) + 0.3 * 2 * (1 - 0.75**0.5)], rtol=4 * ULP)
    np.testing.assert_allclose(tape.gradient(value, outputs), [[0.0, -0.7 / 0.5, -0.3 / 0.75**0.5]], rtol=4 * ULP)
