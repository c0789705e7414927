"""Summarize in plain values and in words where the regularizers of a built model act."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Protocol

SHOWN = 4
"""Layers of a kind that are named; the rest is counted."""


class PlacedModel(Protocol):
    """Interface of `RegularizedModel` that a summary uses."""

    @property
    def hits(self) -> dict[str, int]: ...

    @property
    def hits_by_layer(self) -> dict[str, dict[str, int]]: ...

    @property
    def hits_by_kind(self) -> dict[str, dict[str, int]]: ...

    @property
    def hits_before_frozen(self) -> dict[str, int]: ...


Places = dict[str, dict[str, Any]]
"""Where the regularizers of one recipe act, by their names in the recipe: ``hits``, ``kinds`` and ``layers`` with the
number of slots or weights of each, and ``before_frozen``, the slots before layers that are frozen."""


def summarize_places(model: PlacedModel) -> Places:
    """Return where each regularizer of ``model`` acts, and how often; JSON values."""
    layers, kinds, frozen = model.hits_by_layer, model.hits_by_kind, model.hits_before_frozen
    return {
        name: {"hits": hits, "kinds": kinds[name], "layers": layers[name], "before_frozen": frozen[name]}
        for name, hits in model.hits.items()
    }


def describe_places(places: Mapping[str, Any]) -> str:
    """Return in words where one regularizer acts.

    >>> describe_places({"hits": 3, "kinds": {"conv": 2, "dense": 1}, "layers": {"c_0": 1, "c_1": 1, "d": 1}})
    '2 conv, 1 dense: c_0, c_1, d'
    >>> describe_places({"hits": 1, "kinds": {}, "layers": {}})
    'the whole model'
    """
    layers = list(places["layers"].items())
    if not layers:
        return "the whole model"
    kinds = ", ".join(f"{count} {kind}" for kind, count in places["kinds"].items())
    named = [path if count == 1 else f"{path} ({count})" for path, count in layers[:SHOWN]]
    if len(layers) > SHOWN:
        named.append(f"and {len(layers) - SHOWN} more")
    return f"{kinds}: {', '.join(named)}"


def warn_frozen(places: Places) -> list[str]:
    """Return a warning for each regularizer that acts before frozen layers."""
    return [
        f"{name}: {each['before_frozen']} of its {each['hits']} places lie before layers that are frozen, which cannot "
        "learn to cope with it; on= and exclude= narrow it to other layers, and on=last to the last place"
        for name, each in places.items()
        if each["before_frozen"]
    ]
