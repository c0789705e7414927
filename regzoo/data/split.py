"""Split: which rows train, which validate, which test; and how many training labels are made wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import numpy as np

from regzoo.data.dataset import Array, Task
from regzoo.language.errors import InputError
from regzoo.language.seeds import generator


class SplitSettings(Protocol):
    """The ``split`` section of a config."""

    @property
    def train(self) -> float:
        """Share of the training part."""

    @property
    def validation(self) -> float:
        """Share of the validation part."""

    @property
    def test(self) -> float:
        """Share of the test part."""

    @property
    def train_size(self) -> int | None:
        """How many training rows to keep, None for all."""

    @property
    def label_noise(self) -> float:
        """Share of training labels to make wrong."""


@dataclass(frozen=True, eq=False)
class Split:
    """Row numbers of the three parts, sorted, without overlap."""

    train: Array
    validation: Array
    test: Array


def split(y: Array, settings: SplitSettings, seed: int, task: Task) -> Split:
    """Draw the parts; for classification each part has the classes in the same shares.

    Test and validation depend on ``seed`` and the shares only: another ``train_size`` or ``label_noise``
    leaves them as they are. Every class has at least one row in every part.

    Args:
        y: targets, (n,).
        settings: shares that sum to 1, and ``train_size``.
        seed: the experiment's; the stream is called ``split``.

    Raises:
        InputError: if a class or the data is too small, ``train_size`` too large, or label noise is asked
            for where there are no labels.
    """
    if task != "classification" and settings.label_noise:
        raise InputError(f"split.label_noise: needs classes, this is a {task}; set it to 0")
    test_size, validation_size = (max(1, round(share * len(y))) for share in (settings.test, settings.validation))
    if len(y) - test_size - validation_size < 2:
        raise InputError(f"data: {len(y)} rows are too few to split into three parts; at least 2 must train")
    codes = _codes(y) if task == "classification" else np.zeros(len(y), dtype=np.int64)
    random = generator(seed, "split")
    test = _draw(np.arange(len(y)), codes, test_size, 2, random, "split.test")
    rest = np.setdiff1d(np.arange(len(y)), test)
    validation = _draw(rest, codes, validation_size, 1, random, "split.validation")
    rest = np.setdiff1d(rest, validation)
    return Split(_subset(rest, codes, settings.train_size, seed), validation, test)


def flip(codes: Array, share: float, classes: int, seed: int) -> Array:
    """Return ``codes`` (n,) with ``round(share * n)`` of them replaced by another class, each as likely.

    The stream is called ``label_noise``.
    """
    random = generator(seed, "label_noise")
    order = random.permutation(len(codes))
    shifts = random.integers(1, classes, size=len(codes))  # never a multiple of classes, so never the same class
    chosen = order[: round(share * len(codes))]
    noisy = codes.copy()
    noisy[chosen] = (codes[chosen] + shifts[chosen]) % classes
    return noisy


def _subset(rest: Array, codes: Array, size: int | None, seed: int) -> Array:
    if size is None:
        return rest
    if size > len(rest):
        raise InputError(f"split.train_size: the training part has {len(rest)} rows, received {size}")
    return _draw(rest, codes, size, 0, generator(seed, "train_size"), "split.train_size")


def _draw(rows: Array, codes: Array, size: int, spare: int, random: np.random.Generator, where: str) -> Array:
    """Return ``size`` of ``rows``, sorted; classes keep their shares up to rounding.

    Each class gives at least one row and keeps at least ``spare``; where that is impossible, InputError.
    """
    present, counts = np.unique(codes[rows], return_counts=True)
    if size < len(present):
        raise InputError(f"{where}: {size} rows cannot hold all {len(present)} classes; make it larger")
    if (counts - spare).sum() < size:
        raise InputError(f"{where}: {size} rows leave too few of each class for the other parts; make it smaller")
    takes = _shares(counts, size, spare)
    drawn = [random.permutation(rows[codes[rows] == code])[:take] for code, take in zip(present, takes, strict=True)]
    return np.sort(np.concatenate(drawn))


def _shares(counts: Array, size: int, spare: int) -> Array:
    """Divide ``size`` in proportion to ``counts`` by largest remainder, at least 1 and at most count - spare.

    >>> _shares(np.array([50, 30, 3]), 8, spare=2).tolist()
    [4, 3, 1]
    """
    exact = size * counts / counts.sum()
    takes = np.clip(np.floor(exact).astype(np.int64), 1, counts - spare)
    while takes.sum() < size:
        takes[np.argmax(np.where(takes < counts - spare, exact - takes, -np.inf))] += 1
    while takes.sum() > size:
        takes[np.argmax(np.where(takes > 1, takes - exact, -np.inf))] -= 1
    return takes


def _codes(y: Array) -> Array:
    """Number the classes; InputError if one of them has not a row for each part."""
    labels, codes, counts = np.unique(y, return_inverse=True, return_counts=True)
    rare = np.flatnonzero(counts < 3)
    if len(rare):
        others = f", and so do {len(rare) - 1} more classes" if len(rare) > 1 else ""
        times = "once" if counts[rare[0]] == 1 else "twice"
        raise InputError(
            f"data: the class {labels[rare[0]]!s} occurs only {times}{others}; training, validation and test "
            "need each class, so drop it, merge it or collect more"
        )
    return np.asarray(codes, dtype=np.int64)
