"""Copies and files of Keras's that would lose a recipe, refused with the way out."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NoReturn

import keras

from regzoo.core import InputError, Recipe

HDF5 = (".h5", ".hdf5")
"""Endings of files of Keras's old format."""


def reject_hdf5(path: str = "") -> NoReturn:
    """Reject a file of Keras's old HDF5 format, which loads no model of another package.

    Args:
        path: the file, with a colon, for the message.
    """
    raise InputError(
        f"{path}Keras's old HDF5 format cannot hold a model with a recipe: save a .keras file, or the weights alone by "
        "save_weights('name.weights.h5')"
    )


def reject_cloning(recipe: Recipe) -> NoReturn:
    """Reject `keras.models.clone_model`, which copies single layers."""
    raise InputError(
        f"clone_model copies single layers, so it would lose the recipe {recipe}: copy the model by "
        "type(model).from_config(model.get_config()), or with its weights by copy.deepcopy(model); give Keras's "
        "scikit-learn wrappers a function that returns the model"
    )


def describe_kinds(layers: Iterable[keras.Layer]) -> list[tuple[bool, str]]:
    """Return what decides how many weights a layer has, and may be changed in a layer that is built.

    Returns:
        for each layer whether it has LoRA's factors, and its dtype policy, which tells if it is quantized.
    """
    return [(bool(getattr(layer, "lora_enabled", False)), layer.dtype_policy.name) for layer in layers]


def reject_changed(layers: Iterable[keras.Layer], start: Iterable[tuple[bool, str]]) -> None:
    """Reject saving a model whose layers are of other kinds than at its ``start``; its config tells of those alone.

    Raises:
        InputError: if LoRA was enabled in one of ``layers``, or it was quantized, or its dtype policy changed.
    """
    layers = list(layers)
    for layer, before, now in zip(layers, start, describe_kinds(layers), strict=True):
        if before != now:
            raise InputError(
                "this model cannot be saved or copied: LoRA, the quantization or the dtype policy of the layer "
                f"{layer.name!r} was changed after the recipe was attached. Change your own model and attach the "
                "recipe to it; or copy the trained weights to your model by set_weights, and change and save that; or "
                "export this one"
            )
