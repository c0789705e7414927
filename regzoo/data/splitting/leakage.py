"""Leakage between parts: rows that belong together, marked parts that divide them, rows that parts share."""

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
    """Return a number for each row, (n,), equal for rows that must be in one part; None if all rows are independent.

    Rows of one group are inseparable; with ``duplicates`` equal rows are too, and so is any chain of both.
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


def require_whole_groups(groups: Array, parts: Array) -> None:
    """Raise InputError if rows of one of the ``groups`` (n,) are in different ``parts`` (n,), positions in `PARTS`."""
    order = np.lexsort((parts, groups))
    divided = np.flatnonzero((np.diff(groups[order]) == 0) & (np.diff(parts[order]) != 0))
    if len(divided):
        rows = [f"{row + 1} ({PARTS[parts[row]]})" for row in order[divided[0] : divided[0] + 2]]
        raise InputError(
            f"data.part: rows {' and '.join(rows)} are of one group, or equal; "
            f"{len(np.unique(groups[order[divided]]))} groups are divided in this way. "
            "Mark all rows of a group for the same part, or leave group out"
        )


def require_time_order(times: Array, parts: Array) -> None:
    """Raise InputError if a part begins before the previous one ends; ``parts`` (n,) are positions in `PARTS`."""
    for number, (earlier, later) in enumerate(pairwise(PARTS)):
        last, first = times[parts == number].max(), times[parts == number + 1].min()
        if first <= last:
            raise InputError(
                f"data.part: the {later} part begins at {first}, before the {earlier} part ends, at {last}; mark later "
                "rows for it, or leave time out"
            )


def count_shared_rows(contents: Array, rows: Mapping[str, Array]) -> int:
    """Count the rows that equal a row of another part.

    Args:
        contents: (n,) equal numbers for equal rows.
        rows: row numbers by part.
    """
    occurs = np.zeros((len(rows), int(contents.max()) + 1), dtype=bool)  # (parts, contents)
    for number, part in enumerate(rows.values()):
        occurs[number, contents[part]] = True
    shared = occurs.sum(0) > 1
    return sum(int(shared[contents[part]].sum()) for part in rows.values())


def digest_rows(rows: Array) -> str:
    """Return 16 hexadecimal digits that identify row numbers."""
    return hashlib.blake2b(rows.astype("<i8").tobytes(), digest_size=8).hexdigest()
