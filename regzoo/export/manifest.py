"""The files of an exported model: which there are, what their contents were, and what has changed since."""

from __future__ import annotations

import hashlib
import os
import re
import stat
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO, Any

from regzoo.core.errors import InputError
from regzoo.export.recipe_file import RECIPE_FILE, is_unchanged_json, read_recipe_json

README_FILE = "README.md"

_EMPTY_FOLDERS = {"assets"}  # TensorFlow makes it even if there are none
_CHUNK = 2**20
_DIGEST = re.compile(r"[0-9a-f]{64}")

_KEYS_OF_FORMAT_1 = {"recipe", "written", "backbone", "seed", "metrics", "parity", "versions", "inputs", "labels"}
"""Some of the keys that every ``recipe.json`` of regzoo has; in format 1, they show whose file it is."""


@dataclass(frozen=True)
class Manifest:
    """The files that an export came with.

    Attributes:
        folder: the export's folder.
        digests: SHA-256 of each file but ``recipe.json``, by its path in the folder; of format 1, without README.md.
        unchanged: whether ``recipe.json`` itself is as it was written, as far as this can be known.
        is_complete: whether every file is listed, ``recipe.json`` by its own digest; false in format 1.
    """

    folder: Path
    digests: Mapping[str, str]
    unchanged: bool
    is_complete: bool

    @property
    def model_digests(self) -> dict[str, str]:
        """The digests of the files that the model is loaded from."""
        return {name: digest for name, digest in self.digests.items() if name != README_FILE}


def read_manifest_json(folder: Path, values: Mapping[str, Any], text: str) -> Manifest:
    """Return the manifest in the ``values`` of ``recipe.json``, which were read from ``text``.

    Raises:
        InputError: if the paths or digests have another shape than regzoo writes.
    """
    digests = values.get("files", {})
    if not isinstance(digests, dict) or not all(_is_entry(*entry) for entry in digests.items()):
        raise InputError(
            f"{folder / RECIPE_FILE}: is no recipe that regzoo wrote: files takes paths and SHA-256 digests"
        )
    return Manifest(folder, digests, is_unchanged_json(values, text), "version" in values or "digest" in values)


def _is_entry(name: str, digest: Any) -> bool:
    path = PurePosixPath(name)
    plain = str(path) == name and name.isprintable() and not path.is_absolute() and ".." not in path.parts
    return plain and bool(path.parts) and isinstance(digest, str) and _DIGEST.fullmatch(digest) is not None


def find_foreign_file(folder: Path, with_format_1: bool = True) -> str | None:
    """Return what shows that ``folder`` is not, or no longer, exactly what an export wrote; None if it is.

    The first such file is named, as a clause without the folder: ``'notes.txt' is not part of it``.

    Args:
        folder: any folder.
        with_format_1: accept an export of format 1, although README.md and ``recipe.json`` may have been edited.
    """
    if not os.path.lexists(folder / RECIPE_FILE):
        names = sorted(path.name for path in folder.iterdir())
        return f"it holds {names[0]!r} and no {RECIPE_FILE}" if names else "it is empty"
    try:
        values, text = read_recipe_json(folder)
        manifest = read_manifest_json(folder, values, text)
    except InputError as error:
        return f"{RECIPE_FILE!r} is not regzoo's ({str(error).removeprefix(f'{folder / RECIPE_FILE}: ')})"
    if not manifest.digests or (not manifest.is_complete and not set(values) >= _KEYS_OF_FORMAT_1):
        return f"{RECIPE_FILE!r} is not regzoo's"
    if not manifest.unchanged:
        return f"{RECIPE_FILE!r} was changed"
    if not manifest.is_complete and not with_format_1:
        return f"an older regzoo wrote it, so {README_FILE!r} may have been changed"
    try:
        return _find_difference(manifest)
    except OSError as error:
        return f"{Path(error.filename or RECIPE_FILE).name!r} cannot be read ({error.strerror})"


def _find_difference(manifest: Manifest) -> str | None:
    listed = {*manifest.digests, RECIPE_FILE, README_FILE}
    folders = _EMPTY_FOLDERS | {str(parent) for name in listed for parent in PurePosixPath(name).parents}
    found = set()
    for name, mode in _scan(manifest.folder):
        found.add(name)
        if stat.S_ISDIR(mode) and name in folders:
            continue
        if name not in listed:
            return f"{name!r} is not part of it"
        if not stat.S_ISREG(mode):
            return f"{name!r} is not a file"
        digest = manifest.digests.get(name)
        if digest is not None and compute_digest(manifest.folder / name) != digest:
            return f"{name!r} was changed"
    missing = sorted(set(manifest.digests) - found)
    return f"{missing[0]!r} is missing" if missing else None


def _scan(folder: Path, base: str = "") -> Iterator[tuple[str, int]]:
    """Yield path and mode of everything in ``folder``, in order; links are not followed."""
    with os.scandir(folder) as entries:
        found = sorted(entries, key=lambda entry: entry.name)
    for entry in found:
        mode = entry.stat(follow_symlinks=False).st_mode
        yield base + entry.name, mode
        if stat.S_ISDIR(mode):
            yield from _scan(folder / entry.name, f"{base}{entry.name}/")


def compute_digests(folder: Path) -> dict[str, str]:
    """Return the SHA-256 of every file in ``folder``, by its path relative to it."""
    return {name: compute_digest(folder / name) for name, mode in _scan(folder) if stat.S_ISREG(mode)}


def compute_digest(path: Path) -> str:
    """Return the SHA-256 of the file at ``path``."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def copy_files(manifest: Manifest, to: Path) -> str | None:
    """Copy the model's files to the folder ``to``, so that nobody changes them after their digests were compared.

    Returns:
        The first file that is not the one that was exported, as in `find_foreign_file`; None if all are.
    """
    for name, expected in manifest.model_digests.items():
        try:
            descriptor = os.open(manifest.folder / name, os.O_RDONLY | os.O_NONBLOCK)
        except FileNotFoundError:
            return f"{name} is missing"
        except OSError as error:  # no permission, a loop of links, a file instead of a folder, a socket
            return f"{name} cannot be read ({error.strerror})"
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            os.close(descriptor)
            return f"{name} is not a file"
        (to / name).parent.mkdir(parents=True, exist_ok=True)
        with os.fdopen(descriptor, "rb") as file:
            if _copy_file(file, to / name) != expected:
                return f"{name} is not the file that was exported"
    return None


def _copy_file(reader: IO[bytes], to: Path) -> str:
    """Copy an open file to ``to``, and return its SHA-256."""
    digest = hashlib.sha256()
    with to.open("xb") as writer:
        while chunk := reader.read(_CHUNK):
            digest.update(chunk)
            writer.write(chunk)
    return digest.hexdigest()
