"""Text in the cells of a column, read from the bytes of a file: each different text once."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Array = NDArray[Any]

WORD = 8
"""Bytes that are compared at a time."""

LONGEST = 64
"""Bytes of the longest cells that are compared before they are decoded."""

_MASKS = np.array([(1 << 8 * count) - 1 for count in range(WORD + 1)], dtype=np.uint64)


def read_texts(buffer: Array, starts: Array, lengths: Array, encoding: str) -> tuple[Array, int]:
    """Return the text of each cell of a column, (n,) objects, and how many are different; equal ones are one object.

    Args:
        buffer: the bytes of the file, which hold no NUL, and at least `WORD` more.
        starts: (n,) position of the first byte of each cell.
        lengths: (n,) bytes of each cell.
        encoding: encoding of the text.
    """
    starts, lengths = starts.astype(np.int64), lengths.astype(np.int64)
    if int(lengths.max(initial=0)) > LONGEST:
        return _intern(_decode(buffer, starts, lengths, encoding))
    codes, count = factorize_cells(buffer, starts, lengths)
    first = np.empty(count, dtype=np.int64)
    first[codes[::-1]] = np.arange(len(codes) - 1, -1, -1)
    different = np.empty(count, dtype=object)
    different[:] = _decode(buffer, starts[first], lengths[first], encoding)
    return different[codes], count


def factorize_cells(buffer: Array, starts: Array, lengths: Array) -> tuple[Array, int]:
    """Return a number for each cell (n,), equal for equal bytes, and how many there are."""
    starts, lengths = starts.astype(np.int64), lengths.astype(np.int64)
    words = np.ndarray((len(buffer) - WORD + 1,), "<u8", buffer, 0, (1,))  # one begins at each byte
    codes, count = np.zeros(len(starts), dtype=np.int64), 1
    for position in range(0, max(1, int(lengths.max(initial=0))), WORD):
        inside = np.clip(lengths - position, 0, WORD)
        word = words[np.minimum(starts + position, len(words) - 1)] & _MASKS[inside]
        more, different = pd.factorize(word)
        codes = codes * len(different) + more
        if position:
            codes, pairs = pd.factorize(codes)
            count = len(pairs)
        else:
            count = len(different)
        if count == len(codes):
            break
    return codes.astype(np.int64), count


def _decode(buffer: Array, starts: Array, lengths: Array, encoding: str) -> list[str]:
    view = memoryview(buffer)  # type: ignore[arg-type]  # an array is a buffer from Python 3.12 on
    ends = (starts + lengths).tolist()
    return [str(view[start:end], encoding) for start, end in zip(starts.tolist(), ends, strict=True)]


def _intern(texts: list[str]) -> tuple[Array, int]:
    """Return texts as an array of objects, the same object for equal ones, and how many are different."""
    seen: dict[str, str] = {}
    interned = np.empty(len(texts), dtype=object)
    interned[:] = [seen.setdefault(text, text) for text in texts]
    return interned, len(seen)
