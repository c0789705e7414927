"""The arrays that a comparison trains on: three standardized parts for each fold, with their preprocessor."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np

from regzoo.core.errors import InputError
from regzoo.data.catalog import fold_key
from regzoo.data.dataset import Array
from regzoo.data.facts import DataFacts
from regzoo.data.inputs import ModelInputs, NamedInputs
from regzoo.data.preprocessor import Preprocessor
from regzoo.data.splitting.split import Split
from regzoo.data.table import Table

Part = tuple[ModelInputs, Array]


@dataclass(frozen=True, eq=False)
class PreparedData:
    """The parts of a data set, split and standardized.

    Attributes:
        train: inputs as `Preprocessor.transform` returns them, one array or several by name, and targets as
            `Preprocessor.encode_targets` does, with label noise.
        validation: the same without noise.
        test: the same without noise.
        preprocessor: fitted on the training part; the exported model contains it.
        digest: digest of the data set.
        held_out: raw inputs and raw targets of up to 64 rows of the test part.
        split: the row numbers of the parts.
        weights: the weights of their rows by part, (n,) float32; None if the data has none.
        facts: facts about the data, for reports and the ledger.
        folds: with several folds, or a split that varies, the further ones, each with a preprocessor of its own, see
            `prepare_folds`; this is fold 0, the first of them is fold 1.
    """

    train: Part
    validation: Part
    test: Part
    preprocessor: Preprocessor
    digest: str
    held_out: tuple[Array | Table | NamedInputs, Array]
    split: Split
    weights: dict[str, Array] | None
    facts: DataFacts
    folds: tuple[PreparedData, ...] = ()

    @property
    def test_train_ratio(self) -> float | None:
        """Validation rows for each training row, the mean over the folds; None without folds.

        See `Split.test_train_ratio`.
        """
        ratios = [fold.split.test_train_ratio for fold in (self, *self.folds)]
        return math.fsum(ratios) / len(ratios) if self.folds else None

    def arrays(self, class_weight: str = "none") -> dict[str, tuple[Any, ...]]:
        """Return inputs and targets by part; the training part has row weights as a third array if they differ.

        The parts of fold 1 are called ``1/train`` and so on, see `fold_key`.

        Args:
            class_weight: ``balanced`` multiplies the weight of a row by n / (classes x rows of its class): each class
                counts the same, and the mean weight stays 1.

        Raises:
            InputError: if classes are to be balanced and there are none.
        """
        weight = self._training_weight(class_weight)
        train = self.train if weight is None else (*self.train, weight)
        others = {
            fold_key(part, number): arrays
            for number, fold in enumerate(self.folds, start=1)
            for part, arrays in fold.arrays(class_weight).items()
        }
        return {"train": train, "validation": self.validation, "test": self.test, **others}

    def _training_weight(self, class_weight: str) -> Array | None:
        """Return the weights of the training rows, (n,) float32; None if all are 1."""
        weight = None if self.weights is None else self.weights["train"]
        if class_weight != "balanced":
            return weight
        classes, y = self.preprocessor.classes, self.train[1]
        if not classes:
            task = self.preprocessor.task
            raise InputError(f"training.class_weight: balanced needs classes, this is {task}; take it out")
        counts = np.bincount(y, minlength=classes)
        balance = (len(y) / (np.count_nonzero(counts) * np.maximum(counts, 1)))[y]
        return (balance if weight is None else weight * balance).astype(np.float32)
