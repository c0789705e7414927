"""Study: what all runs of one comparison share. Plain, frozen and printable; needs no TensorFlow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass, replace

from regzoo.training.task import Task

OPTIMIZERS = ("adam", "sgd", "rmsprop")


@dataclass(frozen=True)
class Cut:
    """What a cut of the data into training and validation rows changes, since the training rows set the rules.

    Attributes:
        task: as the first cut's, with the size and the scale of this one.
        input_shape: of one example; the training rows decide how many features a table has.
    """

    task: Task
    input_shape: tuple[int, ...]


@dataclass(frozen=True)
class Study:
    """What is held equal, so that only the recipe differs.

    Attributes:
        backbone: its spelling.
        task: what is predicted.
        input_shape: of one example, without the batch axis.
        optimizer: ``adam``, ``sgd`` (momentum 0.9) or ``rmsprop``.
        batch_size: rows per step.
        rank_by: the metric to judge by.
        data: digest of the prepared data, split and label noise included.
        class_weight: ``none``, or ``balanced``: each class counts alike in the training loss, however rare.
        jit_compile: whether XLA compiles the step; its random numbers are others, so runs of both kinds never mix.
        cuts: with folds, the cuts after the first, in order; what is said above is the first's.
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
    cuts: tuple[Cut, ...] = ()

    def of(self, fold: int) -> Study:
        """The study of cut number ``fold`` alone."""
        cut = self.cuts[fold - 1] if fold else Cut(self.task, self.input_shape)
        return replace(self, task=cut.task, input_shape=cut.input_shape, cuts=())

    @property
    def digest(self) -> str:
        """Equal for equal studies; how many cuts are needed makes no difference, so that replicates can be added."""
        text = json.dumps({name: value for name, value in asdict(self).items() if name != "cuts"}, sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
