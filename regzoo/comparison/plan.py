"""Plan: experiment -> the runs to make, and what they will cost."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from dataclasses import dataclass
from typing import Any

from regzoo.comparison.search import begin
from regzoo.comparison.space import Axis, axes
from regzoo.config import Experiment
from regzoo.data.prepare import Preparation, Prepared
from regzoo.language import InputError, Objective, Range, Recipe
from regzoo.training.study import Cut, Study
from regzoo.training.task import Task

LOOKS = (5, 10, 20, 40)
"""Replicates after which a comparison with ``replicates: auto`` is looked at; the last is where it ends."""


@dataclass(frozen=True)
class ArmPlan:
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
        study: what all runs share.
        objective: what is ranked by.
        arms: one a recipe.
        tuner, trials, epochs, learning_rate, seed, pruner: as the config says.
        replicates: how many every recipe gets.
        budget: seconds, None for no limit.
        looks: with ``replicates: auto``, after how many replicates it is decided who gets more; else empty.
        rope: the region of practical equivalence, None for none.
        folds: how many pieces of the data validate in turn.
    """

    study: Study
    objective: Objective
    arms: tuple[ArmPlan, ...]
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
                    "clashes": arm.recipe.clashes(),
                }
                for arm in self.arms
            ],
        }


def make_plan(experiment: Experiment, prepared: Prepared, study: Study | None = None) -> Plan:
    """Plan ``experiment`` on ``prepared`` data; ``study`` if more is known of it than `study_of` says.

    Raises:
        InputError: if the metric does not fit the task, hyperband has too few trials, or is to be cut short.
    """
    search = experiment.search
    if search.tuner == "hyperband" and (search.pruner != "none" or experiment.budget):
        key = "budget" if experiment.budget else "search.pruner"
        raise InputError(f"{key}: hyperband stops trials by its own rule and needs all of them; take another tuner")
    study = study or study_of(experiment, prepared)
    recipes = zip(experiment.recipes, experiment.built_recipes(), strict=True)
    arms = [_arm(name, recipe, experiment) for name, recipe in recipes]
    arms += [dataclasses.replace(_arm(name, Recipe(), experiment), placebo=True) for name in placebos(experiment)]
    return Plan(
        study=study,
        objective=study.task.objective(study.rank_by),
        arms=tuple(arms),
        tuner=search.tuner,
        trials=search.trials,
        epochs=experiment.training.epochs,
        replicates=looks_of(experiment)[0],
        learning_rate=experiment.training.learning_rate,
        seed=experiment.seed,
        pruner=search.pruner,
        budget=experiment.budget,
        looks=looks if len(looks := looks_of(experiment)) > 1 else (),
        rope=experiment.rope,
        folds=experiment.split.folds,
    )


def looks_of(experiment: Experiment) -> tuple[int, ...]:
    """After how many replicates a comparison is looked at: once, unless it decides by itself how many it needs."""
    return LOOKS if isinstance(experiment.replicates, str) else (experiment.replicates,)


def placebos(experiment: Experiment) -> list[str]:
    """The names of the disguised copies of the baseline."""
    return [f"placebo {number}" for number in range(1, experiment.placebo + 1)]


def study_of(experiment: Experiment, prepared: Prepared) -> Study:
    """What all runs of ``experiment`` share.

    Raises:
        InputError: if the metric does not fit the task.
    """
    task = task_of(prepared.preparation)
    rules = [cut.preparation for cut in prepared.cuts]
    return Study(
        backbone=experiment.backbone,
        task=task,
        input_shape=prepared.preparation.input_shape,
        optimizer=experiment.training.optimizer,
        batch_size=experiment.training.batch_size,
        rank_by=task.objective(experiment.rank_by).metric,
        data=f"{prepared.digest} {experiment.split} seed={experiment.seed}",
        class_weight=experiment.training.class_weight,
        cuts=tuple(Cut(task_of(rule), rule.input_shape) for rule in rules),
    )


def task_of(preparation: Preparation) -> Task:
    """The task that data prepared in this way asks for."""
    if preparation.task == "classification":
        return Task("classification", preparation.classes)
    return Task(preparation.task, preparation.outputs, preparation.target_scale)


def _arm(name: str, recipe: Recipe, experiment: Experiment) -> ArmPlan:
    training, search = experiment.training, experiment.search
    space = axes(recipe, training.learning_rate)
    ahead = begin(search.tuner, space, search.trials, training.epochs, Objective("nll", "min"), seed=0).ahead()
    return ArmPlan(
        name=name,
        recipe=recipe,
        space=tuple(space),
        trials=sum(count for count, _ in ahead),
        epochs=sum(count * epochs for count, epochs in ahead),
        members=_members(recipe),
        cost=math.prod(part.cost for part in recipe),
    )


def _members(recipe: Recipe) -> int:
    highest = {name: max(where.values()) for name, (where, _) in recipe.space().items()}
    return recipe.fixed(highest).trainings()


def estimate_seconds(plan: Plan, prepared: Prepared, workers: int) -> float:
    """Time one epoch of the baseline here, and say how long all runs will take on ``workers`` workers.

    A recipe's epoch counts by its cost. Traces and start-up come on top; it is a first guess, made from a measurement.
    """
    from regzoo.training.program import Program
    from regzoo.training.run import build

    model = build(plan.study, Recipe())
    program = Program(model, prepared.train, prepared.validation, plan.study.batch_size)
    options: dict[str, Any] = {"strengths": {}, "seed": 0, "learning_rate": 1e-3, "objective": plan.objective}
    program.train(**options, epochs=1)
    began = time.perf_counter()
    program.train(**options, epochs=2)
    epoch = (time.perf_counter() - began) / 2
    return plan.baseline_epochs * epoch / min(workers, os.cpu_count() or 1)
