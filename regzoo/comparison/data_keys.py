"""Keys of ``data`` that change a data set after it is read: which columns are categories, what rare classes become."""

from __future__ import annotations

from dataclasses import replace

from regzoo.config import Experiment
from regzoo.data.dataset import Dataset


def apply_data_keys(dataset: Dataset, experiment: Experiment) -> Dataset:
    """Return ``dataset`` as ``experiment.data`` asks.

    Raises:
        InputError: if rare classes cannot be dropped or merged.
    """
    dataset, rare = replace(dataset, categories=experiment.data.categories), experiment.data.rare
    return dataset if rare is None else rare.apply(dataset, dataset.resolve_task(experiment.task))
