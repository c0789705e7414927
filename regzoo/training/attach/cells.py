"""Cells of the inputs of a user's own model: which columns hold one value, by the input's name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import keras

from regzoo.core import InputError, did_you_mean
from regzoo.core.categorical_features import make_cells, read_categorical_features
from regzoo.core.cells import Cells, NamedCells
from regzoo.training.attach.inputs import read_input_specs


def name_cells(model: keras.Model, cells: Cells | None) -> NamedCells:
    """Return ``cells`` for the one input of ``model``, rows (batch, columns); none for other inputs."""
    specs = read_input_specs(model)
    rows = len(specs) == 1 and len(specs[0].shape) == 1
    return ((specs[0].name, cells),) if cells is not None and rows else ()


def read_cells(model: keras.Model, given: Any) -> NamedCells:
    """Return the cells that ``categorical_features`` describe.

    Args:
        model: the user's model.
        given: as `read_categorical_features` takes it; for several inputs, a dict of such by their names.

    Raises:
        InputError: if a category has a column that is not there, or an input is not rows of numbers.
    """
    if given is None:
        return ()
    specs = {spec.name: spec for spec in read_input_specs(model)}
    if not isinstance(given, Mapping):
        if len(specs) > 1:
            names = ", ".join(map(repr, specs))
            raise InputError(f"categorical_features: the model has several inputs; give a dict by their names: {names}")
        given = dict.fromkeys(specs, given)
    unknown = [name for name in given if name not in specs]
    if unknown:
        raise InputError(
            f"categorical_features: there is no input {unknown[0]!r}.{did_you_mean(str(unknown[0]), list(specs))}"
        )
    found: dict[str, Cells | None] = {}
    for name, spec in specs.items():
        groups = read_categorical_features(given.get(name))
        if groups and (len(spec.shape) != 1 or spec.shape[0] is None or spec.kind != "float"):
            raise InputError(f"categorical_features: the input {spec} does not take rows of numbers (columns,)")
        found[name] = make_cells(groups, spec.shape[0] or 0)
    given_inputs = model.inputs if isinstance(model, keras.Sequential) else model.input
    order = keras.tree.flatten({name: name for name in found}) if isinstance(given_inputs, dict) else list(found)
    return tuple((name, found[name]) for name in order) if any(found.values()) else ()
