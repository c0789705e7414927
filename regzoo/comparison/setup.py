"""`TrainingSetup` of an experiment: what all its runs share."""

from __future__ import annotations

from regzoo.config import Experiment
from regzoo.core import InputError
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocessor import Preprocessor
from regzoo.training.loss_names import check_loss
from regzoo.training.optimizer_names import COMPILED
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.setup import FoldSetup, TrainingSetup
from regzoo.training.task import Task


def make_setup(experiment: Experiment, data: PreparedData, model: OwnModel | None = None) -> TrainingSetup:
    """Return what all runs of ``experiment`` share.

    Args:
        experiment: the experiment.
        data: its data.
        model: the user's own model; None for a named backbone.

    Raises:
        InputError: if the metric or the loss does not fit the task.
    """
    task = make_task(data.preprocessor)
    loss = experiment.training.loss
    if loss not in (None, COMPILED):
        try:
            check_loss(loss, task)
        except InputError as error:
            raise InputError(f"training.loss: {error}") from None
    schedule = experiment.training.schedule
    preprocessors = [fold.preprocessor for fold in data.folds]
    return TrainingSetup(
        backbone=str(experiment.backbone) if model is None else model.text,
        task=task,
        input_shape=data.preprocessor.input_shape,
        optimizer=experiment.training.optimizer,
        batch_size=experiment.training.batch_size,
        rank_by=task.objective(experiment.rank_by).metric,
        data=make_data_identity(data.digest, experiment),
        class_weight=experiment.training.class_weight,
        jit_compile=experiment.training.jit_compile,
        folds=tuple(
            FoldSetup(make_task(one), one.input_shape, one.cells, one.vocabulary_size) for one in preprocessors
        ),
        loss=loss,
        model=model,
        inputs=() if data.preprocessor.vocabulary_size else data.preprocessor.specs,
        cells=data.preprocessor.cells,
        vocabulary_size=data.preprocessor.vocabulary_size,
        schedule=None if schedule is None else str(schedule.over(experiment.training.epochs)),
    )


def make_data_identity(digest: str, experiment: Experiment) -> str:
    """Return the identity of the prepared data, equal for the same data set, split and seed.

    The keys are spelled out: a key that is added to ``split`` later goes in only where it differs from its default,
    so that it retrains no older comparison.
    """
    split, categories = experiment.split, experiment.data.categorical_features
    encoded = f" categorical_features={categories!r}" if categories else ""
    scale = "" if experiment.data.scale == "standardize" else f" scale={experiment.data.scale!r}"
    limits = {"max_tokens": experiment.data.max_tokens, "sequence_length": experiment.data.sequence_length}
    encoded += "".join(f" {key}={value}" for key, value in limits.items() if value is not None)
    format_1 = {
        "train": split.train,
        "validation": split.validation,
        "test": split.test,
        "folds": split.folds,
        "train_size": split.train_size,
        "label_noise": split.label_noise,
        "duplicates": split.duplicates,
    }
    keys = " ".join(f"{key}={value!r}" for key, value in format_1.items())
    return f"{digest} {keys} seed={experiment.seed}{scale}{encoded}"


def make_task(preprocessor: Preprocessor) -> Task:
    """Return the task of data that ``preprocessor`` prepares."""
    if preprocessor.task == "classification":
        return Task("classification", preprocessor.classes)
    return Task(preprocessor.task, preprocessor.outputs, preprocessor.target_scale)
