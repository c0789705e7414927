"""Load the image data sets of `keras.datasets` from the cache of Keras; fetch them only if the config says so."""

from __future__ import annotations

import dataclasses
import hashlib
import http.client
import importlib
import os
import shutil
import urllib.request
from pathlib import Path

import numpy as np

from regzoo.core.errors import EnvironmentFailure, InputError, did_you_mean
from regzoo.data.catalog import KERAS, READ_BY_KERAS
from regzoo.data.dataset import Array, Dataset
from regzoo.data.input_form import IMAGES
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.files import printable_path
from regzoo.data.sources.idx import load_idx
from regzoo.data.sources.npz import read_npz
from regzoo.data.sources.roles import mark_parts

_GOOGLE = "https://storage.googleapis.com/tensorflow/tf-keras-datasets"
_TORONTO = "https://www.cs.toronto.edu/~kriz"
_TIMEOUT = 60  # seconds without an answer
_IDX = [f"{part}-{what}-ubyte.gz" for part in ("train", "t10k") for what in ("images-idx3", "labels-idx1")]


@dataclasses.dataclass(frozen=True)
class Cached:
    """A file of the cache: its URL, and its SHA-256, None where Keras has none."""

    url: str
    sha256: str | None


FILES = {
    "mnist": {
        "mnist.npz": Cached(f"{_GOOGLE}/mnist.npz", "731c5ac602752760c8e48fbffcf8c3b850d9dc2a2aedcf2cc48468fc17b673d1")
    },
    "fashion_mnist": {f"fashion-mnist/{name}": Cached(f"{_GOOGLE}/{name}", None) for name in _IDX},
    "cifar10": {
        "cifar-10-batches-py-target_archive": Cached(
            f"{_TORONTO}/cifar-10-python.tar.gz", "6d958be074577803d12ecdefd02955f39262c83c16fe9348329d7fe0b5c001ce"
        )
    },
    "cifar100": {
        "cifar-100-python-target_archive": Cached(
            f"{_TORONTO}/cifar-100-python.tar.gz", "85cd44d02ba6437773c5bbd22e183051d648de2e7d6b014e1ef29b855ba677a7"
        )
    },
}
"""Files that Keras 3 keeps for each data set, by path in the cache."""


def get_cache_folder() -> Path:
    """Return the folder of Keras's data sets: ``$KERAS_HOME/datasets``, by default ``~/.keras/datasets``."""
    home = os.environ.get("KERAS_HOME") or "~/.keras"
    return Path(home).expanduser().absolute() / "datasets"


def load_keras(name: str, download: bool = False) -> Dataset:
    """Return the data set ``name`` as `keras.datasets` has it: pixels from 0 to 255, labels as integers.

    Its test images are the test part. MNIST and Fashion-MNIST are read here. CIFAR is a tar file of pickles: its hash
    is checked, then Keras's own restricted loader reads it.

    Args:
        name: one of `KERAS`.
        download: whether missing files may be fetched from the network into the cache.

    Raises:
        InputError: if there is no data set of this name, or its files are damaged, or missing and may not be fetched.
        EnvironmentFailure: if it cannot be fetched.
    """
    if name not in KERAS:
        raise InputError(f"data.keras: there is no data set {name!r}.{did_you_mean(name, KERAS)}")
    folder = get_cache_folder()
    missing = [file for file in FILES[name] if not (folder / file).is_file()]
    if missing and not download:
        raise InputError(_describe_missing(name, folder, missing))
    for file in missing:
        _fetch(FILES[name][file].url, folder / file)
    for file, cached in FILES[name].items():
        _verify(folder / file, cached)
    return dataclasses.replace(_read(name, folder), name=name)


def _describe_missing(name: str, folder: Path, missing: list[str]) -> str:
    lacks = f"{printable_path(folder)} lacks {', '.join(missing)}"
    ways = ["set download: true next to it to fetch it", f"run keras.datasets.{name}.load_data() once"]
    if name == "fashion_mnist":
        debian = "/usr/share/datasets/fashion-mnist"
        ways.append(f"on Debian install dataset-fashion-mnist and write data: {{idx: {debian}}}")
    return f"data.keras: {name} is not in Keras's cache: {lacks}. Nothing is downloaded unasked: {'; or '.join(ways)}"


def _fetch(url: str, path: Path) -> None:
    """Fetch ``url`` to ``path``, which appears only when it is complete."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        with urllib.request.urlopen(url, timeout=_TIMEOUT) as answer, temporary.open("wb") as file:
            shutil.copyfileobj(answer, file)
            if file.tell() < int(answer.headers.get("Content-Length") or 0):
                raise OSError(f"it broke off after {file.tell():,} bytes")
        temporary.replace(path)
    except (OSError, http.client.HTTPException) as error:  # also without network or with a full disk
        raise EnvironmentFailure(
            f"{url} could not be fetched: {error}; put the file at {printable_path(path)}"
        ) from None
    finally:
        temporary.unlink(missing_ok=True)


def _verify(path: Path, cached: Cached) -> None:
    with path.open("rb") as file:
        if cached.sha256 not in (None, hashlib.file_digest(file, "sha256").hexdigest()):
            what = f"is damaged, or another file than {cached.url} (SHA-256 differs)"
            raise InputError(f"{printable_path(path)}: {what}; delete it and fetch it again")


def _read(name: str, folder: Path) -> Dataset:
    if name == "fashion_mnist":
        return load_idx(folder / "fashion-mnist")
    if name in READ_BY_KERAS:
        return _read_by_keras(name, folder)
    arrays = read_npz(folder / "mnist.npz")
    return _make_dataset(arrays["x_train"], arrays["y_train"], arrays["x_test"], arrays["y_test"])


def _read_by_keras(name: str, folder: Path) -> Dataset:
    if not os.access(folder.parent, os.W_OK):  # then Keras would look, and download, elsewhere
        raise InputError(
            f"{printable_path(folder.parent)}: Keras unpacks {name} there and may not write; set KERAS_HOME"
        )
    (x, y), (x_test, y_test) = importlib.import_module(f"keras.datasets.{name}").load_data()
    return _make_dataset(x, y, x_test, y_test)


def _make_dataset(x: Array, y: Array, x_test: Array, y_test: Array) -> Dataset:
    part = mark_parts(["test"], [len(y), len(y_test)])
    return from_arrays(np.concatenate([x, x_test]), np.concatenate([y, y_test]), part=part, form=IMAGES)
