"""Stratified group splits: assign whole groups to parts so that sizes and proportions of classes are nearly met."""

from __future__ import annotations

import math

import numpy as np

from regzoo.data.dataset import Array

MAX_TRIES = 8
"""Random orders tried at most; the best result is taken."""

GOOD = 1.0
"""A deviation that needs no further try: a random split of k rows into two parts has 1 on average."""


def assign_groups(counts: Array, shares: Array, least: Array, random: np.random.Generator) -> Array | None:
    """Return the part of each group, (groups,) int64; None if no assignment was found that meets ``least``.

    With n_pc rows of class c in part p and w_pc wanted, the deviation is the sum over p and c of
    (n_pc - w_pc)^2 / w_pc, as in a chi-squared test. In random order, each group goes to the part where it adds least
    to the deviation. Then single groups are moved as long as that brings a part nearer to its ``least`` or lowers the
    deviation. The best of a few orders is taken.

    scikit-learn's StratifiedGroupKFold is greedy too, but it knows only parts of equal size, assigns the groups in
    order of their classes, so that seeds hardly matter where groups differ, and may leave a part without a class.

    Args:
        counts: (groups, classes) rows of each class; each class occurs somewhere.
        shares: (parts,) above 0, summing to 1.
        least: (parts,) how many groups of every class each part must have.
        random: generator of the order.

    >>> counts, shares = np.array([[3], [1], [2]]), np.array([0.5, 0.5])
    >>> assign_groups(counts, shares, np.array([1, 1]), np.random.default_rng(0)).tolist()
    [1, 0, 0]
    """
    problem = _Assignment(counts, shares, least)
    best, score = None, (0, math.inf)
    for _ in range(MAX_TRIES):
        parts = problem.improve(problem.assign_greedily(random.permutation(len(counts))))
        score, best = min((score, best), (problem.score(parts), parts), key=lambda pair: pair[0])
        if score < (0, GOOD):
            break
    return best


class _Assignment:
    """The assignment problem; costs of moves are (groups, parts)."""

    def __init__(self, counts: Array, shares: Array, least: Array) -> None:
        self.counts = counts.astype(np.float64)
        self.has_class = (counts > 0).astype(np.float64)
        self.wanted = shares[:, np.newaxis] * self.counts.sum(0)  # (parts, classes)
        self.least = least[:, np.newaxis]
        self.squares = self.counts**2 @ (1 / self.wanted).T

    def assign_greedily(self, order: Array) -> Array:
        """Assign each group in ``order`` to the part where it lowers the deviation most."""
        parts = np.zeros(len(self.counts), dtype=np.int64)
        excess = -self.wanted.copy()
        for group in order:
            part = int(np.argmin(2 * (excess / self.wanted) @ self.counts[group] + self.squares[group]))
            parts[group] = part
            excess[part] += self.counts[group]
        return parts

    def improve(self, parts: Array) -> Array:
        """Move the group whose move helps most, until none helps."""
        rows, parts = np.arange(len(parts)), parts.copy()
        while True:
            lacks, deviation = self._move_costs(parts)
            best = lacks.min()
            costs = np.where(lacks == best, deviation, np.inf)
            group, part = np.unravel_index(int(np.argmin(costs)), costs.shape)
            if best == 0 and costs[group, part] > -1e-9 * (1 + self.squares[rows, parts].max()):
                return parts
            parts[group] = part

    def score(self, parts: Array) -> tuple[int, float]:
        """Return how many groups the parts lack, over all classes, and the deviation."""
        groups, counts = (_sum_by_part(values, parts, len(self.wanted)) for values in (self.has_class, self.counts))
        lacks = np.maximum(0, self.least - groups).sum()
        return int(lacks), float(((counts - self.wanted) ** 2 / self.wanted).sum())

    def _move_costs(self, parts: Array) -> tuple[Array, Array]:
        """Return what each move adds to both numbers of `score`; 0 for a group that stays."""
        rows, n_parts = np.arange(len(parts)), len(self.wanted)
        groups = _sum_by_part(self.has_class, parts, n_parts)
        lost, gained = self.has_class @ (groups <= self.least).T, self.has_class @ (groups < self.least).T
        slope = 2 * self.counts @ (_sum_by_part(self.counts, parts, n_parts) / self.wanted - 1).T
        lacks = lost[rows, parts, np.newaxis] - gained
        deviation = (self.squares + slope) + (self.squares - slope)[rows, parts, np.newaxis]
        lacks[rows, parts] = deviation[rows, parts] = 0.0
        return lacks, deviation


def _sum_by_part(values: Array, parts: Array, n_parts: int) -> Array:
    """Add up the rows of ``values`` by part: (parts, classes)."""
    sums = np.zeros((n_parts, values.shape[1]))
    np.add.at(sums, parts, values)
    return sums
