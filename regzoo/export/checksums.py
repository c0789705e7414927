"""SHA-256 digests of an exported model's files, so that a damaged copy is not served."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from regzoo.core import InputError


def compute_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in ``folder``, by its path relative to it."""
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): _compute_digest(path) for path in files}


def verify_digests(folder: Path, digests: Mapping[str, str]) -> None:
    """Raise InputError if a file listed in ``digests`` is missing from ``folder`` or has changed."""
    for name, digest in digests.items():
        path = folder / name
        if not path.is_file() or _compute_digest(path) != digest:
            problem = "is not the file that was exported" if path.is_file() else "is missing"
            raise InputError(f"{folder}: {name} {problem}; copy the folder again, or export the model again")


def _compute_digest(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
