"""Leaks: what belongs together, and whether it is in one part."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from itertools import pairwise

import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from regzoo.core.errors import InputError
from regzoo.data.catalog import PARTS
from regzoo.data.dataset import Array, Dataset


def group_inseparable_rows(dataset: Dataset, duplicates: bool) -> Array | None:
    """Return a number for each row, (n,), equal for rows that no split may part; None if it may part all.

    These are the rows of a group, with ``duplicates`` equal rows as well, and whatever is linked by chains of both.
    """
    links = [] if dataset.group is None else [np.unique(dataset.group, return_inverse=True)[1]]
    if duplicates and dataset.content_codes.max() + 1 < len(dataset.x):
        links.append(dataset.content_codes)
    if len(links) < 2:
        return links[0] if links else None
    groups, contents = links
    first = int(groups.max()) + 1
    nodes = first + int(contents.max()) + 1
    graph = coo_array((np.ones(len(groups)), (groups, first + contents)), shape=(nodes, nodes))
    return np.asarray(connected_components(graph, directed=False)[1][groups], dtype=np.int64)


def require_whole_groups(groups: Array, place: Array) -> None:
    """Raise InputError if rows of one of the ``groups`` (n,) have different places (n,), positions in `PARTS`."""
    order = np.lexsort((place, groups))
    parted = np.flatnonzero((np.diff(groups[order]) == 0) & (np.diff(place[order]) != 0))
    if len(parted):
        rows = [f"{row + 1} ({PARTS[place[row]]})" for row in order[parted[0] : parted[0] + 2]]
        raise InputError(
            f"data.part: rows {' and '.join(rows)} are of one group, or equal; {len(np.unique(groups[order[parted]]))} "
            "groups are parted in this way. Mark whole groups alike, or leave group out"
        )


def require_time_order(times: Array, place: Array) -> None:
    """Raise InputError unless each part lies in ``times`` (n,) after the one before it in `PARTS`."""
    for number, (earlier, later) in enumerate(pairwise(PARTS)):
        last, first = times[place == number].max(), times[place == number + 1].min()
        if first <= last:
            raise InputError(
                f"data.part: the {later} part begins at {first}, before the {earlier} part ends, at {last}; mark later "
                "rows for it, or leave time out"
            )


def count_shared_rows(contents: Array, rows: Mapping[str, Array]) -> int:
    """Count the rows that have a row of equal ``contents`` (n,) in another part; ``rows``: numbers by part."""
    parts = np.zeros((len(rows), int(contents.max()) + 1), dtype=bool)
    for number, part in enumerate(rows.values()):
        parts[number, contents[part]] = True
    several = parts.sum(0) > 1
    return sum(int(several[contents[part]].sum()) for part in rows.values())


def digest_rows(rows: Array) -> str:
    """16 hexadecimal digits of row numbers."""
    return hashlib.blake2b(rows.astype("<i8").tobytes(), digest_size=8).hexdigest()
