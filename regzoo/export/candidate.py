"""The model to export: a trained recipe, loaded from a ledger with the preprocessing of its fold."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any

from regzoo.comparison.own_model import load_kept_model
from regzoo.comparison.setup import make_task
from regzoo.core import InputError
from regzoo.data.dataset import Array
from regzoo.data.inputs import NamedInputs
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.table import Table
from regzoo.storage.ledger import Ledger
from regzoo.training.engine.make_model import Weights
from regzoo.training.records import Record
from regzoo.training.setup import TrainingSetup


@dataclass(frozen=True)
class RefitInfo:
    """Facts about a recipe that was trained again on train plus validation.

    Attributes:
        rows: number of rows of both parts.
        epochs: number of epochs trained: the median of ``learned_from``, rounded down.
        learned_from: epochs of each finished replicate; of recipes that stop early, their best epochs.
        stopped: whether early stopping, which the recipe has, was left out.
        cleaned: whether label noise, which the comparison added, was left out.
        repairs: what was done to the data and its columns, a sentence each.
    """

    rows: int
    epochs: int
    learned_from: tuple[int, ...]
    stopped: bool
    cleaned: bool
    repairs: tuple[str, ...]

    def to_json(self) -> dict[str, Any]:
        """Return the JSON values of ``refit`` in ``recipe.json``."""
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
    """A trained recipe, with everything that is needed to predict from raw inputs.

    Attributes:
        record: record of the training.
        weights: weights of each member.
        setup: the setup it was trained in.
        preprocessor: the preprocessing of its inputs.
        raw: raw held-out inputs to verify the exported model on.
        refit: how it was trained again; None for a replicate of the comparison.
    """

    record: Record
    weights: Weights
    setup: TrainingSetup
    preprocessor: Preprocessor
    raw: Array | Table | NamedInputs
    refit: RefitInfo | None = None


def load_candidate(ledger: Ledger, name: str) -> Candidate:
    """Load the best replicate of the recipe called ``name``.

    Raises:
        InputError: if it has no finished replicate.
    """
    record, weights = ledger.load_best_replicate(name)
    fold = record.run.fold
    preprocessor = load_preprocessor(ledger, fold)
    raw = preprocessor.inputs_from_json(ledger.get_fold_info(fold).held_out)
    return Candidate(record, weights, load_setup(ledger, fold), preprocessor, raw)


def load_preprocessor(ledger: Ledger, fold: int = 0) -> Preprocessor:
    """Load the preprocessor that was fitted on the training rows of fold number ``fold``."""
    return Preprocessor.from_json(ledger.get_fold_info(fold).preprocessor)


def load_setup(ledger: Ledger, fold: int = 0) -> TrainingSetup:
    """Load the setup of the runs in fold number ``fold``, without the other folds.

    Raises:
        InputError: if the comparison has only just begun.
    """
    values = ledger.get_setup_json()
    if values is None:
        raise InputError("the comparison has only just begun: there is no model yet; look again in a moment")
    preprocessor = load_preprocessor(ledger, fold)
    try:
        setup = TrainingSetup.from_json(values)
    except (KeyError, TypeError) as error:
        raise InputError(f"the ledger does not say how its models were trained: {error} is missing or wrong") from None
    return dataclasses.replace(
        setup,
        task=make_task(preprocessor),
        input_shape=preprocessor.input_shape,
        vocabulary_size=preprocessor.vocabulary_size,
        folds=(),
        model=None if setup.model is None else load_kept_model(ledger, setup.model),
    )
