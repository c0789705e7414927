"""Noise, normalizations and penalties that a user's model has of its own, counted and put into words."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

SHOWN = 4
"""Layers of a class that are named; the rest is counted."""

Names = Mapping[str, Sequence[str]]
"""The names of layers by their class."""


@dataclass(frozen=True)
class OwnLayers:
    """Noise, normalizations and penalties of a user's model. Layers of rate 0 and penalties of strength 0 do not count.

    Attributes:
        noise: layers that draw in training, by class: Dropout, its variants, and recurrent and attention layers with a
            dropout of their own, as ``LSTM with dropout``.
        augmentation: layers that change inputs at random, by class.
        normalization: normalizations, by class.
        penalties: number of weights with a penalty, by the penalty's class.
        constraints: number of weights with a constraint, by the constraint's class.
        activity: names of the layers whose outputs have a penalty.
    """

    noise: Names = field(default_factory=dict)
    augmentation: Names = field(default_factory=dict)
    normalization: Names = field(default_factory=dict)
    penalties: Mapping[str, int] = field(default_factory=dict)
    constraints: Mapping[str, int] = field(default_factory=dict)
    activity: Sequence[str] = ()

    @property
    def sentence(self) -> str:
        """All of it in words; "" if there is nothing.

        >>> OwnLayers(noise={"Dropout": ["dropout", "dropout_1"]}, penalties={"L2": 4}).sentence
        'your model already has 2 Dropout layers (dropout, dropout_1) and an L2 penalty on 4 weights'
        """
        layers = {**self.noise, **self.augmentation, **self.normalization}
        found = [describe_layers({kind: names}) for kind, names in layers.items()]
        for numbers, what in ((self.penalties, "penalty"), (self.constraints, "constraint")):
            found += [describe_numbers({kind: number}, what) for kind, number in numbers.items()]
        if self.activity:
            found.append(f"a penalty on the outputs of {_enumerate(self.activity)}")
        return f"your model already has {_join(found)}" if found else ""


def describe_layers(layers: Names) -> str:
    """Return layers by class in words.

    >>> describe_layers({"Dropout": ["a", "b"], "LSTM with dropout": ["c"]})
    '2 Dropout layers (a, b) and 1 LSTM layer with dropout (c)'
    """
    return _join(f"{_describe_class(kind, len(names))} ({_enumerate(names)})" for kind, names in layers.items())


def describe_numbers(numbers: Mapping[str, int], what: str) -> str:
    """Return in words on how many weights something acts, by its class.

    >>> describe_numbers({"MaxNorm": 1, "L2": 3}, "constraint")
    'a MaxNorm constraint on 1 weight and an L2 constraint on 3 weights'
    """
    return _join(f"{_article(kind)} {kind} {what} on {_count(number, 'weight')}" for kind, number in numbers.items())


def _describe_class(kind: str, number: int) -> str:
    """Return ``3 Dropout layers``, or ``1 LSTM layer with dropout``."""
    name, *rest = kind.split(" ", 1)
    return " ".join([_count(number, f"{name} layer"), *rest])


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'' if number == 1 else 's'}"


def _article(word: str) -> str:
    """Return the article of a class name, of which L1 and L2 are spelled out."""
    return "an" if word[0] in "AEIO" or word[:2] in ("L1", "L2") else "a"


def _enumerate(names: Sequence[str]) -> str:
    more = f", and {len(names) - SHOWN} more" if len(names) > SHOWN else ""
    return ", ".join(names[:SHOWN]) + more


def _join(parts: Iterable[str]) -> str:
    *first, last = list(parts) or [""]
    return f"{', '.join(first)} and {last}" if first else last
