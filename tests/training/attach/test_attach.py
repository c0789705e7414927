"""Attach: the user's own model keeps its weights and answers, and the recipe finds the places that a backbone has."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest

from regzoo.core import InputError
from regzoo.training.attach.attach import AttachedModel, attach
from regzoo.training.attach.graph import Graph

L = keras.layers
Rows = tuple[np.ndarray, np.ndarray]
QUIET: Any = {"verbose": 0, "shuffle": False, "batch_size": 16}


def sequential(**last: Any) -> keras.Sequential:
    """5 inputs, two hidden layers, 3 classes."""
    hidden = [L.Dense(8, activation="relu"), L.Dense(7), L.BatchNormalization(), L.ReLU(), L.Dropout(0.3)]
    return keras.Sequential([keras.Input((5,)), *hidden, L.Dense(3, **(last or {"activation": "softmax"}))])


def plain() -> keras.Model:
    """5 inputs, a hidden layer, 3 classes."""
    return keras.Sequential([keras.Input((5,)), L.Dense(8, activation="relu"), L.Dense(3, activation="softmax")])


def functional(make: Callable[[Any], Any], shape: tuple[int | None, ...] = (6,), dtype: str = "float32") -> keras.Model:
    """The model of ``outputs = make(inputs)``."""
    inputs = keras.Input(shape, dtype=dtype)
    return keras.Model(inputs, make(inputs))


def two_inputs(kind: type = dict) -> keras.Model:
    """Numbers and the number of a word, in a dict or a list."""
    numbers, word = keras.Input((5,), name="numbers"), keras.Input((), name="word", dtype="int32")
    h = L.Concatenate()([L.Dense(4, activation="relu")(numbers), L.Embedding(7, 3)(word)])
    inputs: Any = {"numbers": numbers, "word": word} if kind is dict else [numbers, word]
    return keras.Model(inputs, L.Dense(3, activation="softmax")(L.Dense(6, activation="tanh")(h)))


def census(model: keras.Model) -> dict[str, int]:
    """How many slots of each kind it has."""
    return {kind: count for kind, count in Graph(model).count_slots().items() if count}


def equal(one: list[np.ndarray], other: list[np.ndarray]) -> bool:
    return len(one) == len(other) and all(np.array_equal(a, b) for a, b in zip(one, other, strict=True))


# --- weights and answers -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["none", "dropout(0.5) + l2(0.01) + activation_noise(0.1) + weight_decay(0.1)"])
def test_weights_and_answers_are_those_of_the_model(rows: Rows, recipe: str) -> None:
    model = sequential()
    model.compile("sgd", "sparse_categorical_crossentropy")
    model.fit(*rows, epochs=1, **QUIET)  # so that the batch norm's averages are no round numbers
    before = model.get_weights()
    attached = attach(recipe, model)
    assert equal(attached.get_weights(), before)
    np.testing.assert_array_equal(attached.predict(rows[0], verbose=0), model.predict(rows[0], verbose=0))
    attached.fit(*rows, epochs=2, **QUIET)
    assert not equal(attached.get_weights(), before)
    assert equal(model.get_weights(), before)  # the user's own is left alone


def test_fit_learns_and_says_what_a_built_model_says(rows: Rows) -> None:
    attached = attach("dropout(0.1)", sequential(), optimizer=keras.optimizers.Adam(0.01))
    history = attached.fit(*rows, epochs=15, validation_data=rows, **QUIET).history
    assert set(history) == {"loss", "accuracy", "val_loss", "val_accuracy"}
    assert history["val_loss"][-1] < 0.8 * history["val_loss"][0]


def test_reset_puts_back_the_weights_whatever_the_seed(rows: Rows) -> None:
    model = sequential()
    attached = attach("dropout(0.5)", model, optimizer="sgd", seed=3)
    ends: dict[int, list[np.ndarray]] = {}
    for seed in (3, 4, 3):
        attached.reset(seed)
        assert equal(attached.get_weights(), model.get_weights())
        assert int(attached.optimizer.iterations) == 0
        attached.fit(*rows, epochs=1, **QUIET)
        again = attached.get_weights()
        assert seed not in ends or equal(ends[seed], again)  # the same seed, the same masks, the model's own included
        ends[seed] = again
    assert not equal(ends[3], ends[4])


def test_the_models_own_streams_differ_from_one_another() -> None:
    nested = keras.Sequential([keras.Input((6,)), L.Dropout(0.5), L.Dropout(0.5)])
    model = functional(lambda x: L.Dense(2)(L.Dropout(0.5)(nested(x))))
    attached = attach("none", model)
    states = {tuple(v.numpy()) for v in attached.variables if "seed_generator" in v.path}
    assert len(states) == 3


def test_losses_of_its_own_layers_are_part_of_the_loss(rows: Rows) -> None:
    penalties = {"kernel_regularizer": keras.regularizers.L2(0.5), "activity_regularizer": keras.regularizers.L1(0.25)}
    model = functional(
        lambda x: L.Dense(3, activation="softmax")(L.Dense(4, activation="relu", **penalties)(x)), shape=(5,)
    )
    x, y = rows
    kernel, bias = model.layers[1].get_weights()
    hidden = np.maximum(x @ kernel + bias, 0.0)
    attached = attach("none", model, optimizer=keras.optimizers.SGD(0.0))
    history = attached.fit(x, y, epochs=1, verbose=0, batch_size=60, validation_data=(x, y), validation_batch_size=60)
    # Keras's activity penalties are divided by the batch; after the nonlinearity, as in the user's layer.
    own = 0.5 * np.sum(kernel**2) + 0.25 * np.abs(hidden).sum() / 60
    # Float32 sums of some hundred terms.
    assert history.history["loss"][0] - history.history["val_loss"][0] == pytest.approx(own, rel=1e-4)


def test_a_frozen_layer_stays_frozen(rows: Rows) -> None:
    model = sequential()
    model.layers[0].trainable = False
    attached = attach("l2(0.01)", model)
    assert attached.hits == {"l2": 2}
    attached.fit(*rows, epochs=1, **QUIET)
    assert equal(attached.get_weights()[:2], model.get_weights()[:2])


def test_pretrained_statistics_of_a_normalization_come_along(rows: Rows) -> None:
    normalization = L.Normalization()
    normalization.adapt(rows[0])
    attached = attach("dropout(0.5)", keras.Sequential([keras.Input((5,)), normalization, *sequential().layers]))
    assert attached.hits == {"dropout": 2}  # attach itself compares the answers


# --- places ------------------------------------------------------------------------------------------------------


def test_slots_stand_where_a_backbone_has_them() -> None:
    assert census(sequential()) == {"input": 1, "preactivation": 2, "activation": 2}
    recipe = "dropout(0.5) + batch_norm(0.9) + l2(0.1) + weight_decay(0.1) + gaussian_noise(0.1)"
    # Two nonlinearities, one of them inside its layer; three kernels; the optimizer and the batch as a whole.
    wanted = {"dropout": 2, "batch_norm": 2, "l2": 3, "weight_decay": 1, "gaussian_noise": 1}
    assert attach(recipe, sequential()).hits == wanted


def test_what_is_inserted_acts_on_the_nonlinearity_inside_a_layer(rows: Rows) -> None:
    attached = attach("dropout(1.0)", plain())
    assert not np.any(attached.logits(rows[0], training=True))  # all hidden units are off, and biases start at 0
    assert np.any(attached.logits(rows[0]))
    kinds = [type(layer).__name__ for layer in attach("batch_norm(0.9) + dropout(0.1)", plain()).layers]
    assert kinds[1:6] == ["Dense", "BatchNormalization", "Activation", "InTraining", "Dense"]


@pytest.mark.parametrize(
    "layer",
    [
        lambda: L.Activation("gelu"),
        lambda: L.LeakyReLU(),
        lambda: L.PReLU(),
        lambda: L.ELU(),
        lambda: keras.activations.relu,
        lambda: keras.ops.silu,
        lambda: keras.ops.tanh,
        lambda: L.Dense(6, activation="sigmoid"),
    ],
)
def test_nonlinearities_of_all_kinds_are_found(layer: Callable[[], Any]) -> None:
    assert census(functional(lambda x: L.Dense(2)(layer()(x)))) == {"input": 1, "preactivation": 1, "activation": 1}


@pytest.mark.parametrize("layer", [lambda: L.Activation("linear"), lambda: L.Softmax(), lambda: L.Dense(6)])
def test_what_is_no_hidden_nonlinearity_is_none(layer: Callable[[], Any]) -> None:
    assert census(functional(lambda x: L.Dense(2)(layer()(x)))) == {"input": 1}


def test_recurrent_layers_give_activations_and_hold_the_rest_inside() -> None:
    model = functional(lambda x: L.Dense(2)(L.Bidirectional(L.GRU(3))(L.LSTM(4, return_sequences=True)(x))), (7, 5))
    assert census(model) == {"input": 1, "activation": 2}
    assert attach("dropout(0.5)", model).hits == {"dropout": 2}


def test_a_shared_layer_has_slots_at_every_call() -> None:
    shared = L.Dense(6, activation="relu")
    model = functional(lambda x: L.Dense(2)(shared(shared(x))))
    attached = attach("dropout(0.5) + l2(0.1)", model)
    assert attached.hits == {"dropout": 2, "l2": 2}
    assert len(attached.get_weights()) == 4
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))


def dense(name: str, **options: Any) -> Any:
    return L.Dense(6, name=name, **options)


def same_depth(x: Any) -> Any:
    return L.Add()([dense("a")(x), dense("b")(x)])


def two_towers(_: Any) -> keras.Model:
    left, right = keras.Input((6,)), keras.Input((6,))
    return keras.Model([left, right], L.Dense(2)(L.Add()([dense("a")(left), dense("c")(dense("b")(right))])))


@pytest.mark.parametrize(
    ("join", "branches"),
    [
        (lambda x: L.Add()([x, dense("a")(x)]), 1),
        (lambda x: L.Add()([dense("b")(dense("a")(x)), x]), 1),
        (lambda x: x + dense("a")(x), 1),
        (lambda x: L.Add()([dense("short")(x), dense("b")(dense("a")(x))]), 1),  # a shortcut with a projection
        (lambda x: L.Add()([x, dense("a")(x), dense("b")(x)]), 2),
        (same_depth, 0),  # either could be the shortcut
        (lambda x: L.Add()([x, L.Dense(1)(x)]), 0),  # broadcast: no residual
        (lambda x: L.Concatenate()([x, dense("a")(x)]), 0),
    ],
)
def test_branches_are_what_is_added_to_the_shortcut(join: Callable[[Any], Any], branches: int) -> None:
    assert census(functional(lambda x: L.Dense(2)(join(L.Dense(6, name="stem")(x))))).get("branch", 0) == branches


def test_towers_that_have_nothing_in_common_are_no_branches() -> None:
    assert census(two_towers(None)) == {"input": 2}


def test_it_is_the_branch_that_is_dropped_and_not_the_shortcut() -> None:
    model = functional(lambda x: L.Dense(2, use_bias=False, kernel_initializer="ones")(L.Add()([dense("a")(x), x])))
    attached = attach("stochastic_depth(1.0)", model)
    x = np.array([[1.0, 2.0, 3.0, 4.0, 5.0, 6.0]], np.float32)
    np.testing.assert_array_equal(attached.logits(x, training=True), [[21.0, 21.0]])


def test_an_architecture_of_keras_is_reached_all_over() -> None:
    model = keras.applications.MobileNetV2((32, 32, 3), alpha=0.35, weights=None, classes=4)
    attached = attach("dropout(0.1) + stochastic_depth(0.1) + l2(0.0001)", model)
    # 17 blocks with two nonlinearities each, less the one that does not expand, and one before and one after them;
    # 10 of the blocks keep the shape of what they are added to.
    assert attached.hits["dropout"] == 35
    assert attached.hits["stochastic_depth"] == 10
    assert attached.hits["l2"] == sum(w.ndim > 1 for w in model.get_weights())
    assert equal(attached.get_weights(), model.get_weights())
    x = np.random.default_rng(0).standard_normal((2, 32, 32, 3)).astype(np.float32)
    # Sums over other batches of images may be taken in another order; probabilities are near 1/4.
    np.testing.assert_allclose(attached(x), model(x), atol=1e-6)


def test_a_nested_model_is_one_layer_whose_weights_are_in_reach(rows: Rows) -> None:
    inner = keras.Sequential([keras.Input((5,)), L.Dense(4, activation="relu"), L.Dense(4, activation="relu")])
    model = functional(lambda x: L.Dense(3, activation="softmax")(inner(x)), shape=(5,))
    assert attach("l2(0.1)", model).hits == {"l2": 3}
    np.testing.assert_array_equal(
        attach("l2(0.1)", model).predict(rows[0], verbose=0), model.predict(rows[0], verbose=0)
    )
    with pytest.raises(InputError, match=r"dropout finds no place to act.*such as a nested model.*is out of reach"):
        attach("dropout(0.5)", model)


def test_attention_inside_a_layer_is_out_of_reach() -> None:
    model = functional(lambda x: L.Dense(2)(L.Flatten()(L.Add()([x, L.MultiHeadAttention(2, 4)(x, x)]))), shape=(3, 5))
    assert census(model) == {"input": 1, "branch": 1}
    with pytest.raises(InputError, match=r"attention_dropout finds no place.*MultiHeadAttention, is out of reach"):
        attach("attention_dropout(0.1)", model)


def test_names_of_inserted_layers_give_way_to_the_users(rows: Rows) -> None:
    taken = ["batch_normalization", "in_training", "relu", "first_activation", "probabilities", "two_logits"]
    hidden = [L.Dense(5, activation="relu", name="first"), *(L.Dense(5, name=name) for name in taken)]
    model = keras.Sequential([keras.Input((5,)), *hidden, L.Dense(1, activation="sigmoid")])
    keras.backend.clear_session()  # Keras numbers names anew, as in a process that has loaded the model
    attached = attach("batch_norm(0.9) + dropout(0.5)", model, classes=2)
    assert {layer.name for layer in model.layers} < {layer.name for layer in attached.layers}
    assert attached.hits == {"batch_norm": 1, "dropout": 1}


# --- inputs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [dict, list])
def test_several_inputs_train_as_in_keras(rows: Rows, kind: type) -> None:
    numbers, y = rows
    words = (np.arange(len(y)) % 7).astype(np.int32)
    x: Any = {"numbers": numbers, "word": words} if kind is dict else [numbers, words]
    model = two_inputs(kind)
    attached = attach("dropout(0.5) + l2(0.001) + label_smoothing(0.1)", model)
    assert attached.hits == {"dropout": 2, "l2": 4, "label_smoothing": 1}
    assert census(model) == {"input": 1, "preactivation": 2, "activation": 2}  # a word's number is no slot
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    assert "val_loss" in attached.fit(x, y, epochs=1, validation_data=(x, y), **QUIET).history


@pytest.mark.parametrize("recipe", ["gaussian_noise(0.1)", "mixup(0.2)", "adversarial(0.1)", "snapshot_ensemble(2)"])
@pytest.mark.parametrize("kind", [dict, list])
def test_what_needs_one_array_is_refused_for_several(recipe: str, kind: type) -> None:
    with pytest.raises(InputError, match="needs inputs that are one array of floating numbers"):
        attach(recipe, two_inputs(kind))


def test_numbers_of_words_take_no_noise() -> None:
    model = functional(
        lambda x: L.Dense(2, activation="softmax")(L.Flatten()(L.Embedding(9, 3)(x))), shape=(4,), dtype="int32"
    )
    assert attach("l2(0.1)", model).hits == {"l2": 2}
    with pytest.raises(InputError, match="gaussian_noise needs inputs that are one array of floating numbers"):
        attach("gaussian_noise(0.1)", model)


# --- tasks -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("make", "classes"),
    [
        (lambda h: L.Dense(3, activation="softmax")(h), None),
        (lambda h: L.Softmax()(L.Dense(3)(h)), None),
        (lambda h: L.Activation("softmax")(L.Dense(3)(h)), 3),
        (lambda h: keras.ops.softmax(L.Dense(3)(h)), None),
    ],
)
def test_a_softmax_classifies_and_logits_are_what_it_is_given(make: Any, classes: int | None) -> None:
    model = functional(make)
    attached = attach("none", model, classes)
    assert (attached.task.kind, attached.task.size) == ("classification", 3)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    kernel, bias = model.get_weights()
    np.testing.assert_allclose(attached.logits(x), x @ kernel + bias, atol=1e-5)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))


def test_numbers_are_regression_unless_classes_are_named() -> None:
    model = functional(lambda h: L.Dense(3)(L.Dense(4, activation="relu")(h)))
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    regression, classification = attach("dropout(0.1)", model), attach("dropout(0.1)", model, classes=3)
    assert (regression.task.kind, classification.task.kind) == ("regression", "classification")
    np.testing.assert_array_equal(regression.predict(x, verbose=0), model.predict(x, verbose=0))
    np.testing.assert_array_equal(classification.logits(x), model(x))
    np.testing.assert_allclose(classification.predict(x, verbose=0).sum(1), 1.0, atol=1e-6)


def test_a_last_function_that_is_none_of_these_stays_in_place() -> None:
    model = functional(lambda h: L.Dense(1, activation="softplus")(h))
    attached = attach("l2(0.1)", model)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    assert census(model) == {"input": 1}


@pytest.mark.parametrize(
    "make", [lambda h: L.Dense(1, activation="sigmoid")(h), lambda h: L.Activation("sigmoid")(L.Dense(1)(h))]
)
def test_one_sigmoid_becomes_two_probabilities_if_asked_for(make: Any) -> None:
    model = functional(make)
    with pytest.raises(InputError, match=r"ends in a sigmoid over 1: give classes=2 to have two probabilities"):
        attach("none", model)
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    attached = attach("none", model, classes=2)
    p = model.predict(x, verbose=0)
    np.testing.assert_allclose(attached.predict(x, verbose=0), np.hstack([1 - p, p]), atol=1e-6)
    attached.fit(x, np.array([0, 1, 0, 1]), epochs=1, **QUIET)


def wrapped(activation: str, size: int) -> Callable[[Any], Any]:
    return lambda x: keras.Sequential([keras.Input((6,)), L.Dense(size, activation=activation)], name="inner")(x)


class Subclassed(keras.Model):
    """Its layers are not seen from outside."""

    def __init__(self) -> None:
        super().__init__()
        self.dense = L.Dense(2)

    def call(self, x: Any) -> Any:
        return self.dense(x)


def test_several_sigmoids_are_several_labels() -> None:
    model = functional(lambda h: L.Dense(3, activation="sigmoid")(h))
    x = np.random.default_rng(0).standard_normal((4, 6)).astype(np.float32)
    attached = attach("none", model)
    assert (attached.task.kind, attached.task.size) == ("multilabel", 3)
    np.testing.assert_allclose(attached.predict(x, verbose=0), model.predict(x, verbose=0), atol=1e-6)
    attached.fit(x, np.eye(4, 3), epochs=1, **QUIET)


@pytest.mark.parametrize(
    ("make", "classes", "reason"),
    [
        (lambda h: L.Dense(3, activation="softmax")(h), 4, "ends in a softmax over 3, received classes=4"),
        (lambda h: L.Dense(3, activation="sigmoid")(h), 3, "ends in a sigmoid over 3"),
        (lambda h: L.Dense(3)(h), 2, "needs a model that ends in 2 logits, received 3 of linear"),
        (lambda h: L.Dense(3, activation="relu")(h), 3, "needs a model that ends in 3 logits, received 3 of relu"),
        (lambda h: L.Reshape((3, 2))(h), None, r"outputs \(batch, size\), received outputs of shape \(None, 3, 2\)"),
        (wrapped("softmax", 3), None, "outputs are probabilities, and its last layer 'inner' does not show it"),
        (wrapped("sigmoid", 1), 2, "outputs are probabilities, and its last layer 'inner' does not show it"),
        (lambda h: L.Activation("linear", name="as_is")(L.Dense(3, activation="softmax")(h)), None, "'as_is' does not"),
        (lambda h: [L.Dense(1)(h), L.Dense(2)(h)], None, "a model with one output, received 2: choose one"),
        (lambda h: h, None, "returns its input"),
    ],
)
def test_what_ends_in_no_task_is_refused(make: Any, classes: int | None, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        attach("l2(0.1)", functional(make), classes)


@pytest.mark.parametrize(
    ("model", "recipe", "reason"),
    [
        (Subclassed, "l2(0.1)", r"Subclassed is a subclass of keras.Model.*build it with the functional API"),
        (lambda: keras.Sequential([L.Dense(2)]), "l2(0.1)", r"is not built: begin it with keras.Input"),
        (lambda: "mlp", "l2(0.1)", "attach takes a keras.Model, received str"),
        (lambda: attach("none", plain()), "l2(0.1)", "has a recipe already"),
        (plain, "dropout", r"dropout\.rate .* is left to the search"),
        (plain, "ensemble(2)", "ensemble acts on trained models"),
        (plain, "dropuot(0.1)", "Did you mean 'dropout'"),
        (plain, "random_flip(0.5)", "random_flip needs images"),
    ],
)
def test_what_cannot_be_attached_is_refused(model: Callable[[], Any], recipe: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        attach(recipe, model())


class Tied(keras.Layer):
    """Multiplies by the transposed kernel of another layer."""

    def __init__(self, other: Any, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.other = other

    def call(self, x: Any) -> Any:
        return x @ keras.ops.transpose(self.other.kernel)


def test_tied_weights_are_refused_since_copies_would_be_two() -> None:
    first = L.Dense(4, use_bias=False, name="first")
    with pytest.raises(
        InputError, match="the layers 'first' and 'second' share a weight, which copies of them would not"
    ):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(Tied(first, name="second")(first(x)))))


class Scaled(keras.Layer):
    """Multiplies by a number that its config does not hold if it is changed."""

    by = 1.0

    def call(self, x: Any) -> Any:
        return self.by * x


class Configless(keras.Layer):
    """Cannot be written down."""

    def call(self, x: Any) -> Any:
        return x

    def get_config(self) -> Any:
        raise NotImplementedError("not today")


def test_a_layer_that_is_not_its_config_is_refused() -> None:
    changed = Scaled()
    changed.by = 3.0
    with pytest.raises(InputError, match=r"a copy of the model answers otherwise.*get_config"):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(changed(x))))
    with pytest.raises(InputError, match=r"'mute' cannot be copied.*NotImplementedError: not today"):
        attach("l2(0.1)", functional(lambda x: L.Dense(2)(Configless(name="mute")(x))))
    assert attach("l2(0.1)", functional(lambda x: L.Dense(2)(Scaled()(x)))).hits == {"l2": 1}


# --- files -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("recipe", ["none", "dropout(0.5) + l2_sp(0.01)", "batch_norm(0.9)"])
def test_saved_and_loaded_it_answers_and_resets_the_same(rows: Rows, recipe: str, tmp_path: Path) -> None:
    model = sequential()
    attached = attach(recipe, model, seed=5)
    start = attached.get_weights()
    attached.fit(*rows, epochs=2, **QUIET)
    attached.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    assert isinstance(loaded, AttachedModel)
    assert (loaded.recipe, loaded.hits, loaded.dials) == (attached.recipe, attached.hits, attached.dials)
    np.testing.assert_array_equal(loaded.predict(rows[0], verbose=0), attached.predict(rows[0], verbose=0))
    # The distance that l2_sp takes is to the weights at the start, not to those of a fresh model.
    ends = []
    for made in (attached, loaded):
        made.reset(5)
        assert equal(made.get_weights(), start)
        made.fit(*rows, epochs=1, **QUIET)
        ends.append(made.get_weights())
    assert equal(*ends)


def test_averages_that_go_along_with_weights_are_saved(rows: Rows, tmp_path: Path) -> None:
    attached = attach("lookahead(k=5, alpha=0.5)", plain(), optimizer=keras.optimizers.SGD(0.1))
    attached.fit(*rows, epochs=1, **QUIET)
    attached.save(tmp_path / "model.keras")
    loaded = keras.models.load_model(tmp_path / "model.keras")
    averages = [[np.asarray(beside) for _, beside in made.companions("lookahead")] for made in (attached, loaded)]
    assert len(averages[0]) == 4
    assert equal(*averages)


def test_several_inputs_and_layers_of_ones_own_are_saved(tmp_path: Path) -> None:
    attached = attach("dropout(0.5)", two_inputs())
    attached.save(tmp_path / "model.keras")
    x = {"numbers": np.ones((2, 5), np.float32), "word": np.zeros(2, np.int32)}
    np.testing.assert_array_equal(
        keras.models.load_model(tmp_path / "model.keras").predict(x, verbose=0), attached.predict(x, verbose=0)
    )
    own = attach("l2(0.1)", functional(lambda x: L.Dense(2)(Scaled()(x))))
    own.save(tmp_path / "own.keras")
    loaded = keras.models.load_model(tmp_path / "own.keras", custom_objects={"Scaled": Scaled})
    assert equal(loaded.get_weights(), own.get_weights())


def test_a_lambda_is_refused_when_saved(tmp_path: Path) -> None:
    model = functional(lambda x: L.Dense(2)(L.Lambda(lambda h: np.float32(2) * h)(x)))
    attached = attach("l2(0.1)", model)
    x = np.ones((2, 6), np.float32)
    np.testing.assert_array_equal(attached.predict(x, verbose=0), model.predict(x, verbose=0))
    with pytest.raises(InputError, match="cannot be saved: it holds a Lambda layer"):
        attached.save(tmp_path / "model.keras")
