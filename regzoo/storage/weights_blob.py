"""Weights as the bytes that a ledger stores: one NumPy archive for the weights of all members of a run."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from collections.abc import Sequence
from typing import Any

import numpy as np

from regzoo.core import InputError

_UNREADABLE = (
    AttributeError,  # an array alone, in place of an archive of arrays
    EOFError,
    IndexError,
    KeyError,
    NotImplementedError,  # a compression that zipfile does not know
    OSError,
    OverflowError,
    SyntaxError,
    TypeError,
    ValueError,
    struct.error,
    zipfile.BadZipFile,
    zlib.error,
)
"""What NumPy raises for bytes that `pack_weights` did not return."""


def pack_weights(weights: Sequence[Sequence[Any]]) -> bytes:
    """Return the ``weights`` of each member as bytes that `unpack_weights` reads."""
    file = io.BytesIO()
    np.savez(file, **{f"{m:04d}-{i:06d}": array for m, arrays in enumerate(weights) for i, array in enumerate(arrays)})
    return file.getvalue()


def unpack_weights(body: bytes) -> list[list[np.ndarray]]:
    """Return the weights of each member, in the order in which they were packed.

    Raises:
        InputError: if ``body`` is something else.
    """
    members: list[list[np.ndarray]] = []
    try:
        with np.load(io.BytesIO(body), allow_pickle=False) as arrays:
            for name in sorted(arrays.files):
                if name.endswith("-000000"):
                    members.append([])
                members[-1].append(arrays[name])
    except _UNREADABLE as error:
        raise InputError(f"weights cannot be read: {error}") from None
    return members
