"""Plan of a comparison: the runs that an experiment needs, and their cost."""

from __future__ import annotations

import dataclasses
import math
import os
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from regzoo.comparison.setup import make_setup
from regzoo.config import Experiment
from regzoo.core import InputError, Objective, Range, Recipe
from regzoo.core.augmentation import count_copies, describe_copies
from regzoo.data.prepared import PreparedData
from regzoo.search.search import make_search
from regzoo.search.space import Axis, make_axes
from regzoo.training.clashes import list_training_clashes
from regzoo.training.model.place_summary import Places
from regzoo.training.setup import TrainingSetup

INTERIM_ANALYSES = (5, 10, 20, 40)
"""Replicates after which results are analyzed with ``replicates: auto``; the last is the most that are made."""


@dataclass(frozen=True)
class RecipePlan:
    """The planned runs of one recipe.

    Attributes:
        name: the recipe as the config writes it.
        recipe: the same as an object.
        space: its search space, one axis per range.
        searches: number of its searches; 1 if there is nothing to search.
        trials: number of trials of a search.
        confirmations: number of trials of a search that are run again.
        epochs: most epochs that trials and confirmations of all its searches take together.
        members: number of models that a run trains; the highest if it is searched.
        cost: passes through the model that a training step takes; 1 for the baseline. Copies of the rows, which make
            more steps, count too.
        placebo: whether it is a placebo: a copy of the baseline under another name, with its own seeds.
    """

    name: str
    recipe: Recipe
    space: tuple[Axis, ...]
    trials: int
    epochs: int
    members: int
    cost: float
    placebo: bool = False
    searches: int = 1
    confirmations: int = 0

    @property
    def searched(self) -> int:
        """Number of runs of all its searches."""
        return self.searches * (self.trials + self.confirmations)


@dataclass(frozen=True)
class Plan:
    """Everything that decides the runs of a comparison.

    With several ``folds``, or ``split`` in ``vary``, replicate i of every recipe uses fold i of the data, repetition
    after repetition; for trials see `regzoo.comparison.folds.choose_fold`.

    Attributes:
        setup: what all runs share.
        objective: the metric that ranks, and its direction.
        recipes: one plan per recipe.
        tuner: the search algorithm.
        trials: most trials of a search.
        searches: independent searches of every recipe; replicate i measures what search i mod ``searches`` chose.
        search_seed: seed of the searches.
        epochs: epochs of a full training.
        replicates: number of replicates of every recipe.
        learning_rate: a number, or the range that is searched; with a schedule, where it starts.
        seed: the experiment's seed.
        pruner: the rule that stops hopeless trials, ``none`` or ``median``.
        budget: limit on wall time in seconds, None for no limit.
        interim_analyses: with ``replicates: auto``, the replicates after which more may be asked for; else empty.
        rope: the region of practical equivalence, None for none.
        folds: number of folds.
        vary: what is drawn again for each replicate, see `regzoo.config.Experiment`.
        steps: training steps of a full run.
    """

    setup: TrainingSetup
    objective: Objective
    recipes: tuple[RecipePlan, ...]
    tuner: str
    trials: int
    epochs: int
    replicates: int
    learning_rate: float | Range
    seed: int
    pruner: str = "none"
    budget: float | None = None
    interim_analyses: tuple[int, ...] = ()
    rope: float | None = None
    folds: int = 1
    vary: tuple[str, ...] = ("seed",)
    searches: int = 1
    search_seed: int = 0
    steps: int = 1000

    @property
    def runs(self) -> int:
        """Number of trials, confirmations and replicates of all recipes."""
        return sum(recipe.searched + self.replicates for recipe in self.recipes)

    @property
    def model_epochs(self) -> int:
        """Most epochs of training, summed over all runs and their members."""
        return sum(recipe.members * self._epochs(recipe) for recipe in self.recipes)

    @property
    def baseline_epochs(self) -> float:
        """`model_epochs` weighted by cost: the epochs of the baseline that would take as long."""
        return sum(recipe.cost * recipe.members * self._epochs(recipe) for recipe in self.recipes)

    def _epochs(self, recipe: RecipePlan) -> int:
        return recipe.epochs + self.replicates * self.epochs

    def to_dict(self, places: Mapping[str, Places] | None = None) -> dict[str, Any]:
        """Return plain values, for JSON.

        Args:
            places: where the regularizers of each recipe act, by the recipe as the config writes it; if it is known.
        """
        return {
            "rank_by": self.objective.metric,
            "tuner": self.tuner,
            "runs": self.runs,
            "epochs": self.model_epochs,
            "budget": self.budget,
            "folds": self.folds,
            "vary": list(self.vary),
            "recipes": [
                {
                    "name": recipe.name,
                    "searches": recipe.searches,
                    "trials": recipe.trials,
                    "confirmations": recipe.confirmations,
                    "replicates": self.replicates,
                    "models_per_run": recipe.members,
                    "cost": round(recipe.cost, 3),
                    "space": {axis.name: axis.describe() for axis in recipe.space},
                    "places": (places or {}).get(recipe.name, {}),
                    "clashes": list_clashes(recipe.recipe, self.setup),
                }
                for recipe in self.recipes
            ],
        }


