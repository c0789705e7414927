"""Load the rows of a case; split and standardize them as `regzoo compare` does."""

from __future__ import annotations

import gzip
import os
from pathlib import Path

import numpy as np

from regzoo.bench.plan import Case
from regzoo.core.formatting import format_integer
from regzoo.core.seeds import generator
from regzoo.data.dataset import Array, Dataset
from regzoo.data.prepared import PreparedData
from regzoo.data.preprocess import prepare_fold
from regzoo.data.sources.arrays import from_arrays
from regzoo.data.sources.bundled import load_bundled

FOLDERS = (
    Path(os.environ.get("KERAS_HOME", "~/.keras")) / "datasets" / "fashion-mnist",  # Keras's cache
    Path("/usr/share/datasets/fashion-mnist"),  # Debian's package dataset-fashion-mnist
)
"""Folders where Fashion-MNIST is looked for; nothing is downloaded."""

IMAGES, LABELS = "train-images-idx3-ubyte.gz", "train-labels-idx1-ubyte.gz"


def load_rows(case: Case) -> tuple[Dataset, str]:
    """Return the first ``case.rows`` rows of the case's data, and their source in words.

    If Fashion-MNIST is not installed, random numbers of the same shape take its place: the arithmetic is the same.
    """
    if case.data == "digits":
        whole = load_bundled("digits")
        assert whole.y is not None, "digits have labels"
        return from_arrays(whole.x[: case.rows], whole.y[: case.rows], "digits"), "scikit-learn's digits"
    folder = next((folder.expanduser() for folder in FOLDERS if _is_installed(folder.expanduser())), None)
    if folder is None:
        return _make_random(case), "seeded random numbers of the same shape: Fashion-MNIST is not installed"
    x, y = read_fashion_mnist(folder, case.rows)
    return from_arrays(x, y, "fashion_mnist"), f"Fashion-MNIST, its first {format_integer(case.rows)} training images"


def read_fashion_mnist(folder: Path, rows: int) -> tuple[Array, Array]:
    """Return the first images (rows, 28, 28, 1), of 0 to 255, and labels (rows,) of the IDX files in ``folder``."""
    with gzip.open(folder / IMAGES) as images, gzip.open(folder / LABELS) as labels:
        pixels = np.frombuffer(images.read(16 + rows * 28 * 28), np.uint8, offset=16)
        numbers = np.frombuffer(labels.read(8 + rows), np.uint8, offset=8)
    return pixels.reshape(rows, 28, 28, 1), numbers.astype(np.int64)


def prepare_rows(case: Case) -> tuple[PreparedData, str]:
    """Return the three parts that every way trains and validates on, and the source of the rows in words."""
    dataset, source = load_rows(case)
    experiment = case.make_experiment()
    return prepare_fold(dataset, experiment.split, experiment.seed), source


def _is_installed(folder: Path) -> bool:
    return (folder / IMAGES).is_file() and (folder / LABELS).is_file()


def _make_random(case: Case) -> Dataset:
    random = generator("bench", case.name)
    x = random.uniform(0.0, 255.0, size=(case.rows, *case.input_shape))
    return from_arrays(x, np.arange(case.rows) % case.classes, "random")
