"""Chosen: a trained model that is to be exported, and how it was trained if it was trained anew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from regzoo.data.dataset import Array
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table
from regzoo.training.engine.trainer import Weights
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup


@dataclass(frozen=True)
class RefitInfo:
    """How a model was trained anew.

    Attributes:
        rows: rows of train plus validation.
        epochs: how many it was trained for.
        learned_from: the epochs of each replicate, of which that is the median; best epochs if it stops early.
        stopped: whether the recipe stops early, and was trained without that.
        cleaned: whether the comparison put wrong labels into its training rows, which this training did not have.
        repairs: what was done to the data, and what these rows taught about the columns.
    """

    rows: int
    epochs: int
    learned_from: tuple[int, ...]
    stopped: bool
    cleaned: bool
    repairs: tuple[str, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values, for JSON."""
        return {
            "trained_on": "train + validation",
            "rows": self.rows,
            "epochs": self.epochs,
            "learned_from": list(self.learned_from),
            "without_early_stopping": self.stopped,
            "without_label_noise": self.cleaned,
        }


@dataclass(frozen=True, eq=False)
class Candidate:
    """What is exported: a training of a recipe, with what it needs to answer raw rows.

    Attributes:
        record: of the training.
        weights: member by member.
        setup: what it was trained for.
        preprocessor: of its inputs.
        raw: held-out raw rows, to prove the model on.
        refit: how it was trained anew; None for a replicate of the comparison.
    """

    record: Record
    weights: Weights
    setup: TrainingSetup
    preprocessor: Preprocessor
    raw: Array | Table
    refit: RefitInfo | None = None
