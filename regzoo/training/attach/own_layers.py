"""Find what a user's Keras model does against overfitting by itself."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import keras

from regzoo.core._keras_compat import list_inner_layers, list_layers
from regzoo.training.attach.graph import Graph
from regzoo.training.own_layers import OwnLayers

L = keras.layers

NOISE = {
    L.Dropout: ("rate",),
    L.SpatialDropout1D: ("rate",),
    L.SpatialDropout2D: ("rate",),
    L.SpatialDropout3D: ("rate",),
    L.GaussianDropout: ("rate",),
    L.AlphaDropout: ("rate",),
    L.GaussianNoise: ("stddev",),
}
"""Keras's layers that are nothing but noise, and the argument that is 0 where there is none."""

WITH_DROPOUT = {
    **dict.fromkeys((L.SimpleRNN, L.LSTM, L.GRU), ("dropout", "recurrent_dropout")),
    **dict.fromkeys((L.SimpleRNNCell, L.LSTMCell, L.GRUCell), ("dropout", "recurrent_dropout")),
    **dict.fromkeys((L.ConvLSTM1D, L.ConvLSTM2D, L.ConvLSTM3D), ("dropout", "recurrent_dropout")),
    **dict.fromkeys((L.Attention, L.AdditiveAttention, L.MultiHeadAttention, L.GroupQueryAttention), ("dropout",)),
}
"""Keras's other layers that drop something in training, and the arguments that say how much."""

NORMALIZATIONS = (
    L.BatchNormalization,
    L.GroupNormalization,
    L.LayerNormalization,
    L.RMSNormalization,
    L.UnitNormalization,
    L.SpectralNormalization,
)

AUGMENTATIONS = ("Random", "RandAugment", "AugMix", "MixUp", "CutMix", "Solarization")
"""Beginnings of the names of Keras's layers that change images at random."""

_GROUPS = ("noise", "augmentation", "norm")


def count_own_layers(model: keras.Model) -> OwnLayers:
    """Return what ``model`` does against overfitting by itself, at every depth; each layer counts once."""
    found: dict[str, dict[str, list[str]]] = {key: defaultdict(list) for key in _GROUPS}
    unique = {id(layer): layer for layer in _iterate(model)}
    for layer in unique.values():
        if _is_noise(layer):
            suffix = "" if isinstance(layer, tuple(NOISE)) else " with dropout"
            found["noise"][type(layer).__name__ + suffix].append(layer.name)
        elif _is_augmentation(layer):
            found["augmentation"][type(layer).__name__].append(layer.name)
        elif isinstance(layer, NORMALIZATIONS):
            found["norm"][type(layer).__name__].append(layer.name)
    weights = [variable for variable in model.weights if _acts(variable.regularizer)]
    constrained = [variable for variable in model.weights if variable.constraint is not None]
    layers = list_layers(model)
    return OwnLayers(
        noise=dict(found["noise"]),
        augmentation=dict(found["augmentation"]),
        normalization=dict(found["norm"]),
        penalties=dict(Counter(_name(variable.regularizer) for variable in weights)),
        constraints=dict(Counter(_name(variable.constraint) for variable in constrained)),
        activity=tuple(each.name for each in layers if _acts(getattr(each, "activity_regularizer", None))),
    )


def list_layers_in_training(graph: Graph) -> list[keras.Layer]:
    """Return the layers at every depth, without models, but for those of models that are called with training=False."""
    calls = [call for each in graph.walk() if each.in_training for call in each.calls]
    called = {id(call.operation): call.operation for call in calls if id(call.operation) not in graph.nested}
    return [layer for layer in called.values() if isinstance(layer, keras.Layer)]


def list_noise(layers: Iterable[keras.Layer]) -> list[keras.Layer]:
    """Return what draws in training among ``layers`` and inside them."""
    found = {id(noise): noise for layer in layers for noise in _iterate(layer) if _is_noise(noise)}
    return list(found.values())


def _iterate(layer: keras.Layer) -> Iterator[keras.Layer]:
    """Iterate over ``layer`` and the layers inside it, but for what lies inside those that draw."""
    yield layer
    for inner in () if _is_noise(layer) or _is_augmentation(layer) else list_inner_layers(layer):
        yield from _iterate(inner)


def _is_noise(layer: keras.Layer) -> bool:
    kinds: dict[Any, Sequence[str]] = {**NOISE, **WITH_DROPOUT}
    names = next((names for kind, names in kinds.items() if isinstance(layer, kind)), ())
    return any(getattr(layer, name) for name in names)


def _is_augmentation(layer: keras.Layer) -> bool:
    return type(layer).__module__.startswith("keras.") and type(layer).__name__.startswith(AUGMENTATIONS)


def _acts(regularizer: Any) -> bool:
    """Return True for a penalty, unless it is Keras's with a strength of 0."""
    if isinstance(regularizer, keras.regularizers.L1L2 | keras.regularizers.L1 | keras.regularizers.L2):
        return any(float(strength) for name, strength in regularizer.get_config().items() if name in ("l1", "l2"))
    return regularizer is not None


def _name(function: Any) -> str:
    """Return the class of a penalty or constraint, or the name of a function."""
    return getattr(function, "__name__", type(function).__name__)
