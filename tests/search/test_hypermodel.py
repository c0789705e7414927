"""Hypermodel: a recipe's ranges in a KerasTuner search of the user's own."""

from __future__ import annotations

from pathlib import Path

import keras
import keras_tuner
import numpy as np
import pytest

import regzoo
from regzoo.core import InputError
from regzoo.core.cells import Cells
from regzoo.training.model.build import RegularizedModel


@pytest.mark.filterwarnings("ignore::DeprecationWarning:keras_tuner")
@pytest.mark.slow
def test_a_hypermodel_serves_keras_tuners_own_search(
    rows: tuple[np.ndarray, np.ndarray], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    x, y = rows
    hypermodel = regzoo.hypermodel("mlp([4])", "dropout(0.1..0.5) + l2 + early_stopping(2)", (5,), classes=3)
    tuner = keras_tuner.RandomSearch(
        hypermodel, keras_tuner.Objective("val_loss", "min"), max_trials=2, seed=1, directory=tmp_path
    )
    tuner.search(x[:40], y[:40], validation_data=(x[40:], y[40:]), epochs=2, verbose=0)
    best = tuner.get_best_hyperparameters()[0].values
    assert set(best) == {"learning_rate", "dropout.rate", "l2.strength"}
    assert 0.1 <= best["dropout.rate"] <= 0.5
    model = tuner.get_best_models()[0]
    assert isinstance(model, RegularizedModel)
    assert model.dials["dropout.rate"] == pytest.approx(best["dropout.rate"])
    assert float(model.optimizer.learning_rate) == pytest.approx(best["learning_rate"])
    assert model.predict(x, verbose=0).shape == (60, 3)


def test_a_hypermodel_can_have_a_fixed_learning_rate_and_predict_numbers() -> None:
    hypermodel = regzoo.hypermodel("mlp([4])", "l2(0.001)", (5,), outputs=2, learning_rate=0.25)
    parameters = keras_tuner.HyperParameters()
    model = hypermodel.build(parameters)
    assert parameters.values == {}
    assert float(model.optimizer.learning_rate) == 0.25
    assert model.output_shape == (None, 2)


def test_a_hypermodel_refuses_what_build_refuses() -> None:
    with pytest.raises(InputError, match="give classes= for classification, outputs= for regression, labels="):
        regzoo.hypermodel("mlp", "dropout", (5,))
    with pytest.raises(InputError, match="Did you mean 'dropout'"):
        regzoo.hypermodel("mlp", "dropuot", (5,), classes=3)
    with pytest.raises(InputError, match="mc_dropout acts on trained models, which a tuner does not see"):
        regzoo.hypermodel("mlp", "dropout + mc_dropout", (5,), classes=3)


def test_a_regularizer_that_stands_twice_has_two_hyperparameters() -> None:
    recipe = "l2(0.001..0.1, on='dense_0') + l2(0.001..0.1, on='head')"
    hypermodel = regzoo.hypermodel("mlp([4])", recipe, (5,), outputs=2, learning_rate=0.25)
    parameters = keras_tuner.HyperParameters()
    hypermodel.build(parameters)
    assert set(parameters.values) == {"l2['dense_0'].strength", "l2['head'].strength"}
    parameters.values |= {"l2['dense_0'].strength": 0.01, "l2['head'].strength": 0.05}
    dials = hypermodel.build(parameters).dials
    assert dials == pytest.approx({"l2['dense_0'].strength": 0.01, "l2['head'].strength": 0.05})


def test_every_execution_of_a_trial_starts_from_weights_of_its_own() -> None:
    """The same ones in a second search; each point begins with the seed itself."""

    def draw(strengths: list[float]) -> list[list[float]]:
        hypermodel = regzoo.hypermodel("mlp([4])", "l2", (5,), classes=3, learning_rate=0.1)
        weights = []
        for strength in strengths:
            parameters = keras_tuner.HyperParameters()
            parameters.values["l2.strength"] = strength
            weights.append(hypermodel.build(parameters).get_weights()[0].ravel().tolist())
        return weights

    first, second, third, other = draw([1e-4, 1e-4, 1e-4, 1e-3])
    assert first != second != third != first
    assert other == first
    assert draw([1e-4, 1e-4]) == [first, second]


def test_models_of_a_tuner_know_the_columns_of_categories() -> None:
    x, cells = np.zeros((4, 3), np.float32), Cells.from_sizes([(1, 0), (0, 2)])
    own = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2, "softmax")])
    for backbone in ("linear", own):
        tuned = regzoo.hypermodel(backbone, "swap_noise(0.1)", (3,), classes=2, categorical_features=[[1, 2]])
        assert tuned.build(keras_tuner.HyperParameters()).get_cells(x) == cells
