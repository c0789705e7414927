"""Refit: train the chosen recipe again on train plus validation, for as many epochs as its replicates took."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from regzoo.comparison.data_keys import apply_data_keys
from regzoo.comparison.setup import make_setup
from regzoo.config import Experiment
from regzoo.core import InputError, Recipe
from regzoo.data.dataset import Array, Dataset
from regzoo.data.inputs import map_inputs
from regzoo.data.matching import match_inputs
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import count_held_out, prepare_fold, split_repairs
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.preprocessor_fitting import fit_preprocessor
from regzoo.export.candidate import Candidate, RefitInfo
from regzoo.training.engine.trainer import Trainer, execute_run
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup

EARLY_STOPPING = "early_stopping"
"""The regularizer that needs a validation part while it trains; a refit learns its epochs from the replicates."""


@dataclass(frozen=True, eq=False)
class RefitData:
    """The data of a comparison, and the config that decided how it was split."""

    dataset: Dataset
    experiment: Experiment


def refit_recipe(best: Record, replicates: Sequence[Record], setup: TrainingSetup, data: RefitData) -> Candidate:
    """Train the recipe of ``best`` on the training and the validation part of ``data``.

    With folds, these are all rows outside the test part. Preprocessing is fitted on the same rows. The test part is
    read once, when the training is over.

    Args:
        best: the recipe's best replicate; its strengths, seed and learning rate are used.
        replicates: all replicates of the recipe; the finished ones decide the number of epochs.
        setup: the setup of the comparison.
        data: the data of the comparison.

    Raises:
        InputError: if the data is not that of the comparison, or the training diverges.
    """
    experiment, inputs, scale = data.experiment, setup.inputs or None, data.experiment.data.scale
    dataset, _ = match_inputs(apply_data_keys(data.dataset, experiment), inputs)
    last = experiment.split.folds - 1  # time-ordered folds grow: only the last one holds all rows outside the test part
    prepared = prepare_fold(
        dataset, experiment.split, experiment.seed, experiment.task, last, inputs=inputs, scale=scale
    )
    if make_setup(experiment, prepared).data != setup.data:
        raise InputError("refit: this is not the data of the comparison: give the same rows in the same order")
    split, task = prepared.split, prepared.preprocessor.task
    rows = np.concatenate([split.train, split.validation])
    preprocessor, repairs = fit_preprocessor(dataset, rows, task, inputs, scale)
    repairs, _ = split_repairs(dataset, preprocessor, repairs)
    merged = _merge_parts(dataset, prepared, preprocessor, rows)
    new_setup = replace(make_setup(experiment, merged, setup.model), jit_compile=setup.jit_compile)
    epochs, learned_from = choose_epochs(best.run.recipe, replicates)
    recipe = _drop_early_stopping(best.run.recipe)
    run = replace(best.run, recipe_text=str(recipe), epochs=epochs, setup=new_setup.digest, fold=0)
    record, weights = execute_run(run, Trainer(new_setup, merged.arrays(experiment.training.class_weight)))
    if record.status != "ok":
        raise InputError(f"refit: {recipe} ended as {record.status} ({record.error}); export it without --refit")
    return Candidate(
        record=replace(record, metrics={part: record.metrics[part] for part in ("train", "test")}, history={}),
        weights=weights,
        setup=new_setup,
        preprocessor=preprocessor,
        raw=preprocessor.select_columns(dataset.x)[split.test[: count_held_out(preprocessor.values)]],
        refit=RefitInfo(
            rows=len(rows),
            epochs=epochs,
            learned_from=learned_from,
            stopped=recipe != best.run.recipe,
            cleaned=bool(experiment.split.label_noise),
            repairs=(*dataset.notes, *repairs),
        ),
    )


def choose_epochs(recipe: Recipe, replicates: Sequence[Record]) -> tuple[int, tuple[int, ...]]:
    """Return how many epochs to train ``recipe`` for, and the epochs of each finished replicate.

    A recipe that stops early keeps the weights of its best epoch, so the best epochs count. Any other recipe keeps its
    last weights, so the epochs that it trained count. The number is their median, rounded down.
    """
    stops = _drop_early_stopping(recipe) != recipe
    finished = [record for record in replicates if record.status == "ok"]
    epochs = tuple(record.best_epoch if stops else record.epochs for record in finished)
    return max(1, int(statistics.median(epochs))), epochs


def _drop_early_stopping(recipe: Recipe) -> Recipe:
    return Recipe(tuple(regularizer for regularizer in recipe if regularizer.name != EARLY_STOPPING))


def _merge_parts(dataset: Dataset, prepared: PreparedData, preprocessor: Preprocessor, rows: Array) -> PreparedData:
    """Return ``prepared`` with ``rows`` as its training part, without label noise, all standardized again."""
    split, x = prepared.split, preprocessor.transform(dataset.x)
    same = isinstance(x, np.ndarray) and (dataset.y is None or preprocessor.task == "reconstruction")
    y: Any = x if same else preprocessor.encode_targets(dataset.y)  # type: ignore[arg-type]  # not None then

    def take(part: Array) -> tuple[Any, Array]:
        return map_inputs(lambda values: values[part], x), y[part]

    return replace(
        prepared,
        train=take(rows),
        validation=take(split.validation),  # unused, but a program measures a validation part
        test=take(split.test),
        preprocessor=preprocessor,
        weights=None if dataset.weight is None else {"train": dataset.weight[rows]},
    )
