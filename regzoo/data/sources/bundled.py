"""Load the real data sets that scikit-learn ships; nothing is downloaded."""

from __future__ import annotations

import dataclasses
import functools

import numpy as np

from regzoo.core.errors import InputError, did_you_mean
from regzoo.data.catalog import BUNDLED
from regzoo.data.dataset import Dataset
from regzoo.data.input_form import IMAGES
from regzoo.data.sources.arrays import from_arrays


@functools.cache
def load_bundled(name: str) -> Dataset:
    """Return the data set ``name``, in its original units; labels are the names of the classes (digits: 0 to 9).

    Raises:
        InputError: if there is no data set of this name.
    """
    from sklearn import datasets  # predicting needs none, and its import takes a second

    if name not in BUNDLED:
        raise InputError(f"there is no bundled data set {name!r}.{did_you_mean(name, BUNDLED)}")
    if name == "digits":
        digits = datasets.load_digits()
        return from_arrays(digits.images, digits.target, name, form=IMAGES)
    table = datasets.load_diabetes(scaled=False) if name == "diabetes" else getattr(datasets, f"load_{name}")()
    labels = table.target if name == "diabetes" else np.asarray(table.target_names)[table.target]
    columns = tuple(str(column) for column in table.feature_names)
    return dataclasses.replace(from_arrays(table.data, labels, name), columns=columns)
