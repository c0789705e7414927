"""Make the layers of a built model use functions of their weights in place of the weights."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Protocol

import keras

from regzoo.core import Reparametrization
from regzoo.core._keras_compat import call_with_values


class ReparametrizedModel(Protocol):
    """Interface of `RegularizedModel` that is used here."""

    layers: list[keras.Layer]
    reparametrized: Callable[[], list[Any]]

    def get_rules(self, *kinds: type[Any]) -> list[Any]: ...


def install_reparametrizations(model: ReparametrizedModel) -> None:
    """Apply the model's `Reparametrization` rules, on weights that are not frozen now, wherever these are used.

    The calls of the outermost layers that hold such a weight are changed: a recurrent layer reads its cell's weights
    itself, and two layers may share one. ``model.reparametrized`` then returns the rules.
    """
    rules: list[Any] = model.get_rules(Reparametrization)
    for layer in _list_outermost_layers(model.layers):
        held = {id(weight) for weight in layer.weights}
        changes = [(each.weight, each.rule.compute) for each in rules if id(each.weight) in held]
        if changes:
            _replace_call(layer, changes)
    model.reparametrized = lambda: rules  # a function: Keras would track a list as its own


def _list_outermost_layers(layers: Sequence[keras.Layer]) -> Iterator[keras.Layer]:
    """Yield ``layers``, and in place of the models among them their layers."""
    for layer in layers:
        if isinstance(layer, keras.Model):
            yield from _list_outermost_layers(layer.layers)
        else:
            yield layer


def _replace_call(layer: keras.Layer, changes: Sequence[tuple[keras.Variable, Callable[[Any], Any]]]) -> None:
    original = layer.call

    @functools.wraps(original)
    def call(*args: Any, **kwargs: Any) -> Any:
        return call_with_values(layer, lambda: original(*args, **kwargs), changes)

    object.__setattr__(layer, "call", call)  # past Keras's tracking, which a built layer has ended
