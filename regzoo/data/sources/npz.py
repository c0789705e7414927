"""Read arrays ``x`` and ``y`` from a NumPy archive; pickled objects are never loaded."""

from __future__ import annotations

import contextlib
import struct
import zipfile
import zlib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np

from regzoo.core.errors import InputError, did_you_mean
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import SEEN, InputForm
from regzoo.data.inputs import InputSpec
from regzoo.data.matching import require_names
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import BYTES_PER_VALUE, require_bytes, require_file
from regzoo.data.sources.npy_header import count_values
from regzoo.data.sources.roles import EMPTY, attach_roles, mark_parts
from regzoo.system.memory import get_available_memory

MOST_ARRAYS = 10_000
"""Files in an archive that is read."""

X = "x"
"""Name of the array of inputs, if there is one."""

_DAMAGE = (
    OSError, ValueError, EOFError, IndexError, OverflowError,
    RuntimeError,  # a member is encrypted, or compressed in an unknown way
    struct.error, zipfile.BadZipFile, zlib.error,
)  # fmt: skip


def load_npz(
    path: Path,
    roles: Mapping[str, str] = EMPTY,
    parts: Mapping[str, Path] = EMPTY,
    targets: bool = True,
    inputs: Sequence[InputSpec] | None = None,
    form: InputForm = SEEN,
) -> Dataset:
    """Read an archive written by ``np.savez(path, x=..., y=...)``; see `from_arrays` for shapes and types.

    Args:
        path: path of the archive.
        roles: array names by role (group, time, part, weight), each array (n,).
        parts: archives of the same kind whose rows are the ``validation`` or ``test`` part.
        targets: whether y is required; without, it is read if the archive has it.
        inputs: the inputs of a user's own model, as for `from_arrays`. Then the archive may hold an array for each of
            them by name; without x, and if they are not known yet, every array but y and ``roles`` is an input.
        form: what the inputs are.

    Raises:
        InputError: naming the file, if it cannot be read, lacks an array or contains objects.
    """
    files = (path, *parts.values())
    named = None if inputs is None else _list_inputs(path, roles, inputs)
    archives = [_read_archive(file, roles, targets, named or (X,)) for file in files]
    name = " + ".join(map(str, files))
    y = ["y"] * all("y" in archive for archive in archives)
    keys = dict.fromkeys((*(named or (X,)), *y, *roles.values()))
    arrays = {key: _join([archive[key] for archive in archives], f"{name}: {key}") for key in keys}
    values = {role: arrays[key] for role, key in roles.items()}
    if parts:
        values["part"] = mark_parts(parts, [len(archive[(named or (X,))[0]]) for archive in archives])
    places = {"part": name, **{role: f"{name}: {key} ({role})" for role, key in roles.items()}}
    x = arrays[X] if named is None else {key: arrays[key] for key in named}
    return attach_roles(from_arrays(x, arrays.get("y"), name, inputs=inputs, form=form), values, places)


def _list_inputs(path: Path, roles: Mapping[str, str], inputs: Sequence[InputSpec]) -> tuple[str, ...] | None:
    """Return the arrays that are inputs by name; None if x is the only one, or they are missing."""
    with _open_archive(path) as archive:
        names = [name for name in _list_arrays(archive, path) if name not in ("y", *roles.values())]
    wanted = tuple(spec.name for spec in inputs)
    if wanted and set(wanted) <= set(names):
        return None if wanted == (X,) else wanted
    if X in names or not names:
        return None
    if wanted:
        require_names(names, inputs, str(path), "arrays")
    return tuple(names)


def _read_archive(path: Path, roles: Mapping[str, str], targets: bool, inputs: Sequence[str]) -> dict[str, Array]:
    with _open_archive(path) as archive:
        names = _list_arrays(archive, path)
        hint = did_you_mean if names else lambda *_: " It holds none."
        for key in (*inputs, "y") if targets else inputs:
            if key not in names:
                needed = " and ".join([", ".join(inputs), "y"])
                raise InputError(f"{path}: needs the arrays {needed}, {key} is missing.{hint(key, names)}")
        for role, key in roles.items():
            if key not in names:
                raise InputError(f"{path}: there is no array {key!r} for data.{role}.{hint(key, names)}")
        used = {*inputs, "y", *roles.values()}
        return _read_arrays(archive, {name: member for name, member in names.items() if name in used}, path)


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
    """Return the arrays of the archive at ``path`` by name.

    Raises:
        InputError: if it cannot be read, holds objects, or would not fit into memory.
    """
    with _open_archive(path) as archive:
        return _read_arrays(archive, _list_arrays(archive, path), path)


@contextlib.contextmanager
def _open_archive(path: Path) -> Iterator[zipfile.ZipFile]:
    """Open an archive; raise whatever is wrong with it in the block as an InputError that names the file."""
    require_file(path)
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: is no .npz archive; write it with np.savez(path, x=x, y=y)")
    try:
        with zipfile.ZipFile(path) as archive:
            yield archive
    except InputError:
        raise
    except _DAMAGE as error:
        raise InputError(f"{path}: is damaged: {error}") from None


def _list_arrays(archive: zipfile.ZipFile, path: Path) -> dict[str, zipfile.ZipInfo]:
    """Return the members of the archive by the names of their arrays."""
    members = archive.infolist()
    if len(members) > MOST_ARRAYS:
        raise InputError(f"{path}: holds {len(members):,} files, and at most {MOST_ARRAYS:,} arrays are read")
    return {member.filename.removesuffix(".npy"): member for member in members}


def _read_arrays(archive: zipfile.ZipFile, members: Mapping[str, zipfile.ZipInfo], path: Path) -> dict[str, Array]:
    """Return the arrays in ``members``; InputError before any is read if they would not fit into memory."""
    needed = sum(
        member.file_size + count_values(archive, member, f"{path}: the array {name!r}") * BYTES_PER_VALUE
        for name, member in members.items()
    )
    require_bytes(needed, get_available_memory(), str(path), "its arrays take", "save fewer rows, or free some memory")
    arrays = {}
    for name, member in members.items():
        with archive.open(member) as file:
            arrays[name] = np.lib.format.read_array(file, allow_pickle=False)
    return arrays
