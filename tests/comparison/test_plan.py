"""Plan: the runs and their cost are known before anything is trained."""

from __future__ import annotations

import importlib
import json
from typing import Any

import numpy as np
import pytest

from regzoo.comparison.plan import Plan, estimate_seconds, make_plan
from regzoo.comparison.setup import make_data_identity
from regzoo.config import Experiment, from_keywords
from regzoo.config.sections import SplitConfig
from regzoo.core import InputError, Objective
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources import from_arrays
from regzoo.training.task import Task

Rows = tuple[np.ndarray, np.ndarray]


def planned(rows: Rows, **given: Any) -> tuple[Plan, PreparedData]:
    experiment: Experiment = from_keywords(**{"backbone": "mlp([8])", "recipes": ["dropout"], **given})
    prepared = prepare_fold(from_arrays(*rows), experiment.split, experiment.seed)
    return make_plan(experiment, prepared), prepared


def test_runs_and_epochs_by_hand(rows: Rows) -> None:
    recipes = ["none", "dropout", "ensemble(3)", "ensemble(2|5)"]
    plan, _ = planned(rows, recipes=recipes, search={"trials": 4}, vary=["seed"], replicates=2, training={"epochs": 10})
    assert plan.runs == 4 * (4 + 2)
    # 6 runs of 10 epochs each, times the models that a run trains: 1, 1, 3 and at most 5
    assert plan.model_epochs == 6 * 10 * (1 + 1 + 3 + 5)
    assert [recipe.members for recipe in plan.recipes] == [1, 1, 3, 5]
    assert plan.baseline_epochs == plan.model_epochs


def test_a_recipe_counts_by_what_its_steps_cost(rows: Rows) -> None:
    recipes = ["none", "sam(0.1)", "dropout(0.5) + r_drop(1.0) + sam(0.1) + ensemble(3)"]
    plan, _ = planned(rows, recipes=recipes, search={"trials": 4}, vary=["seed"], replicates=2, training={"epochs": 10})
    # Each of the two passes of sam is one of the two of r_drop.
    assert [recipe.cost for recipe in plan.recipes] == [1.0, 2.0, 4.0]
    assert [recipe["cost"] for recipe in plan.to_dict()["recipes"]] == [1.0, 2.0, 4.0]
    assert plan.baseline_epochs == 6 * 10 * (1 + 2 + 4 * 3)
    assert plan.model_epochs == 6 * 10 * (1 + 1 + 3)


def test_a_plan_has_the_number_of_folds(rows: Rows) -> None:
    plan, _ = planned(rows, split={"folds": 3})
    assert (plan.folds, plan.to_dict()["folds"], planned(rows)[0].to_dict()["folds"]) == (3, 3, 1)


def test_nothing_to_search_is_one_trial(rows: Rows) -> None:
    plan, _ = planned(rows, training={"learning_rate": 0.01}, search={"trials": 4})
    assert [recipe.trials for recipe in plan.recipes] == [1, 4]


def test_the_setup_holds_what_is_equal(rows: Rows, numbers: Rows) -> None:
    setup = planned(rows, training={"optimizer": "sgd", "batch_size": 8})[0].setup
    assert (setup.backbone, setup.task, setup.input_shape) == ("mlp([8])", Task("classification", 3), (5,))
    assert (setup.optimizer, setup.batch_size, setup.rank_by) == ("sgd", 8, "nll")
    plan, prepared = planned(numbers)
    assert plan.setup.task == Task("regression", 1, prepared.preprocessor.target_scale)
    assert plan.objective == Objective("rmse", "min")


@pytest.mark.parametrize(
    "other",
    [
        {"split": {"label_noise": 0.1}},
        {"split": {"train_size": 20}},
        {"seed": 1},
        {"backbone": "mlp([9])"},
        {"training": {"batch_size": 8}},
        {"training": {"optimizer": "adam(beta_1=0.8)"}},
        {"training": {"loss": "categorical_hinge"}},
        {"rank_by": "error"},
    ],
)
def test_records_of_another_setup_are_never_mixed_in(other: dict[str, Any], rows: Rows) -> None:
    assert planned(rows, **other)[0].setup.digest != planned(rows)[0].setup.digest


def test_what_may_be_added_keeps_the_setup(rows: Rows) -> None:
    more = planned(rows, recipes=["dropout", "l2"], vary=["seed"], replicates=9)[0]
    assert more.setup == planned(rows)[0].setup


def test_other_data_is_another_setup(rows: Rows) -> None:
    x = rows[0].copy()
    x[0, 0] += 1
    assert planned((x, rows[1]))[0].setup.digest != planned(rows)[0].setup.digest


