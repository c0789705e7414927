"""Metadata of a comparison: everything its ledger keeps besides records and weights."""

from __future__ import annotations

from importlib.metadata import version

import numpy as np

from regzoo.comparison.plan import count_searches, count_steps, list_clashes, list_interim_analyses, list_placebo_names
from regzoo.comparison.sweep import Sweep
from regzoo.config import Experiment
from regzoo.data.prepared import PreparedData
from regzoo.storage.info import ComparisonInfo, DataInfo, FoldInfo, ModelInfo
from regzoo.storage.ledger import Ledger
from regzoo.training.setup import TrainingSetup

PACKAGES = ("regzoo", "tensorflow", "keras", "keras-tuner", "numpy", "scikit-learn")
"""Packages whose versions are kept: another version may train other weights."""


def write_metadata(
    ledger: Ledger,
    experiment: Experiment,
    data: PreparedData,
    setup: TrainingSetup,
    command: str,
    sweep: Sweep | None = None,
    notes: tuple[str, ...] = (),
) -> None:
    """Write setup, recipe names, folds and `ComparisonInfo` to ``ledger``, replacing older ones."""
    ledger.set_setup_json(setup.to_json())
    ledger.set_recipe_names([*experiment.recipes, *list_placebo_names(experiment)])
    ledger.set_fold_info(0, make_fold_info(data))
    for number, fold in enumerate(data.folds, start=1):
        ledger.set_fold_info(number, make_fold_info(fold, data))
    earlier = ledger.get_comparison_info()
    ledger.set_comparison_info(make_comparison_info(experiment, data, setup, command, sweep, earlier, notes))


def make_comparison_info(
    experiment: Experiment,
    data: PreparedData,
    setup: TrainingSetup,
    command: str,
    sweep: Sweep | None = None,
    earlier: ComparisonInfo | None = None,
    notes: tuple[str, ...] = (),
) -> ComparisonInfo:
    """Return the facts of a comparison; wall time, and the sweep if none is given, are those of ``earlier``."""
    earlier_sweep = None if earlier is None else earlier.sweep
    return ComparisonInfo(
        name=experiment.name,
        rank_by=setup.rank_by,
        direction=setup.task.objective(setup.rank_by).direction,
        data=DataInfo.from_json(data.facts),
        config=experiment.to_yaml(),
        versions={package: version(package) for package in PACKAGES},
        command=command,
        trials=experiment.search.trials,
        tuner=experiment.search.tuner,
        replicates=list_interim_analyses(experiment)[0],
        model=make_model_info(experiment, setup),
        seconds=None if earlier is None else earlier.seconds,
        pruner=experiment.search.pruner,
        interim_analyses=list_interim_analyses(experiment),
        rope=experiment.rope,
        budget=experiment.budget,
        class_weight=experiment.training.class_weight,
        folds=experiment.split.folds,
        test_train_ratio=data.test_train_ratio,
        notes=(*(note for recipe in experiment.parse_recipes() for note in list_clashes(recipe, setup)), *notes),
        vary=experiment.vary,
        searches=count_searches(experiment),
        confirm=experiment.search.confirm,
        search_seed=experiment.search.seed,
        steps=None if experiment.older_ranges else count_steps(experiment, data),
        sweep=earlier_sweep if sweep is None else sweep.to_dict(),
    )


def make_model_info(experiment: Experiment, setup: TrainingSetup) -> ModelInfo:
    """Return the model that is trained and how: what the methods section of a paper states."""
    backbone = setup.parse_backbone()
    training, split = experiment.training, experiment.split
    return ModelInfo(
        backbone=setup.backbone if backbone is None else backbone.to_full_text(),
        epochs=training.epochs,
        batch_size=training.batch_size,
        optimizer=training.optimizer,
        learning_rate=str(training.learning_rate),
        train_size=split.train_size,
        label_noise=split.label_noise,
        seed=experiment.seed,
        loss=training.loss,
    )


def make_fold_info(fold: PreparedData, first: PreparedData | None = None) -> FoldInfo:
    """Return everything that the export of a model trained in ``fold`` needs.

    Args:
        fold: the fold.
        first: fold 0, whose held-out rows are not repeated where ``fold`` has the same; None for fold 0 itself.
    """
    repeated = first is not None and _have_equal_rows(fold, first)
    held_out = [] if repeated else fold.held_out[0].tolist()
    return FoldInfo(fold.preprocessor.to_json(), held_out, DataInfo.from_json(fold.facts))


def _have_equal_rows(fold: PreparedData, other: PreparedData) -> bool:
    """Return True if the raw held-out rows are equal: those of a table have the columns that its training rows fill."""
    (ours, _), (theirs, _) = fold.held_out, other.held_out
    if isinstance(ours, np.ndarray) and isinstance(theirs, np.ndarray):
        return np.array_equal(ours, theirs)
    return bool(ours.tolist() == theirs.tolist())
