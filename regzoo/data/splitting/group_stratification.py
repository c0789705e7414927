"""Deal: whole groups go to parts so that sizes and shares of classes are met as well as possible."""

from __future__ import annotations

import math

import numpy as np

from regzoo.data.dataset import Array

TRIES = 8
"""Random orders tried at most; the best is taken."""

GOOD = 1.0
"""A deviation that needs no further try: a random split of k rows into two parts has 1 on average."""


def assign_groups(counts: Array, shares: Array, least: Array, random: np.random.Generator) -> Array | None:
    """Return the part of each group, (groups,) int64; None if no way was found that gives each part its ``least``.

    With n_pc rows of class c in part p and w_pc wanted, the deviation is the sum over p and c of
    (n_pc - w_pc)^2 / w_pc, as in a chi-squared test. In random order, each group goes where it adds least to it;
    then single groups are moved as long as that brings a part nearer to its ``least`` or lowers the deviation.
    The best of a few orders is taken.
    scikit-learn's StratifiedGroupKFold is greedy alike, but knows only parts of equal size, deals the groups in
    order of their classes, so that seeds hardly matter where groups differ, and may leave a part without a class.

    Args:
        counts: (groups, classes) rows of each class; each class occurs somewhere.
        shares: (parts,) above 0, summing to 1.
        least: (parts,) how many groups of every class each part must have.
        random: of the order.

    >>> assign_groups(np.array([[3], [1], [2]]), np.array([0.5, 0.5]), np.array([1, 1]), np.random.default_rng(0)).tolist()
    [1, 0, 0]
    """
    table = _Table(counts, shares, least)
    best, score = None, (0, math.inf)
    for _ in range(TRIES):
        parts = table.improved(table.greedy(random.permutation(len(counts))))
        score, best = min((score, best), (table.score(parts), parts), key=lambda pair: pair[0])
        if score < (0, GOOD):
            break
    return best


class _Table:
    """What is dealt, and to whom; prices of moves are (groups, parts)."""

    def __init__(self, counts: Array, shares: Array, least: Array) -> None:
        self.counts = counts.astype(np.float64)
        self.holds = (counts > 0).astype(np.float64)
        self.wanted = shares[:, np.newaxis] * self.counts.sum(0)  # (parts, classes)
        self.least = least[:, np.newaxis]
        self.squares = self.counts**2 @ (1 / self.wanted).T

    def greedy(self, order: Array) -> Array:
        """Give each group in ``order`` to the part where it lowers the deviation most."""
        parts = np.zeros(len(self.counts), dtype=np.int64)
        off = -self.wanted.copy()
        for group in order:
            part = int(np.argmin(2 * (off / self.wanted) @ self.counts[group] + self.squares[group]))
            parts[group] = part
            off[part] += self.counts[group]
        return parts

    def improved(self, parts: Array) -> Array:
        """Move the group whose move helps most, until none helps."""
        rows, parts = np.arange(len(parts)), parts.copy()
        while True:
            lacks, deviation = self._prices(parts)
            best = lacks.min()
            prices = np.where(lacks == best, deviation, np.inf)
            group, part = np.unravel_index(int(np.argmin(prices)), prices.shape)
            if best == 0 and prices[group, part] > -1e-9 * (1 + self.squares[rows, parts].max()):
                return parts
            parts[group] = part

    def score(self, parts: Array) -> tuple[int, float]:
        """How many groups the parts lack, over all classes, and the deviation."""
        held, counts = (_sums(values, parts, len(self.wanted)) for values in (self.holds, self.counts))
        lacks = np.maximum(0, self.least - held).sum()
        return int(lacks), float(((counts - self.wanted) ** 2 / self.wanted).sum())

    def _prices(self, parts: Array) -> tuple[Array, Array]:
        """What each move adds to both numbers of `score`; 0 for a group that stays."""
        rows, count = np.arange(len(parts)), len(self.wanted)
        held = _sums(self.holds, parts, count)
        lost, gained = self.holds @ (held <= self.least).T, self.holds @ (held < self.least).T
        slope = 2 * self.counts @ (_sums(self.counts, parts, count) / self.wanted - 1).T
        lacks = lost[rows, parts, np.newaxis] - gained
        deviation = (self.squares + slope) + (self.squares - slope)[rows, parts, np.newaxis]
        lacks[rows, parts] = deviation[rows, parts] = 0.0
        return lacks, deviation


def _sums(values: Array, parts: Array, count: int) -> Array:
    """Add up the rows of ``values`` by part: (parts, classes)."""
    sums = np.zeros((count, values.shape[1]))
    np.add.at(sums, parts, values)
    return sums
