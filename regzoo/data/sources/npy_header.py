"""Read what an array in a NumPy archive claims to be, before anything of its size is allocated."""

from __future__ import annotations

import io
import math
import struct
import tokenize
import zipfile
from typing import IO

import numpy as np

from regzoo.core.errors import InputError

LONGEST_HEADER = 10_000
"""Bytes of the longest header; NumPy refuses longer ones too, but only after reading them."""

_LENGTHS = {(1, 0): "<H", (2, 0): "<I"}  # version 3 is for names of fields, and arrays with fields are not read
_WRONG = (ValueError, TypeError, SyntaxError, RecursionError, OverflowError, struct.error, tokenize.TokenError)


def count_values(archive: zipfile.ZipFile, member: zipfile.ZipInfo, where: str) -> int:
    """Return how many values the array ``member`` has.

    Raises:
        InputError: if it is no array, holds Python objects, or claims another size than the archive has.
    """
    if member.compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
        raise InputError(
            f"{where} is compressed in a way that np.savez does not use; write it with np.savez_compressed"
        )
    with archive.open(member) as file:
        shape, dtype = _read_header(file, where)
        held = member.file_size - file.tell()
    count = math.prod(shape)
    if dtype.hasobject:
        raise InputError(f"{where} holds Python objects, which are not loaded; save numbers or text")
    if any(length < 0 for length in shape) or count * max(dtype.itemsize, 1) > held:
        claim = f"it claims the shape {shape} of {dtype}, and holds {held:,} bytes"
        raise InputError(f"{where} is damaged: {claim}; write it again")
    return count


def _read_header(file: IO[bytes], where: str) -> tuple[tuple[int, ...], np.dtype]:
    """Return shape and dtype of the array in ``file``, and leave it where the values begin."""
    try:
        version = np.lib.format.read_magic(file)
        length_format = _LENGTHS[version]
        packed = file.read(struct.calcsize(length_format))
        (length,) = struct.unpack(length_format, packed)
        if length > LONGEST_HEADER:
            raise ValueError(f"its header has {length:,} bytes")
        header = io.BytesIO(packed + file.read(length))
        reader = np.lib.format.read_array_header_1_0 if version == (1, 0) else np.lib.format.read_array_header_2_0
        shape, _, dtype = reader(header)
    except KeyError:
        raise InputError(f"{where} is an array with fields; save one array for each column") from None
    except MemoryError:  # of Python's parser, for many brackets
        raise InputError(f"{where} is damaged: its header cannot be read; write it again") from None
    except _WRONG as error:
        raise InputError(f"{where} is damaged: {error}; write it again") from None
    return tuple(shape), dtype