def list_clashes(recipe: Recipe, setup: TrainingSetup) -> list[str]:
    """Return the warnings about a recipe with backbone, optimizer and loss of ``setup``, a sentence each."""
    of_training = list_training_clashes(recipe, setup.optimizer, setup.loss)
    longer = describe_copies(recipe)
    return [*recipe.clashes(setup.parse_backbone()), *of_training, *([longer] if longer else [])]


def make_plan(experiment: Experiment, data: PreparedData, setup: TrainingSetup | None = None) -> Plan:
    """Return the plan of ``experiment``; ``setup`` is the result of `make_setup`, if it has been called before.

    Raises:
        InputError: if the metric does not fit the task, or hyperband has too few trials, a pruner or a budget.
    """
    search = experiment.search
    if search.tuner == "hyperband" and (search.pruner != "none" or experiment.budget):
        key = "budget" if experiment.budget else "search.pruner"
        raise InputError(f"{key}: hyperband stops trials by its own rule and needs all of them; take another tuner")
    setup = setup or make_setup(experiment, data)
    recipes = [
        _plan_recipe(name, recipe, experiment)
        for name, recipe in zip(experiment.recipes, experiment.parse_recipes(), strict=True)
    ]
    recipes += [
        dataclasses.replace(_plan_recipe(name, Recipe(), experiment), placebo=True)
        for name in list_placebo_names(experiment)
    ]
    analyses = list_interim_analyses(experiment)
    return Plan(
        setup=setup,
        objective=setup.task.objective(setup.rank_by),
        recipes=tuple(recipes),
        tuner=search.tuner,
        trials=search.trials,
        epochs=experiment.training.epochs,
        replicates=analyses[0],
        learning_rate=experiment.training.start_rate,
        seed=experiment.seed,
        pruner=search.pruner,
        budget=experiment.budget,
        interim_analyses=analyses if len(analyses) > 1 else (),
        rope=experiment.rope,
        folds=experiment.split.folds,
        vary=experiment.vary,
        searches=count_searches(experiment),
        search_seed=search.seed,
        steps=count_steps(experiment, data),
    )


def count_steps(experiment: Experiment, data: PreparedData) -> int:
    """Return the training steps of a full run, on the first fold."""
    training = experiment.training
    return training.epochs * math.ceil(len(data.train[1]) / training.batch_size)


def list_interim_analyses(experiment: Experiment) -> tuple[int, ...]:
    """Return the replicates after which results are analyzed: one number, unless ``replicates: auto``."""
    return INTERIM_ANALYSES if isinstance(experiment.replicates, str) else (experiment.replicates,)


def count_searches(experiment: Experiment) -> int:
    """Return the number of searches for each recipe.

    There are no more than replicates, so that each search is measured, and one where nothing is searched.
    """
    rate = experiment.training.start_rate
    if not any(make_axes(recipe, rate) for recipe in experiment.parse_recipes()):
        return 1
    return min(experiment.search.repeats, list_interim_analyses(experiment)[0])


def list_placebo_names(experiment: Experiment) -> list[str]:
    """Return the names of the placebos, the disguised copies of the baseline."""
    return [f"placebo {number}" for number in range(1, experiment.placebo + 1)]


def _plan_recipe(name: str, recipe: Recipe, experiment: Experiment) -> RecipePlan:
    training, search = experiment.training, experiment.search
    space = make_axes(recipe, training.start_rate, epochs=training.epochs, older=experiment.older_ranges)
    objective = Objective("nll", "min")  # any: the number of trials does not depend on it
    rounds = make_search(search.tuner, space, search.trials, training.epochs, objective, seed=0).list_remaining()
    searches = count_searches(experiment) if space else 1
    longest = sum(count for count, epochs in rounds if epochs == max(epochs for _, epochs in rounds))
    confirmations = min(search.confirm, longest) if longest > 1 else 0
    epochs = sum(count * epochs for count, epochs in rounds) + confirmations * training.epochs
    return RecipePlan(
        name=name,
        recipe=recipe,
        space=tuple(space),
        trials=sum(count for count, _ in rounds),
        epochs=searches * epochs,
        members=_count_models(recipe),
        cost=math.prod(regularizer.cost for regularizer in recipe) * (1 + count_copies(recipe)),
        searches=searches,
        confirmations=confirmations,
    )


def _count_models(recipe: Recipe) -> int:
    highest = {name: max(range_.values()) for name, (range_, _) in recipe.space().items()}
    return recipe.with_strengths(highest).n_models()


def estimate_seconds(plan: Plan, data: PreparedData, workers: int) -> float:
    """Time one epoch of the baseline here, and return the estimated seconds of all runs on ``workers`` workers.

    A recipe's epoch counts by its cost. Tracing and the start of workers come on top, so this is a rough guess.
    """
    from regzoo.training.engine.make_model import build_compiled_model
    from regzoo.training.engine.program import Program

    model = build_compiled_model(plan.setup, Recipe())
    program = Program(model, data.train, data.validation, plan.setup.batch_size)
    options: dict[str, Any] = {"strengths": {}, "seed": 0, "learning_rate": 1e-3, "objective": plan.objective}
    program.train(**options, epochs=1)
    began = time.perf_counter()
    program.train(**options, epochs=2)
    epoch = (time.perf_counter() - began) / 2
    return plan.baseline_epochs * epoch / min(workers, os.cpu_count() or 1)
