"""Read arrays ``x`` and ``y`` from a NumPy archive; pickled objects are never loaded."""

from __future__ import annotations

import zipfile
import zlib
from collections.abc import Mapping
from pathlib import Path

import numpy as np

from regzoo.core.errors import InputError, did_you_mean
from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import require_file
from regzoo.data.sources.roles import EMPTY, attach_roles, mark_parts


def load_npz(
    path: Path, roles: Mapping[str, str] = EMPTY, parts: Mapping[str, Path] = EMPTY, targets: bool = True
) -> Dataset:
    """Read an archive written by ``np.savez(path, x=..., y=...)``; see `from_arrays` for shapes and types.

    Args:
        path: path of the archive.
        roles: array names by role (group, time, part, weight), each array (n,).
        parts: archives of the same kind whose rows are the ``validation`` or ``test`` part.
        targets: whether y is required; without, it is read if the archive has it.

    Raises:
        InputError: naming the file, if it cannot be read, lacks an array or contains objects.
    """
    files = (path, *parts.values())
    archives = [_read_archive(file, roles, targets) for file in files]
    name = " + ".join(map(str, files))
    y = ["y"] * all("y" in archive for archive in archives)
    keys = dict.fromkeys(("x", *y, *roles.values()))
    arrays = {key: _join([archive[key] for archive in archives], f"{name}: {key}") for key in keys}
    values = {role: arrays[key] for role, key in roles.items()}
    if parts:
        values["part"] = mark_parts(parts, [len(archive["x"]) for archive in archives])
    places = {"part": name, **{role: f"{name}: {key} ({role})" for role, key in roles.items()}}
    return attach_roles(from_arrays(arrays["x"], arrays.get("y"), name), values, places)


def _read_archive(path: Path, roles: Mapping[str, str], targets: bool) -> dict[str, Array]:
    arrays = read_npz(path)
    hint = did_you_mean if arrays else lambda *_: " It holds none."
    for key in ("x", "y") if targets else ("x",):
        if key not in arrays:
            raise InputError(f"{path}: needs the arrays x and y, {key} is missing.{hint(key, arrays)}")
    for role, key in roles.items():
        if key not in arrays:
            raise InputError(f"{path}: there is no array {key!r} for data.{role}.{hint(key, arrays)}")
    return arrays


def _join(arrays: list[Array], where: str) -> Array:
    """Return the rows of all arrays as one array; InputError if shapes or kinds of values differ."""
    if len(arrays) == 1:
        return arrays[0]
    shapes = {array.shape[1:] for array in arrays}
    kinds = {"numbers" if array.dtype.kind in "iuf" else array.dtype.name.rstrip("0123456789") for array in arrays}
    if len(shapes) > 1 or len(kinds) > 1:
        received = " and ".join(f"{array.dtype} {array.shape}" for array in arrays)
        raise InputError(f"{where} takes one shape and one kind of values in all files, received {received}")
    return np.concatenate(arrays)


def read_npz(path: Path) -> dict[str, Array]:
    """Return the arrays of the archive at ``path`` by name; InputError if it cannot be read."""
    require_file(path)
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: is no .npz archive; write it with np.savez(path, x=x, y=y)")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        objects = "Object arrays" in str(error)
        what = "holds Python objects, which are not loaded; save numbers or text" if objects else f"is damaged: {error}"
        raise InputError(f"{path}: {what}") from None
