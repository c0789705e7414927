"""Monte Carlo dropout: statistics of the passes, predictions that depend on the row alone, and whole runs."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import keras
import numpy as np
import pytest
import tensorflow as tf

import regzoo
from regzoo.core import InputError, OnActivations, Slot, parse, regularizers
from regzoo.core.layers import InTraining, noise_at_inference
from regzoo.core.slots import SLOT_KINDS
from regzoo.regularizers import Ensemble, McDropout
from regzoo.regularizers._monte_carlo import (
    run_stochastic_pass,
    summarize_labels,
    summarize_numbers,
    summarize_probabilities,
)
from regzoo.regularizers.mc_dropout import DROPOUTS
from regzoo.testing.harness import fix_strengths
from regzoo.training.engine.make_model import load_finished_model
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Run
from regzoo.training.setup import TrainingSetup
from regzoo.training.task import Task


def built(recipe: str = "dropout(0.5)", seed: int = 0, **size: Any) -> Any:
    """Return a model with dropout."""
    return regzoo.build("mlp([16])", recipe, input_shape=(5,), seed=seed, **(size or {"classes": 3}))


def nll(probabilities: Any, y: np.ndarray) -> float:
    """Return the mean negative log-likelihood of the labels."""
    return float(-np.log(np.asarray(probabilities)[np.arange(len(y)), y]).mean())


@pytest.fixture(scope="module")
def trained(rows: Any) -> Any:
    """Return a trained model."""
    model = built()
    step = tf.function(model.update)
    for _ in range(300):
        step(*rows)
    return model


def test_uncertainty_by_hand() -> None:
    # Two sure passes that disagree: all of the doubt is disagreement. Two that agree on 50:50: none of it.
    found = summarize_probabilities(tf.constant([[1.0, 0.0], [0.0, 1.0]]))
    assert found["probabilities"].numpy() == pytest.approx([0.5, 0.5])
    assert float(found["predictive_entropy"]) == pytest.approx(math.log(2), rel=1e-6)
    assert float(found["mutual_information"]) == pytest.approx(math.log(2), rel=1e-6)
    found = summarize_probabilities(tf.constant([[0.5, 0.5], [0.5, 0.5]]))
    assert float(found["predictive_entropy"]) == pytest.approx(math.log(2), rel=1e-6)
    assert float(found["mutual_information"]) == pytest.approx(0, abs=1e-6)
    numbers = summarize_numbers(tf.constant([[1.0], [3.0]]))
    assert [float(value[0]) for value in numbers.values()] == [2.0, 1.0]


def test_the_uncertainty_of_several_labels_by_hand() -> None:
    # Each label for itself: the passes disagree about the first, agree on 50:50 for the second, are sure of the third.
    found = {
        name: value.numpy() for name, value in summarize_labels(tf.constant([[1.0, 0.5, 0.0], [0.0, 0.5, 0.0]])).items()
    }
    assert found["probabilities"] == pytest.approx([0.5, 0.5, 0.0])
    assert found["predictive_entropy"] == pytest.approx([math.log(2), math.log(2), 0.0], rel=1e-6, abs=1e-6)
    assert found["mutual_information"] == pytest.approx([math.log(2), 0.0, 0.0], rel=1e-6, abs=1e-6)


def test_each_of_several_labels_has_an_uncertainty(rows: Any) -> None:
    model = McDropout(4).finish([built(labels=2)])
    found = model.uncertainty(rows[0])
    assert {name: tuple(value.shape) for name, value in found.items()} == dict.fromkeys(
        ("probabilities", "predictive_entropy", "mutual_information"), (60, 2)
    )
    np.testing.assert_array_equal(found["probabilities"], model(rows[0]))
    assert float(tf.reduce_max(found["mutual_information"])) > 0


def test_the_mean_of_the_passes_is_the_prediction(trained: Any, rows: Any) -> None:
    model = McDropout(200).finish([trained])
    mean = model.predict(rows[0], verbose=0)
    apart = np.stack([run_stochastic_pass(trained, number, rows[0]) for number in range(200)])
    # Two independent means of 200 passes; five standard errors of their difference, for each number.
    assert (np.abs(mean - apart.mean(0)) < 5 * apart.std(0) * math.sqrt(2 / 200) + 1e-6).all()
    assert apart.std(0).max() > 0.05


def test_a_single_input_may_come_by_its_name(trained: Any, rows: Any) -> None:
    model, x = McDropout(10).finish([trained]), rows[0][:5]
    given, named = model.uncertainty(x), model.uncertainty({"any name": x.astype(np.float64)})
    assert given.keys() == named.keys()
    assert all(np.array_equal(given[key], named[key]) for key in given)


@pytest.mark.parametrize("structure", [list, tuple, dict])
def test_several_inputs_may_come_by_their_names_or_in_order(structure: type) -> None:
    first, second = keras.Input((3,), name="first"), keras.Input((2,), name="second")
    hidden = keras.layers.Dense(6, "relu")(keras.layers.Concatenate()([first, second]))
    inputs = {"first": first, "second": second} if structure is dict else structure([first, second])
    own = keras.Model(inputs, keras.layers.Dense(3, "softmax")(hidden))
    model = regzoo.attach("dropout(0.5) + mc_dropout(10)", own).finished()
    random = np.random.default_rng(0)
    x = {name: random.normal(size=(5, size)).astype(np.float32) for name, size in (("second", 2), ("first", 3))}
    named, ordered = model.uncertainty(x), model.uncertainty([x["first"], x["second"]])
    assert all(np.array_equal(named[key], ordered[key]) for key in ordered)
    np.testing.assert_allclose(
        named["probabilities"],
        model(
            {name: x[name] for name in ("first", "second")}
            if structure is dict
            else structure([x["first"], x["second"]])
        ),
        atol=1e-6,
    )


def test_it_is_not_compiled_by_xla_which_draws_other_masks(trained: Any) -> None:
    passes = McDropout(10).finish([trained]).get_layer("passes")
    assert not passes.supports_jit  # Keras asks this of every layer with jit_compile="auto"


def test_the_number_of_passes_may_be_given_later(trained: Any, rows: Any) -> None:
    x = rows[0][:5]
    expected = McDropout(4).finish([trained]).uncertainty(x)
    for samples in (4, tf.constant(4)):
        found = McDropout(10).finish([trained]).uncertainty_with_samples(x, samples)
        assert found.keys() == expected.keys()
        for key in expected:
            np.testing.assert_allclose(found[key], expected[key], atol=1e-6)  # sums of four numbers below 2


def test_answers_depend_on_the_row_alone(trained: Any, rows: Any) -> None:
    x = rows[0]
    model = McDropout(10).finish([trained])
    whole = model(x).numpy()
    assert np.array_equal(model(x), whole)
    assert np.array_equal(np.concatenate([model(x[start : start + 7]) for start in range(0, len(x), 7)]), whole)
    assert np.array_equal(model.predict(x, verbose=0), whole)
    assert model(x[:0]).shape == (0, 3)
    trained.predict(x, verbose=0)
    trained.update(*rows)  # moves the streams of the layers
    trained.update(*rows)
    assert not np.array_equal(model(x), whole)  # the weights are the model's own
    assert np.array_equal(model(x), model(x))


def test_one_pass_is_worse_than_fifty(trained: Any, rows: Any) -> None:
    y = np.tile(rows[1], 20)
    x = np.tile(rows[0], (20, 1)) + np.random.default_rng(0).normal(size=(1200, 5)).astype(np.float32)  # unseen rows
    ones = [run_stochastic_pass(trained, number, x).numpy() for number in range(50)]
    fifty = McDropout(50).finish([trained]).predict(x, verbose=0)
    # M4: one pass errs more (its NLL is higher by Jensen's inequality, for the same masks), and fifty err like weight
    # scaling, within one standard deviation of what one pass does.
    assert nll(fifty, y) < np.mean([nll(one, y) for one in ones])
    errors = [np.mean(one.argmax(1) != y) for one in ones]
    scaled = np.mean(trained.predict(x, verbose=0).argmax(1) != y)
    assert np.mean(fifty.argmax(1) != y) < np.mean(errors)
    assert abs(np.mean(fifty.argmax(1) != y) - scaled) < np.std(errors)


def test_the_doubt_of_a_pass_and_among_passes_add_up(trained: Any, rows: Any) -> None:
    found = {name: value.numpy() for name, value in McDropout(30).finish([trained]).uncertainty(rows[0]).items()}
    assert {name: value.shape for name, value in found.items()} == {
        "probabilities": (60, 3),
        "predictive_entropy": (60,),
        "mutual_information": (60,),
    }
    p = found["probabilities"]
    np.testing.assert_allclose(found["predictive_entropy"], -(p * np.log(p)).sum(-1), rtol=1e-4)
    assert (found["mutual_information"] >= 0).all()
    assert (found["mutual_information"] < found["predictive_entropy"]).all()


def test_regression_gives_mean_and_deviation(rows: Any) -> None:
    model = built(outputs=2)
    found = McDropout(400).finish([model]).uncertainty(rows[0])
    apart = np.stack([run_stochastic_pass(model, number, rows[0]) for number in range(400)])
    # Five standard errors of the difference of two means, and of two deviations of nearly normal numbers.
    spread = apart.std(0)
    assert (np.abs(found["mean"] - apart.mean(0)) < 5 * spread * math.sqrt(2 / 400)).all()
    assert (np.abs(found["standard_deviation"] - spread) < 5 * spread * math.sqrt(1 / 400)).all()

    model_of_means = McDropout(400).finish([model])
    assert np.array_equal(model_of_means(rows[0]), model_of_means.uncertainty(rows[0])["mean"])


def test_inputs_of_another_float_are_cast() -> None:
    x = keras.Input((3,), dtype="float64")
    own = keras.Model(x, keras.layers.Dense(3, "softmax")(keras.layers.Dense(6, "relu")(x)))
    model = regzoo.attach("dropout(0.5) + mc_dropout(10)", own).finished()
    values = np.random.default_rng(0).normal(size=(5, 3)).astype(np.float32)
    assert np.array_equal(model(values.astype(np.float64)), model(values))
    given, cast = model.uncertainty(tf.constant(values, tf.float64)), model.uncertainty(values)
    assert all(np.array_equal(given[key], cast[key]) for key in cast)


def test_its_weights_are_those_of_the_models(trained: Any) -> None:
    model = McDropout(10).finish([trained])
    assert {id(weight) for weight in model.weights} >= {id(weight) for weight in trained.weights}
    assert not model.get_layer("passes").autocast  # the models cast their inputs as their own policy says


@pytest.mark.parametrize("shape", [(None, 5), [(None, 5)], [(None, 5), (None, 2)], {"a": (None, 5), "b": (None, 2)}])
def test_the_output_has_a_row_for_each_row_of_the_first_input(trained: Any, shape: Any) -> None:
    assert McDropout(10).finish([trained]).get_layer("passes").compute_output_shape(shape) == (None, 3)


def test_batch_norm_stays_at_inference(rows: Any) -> None:
    model = built("batch_norm(0.5) + dropout(0.0)")
    model.update(*rows)
    before = model.get_weights()
    np.testing.assert_allclose(McDropout(3).finish([model])(rows[0]), model(rows[0]), atol=1e-6)
    assert all(map(np.array_equal, before, model.get_weights()))


def test_agreeing_passes_share_no_information(rows: Any) -> None:
    p = np.random.default_rng(0).dirichlet(np.ones(5), 2000).astype(np.float32)
    assert float(tf.reduce_min(summarize_probabilities(tf.stack([p] * 7))["mutual_information"])) == 0.0


@pytest.mark.parametrize(("samples", "each"), [(4, 2), (5, 3)])
def test_each_model_of_an_ensemble_has_its_passes_and_random_numbers(rows: Any, samples: int, each: int) -> None:
    models, x = [built(seed=seed) for seed in range(2)], rows[0][:1]
    passes = [run_stochastic_pass(model, number, np.repeat(x, each, 0)) for number, model in enumerate(models)]
    found = McDropout(samples).finish(models).uncertainty(x)
    np.testing.assert_allclose(found["probabilities"], np.concatenate(passes).mean(0)[None], atol=1e-6)


def test_every_step_of_a_sequence_has_its_uncertainty() -> None:
    own = keras.Sequential([keras.Input((4, 2)), keras.layers.Dense(6, "relu"), keras.layers.Dense(3, "softmax")])
    model = regzoo.attach("dropout(0.5) + mc_dropout(10)", own).finished()
    found = model.uncertainty(np.random.default_rng(0).normal(size=(5, 4, 2)).astype(np.float32))
    shapes = {key: tuple(values.shape) for key, values in found.items()}
    assert shapes == {
        "probabilities": (5, 4, 3),
        "predictive_entropy": (5, 4),
        "mutual_information": (5, 4),
    }


def test_inputs_of_words_stay_words() -> None:
    words = keras.Input((3,), dtype="string")
    numbers = keras.layers.StringLookup(vocabulary=["red", "green"], num_oov_indices=1)(words)
    hidden = keras.layers.Flatten()(keras.layers.Embedding(3, 4)(numbers))
    own = keras.Model(words, keras.layers.Dense(3, "softmax")(keras.layers.Dense(6, "relu")(hidden)))
    model = regzoo.attach("dropout(0.5) + mc_dropout(10)", own).finished()
    x = tf.constant([["red", "green", "red"], ["green", "blue", "red"]])
    assert tuple(model.uncertainty(x)["probabilities"].shape) == (2, 3)


def test_passes_are_shared_out_over_an_ensemble(rows: Any) -> None:
    models = [built(seed=seed) for seed in range(3)]
    together = McDropout(30).finish(models)
    (averaged,) = [McDropout(30).finish([Ensemble(3).finish(models)])]
    assert np.array_equal(together(rows[0]), averaged(rows[0]))
    passes = [run_stochastic_pass(model, 0, rows[0]) for model in models]
    assert not np.allclose(passes[0], passes[1])
    assert len(together.trainable_variables) == sum(len(model.trainable_variables) for model in models)


def test_a_recipe_without_dropout_is_refused() -> None:
    for recipe in ("mc_dropout(10)", "dropconnect(0.5) + mc_dropout(10)", "input_dropout(0.2) + mc_dropout(10)"):
        with pytest.raises(InputError, match="mc_dropout averages passes with dropout on: add one of dropout"):
            built(recipe)
    assert str(parse("mc_dropout(10) + dropout(0.5)")) == "mc_dropout(10) + dropout(0.5)"
    assert McDropout(10).n_models() == 1


@pytest.mark.parametrize(
    "recipe", [f"{name} + mc_dropout(10)" for name in ("gaussian_dropout(0.5)", "alpha_dropout(0.5)")]
)
def test_other_dropouts_are_stochastic_too(recipe: str, rows: Any) -> None:
    model = built(recipe.split(" + ")[0])
    found = McDropout(10).finish([model]).uncertainty(rows[0])
    assert (found["mutual_information"].numpy() > 0).all()


ADDITIVE = {"activation_noise"}
"""Noise that is added; the other layers of noise leave numbers out or multiply them."""


def list_noise_on_activations() -> set[str]:
    """Return the regularizers that insert a layer of noise at some slot."""
    found = set()
    for kind in regularizers().values():
        regularizer = fix_strengths(kind())
        if isinstance(regularizer, OnActivations):
            slots = [Slot(slot, 0, 1, rank, 7) for slot in SLOT_KINDS for rank in (2, 3, 4)]
            if any(isinstance(regularizer.layer(slot), InTraining) for slot in slots):
                found.add(kind.name)
    return found


def test_every_regularizer_that_leaves_activations_out_is_enough() -> None:
    assert set(DROPOUTS) == list_noise_on_activations() - ADDITIVE


@pytest.mark.parametrize("recipe", ["patch_dropout(0.5)", "stochastic_depth(0.5)"])
def test_leaving_out_tokens_or_branches_makes_passes_differ(recipe: str, rows: Any) -> None:
    model = regzoo.build("transformer(width=8, depth=1, heads=2)", f"{recipe} + mc_dropout(100)", (5,), classes=3)
    x = rows[0][:4]
    found = model.finished().uncertainty(x)["probabilities"].numpy()
    again = model.finished().uncertainty(x)["probabilities"].numpy()
    np.testing.assert_array_equal(found, again)
    with noise_at_inference():
        run = tf.function(lambda: model(x, training=False))
        apart = np.stack([run().numpy() for _ in range(100)])
    assert apart.std(0).min() > 1e-3
    # Five standard errors of the difference of two means.
    assert (np.abs(found - apart.mean(0)) < 5 * apart.std(0) * math.sqrt(2 / 100)).all()


def study_of(rows: Any) -> tuple[TrainingSetup, Trainer]:
    """Return a setup on rows, and the trainer that makes its runs."""
    x, y = rows
    setup = TrainingSetup("mlp([8])", Task("classification", 3), (5,), "adam", 16, "nll", "test")
    return setup, Trainer(setup, {"train": (x[:36], y[:36]), "validation": (x[36:], y[36:]), "test": (x[36:], y[36:])})


@pytest.mark.parametrize("recipe", ["dropout(0.5) + mc_dropout(20)", "dropout(0.5) + ensemble(2) + mc_dropout(20)"])
def test_a_run_is_measured_by_its_mean(recipe: str, rows: Any) -> None:
    setup, trainer = study_of(rows)
    record, weights = execute_run(Run("replicate", recipe, recipe, 0, 5, 0.05, 4, setup.digest), trainer)
    again, _ = execute_run(Run("replicate", recipe, recipe, 0, 5, 0.05, 4, setup.digest), trainer)
    assert record.status == "ok"
    assert record.metrics == again.metrics
    model = load_finished_model(setup, parse(recipe), weights)
    found = nll(model.predict(rows[0][36:], verbose=0), rows[1][36:])
    assert record.metrics["test"]["nll"] == pytest.approx(found, abs=1e-5)


def test_it_is_exported_as_one_graph(trained: Any, rows: Any, tmp_path: Path) -> None:
    model = McDropout(10).finish([trained])
    expected = model(rows[0]).numpy()
    model.export(tmp_path / "served", verbose=False)
    loaded = tf.saved_model.load(tmp_path / "served")
    for batch in (1, 7, 60):
        np.testing.assert_allclose(loaded.serve(rows[0][:batch]), expected[:batch], atol=1e-6)
    model.save(tmp_path / "model.keras")
    np.testing.assert_array_equal(keras.models.load_model(tmp_path / "model.keras")(rows[0]), expected)


def test_it_is_made_of_ones_own_model_after_fit(rows: Any) -> None:
    layers = [keras.Input((5,)), keras.layers.Dense(8, "relu"), keras.layers.Dense(3, "softmax")]
    model = regzoo.attach("dropout(0.5) + mc_dropout(20)", keras.Sequential(layers))
    model.fit(*rows, epochs=2, verbose=0)
    found = model.finished().uncertainty(rows[0])
    expected = McDropout(20).finish([model]).uncertainty(rows[0])
    assert set(found) == {"probabilities", "predictive_entropy", "mutual_information"}
    assert all(np.array_equal(found[name], expected[name]) for name in found)
    assert np.mean(found["mutual_information"]) > 1e-3
