"""State that neither config nor weights hold: of adapted layers, such as vocabularies, and of LoRA."""

from __future__ import annotations

from pathlib import Path

import keras

from regzoo.core._keras_compat import list_layers
from regzoo.system.temporary_folder import temporary_folder


def copy_adapted_state(original: keras.Layer, copy: keras.Layer) -> None:
    """Give ``copy`` what ``original`` and the layers in it have learned by ``adapt``, and their strengths of LoRA."""
    for first, second in zip(list_layers(original), list_layers(copy), strict=True):
        if getattr(first, "lora_enabled", False):
            second.lora_alpha = first.lora_alpha  # which a layer with LoRA in its config takes for its rank
        if hasattr(first, "adapt"):
            with temporary_folder() as folder:
                _copy_state(first, second, folder)


def _copy_state(original: keras.Layer, copy: keras.Layer, folder: Path) -> None:
    """Copy the state as Keras does when it saves and loads a model, through files in ``folder``."""
    store: dict[str, object] = {}
    if original.built:
        original.save_own_variables(store)
        copy.load_own_variables(store)
    if hasattr(original, "save_assets") and original.get_vocabulary() != copy.get_vocabulary():  # else never adapted
        original.save_assets(folder)
        copy.load_assets(folder)
    if isinstance(copy, keras.layers.Normalization):
        copy.finalize_state()  # of the others, it would compute the state of data that the copy has not seen
