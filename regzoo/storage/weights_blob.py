"""Weights as the bytes that a ledger stores: one NumPy archive for the weights of all members of a run."""

from __future__ import annotations

import io
from collections.abc import Sequence
from typing import Any

import numpy as np


def pack_weights(weights: Sequence[Sequence[Any]]) -> bytes:
    """Return the ``weights`` of each member as bytes that `unpack_weights` reads."""
    file = io.BytesIO()
    np.savez(file, **{f"{m:04d}-{i:06d}": array for m, arrays in enumerate(weights) for i, array in enumerate(arrays)})
    return file.getvalue()


def unpack_weights(body: bytes) -> list[list[np.ndarray]]:
    """Return the weights of each member, in the order in which they were packed."""
    members: list[list[np.ndarray]] = []
    with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
        for name in sorted(arrays.files):
            if name.endswith("-000000"):
                members.append([])
            members[-1].append(arrays[name])
    return members
