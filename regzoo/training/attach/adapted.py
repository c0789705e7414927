"""State of layers that were adapted to data, such as vocabularies, which neither config nor weights hold."""

from __future__ import annotations

from pathlib import Path

import keras

from regzoo.core._keras_compat import list_layers
from regzoo.system.temporary_folder import temporary_folder


def copy_adapted_state(original: keras.Layer, copy: keras.Layer) -> None:
    """Give ``copy`` what ``original`` and the layers in it have learned by ``adapt``."""
    adapted = [pair for pair in zip(list_layers(original), list_layers(copy), strict=True) if hasattr(pair[0], "adapt")]
    for first, second in adapted:
        with temporary_folder() as folder:
            _copy_state(first, second, folder)


def _copy_state(original: keras.Layer, copy: keras.Layer, folder: Path) -> None:
    """Copy the state as Keras does when it saves and loads a model, through files in ``folder``."""
    store: dict[str, object] = {}
    if original.built:
        original.save_own_variables(store)
        copy.load_own_variables(store)
    if hasattr(original, "save_assets"):
        original.save_assets(folder)
        copy.load_assets(folder)
    if isinstance(copy, keras.layers.Normalization):
        copy.finalize_state()  # of the others, it would compute the state of data that the copy has not seen
