"""Splitters that draw parts and folds: stratified by class or by several labels, by group, or in the order of time.

Each splitter draws one part from some rows (`Splitter.draw_part`) and one of several folds (`Splitter.draw_fold`). Rows
are row numbers, (n,) int64, sorted; rows that are not drawn are left for the next part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedKFold

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.spelling import describe_other_spellings
from regzoo.data.splitting.group_stratification import assign_groups
from regzoo.data.splitting.iterative_stratification import assign_rows


class Fold(NamedTuple):
    """Training and validation rows of one fold."""

    train: Array
    validation: Array


@dataclass(frozen=True, eq=False)
class Splitter(ABC):
    """Base of the splitters.

    Attributes:
        codes: (n,) class of each row of the data, from 0; all 0 without classes.
        labels: the user's names of the classes, by code; empty without classes.
    """

    codes: Array
    labels: tuple[object, ...]

    @abstractmethod
    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Return ``size`` of ``rows``, or a similar number if need be, and leave enough for ``spare`` more parts.

        Raises:
            InputError: naming ``where`` or the data, if that is impossible.
        """

    @abstractmethod
    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Divide ``rows`` into ``folds`` pieces, the same for equal seeds; piece number ``fold`` validates.

        Raises:
            InputError: naming ``split.folds``, if there are too few rows, groups or times.
        """

    def _suggest_rare(self, codes: Array) -> str:
        """Return the keys of a config that drop the classes ``codes``; their name alone if hardly another is left."""
        counts = np.bincount(self.codes)
        below = int(counts[codes].max()) + 1
        if (counts >= below).sum() < 2:
            return "data.rare"
        return f"data.rare: {{below: {below}, do: drop}}"


@dataclass(frozen=True, eq=False)
class StratifiedSplitter(Splitter):
    """Give each part the classes in the same proportions, up to rounding, and at least one row of each."""

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw ``size`` rows, divided over the classes by largest remainder; see `Splitter.draw_part`."""
        codes = self.codes[rows]
        present, counts = self._count_classes(codes, size, spare, where)
        takes = _divide_by_class(counts, size, spare)
        drawn = [random.permutation(rows[codes == code])[:take] for code, take in zip(present, takes, strict=True)]
        return np.sort(np.concatenate(drawn))

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Divide into pieces whose sizes, in all and of each class, differ by at most one; see `Splitter.draw_fold`."""
        codes = self.codes[rows]
        self._reject_rare_classes(*np.unique(codes, return_counts=True), folds, f"{folds} folds")
        pieces = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(codes, codes))
        train, validation = pieces[fold]
        return Fold(rows[train], rows[validation])

    def _count_classes(self, codes: Array, size: int, spare: int, where: str) -> tuple[Array, Array]:
        """Return the classes of ``codes`` (n,) and their counts; InputError if ``size`` rows cannot be drawn."""
        present, counts = np.unique(codes, return_counts=True)
        self._reject_rare_classes(present, counts, 1 + spare, _name_parts(spare))
        if size < len(present):
            raise InputError(f"{where}: {size} rows cannot hold all {len(present)} classes; make it larger")
        if (counts - spare).sum() < size:
            raise InputError(f"{where}: {size} rows leave too few of each class for the other parts; make it smaller")
        return present, counts

    def _reject_rare_classes(self, present: Array, counts: Array, least: int, parts: str) -> None:
        rare = np.flatnonzero(counts < least)
        if not len(rare):
            return
        if not self.labels:
            raise InputError(f"data: {counts[0]} rows are too few for {parts}; at least {least} are needed")
        label = self.labels[present[rare[0]]]
        others = f", and so do {len(rare) - 1} more classes" if len(rare) > 1 else ""
        fewer = "lower split.folds, or " if "folds" in parts else ""
        among = f" among the {counts.sum()} rows to divide" if counts.sum() < len(self.codes) else ""
        raise InputError(
            f"data: the class {label!s} occurs only {_format_times(counts[rare[0]])}{among}"
            f"{others}{describe_other_spellings(label, self.labels)}; {parts} need each class, so {fewer}drop it or "
            f"merge it with others ({self._suggest_rare(present[rare])}), or collect more"
        )


@dataclass(frozen=True, eq=False)
class MultilabelSplitter(StratifiedSplitter):
    """Give each part each of several labels in the same proportion, as far as whole rows allow.

    Attributes:
        y: (n, labels) booleans.
    """

    y: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw ``size`` rows with `assign_rows`; see `Splitter.draw_part`."""
        self._count_classes(self.codes[rows], size, spare, where)
        return rows[assign_rows(self.y[rows], np.array([len(rows) - size, size]), random) == 1]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Divide into pieces whose sizes differ by at most one with `assign_rows`; see `Splitter.draw_fold`."""
        self._reject_rare_classes(*np.unique(self.codes[rows], return_counts=True), folds, f"{folds} folds")
        sizes = (len(rows) + np.arange(folds)) // folds
        pieces = assign_rows(self.y[rows], sizes, np.random.default_rng(seed))
        return Fold(rows[pieces != fold], rows[pieces == fold])


@dataclass(frozen=True, eq=False)
class GroupSplitter(Splitter):
    """Keep each group in one part; sizes and proportions of the classes are met as far as whole groups allow.

    Attributes:
        groups: (n,) group of each row of the data, from 0.
    """

    groups: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw whole groups of about ``size`` rows in all; see `Splitter.draw_part`."""
        if size >= len(rows):
            raise InputError(f"{where}: {size} rows leave nothing for the other parts; make it smaller")
        share = size / len(rows)
        pieces = self._assign_rows(rows, (1 - share, share), (spare, 1), _name_parts(spare), random)
        return rows[pieces == 1]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Divide into pieces of whole groups and about equal size; see `Splitter.draw_fold`."""
        shares, least = (1 / folds,) * folds, (1,) * folds
        pieces = self._assign_rows(rows, shares, least, f"{folds} folds", np.random.default_rng(seed))
        return Fold(rows[pieces != fold], rows[pieces == fold])

    def _assign_rows(
        self, rows: Array, shares: tuple[float, ...], least: tuple[int, ...], parts: str, random: np.random.Generator
    ) -> Array:
        """Return the piece of each row; every piece has at least ``least`` groups of every class."""
        numbers, group = np.unique(self.groups[rows], return_inverse=True)
        present, code = np.unique(self.codes[rows], return_inverse=True)
        if len(numbers) < sum(least):
            raise InputError(
                f"data.group: {len(numbers)} groups are too few for {parts}; at least {sum(least)} are needed, "
                "so collect more groups or leave group out"
            )
        counts = np.zeros((len(numbers), len(present)), dtype=np.int64)
        np.add.at(counts, (group, code), 1)
        n_groups = (counts > 0).sum(0)  # with each class
        if n_groups.min() < sum(least):
            rare = present[int(np.argmin(n_groups))]
            raise InputError(
                f"data.group: the class {self.labels[rare]!s} occurs in {_format_groups(n_groups.min())} only; {parts} "
                f"need each class from groups of their own, {sum(least)} in all, so drop it or merge it with others "
                f"({self._suggest_rare(np.array([rare]))}), or leave group out"
            )
        pieces = assign_groups(counts, np.array(shares), np.array(least), random)
        if pieces is None:
            raise InputError(
                f"data.group: no way was found to assign {len(numbers)} groups to {parts} so that each has every "
                "class; drop or merge rare classes (data.rare), or leave group out"
            )
        return pieces[group]


@dataclass(frozen=True, eq=False)
class TimeSplitter(Splitter):
    """Train on the past, validate on what follows, test on the end; rows of one time are in one part.

    Attributes:
        times: (n,) time of each row of the data.
    """

    times: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw the last ``size`` rows, or as near as ties allow; see `Splitter.draw_part`."""
        times = self.times[rows]
        different = len(np.unique(times))
        if different < 1 + spare:
            raise InputError(
                f"data.time: the rows have {different} different times; {_name_parts(spare)} need {1 + spare} at "
                "least, so date the rows more finely or leave time out"
            )
        (last,) = _find_boundaries(times, [len(rows) - size], least=spare)
        return rows[times > last]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Train on a window that grows with each fold, and validate on what follows it; see `Splitter.draw_fold`.

        The rows are divided into ``folds + 1`` pieces of about equal size. Piece ``fold + 1`` validates, and all pieces
        before it train. The first piece never validates, and the seed has no effect.
        """
        times = self.times[rows]
        if len(np.unique(times)) <= folds:
            raise InputError(
                f"split.folds: {folds} folds need {folds + 1} different times, the rows have "
                f"{len(np.unique(times))}; lower it"
            )
        sizes = [len(rows) * piece / (folds + 1) for piece in range(1, folds + 1)]
        boundaries = _find_boundaries(times, sizes, least=1)
        start, end = boundaries[fold], boundaries[fold + 1] if fold + 1 < folds else times.max()
        return Fold(rows[times <= start], rows[(times > start) & (times <= end)])


def _find_boundaries(times: Array, sizes: list[float], least: int) -> list[object]:
    """Return, for each of ``sizes``, the time up to which about that many rows lie; the times ascend.

    Args:
        times: (n,).
        sizes: ascending.
        least: number of different times up to the first boundary, at least.
    """
    values, counts = np.unique(times, return_counts=True)
    ends, first, boundaries = np.cumsum(counts), least - 1, []
    for later, size in zip(reversed(range(len(sizes))), sizes, strict=True):
        options = ends[first : len(values) - 1 - later]
        chosen = first + int(np.argmin(np.abs(options - size)))
        boundaries.append(values[chosen])
        first = chosen + 1
    return boundaries


def _divide_by_class(counts: Array, size: int, spare: int) -> Array:
    """Divide ``size`` in proportion to ``counts`` by largest remainder, at least 1 and at most count - spare.

    >>> _divide_by_class(np.array([50, 30, 3]), 8, spare=2).tolist()
    [4, 3, 1]
    """
    exact = size * counts / counts.sum()
    takes = np.clip(np.floor(exact).astype(np.int64), 1, counts - spare)
    while takes.sum() < size:
        takes[np.argmax(np.where(takes < counts - spare, exact - takes, -np.inf))] += 1
    while takes.sum() > size:
        takes[np.argmax(np.where(takes > 1, takes - exact, -np.inf))] -= 1
    return takes


def _name_parts(spare: int) -> str:
    """Return the names of the parts that rows are drawn for, of which one is drawn first."""
    return "training, validation and test" if spare < 3 else f"the test part and {spare} folds (split.folds)"


def _format_times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(int(count), f"{count} times")


def _format_groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"
