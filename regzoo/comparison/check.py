"""Checks around the runs of a comparison: that every recipe can be built before, that there is a result after."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from regzoo.comparison.own_model import list_model_notes
from regzoo.config import Experiment
from regzoo.core import EnvironmentFailure, InputError, Recipe
from regzoo.core.augmentation import require_memory
from regzoo.core.errors import ErrorCollector
from regzoo.core.places import acts_on_cells
from regzoo.data.cells import describe_cells
from regzoo.data.inputs import list_arrays
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocessor import Preprocessor
from regzoo.execution.tf_runtime import import_tensorflow
from regzoo.training.clashes import reject_schedule, reject_soft_targets
from regzoo.training.model.place_summary import Places
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup


@dataclass(frozen=True)
class CheckedModels:
    """Result of building every recipe before anything is trained.

    Attributes:
        places: where the regularizers act, by the recipe as the config writes it.
        notes: sentences on the user's own model and on what a recipe does to it.
    """

    places: Mapping[str, Places]
    notes: tuple[str, ...] = ()


def check_models(experiment: Experiment, setup: TrainingSetup) -> CheckedModels:
    """Build every recipe once, untrained, so that one without a place to act is rejected now.

    Raises:
        InputError: with every such recipe.
    """
    import_tensorflow()
    import tensorflow as tf

    from regzoo.training.engine.make_model import build_for_setup
    from regzoo.training.model.place_summary import summarize_places, warn_frozen

    problems = _check_training(setup)
    places: dict[str, Places] = {}
    notes = [] if setup.model is None else list_model_notes(setup.model)
    for name, recipe in zip(experiment.recipes, experiment.parse_recipes(), strict=True):
        try:
            reject_soft_targets(recipe, setup.loss)
            reject_schedule(recipe, setup.schedule)
            model = build_for_setup(setup, _with_numbers(recipe))
            places[name] = summarize_places(model)
            clashes = [*getattr(model, "clashes_with_own", ()), *warn_frozen(places[name])]
            notes += [sentence if sentence.startswith(name) else f"{name}: {sentence}" for sentence in clashes]
        except InputError as error:
            problems.append(f"recipes: {name}: {error}")
        except (OverflowError, ValueError, MemoryError, tf.errors.OpError) as error:  # a network beyond the memory
            reason = (str(error).splitlines() or ["out of memory"])[0]
            problems.append(f"recipes: {name}: {setup.backbone} cannot be built on this machine: {reason[:300]}")
    if problems:
        raise InputError("\n".join(dict.fromkeys(problems)))
    return CheckedModels(places, tuple(dict.fromkeys(notes)))


def check_copies(experiment: Experiment, data: PreparedData, memory: int) -> None:
    """Reject recipes whose augmented copies of the training rows do not fit into the memory.

    Args:
        experiment: the experiment.
        data: its data, with every fold.
        memory: bytes of data that a worker may hold.

    Raises:
        InputError: with every such recipe.
    """
    folds = [data, *data.folds]
    size = max(sum(values.nbytes for values in list_arrays(fold.train[0])) for fold in folds)
    problems = ErrorCollector()
    for name, recipe in zip(experiment.recipes, experiment.parse_recipes(), strict=True):
        with problems.collect(f"recipes: {name}: "):
            require_memory(recipe, size, memory // len(folds))
    problems.raise_if_any()


def list_cell_notes(experiment: Experiment, preprocessor: Preprocessor) -> list[str]:
    """Say which columns of rows are one cell, if a recipe has a regularizer that asks for it; a sentence or none."""
    if preprocessor.kind != "rows" or not any(map(acts_on_cells, experiment.parse_recipes())):
        return []
    named = [rule.name for rule in preprocessor.rules for _ in rule.features] or preprocessor.columns
    return [describe_cells(preprocessor.cells, named or list(map(str, range(*preprocessor.input_shape))))]


def _check_training(setup: TrainingSetup) -> list[str]:
    """Make the optimizer and the loss; return what is wrong with them."""
    from regzoo.training.engine.make_model import make_setup_loss, make_setup_optimizer

    problems = []
    for key, make in (("optimizer", make_setup_optimizer), ("loss", make_setup_loss)):
        try:
            make(setup)
        except InputError as error:
            problems.append(f"training.{key}: {error}")
    return problems


def _with_numbers(recipe: Recipe) -> Recipe:
    """Return the recipe with the first number of each range."""
    return recipe.with_strengths({field: range_.values()[0] for field, (range_, _) in recipe.space().items()})


def require_results(records: Sequence[Record]) -> None:
    """Raise if there are runs, and none of them gave a result: a table without a number is no answer.

    Raises:
        InputError: if every run diverged.
        EnvironmentFailure: if every run failed, or diverged.
    """
    if not records or any(record.status not in ("failed", "diverged") for record in records):
        return
    failed = [record for record in records if record.status == "failed"]
    first = (failed or records)[0]
    what = f"the first, {first.run.recipe_text}: {first.error}"
    if not failed:
        raise InputError(
            f"all {len(records)} runs diverged; {what}. Lower training.learning_rate, or look at the scale of the data"
        )
    others = "" if len(failed) == len(records) else ", the others diverged"
    raise EnvironmentFailure(f"no run gave a result: {len(failed)} of {len(records)} failed{others}; {what}")
