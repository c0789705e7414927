"""Study: what all runs of one comparison share. Plain, frozen and printable; needs no TensorFlow."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict, dataclass

from regzoo.training.task import Task

OPTIMIZERS = ("adam", "sgd", "rmsprop")


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

    @property
    def digest(self) -> str:
        """Equal for equal studies."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.blake2b(text.encode(), digest_size=8).hexdigest()
