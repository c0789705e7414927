"""Iterative stratification: assign rows with several labels to parts so that each label is equally frequent in each."""

from __future__ import annotations

import numpy as np

from regzoo.data.dataset import Array


def assign_rows(y: Array, sizes: Array, random: np.random.Generator) -> Array:
    """Return the part of each row, (n,) int64; each part has its size, and its share of each label as far as possible.

    Labels are treated in the order of how few unassigned rows have them, the rarest first. Each row of a label, in
    random order, goes to the part that lacks most rows of this label; among equals to the smaller part, so that a rare
    label reaches it, then to the one with more room.

    Args:
        y: (n, labels) booleans.
        sizes: (parts,) number of rows, n in all.
        random: generator of the order.

    Reference: Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-label Data",
    https://doi.org/10.1007/978-3-642-23808-6_10; there, sizes vary and ties are broken at random.

    >>> y = np.array([[1, 0], [1, 0], [0, 1], [0, 1], [0, 0], [0, 0]], dtype=bool)
    >>> parts = assign_rows(y, np.array([3, 3]), np.random.default_rng(0))
    >>> y[parts == 0].sum(0).tolist(), y[parts == 1].sum(0).tolist()
    ([1, 1], [1, 1])
    """
    order, parts, room = random.permutation(len(y)), np.full(len(y), -1), sizes.copy()
    lacks = sizes[:, np.newaxis] * y.sum(0) / len(y)  # (parts, labels)
    while (left := y[parts < 0].sum(0)).any():
        label = int(np.argmin(np.where(left > 0, left, len(y) + 1)))
        for row in order[(parts[order] < 0) & y[order, label]]:
            part = max(np.flatnonzero(room), key=lambda part: (lacks[part, label], -sizes[part], room[part]))
            parts[row] = part
            room[part] -= 1
            lacks[part] -= y[row]
    rest = order[parts[order] < 0]
    parts[rest] = np.repeat(np.arange(len(sizes)), room)
    return parts
