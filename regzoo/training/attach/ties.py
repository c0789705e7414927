"""Weights that belong to two layers: one weight in the copies, too."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import keras

from regzoo.core._keras_compat import replace_variable

Ties = Sequence[Sequence[int]]
"""Pairs of positions in the list of the layers' weights: the second is the same weight as the first."""


def find_ties(layers: Iterable[keras.Layer]) -> list[list[int]]:
    """Return the weights that belong to several of ``layers``, which are in the order of their calls."""
    first: dict[int, int] = {}
    weights = [weight for layer in layers for weight in layer.weights]
    found = [[first.setdefault(id(weight), position), position] for position, weight in enumerate(weights)]
    return [pair for pair in found if pair[0] != pair[1]]


def tie(copies: Sequence[keras.Layer], ties: Ties) -> None:
    """Tie the weights of ``copies``, which are built, as those of the originals are tied."""
    places = [(copy, weight) for copy in copies for weight in copy.weights]
    for kept, replaced in ties:
        layer, weight = places[replaced]
        replace_variable(layer, weight, places[kept][1])
