"""Names of layers without the numbers that Keras puts into them, which depend on what else a program has built."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable


def is_made_up(name: str, class_name: str) -> bool:
    """Return True if ``name`` is what Keras calls a layer of the class ``class_name`` that was given no name.

    >>> is_made_up("dense_7", "Dense"), is_made_up("forward_lstm", "LSTM"), is_made_up("head", "Dense")
    (True, True, False)
    """
    return re.fullmatch(rf"((forward|backward)_)?{_to_snake_case(class_name)}(_\d+)?", name) is not None


def strip_number(name: str, class_name: str) -> str:
    """Return ``name`` without the number that Keras put there.

    >>> strip_number("sequential_3", "Sequential"), strip_number("net_3", "Sequential")
    ('sequential', 'net_3')
    """
    return re.sub(r"_\d+$", "", name) if is_made_up(name, class_name) else name


def number_names(layers: Iterable[tuple[str, str]]) -> dict[str, str]:
    """Return names that number the layers of a model in its own order, by the layers' own names.

    Args:
        layers: name and class of each layer; a name that the user gave stays.

    >>> number_names([("dense_7", "Dense"), ("head", "Dense"), ("dense_9", "Dense")])
    {'dense_7': 'dense 0', 'head': 'head', 'dense_9': 'dense 1'}
    """
    names: dict[str, str] = {}
    seen: Counter[str] = Counter()
    for name, class_name in layers:
        names[name] = name
        if is_made_up(name, class_name):
            base = strip_number(name, class_name)
            names[name] = f"{base} {seen[base]}"
            seen[base] += 1
    return names


def _to_snake_case(class_name: str) -> str:
    """Return the name that Keras makes of a class, such as ``conv2d_transpose`` of Conv2DTranspose."""
    spaced = re.sub("(.)([A-Z][a-z]+)", r"\1_\2", re.sub(r"\W+", "", class_name))
    return re.sub("([a-z])([A-Z])", r"\1_\2", spaced).lower()
