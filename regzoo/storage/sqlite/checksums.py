"""Digests of the rows of a ledger, and of whole tables: a row that changed, is missing or was added is noticed."""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

Value = str | int | float | bytes
"""What a ledger stores in a column."""

SIZE = 16
"""Bytes of a digest."""

_MODULUS = 1 << 8 * SIZE


def digest_row(table: str, values: Sequence[Value]) -> bytes:
    """Return the digest of one row of ``table``, its key included."""
    digest = hashlib.blake2b(digest_size=SIZE)
    for value in (table, *values):
        kind, body = _to_bytes(value)
        digest.update(kind + len(body).to_bytes(8, "big"))
        digest.update(body)
    return digest.digest()


@dataclass(frozen=True)
class TableChecksum:
    """Number of rows of a table, and the sum of their digests, which does not depend on their order.

    >>> one, other = digest_row("notes", ["a", "1"]), digest_row("notes", ["b", "2"])
    >>> TableChecksum.of([one, other]) == TableChecksum.of([other]).add(one)
    True
    """

    rows: int = 0
    digest: bytes = bytes(SIZE)

    @staticmethod
    def of(digests: Iterable[bytes]) -> TableChecksum:
        """Return the checksum of rows with these ``digests``."""
        each = list(digests)
        return TableChecksum(len(each), _sum(*each))

    def add(self, digest: bytes) -> TableChecksum:
        """Return the checksum with one more row."""
        return TableChecksum(self.rows + 1, _sum(self.digest, digest))

    def remove(self, digest: bytes) -> TableChecksum:
        """Return the checksum without a row."""
        total = int.from_bytes(self.digest, "big") - int.from_bytes(digest, "big")
        return TableChecksum(self.rows - 1, (total % _MODULUS).to_bytes(SIZE, "big"))


def _sum(*digests: bytes) -> bytes:
    return (sum(int.from_bytes(digest, "big") for digest in digests) % _MODULUS).to_bytes(SIZE, "big")


def _to_bytes(value: Value) -> tuple[bytes, bytes]:
    if isinstance(value, str):
        return b"s", value.encode("utf-8", "surrogatepass")
    if isinstance(value, bytes):
        return b"b", value
    if isinstance(value, float):
        return b"f", struct.pack(">d", value)
    return b"i", str(value).encode()
