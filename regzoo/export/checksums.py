"""Files: what an exported model's folder held when it was written, so that a damaged copy is not served."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from regzoo.core import InputError


def compute_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in ``folder``, by its path there."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _digest(path) for path in files}


def verify_digests(folder: Path, noted: Mapping[str, str]) -> None:
    """Raise InputError unless each file of ``noted`` lies in ``folder`` as it was written."""
    for name, digest in noted.items():
        path = folder / name
        if not path.is_file() or _digest(path) != digest:
            what = "is not the file that was exported" if path.is_file() else "is missing"
            raise InputError(f"{folder}: {name} {what}; copy the folder again, or export the model again")


def _digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
