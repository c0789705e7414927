"""`TrainingSetup`: what all runs of a comparison share. Frozen, printable and JSON; no TensorFlow."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any

from regzoo.core.backbone import Backbone
from regzoo.core.cells import Cells
from regzoo.core.parsing import read_backbone
from regzoo.data.inputs import InputSpec
from regzoo.training.learning_rate_schedule import LearningRateSchedule
from regzoo.training.optimizer_names import COMPILED
from regzoo.training.own_model.own_model import OwnModel
from regzoo.training.task import Task


@dataclass(frozen=True)
class FoldSetup:
    """Task and input shape of one fold, which follow from preprocessing fitted on its own training rows.

    Attributes:
        task: with the size and the scale of this fold.
        input_shape: shape of one example; the number of features of a table depends on the training rows.
        cells: which features hold one value of the data; None if each is a number of its own.
        vocabulary_size: number of different tokens, which depends on the training rows; 0 if inputs are numbers.
    """

    task: Task
    input_shape: tuple[int, ...]
    cells: Cells | None = None
    vocabulary_size: int = 0

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `TrainingSetup.from_json` reads."""
        cells = {} if self.cells is None else {"cells": self.cells.to_json()}
        tokens = {"vocabulary_size": self.vocabulary_size} if self.vocabulary_size else {}
        return {"task": asdict(self.task), "input_shape": list(self.input_shape), **cells, **tokens}


@dataclass(frozen=True)
class TrainingSetup:
    """Everything that the runs of a comparison have in common, so that only the recipe differs.

    Attributes:
        backbone: as in the config; for the user's own model, its text.
        task: what is predicted.
        input_shape: shape of one example, without the batch axis.
        optimizer: its text in normal form, such as ``adam`` or ``sgd(momentum=0.95)``; ``sgd`` has momentum 0.9.
        batch_size: rows per step.
        rank_by: the metric that ranks the recipes.
        data: digest of the prepared data, including the split and label noise.
        class_weight: ``none``, or ``balanced``: every class has the same weight in the training loss.
        jit_compile: True if XLA compiles the step; it draws other random numbers, so a comparison never mixes both.
        folds: the folds after the first, in order; the fields above describe the first.
        inputs: the inputs of a user's own model; empty if it is one array of numbers, which ``input_shape`` describes.
        loss: text of the loss that is minimized, in normal form; None for the task's own.
        model: the user's own model; None for a named backbone.
        cells: of rows, which features hold one value of the data; None if each is a number of its own.
        vocabulary_size: number of different tokens for a named backbone, padding included; 0 if inputs are numbers.
        schedule: text of the learning rate's schedule, see `LearningRateSchedule`; None if it stays the same.
    """

    backbone: str
    task: Task
    input_shape: tuple[int, ...]
    optimizer: str
    batch_size: int
    rank_by: str
    data: str
    class_weight: str = "none"
    jit_compile: bool = False
    folds: tuple[FoldSetup, ...] = ()
    inputs: tuple[InputSpec, ...] = ()
    loss: str | None = None
    model: OwnModel | None = None
    cells: Cells | None = None
    vocabulary_size: int = 0
    schedule: str | None = None

    def parse_schedule(self) -> LearningRateSchedule | None:
        """Return the learning rate's schedule; None if it stays the same."""
        return None if self.schedule is None else LearningRateSchedule.parse(self.schedule)

    def parse_backbone(self) -> Backbone | None:
        """Return the named backbone; None for the user's own model."""
        return read_backbone(self.backbone) if self.model is None else None

    def for_fold(self, number: int) -> TrainingSetup:
        """Return the setup of fold ``number`` alone, counted from 0."""
        first = FoldSetup(self.task, self.input_shape, self.cells, self.vocabulary_size)
        fold = self.folds[number - 1] if number else first
        return replace(self, **{field.name: getattr(fold, field.name) for field in fields(fold)}, folds=())

    @property
    def identity(self) -> dict[str, Any]:
        """The values that make two setups the same, as JSON.

        The keys are listed here, not taken from the fields: a key that is added later is included only where it
        differs from its default, so that it retrains nothing. The folds are left out, so that replicates can be added.
        """
        model = None if self.model is None else self.model.identity
        added = {
            "inputs": [spec.to_json() for spec in self.inputs],
            "loss": self.loss,
            "model": model,
            "compiled": self._get_compiled(),
            "cells": None if self.cells is None else self.cells.to_json(),
            "vocabulary_size": self.vocabulary_size,
            "schedule": self.schedule,
        }
        return {
            "backbone": self.backbone,
            "task": {"kind": self.task.kind, "size": self.task.size, "scale": self.task.scale},
            "input_shape": self.input_shape,
            "optimizer": self.optimizer,
            "batch_size": self.batch_size,
            "rank_by": self.rank_by,
            "data": self.data,
            "class_weight": self.class_weight,
            "jit_compile": self.jit_compile,
            **{key: value for key, value in added.items() if value},
        }

    def _get_compiled(self) -> dict[str, Any]:
        """Return the configs that are taken from the user's own model, by key."""
        taken = {"optimizer": self.optimizer, "loss": self.loss}
        keys = [key for key, value in taken.items() if value == COMPILED]
        return {} if self.model is None else {key: self.model.get_compiled(key) for key in keys}  # type: ignore[arg-type]

    @property
    def digest(self) -> str:
        """Hash of `identity`."""
        text = json.dumps(self.identity, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()

    def to_json(self) -> dict[str, Any]:
        """Return JSON values that `from_json` reads."""
        model = {} if self.model is None else {"model": self.model.to_json()}
        identity = {key: value for key, value in self.identity.items() if key != "compiled"}  # the model has it
        return {**identity, "folds": [fold.to_json() for fold in self.folds], **model}

    @staticmethod
    def from_json(values: Mapping[str, Any]) -> TrainingSetup:
        """Read what `to_json` returned, or what an older version wrote (``cuts`` in place of ``folds``)."""
        given = dict(values)
        folds = given.pop("folds", None) or given.pop("cuts", ())
        given.pop("cuts", None)
        inputs = tuple(map(InputSpec.from_json, given.pop("inputs", ())))
        if given.get("model") is not None:
            given["model"] = OwnModel.from_json(given["model"])

        def read(entry: Mapping[str, Any]) -> dict[str, Any]:
            cells = {"cells": Cells.from_json(entry["cells"])} if "cells" in entry else {}
            return {**entry, "task": Task(**entry["task"]), "input_shape": tuple(entry["input_shape"]), **cells}

        return TrainingSetup(**read(given), folds=tuple(FoldSetup(**read(fold)) for fold in folds), inputs=inputs)
