"""Plan: experiment -> the runs to make, and what they will cost."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from dataclasses import dataclass
from typing import Any

from regzoo.config import Experiment
from regzoo.core import InputError, Objective, Range, Recipe
from regzoo.core.parsing import read_backbone
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocessor import Preprocessor
from regzoo.search.search import start_search
from regzoo.search.space import Axis, make_axes
from regzoo.training.setup import FoldSetup, TrainingSetup
from regzoo.training.task import Task

INTERIM_ANALYSES = (5, 10, 20, 40)
"""Replicates after which a comparison with ``replicates: auto`` is looked at; the last is where it ends."""


@dataclass(frozen=True)
class RecipePlan:
    """What is planned for one recipe.

    Attributes:
        name: the recipe as the config writes it.
        recipe: the same, read.
        space: what its search has to find.
        trials: how many trials its search makes.
        epochs: how many epochs these trials take at most.
        members: how many models a run trains; a searched number counts with its highest value.
        cost: passes through the model that a training step takes, the baseline's being 1.
        placebo: whether it is the baseline in disguise: the same recipe under another name, on seeds of its own.
    """

    name: str
    recipe: Recipe
    space: tuple[Axis, ...]
    trials: int
    epochs: int
    members: int
    cost: float
    placebo: bool = False


@dataclass(frozen=True)
class Plan:
    """Everything that decides the runs of a comparison.

    With several ``folds``, replicate i of every recipe uses cut i of the data; trials use cut 0.

    Attributes:
        setup: what all runs share.
        objective: what is ranked by.
        arms: one a recipe.
        tuner, trials, epochs, learning_rate, seed, pruner: as the config says.
        replicates: how many every recipe gets.
        budget: seconds, None for no limit.
        looks: with ``replicates: auto``, after how many replicates it is decided who gets more; else empty.
        rope: the region of practical equivalence, None for none.
        folds: how many pieces of the data validate in turn.
    """

    setup: TrainingSetup
    objective: Objective
    arms: tuple[RecipePlan, ...]
    tuner: str
    trials: int
    epochs: int
    replicates: int
    learning_rate: float | Range
    seed: int
    pruner: str = "none"
    budget: float | None = None
    looks: tuple[int, ...] = ()
    rope: float | None = None
    folds: int = 1

    @property
    def runs(self) -> int:
        """Trials and replicates of all recipes."""
        return sum(arm.trials + self.replicates for arm in self.arms)

    @property
    def model_epochs(self) -> int:
        """Epochs of training, all runs and members together, at most."""
        return sum(arm.members * (arm.epochs + self.replicates * self.epochs) for arm in self.arms)

    @property
    def baseline_epochs(self) -> float:
        """The same in what they cost: epochs of the baseline that would take as long."""
        return sum(arm.cost * arm.members * (arm.epochs + self.replicates * self.epochs) for arm in self.arms)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "rank_by": self.objective.metric,
            "tuner": self.tuner,
            "runs": self.runs,
            "epochs": self.model_epochs,
            "budget": self.budget,
            "folds": self.folds,
            "recipes": [
                {
                    "name": arm.name,
                    "trials": arm.trials,
                    "replicates": self.replicates,
                    "models_per_run": arm.members,
                    "cost": round(arm.cost, 3),
                    "space": {axis.name: f"{axis.range}{' (log)' if axis.log else ''}" for axis in arm.space},
                    "clashes": arm.recipe.clashes(read_backbone(self.setup.backbone)),
                }
                for arm in self.arms
            ],
        }


def make_plan(experiment: Experiment, prepared: PreparedData, setup: TrainingSetup | None = None) -> Plan:
    """Plan ``experiment`` on ``prepared`` data; ``setup`` if more is known of it than `make_setup` says.

    Raises:
        InputError: if the metric does not fit the task, hyperband has too few trials, or is to be cut short.
    """
    search = experiment.search
    if search.tuner == "hyperband" and (search.pruner != "none" or experiment.budget):
        key = "budget" if experiment.budget else "search.pruner"
        raise InputError(f"{key}: hyperband stops trials by its own rule and needs all of them; take another tuner")
    setup = setup or make_setup(experiment, prepared)
    recipes = zip(experiment.recipes, experiment.built_recipes(), strict=True)
    arms = [_plan_recipe(name, recipe, experiment) for name, recipe in recipes]
    arms += [
        dataclasses.replace(_plan_recipe(name, Recipe(), experiment), placebo=True)
        for name in placebo_names(experiment)
    ]
    return Plan(
        setup=setup,
        objective=setup.task.objective(setup.rank_by),
        arms=tuple(arms),
        tuner=search.tuner,
        trials=search.trials,
        epochs=experiment.training.epochs,
        replicates=interim_analyses(experiment)[0],
        learning_rate=experiment.training.learning_rate,
        seed=experiment.seed,
        pruner=search.pruner,
        budget=experiment.budget,
        looks=looks if len(looks := interim_analyses(experiment)) > 1 else (),
        rope=experiment.rope,
        folds=experiment.split.folds,
    )


def interim_analyses(experiment: Experiment) -> tuple[int, ...]:
    """After how many replicates a comparison is looked at: once, unless it decides by itself how many it needs."""
    return INTERIM_ANALYSES if isinstance(experiment.replicates, str) else (experiment.replicates,)


def placebo_names(experiment: Experiment) -> list[str]:
    """The names of the disguised copies of the baseline."""
    return [f"placebo {number}" for number in range(1, experiment.placebo + 1)]


def make_setup(experiment: Experiment, prepared: PreparedData) -> TrainingSetup:
    """What all runs of ``experiment`` share.

    Raises:
        InputError: if the metric does not fit the task.
    """
    task = make_task(prepared.preprocessor)
    rules = [cut.preprocessor for cut in prepared.folds]
    return TrainingSetup(
        backbone=experiment.backbone,
        task=task,
        input_shape=prepared.preprocessor.input_shape,
        optimizer=experiment.training.optimizer,
        batch_size=experiment.training.batch_size,
        rank_by=task.objective(experiment.rank_by).metric,
        data=data_identity(prepared.digest, experiment),
        class_weight=experiment.training.class_weight,
        jit_compile=experiment.training.jit_compile,
        folds=tuple(FoldSetup(make_task(rule), rule.input_shape) for rule in rules),
    )


def data_identity(digest: str, experiment: Experiment) -> str:
    """Return what makes the prepared data of two comparisons the same: the data set, its split and the seed.

    The keys are spelled out: a key that is added to ``split`` later goes in only where it differs from its default,
    so that it retrains no older comparison.
    """
    split = experiment.split
    format_1 = {
        "train": split.train,
        "validation": split.validation,
        "test": split.test,
        "folds": split.folds,
        "train_size": split.train_size,
        "label_noise": split.label_noise,
        "duplicates": split.duplicates,
    }
    return f"{digest} {' '.join(f'{key}={value!r}' for key, value in format_1.items())} seed={experiment.seed}"


def make_task(preprocessor: Preprocessor) -> Task:
    """The task that data prepared in this way asks for."""
    if preprocessor.task == "classification":
        return Task("classification", preprocessor.classes)
    return Task(preprocessor.task, preprocessor.outputs, preprocessor.target_scale)


def _plan_recipe(name: str, recipe: Recipe, experiment: Experiment) -> RecipePlan:
    training, search = experiment.training, experiment.search
    space = make_axes(recipe, training.learning_rate)
    ahead = start_search(search.tuner, space, search.trials, training.epochs, Objective("nll", "min"), seed=0).ahead()
    return RecipePlan(
        name=name,
        recipe=recipe,
        space=tuple(space),
        trials=sum(count for count, _ in ahead),
        epochs=sum(count * epochs for count, epochs in ahead),
        members=_count_models(recipe),
        cost=math.prod(part.cost for part in recipe),
    )


def _count_models(recipe: Recipe) -> int:
    highest = {name: max(where.values()) for name, (where, _) in recipe.space().items()}
    return recipe.fixed(highest).n_models()


def estimate_seconds(plan: Plan, prepared: PreparedData, workers: int) -> float:
    """Time one epoch of the baseline here, and say how long all runs will take on ``workers`` workers.

    A recipe's epoch counts by its cost. Traces and start-up come on top; it is a first guess, made from a measurement.
    """
    from regzoo.training.engine.program import Program
    from regzoo.training.engine.trainer import build_compiled_model

    model = build_compiled_model(plan.setup, Recipe())
    program = Program(model, prepared.train, prepared.validation, plan.setup.batch_size)
    options: dict[str, Any] = {"strengths": {}, "seed": 0, "learning_rate": 1e-3, "objective": plan.objective}
    program.train(**options, epochs=1)
    began = time.perf_counter()
    program.train(**options, epochs=2)
    epoch = (time.perf_counter() - began) / 2
    return plan.baseline_epochs * epoch / min(workers, os.cpu_count() or 1)
