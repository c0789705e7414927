"""Draw: ways to take a part out of rows - by class, by several labels, by group, by time - and to cut them into folds.

Every way answers two questions: which rows to take (`Splitter.draw_part`), and which of them validate in one fold
(`Splitter.draw_fold`). Rows are row numbers, (n,) int64, sorted; what is not taken is left for the next part.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from sklearn.model_selection import StratifiedKFold

from regzoo.core.errors import InputError
from regzoo.data.dataset import Array
from regzoo.data.splitting.group_stratification import assign_groups
from regzoo.data.splitting.iterative_stratification import assign_rows


class Fold(NamedTuple):
    """One fold of some rows: those that train, and those that validate."""

    train: Array
    validation: Array


@dataclass(frozen=True, eq=False)
class Splitter(ABC):
    """A way to draw parts.

    Attributes:
        codes: (n,) the class of each row of the data, from 0; all 0 where there are no classes.
        labels: the classes' own names, by code; empty where there are none.
    """

    codes: Array
    labels: tuple[object, ...]

    @abstractmethod
    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Return ``size`` of ``rows``, or as near as the way allows, and leave enough for ``spare`` more parts.

        Raises:
            InputError: naming ``where`` or the data, if that is impossible.
        """

    @abstractmethod
    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Cut ``rows`` into ``folds`` pieces, the same for equal seeds; piece number ``fold`` validates.

        Raises:
            InputError: naming ``split.folds``, if there are too few rows, groups or times.
        """


@dataclass(frozen=True, eq=False)
class StratifiedSplitter(Splitter):
    """Each part has the classes in the same shares, up to rounding, and at least one row of each."""

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw ``size`` rows by largest remainder; see `Splitter.draw_part`."""
        codes = self.codes[rows]
        present, counts = self._refuse_impossible(codes, size, spare, where)
        takes = _shares(counts, size, spare)
        drawn = [random.permutation(rows[codes == code])[:take] for code, take in zip(present, takes, strict=True)]
        return np.sort(np.concatenate(drawn))

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Cut into pieces whose sizes, and whose rows of any class, differ by one at most; see `Splitter.draw_fold`."""
        codes = self.codes[rows]
        self._refuse_rare(*np.unique(codes, return_counts=True), folds, f"{folds} folds")
        pieces = list(StratifiedKFold(folds, shuffle=True, random_state=seed).split(codes, codes))
        train, validation = pieces[fold]
        return Fold(rows[train], rows[validation])

    def _refuse_impossible(self, codes: Array, size: int, spare: int, where: str) -> tuple[Array, Array]:
        """Return the classes of ``codes`` (n,) and their counts; InputError if ``size`` of them cannot be taken."""
        present, counts = np.unique(codes, return_counts=True)
        self._refuse_rare(present, counts, 1 + spare, _parts(spare))
        if size < len(present):
            raise InputError(f"{where}: {size} rows cannot hold all {len(present)} classes; make it larger")
        if (counts - spare).sum() < size:
            raise InputError(f"{where}: {size} rows leave too few of each class for the other parts; make it smaller")
        return present, counts

    def _refuse_rare(self, present: Array, counts: Array, least: int, parts: str) -> None:
        rare = np.flatnonzero(counts < least)
        if not len(rare):
            return
        if not self.labels:
            raise InputError(f"data: {counts[0]} rows are too few for {parts}; at least {least} are needed")
        others = f", and so do {len(rare) - 1} more classes" if len(rare) > 1 else ""
        fewer = "lower split.folds, or " if "folds" in parts else ""
        among = f" among the {counts.sum()} rows to divide" if counts.sum() < len(self.codes) else ""
        raise InputError(
            f"data: the class {self.labels[present[rare[0]]]!s} occurs only {_times(counts[rare[0]])}{among}{others}; "
            f"{parts} need each class, so {fewer}drop it, merge it or collect more"
        )


@dataclass(frozen=True, eq=False)
class MultilabelSplitter(StratifiedSplitter):
    """Each part has each of several labels as often, as nearly as whole rows allow.

    Attributes:
        y: (n, labels) booleans.
    """

    y: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Draw ``size`` rows with `assign_rows`; see `Splitter.draw_part`."""
        self._refuse_impossible(self.codes[rows], size, spare, where)
        return rows[assign_rows(self.y[rows], np.array([len(rows) - size, size]), random) == 1]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Cut into pieces whose sizes differ by one at most with `assign_rows`; see `Splitter.draw_fold`."""
        self._refuse_rare(*np.unique(self.codes[rows], return_counts=True), folds, f"{folds} folds")
        sizes = (len(rows) + np.arange(folds)) // folds
        pieces = assign_rows(self.y[rows], sizes, np.random.default_rng(seed))
        return Fold(rows[pieces != fold], rows[pieces == fold])


@dataclass(frozen=True, eq=False)
class GroupSplitter(Splitter):
    """No group is in two parts; sizes and shares of the classes are met as well as groups allow.

    Attributes:
        groups: (n,) the group of each row of the data, from 0.
    """

    groups: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Take whole groups of about ``size`` rows in all; see `Splitter.draw_part`."""
        if size >= len(rows):
            raise InputError(f"{where}: {size} rows leave nothing for the other parts; make it smaller")
        share = size / len(rows)
        pieces = self._deal(rows, (1 - share, share), (spare, 1), _parts(spare), random)
        return rows[pieces == 1]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Deal whole groups into pieces of about equal size; see `Splitter.draw_fold`."""
        shares, least = (1 / folds,) * folds, (1,) * folds
        pieces = self._deal(rows, shares, least, f"{folds} folds", np.random.default_rng(seed))
        return Fold(rows[pieces != fold], rows[pieces == fold])

    def _deal(
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
        holding = (counts > 0).sum(0)
        if holding.min() < sum(least):
            rare = self.labels[present[int(np.argmin(holding))]]
            raise InputError(
                f"data.group: the class {rare!s} occurs in {_groups(holding.min())} only; {parts} need each class "
                f"from groups of their own, {sum(least)} in all, so drop it, merge it or leave group out"
            )
        pieces = assign_groups(counts, np.array(shares), np.array(least), random)
        if pieces is None:
            raise InputError(
                f"data.group: no way was found to deal {len(numbers)} groups to {parts} so that each has every "
                "class; drop or merge rare classes, or leave group out"
            )
        return pieces[group]


@dataclass(frozen=True, eq=False)
class TimeSplitter(Splitter):
    """The past trains, what follows validates, the end tests; rows of one time are never in two parts.

    Attributes:
        times: (n,) the time of each row of the data.
    """

    times: Array

    def draw_part(self, rows: Array, size: int, spare: int, where: str, random: np.random.Generator) -> Array:
        """Take the last ``size`` rows, or as near as ties allow; see `Splitter.draw_part`."""
        times = self.times[rows]
        different = len(np.unique(times))
        if different < 1 + spare:
            raise InputError(
                f"data.time: the rows have {different} different times; {_parts(spare)} need {1 + spare} at least, so "
                "date the rows more finely or leave time out"
            )
        (last,) = _cuts(times, [len(rows) - size], least=spare)
        return rows[times > last]

    def draw_fold(self, rows: Array, folds: int, fold: int, seed: int) -> Fold:
        """Let ever more of the past train, and what follows it validate: an expanding window; see `Splitter.draw_fold`.

        The rows are cut into ``folds + 1`` pieces of about equal size; piece ``fold + 1`` validates what the pieces
        before it trained. The first piece never validates, and no seed changes anything.
        """
        times = self.times[rows]
        if len(np.unique(times)) <= folds:
            raise InputError(
                f"split.folds: {folds} folds need {folds + 1} different times, the rows have "
                f"{len(np.unique(times))}; lower it"
            )
        cuts = _cuts(times, [len(rows) * piece / (folds + 1) for piece in range(1, folds + 1)], least=1)
        end = cuts[fold + 1] if fold + 1 < folds else times.max()
        return Fold(rows[times <= cuts[fold]], rows[(times > cuts[fold]) & (times <= end)])


def _cuts(times: Array, sizes: list[float], least: int) -> list[object]:
    """Return, for each of ``sizes``, the time up to which nearly so many rows lie, each later than the one before.

    Args:
        times: (n,).
        sizes: ascending.
        least: different times before the first cut, at least.
    """
    values, counts = np.unique(times, return_counts=True)
    ends, first, cuts = np.cumsum(counts), least - 1, []
    for later, size in zip(reversed(range(len(sizes))), sizes, strict=True):
        options = ends[first : len(values) - 1 - later]
        chosen = first + int(np.argmin(np.abs(options - size)))
        cuts.append(values[chosen])
        first = chosen + 1
    return cuts


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


def _parts(spare: int) -> str:
    """Name the parts that rows are drawn for, of which one is taken first."""
    return "training, validation and test" if spare < 3 else f"the test part and {spare} folds (split.folds)"


def _times(count: int) -> str:
    return {1: "once", 2: "twice"}.get(int(count), f"{count} times")


def _groups(count: int) -> str:
    return "1 group" if count == 1 else f"{count} groups"