def test_the_defaults_of_an_optimizer_written_out_are_the_same_setup(rows: Rows) -> None:
    same = planned(rows, training={"optimizer": "adam(beta_2=0.999)", "loss": None})[0].setup
    assert same.digest == planned(rows)[0].setup.digest
    assert planned(rows, training={"loss": "mse"})[0].setup.loss == "mean_squared_error"


def test_a_loss_of_another_task_is_refused(rows: Rows) -> None:
    with pytest.raises(InputError, match=r"training\.loss: mean_absolute_percentage_error is no loss for class"):
        planned(rows, training={"loss": "mape"})


def test_a_clash_of_optimizer_or_loss_with_a_recipe_is_in_the_plan(rows: Rows) -> None:
    training = {"optimizer": "adamw", "loss": "categorical_crossentropy(label_smoothing=0.1)"}
    plan, _ = planned(rows, recipes=["dropout", "weight_decay", "label_smoothing"], training=training)
    clashes = {recipe["name"]: recipe["clashes"] for recipe in plan.to_dict()["recipes"]}
    assert clashes["none"] == clashes["dropout"] == []
    assert "adamw itself decays the weights (weight_decay 0.004) in every recipe" in clashes["weight_decay"][0]
    assert "categorical_crossentropy smooths the labels (0.1)" in clashes["label_smoothing"][0]


def test_a_metric_of_another_task_is_refused(rows: Rows) -> None:
    with pytest.raises(InputError, match="classification cannot be ranked by 'rmse'"):
        planned(rows, rank_by="rmse")


def test_too_few_trials_for_hyperband_are_refused(rows: Rows) -> None:
    with pytest.raises(InputError, match=r"hyperband over 60 epochs needs search\.trials"):
        planned(rows, search={"tuner": "hyperband", "trials": 1})


def test_it_can_be_printed_as_json(rows: Rows) -> None:
    plan, _ = planned(rows, recipes=["dropout + batch_norm"])
    described = json.loads(json.dumps(plan.to_dict(), allow_nan=False))
    assert described["runs"] == plan.runs
    assert described["recipes"][1]["space"] == {
        "learning_rate": "0.0003..0.01 (log)",
        "dropout.rate": "0.05..0.7",
        "batch_norm.momentum": "0.9..0.99",
    }
    assert "shifts the variance" in described["recipes"][1]["clashes"][0]


@pytest.mark.usefixtures("tensorflow")
@pytest.mark.parametrize(("workers", "cores", "busy"), [(1, 4, 1), (2, 4, 2), (8, 4, 4)])
def test_the_time_is_estimated_from_a_measured_epoch(
    workers: int, cores: int, busy: int, rows: Rows, monkeypatch: pytest.MonkeyPatch
) -> None:
    importlib.import_module("regzoo.training.engine.trainer")  # now, or it would keep the program below for good
    clock = [0.0]

    class Slow:
        """A program whose epochs take three seconds, and ten more the first time."""

        def __init__(self, *_: Any) -> None:
            self.first = 10.0

        def train(self, epochs: int, **_: Any) -> None:
            clock[0] += 3.0 * epochs + self.first
            self.first = 0.0

    monkeypatch.setattr("regzoo.training.engine.program.Program", Slow)
    monkeypatch.setattr("time.perf_counter", lambda: clock[0])
    monkeypatch.setattr("os.cpu_count", lambda: cores)
    plan, prepared = planned(rows, training={"epochs": 2})
    assert estimate_seconds(plan, prepared, workers) == pytest.approx(plan.model_epochs * 3.0 / busy)


OTHER_SPLITS: dict[str, dict[str, Any]] = {
    "train": {"train": 0.7, "validation": 0.1},
    "validation": {"validation": 0.3, "train": 0.5},
    "test": {"test": 0.1, "train": 0.7},
    "folds": {"folds": 3},
    "train_size": {"train_size": 20},
    "label_noise": {"label_noise": 0.1},
    "duplicates": {"duplicates": "together"},
}
"""For each key of ``split`` a config in which it differs from its default."""


def test_another_split_or_seed_is_other_data() -> None:
    """A key that is added to ``split`` has to be given its place in the identity, and here."""
    given: dict[str, Any] = {"backbone": "mlp", "recipes": ["l2"]}
    assert set(OTHER_SPLITS) == set(SplitConfig.model_fields)
    others = [from_keywords(**given, split=split) for split in OTHER_SPLITS.values()]
    identities = [
        make_data_identity("digest", one) for one in (from_keywords(**given), from_keywords(**given, seed=1), *others)
    ]
    assert len({*identities, make_data_identity("other", from_keywords(**given))}) == len(identities) + 1


def test_the_identity_of_data_is_that_of_format_1() -> None:
    experiment = from_keywords(backbone="mlp", recipes=["l2"])
    assert make_data_identity("d", experiment) == (
        "d train=0.6 validation=0.2 test=0.2 folds=1 train_size=None label_noise=0.0 duplicates='anywhere' seed=0"
    )
