"""Spread: rows with several labels go to parts so that every label is as frequent in each."""

from __future__ import annotations

import numpy as np

from regzoo.data.dataset import Array


def assign_rows(y: Array, sizes: Array, random: np.random.Generator) -> Array:
    """Return the part of each row, (n,) int64; each part has its size, and of each label its share as nearly as may be.

    The label that fewest of the rows left over have comes first. Each of its rows, in random order, goes to the part
    that lacks most of this label; of equals, to the smaller, so that a rare label reaches it, then to the emptier.

    Args:
        y: (n, labels) booleans.
        sizes: (parts,) rows, n in all.
        random: of the order.

    Reference: Sechidis, Tsoumakas and Vlahavas 2011, "On the Stratification of Multi-label Data",
    https://doi.org/10.1007/978-3-642-23808-6_10; it lets sizes vary and draws among equals.

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
