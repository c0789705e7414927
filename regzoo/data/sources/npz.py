"""Arrays ``x`` and ``y`` in a NumPy archive; pickled objects are never loaded."""

from __future__ import annotations

import zipfile
import zlib
from pathlib import Path

import numpy as np

from regzoo.data.dataset import Array, Dataset
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import regular
from regzoo.language.errors import InputError, did_you_mean


def load_npz(path: Path, targets: bool = True) -> Dataset:
    """Read ``np.savez(path, x=..., y=...)``; `from_arrays` says which shapes and types are allowed.

    Args:
        path: of the archive.
        targets: whether y has to be there; it is read if it is.

    Raises:
        InputError: naming the file, if it cannot be read, lacks an array or holds objects.
    """
    arrays = read_npz(path)
    for key in ("x", "y") if targets else ("x",):
        if key not in arrays:
            hint = did_you_mean(key, arrays) if arrays else " It holds none."
            raise InputError(f"{path}: needs the arrays x and y, {key} is missing.{hint}")
    return from_arrays(arrays["x"], arrays.get("y"), str(path))


def read_npz(path: Path) -> dict[str, Array]:
    """Return the arrays of the archive at ``path`` by name; InputError if that is impossible."""
    regular(path)
    if not zipfile.is_zipfile(path):
        raise InputError(f"{path}: is no .npz archive; write it with np.savez(path, x=x, y=y)")
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {key: archive[key] for key in archive.files}
    except (OSError, ValueError, EOFError, zipfile.BadZipFile, zlib.error) as error:
        objects = "Object arrays" in str(error)
        what = "holds Python objects, which are not loaded; save numbers or text" if objects else f"is damaged: {error}"
        raise InputError(f"{path}: {what}") from None
