"""Selections of layers, such as ``on=conv|'head_*'``: where a regularizer acts, or which layers it leaves alone."""

from __future__ import annotations

import difflib
import fnmatch
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal, get_args

from regzoo.core.errors import InputError, did_you_mean

LayerKind = Literal["dense", "conv", "recurrent", "embedding", "attention"]
"""What a layer computes; see `KINDS_BY_CLASS`."""

LAYER_KINDS: tuple[LayerKind, ...] = get_args(LayerKind)
ENDS = ("first", "last")
WORDS = (*LAYER_KINDS, *ENDS)
"""The words of a selection, in the order in which it prints them."""

SELECTIONS = ("on", "exclude")
"""Fields that hold a selection of layers."""

KINDS_BY_CLASS: dict[str, LayerKind] = {
    "Dense": "dense",
    "EinsumDense": "dense",
    "BaseConv": "conv",
    "BaseConvTranspose": "conv",
    "BaseDepthwiseConv": "conv",
    "BaseSeparableConv": "conv",
    "RNN": "recurrent",
    "Bidirectional": "recurrent",
    "SimpleRNNCell": "recurrent",
    "GRUCell": "recurrent",
    "LSTMCell": "recurrent",
    "ConvLSTMCell": "recurrent",
    "StackedRNNCells": "recurrent",
    "Embedding": "embedding",
    "MultiHeadAttention": "attention",
    "GroupedQueryAttention": "attention",
    "Attention": "attention",
}
"""Kinds by the name of a Keras class; a subclass has the kind of its base. Other layers have none."""

_SHOWN = 12

_ITEM = re.compile(r"""\s*(?:'([^']*)'|"([^"]*)"|([^'"|]*?))\s*(?:\||$)""")


@dataclass(frozen=True)
class LayerPlace:
    """The layer at which a slot lies, or that holds a weight.

    Attributes:
        path: its name, after the names of the models that hold it: ``base/conv_1``.
        kind: what it computes; None for a layer of none of the kinds, such as a normalization.
        names: further names by which a pattern finds it, such as that of the activation after it.
    """

    path: str
    kind: LayerKind | None = None
    names: tuple[str, ...] = field(default=(), compare=False)

    def matches(self, pattern: str) -> bool:
        """Return True if ``pattern`` (as in `fnmatch`, upper and lower case apart) names this layer.

        It may be its name, its path, or the name or path of a model or layer that holds it.
        """
        return any(fnmatch.fnmatchcase(name, pattern) for name in self.list_names())

    def list_names(self) -> list[str]:
        """Return every name by which a pattern finds the layer."""
        parts = self.path.split("/")
        paths = ("/".join(parts[:end]) for end in range(len(parts), 0, -1))
        return list(dict.fromkeys((*paths, *reversed(parts), *self.names)))


@dataclass(frozen=True)
class LayerSelection:
    """Kinds, ends and names of layers, of which any may apply.

    >>> print(LayerSelection.of("last|'head_*'|conv"))
    conv|last|'head_*'

    Attributes:
        words: in the order of `WORDS`.
        patterns: names or patterns of names, sorted.
    """

    words: tuple[str, ...] = ()
    patterns: tuple[str, ...] = ()

    @staticmethod
    def make(words: Iterable[str], patterns: Iterable[str]) -> LayerSelection:
        """Return the selection of these, each once and in order.

        Raises:
            ValueError: if there are none, or a pattern cannot be written in a recipe.
        """
        given = set(words)
        selection = LayerSelection(tuple(word for word in WORDS if word in given), tuple(sorted(set(patterns))))
        if not (selection.words or selection.patterns):
            raise ValueError(f"takes {describe_choices()}, received nothing")
        for pattern in selection.patterns:
            if reason := reject_pattern(pattern):
                raise ValueError(f"takes {reason}, received {pattern!r}")
        return selection

    @staticmethod
    def of(value: Any) -> LayerSelection:
        """Read a selection from Python: ``"conv|'head_*'"``, or a list ``["conv", "head_*"]``.

        A text that is not one of the words is a layer's name or pattern; so is any text in quotes of its own, such as
        ``"'dense'"`` for the layer called dense.

        Raises:
            ValueError: if it is of another type or names nothing.
        """
        if isinstance(value, LayerSelection):
            return value
        if isinstance(value, str):
            items = _split(value)
        elif isinstance(value, list | tuple | set | frozenset) and all(isinstance(item, str) for item in value):
            items = [item for text in value for item in ([(text, False)] if text in WORDS else _unquote(text))]
        else:
            raise ValueError(f"takes {describe_choices()}, received {value!r}")
        words = [text for text, quoted in items if text in WORDS and not quoted]
        return LayerSelection.make(words, [text for text, quoted in items if text not in WORDS or quoted])

    def __str__(self) -> str:
        return "|".join((*self.words, *map(quote, self.patterns)))

    def list_items(self) -> list[LayerSelection]:
        """Return the selections that this one joins."""
        words = [LayerSelection((word,)) for word in self.words]
        return [*words, *(LayerSelection((), (pattern,)) for pattern in self.patterns)]

    def select(self, places: Sequence[LayerPlace]) -> list[bool]:
        """Return True for each of the ``places``, which stand in the model's order, that lies at a layer it names.

        ``first`` and ``last`` name the layers of the first and the last place, and all places there.
        """
        ends = {"first": places[0].path, "last": places[-1].path} if places else {}
        paths = {ends[word] for word in self.words if word in ends}
        return [
            place.path in paths or place.kind in self.words or any(map(place.matches, self.patterns))
            for place in places
        ]

    def is_apart(self, other: LayerSelection) -> bool:
        """Return True if the two cannot name the same layer in any model, since both list different kinds only."""
        kinds = set(self.words) - set(ENDS), set(other.words) - set(ENDS)
        only_kinds = not any(selection.patterns or set(selection.words) & set(ENDS) for selection in (self, other))
        return only_kinds and not kinds[0] & kinds[1]


def get_layer_kind(classes: Iterable[str]) -> LayerKind | None:
    """Return the kind of a layer by the names of its class and base classes, its own first.

    >>> get_layer_kind(["Conv2D", "BaseConv", "Layer"]), get_layer_kind(["Flatten", "Layer"])
    ('conv', None)
    """
    return next((KINDS_BY_CLASS[name] for name in classes if name in KINDS_BY_CLASS), None)


def describe_choices() -> str:
    """Return in words what a selection may hold."""
    return f"{', '.join(WORDS)}, or a layer's name or pattern in quotes (joined by |)"


def describe_layers(places: Iterable[LayerPlace]) -> str:
    """Return the kinds and the layers of ``places``, for messages; a long list is cut.

    >>> describe_layers([LayerPlace("conv_0", "conv"), LayerPlace("norm")])
    'conv (conv_0), other (norm)'
    """
    by_kind: dict[str, list[str]] = {}
    for place in places:
        paths = by_kind.setdefault(place.kind or "other", [])
        if place.path not in paths:
            paths.append(place.path)
    return ", ".join(f"{kind} ({_cut(paths)})" for kind, paths in by_kind.items()) or "none"


def explain_missing(item: LayerSelection, layers: Sequence[LayerPlace]) -> str:
    """Return the hint for a word or pattern that names none of ``layers``."""
    names = list(dict.fromkeys(name for place in layers for name in place.list_names()))
    near = difflib.get_close_matches(item.patterns[0], [*names, *WORDS], n=1) if item.patterns else []
    if near and near[0] in WORDS and near[0] not in names:
        return f" Did you mean {near[0]}, without quotes?"
    return f" Did you mean {quote(near[0])}?" if near else f" Layers: {describe_layers(layers)}."


def quote(text: str) -> str:
    """Return ``text`` in quotes as a recipe writes it.

    >>> print(quote("conv_*"), quote("it's"))
    'conv_*' "it's"
    """
    mark = '"' if "'" in text else "'"
    return f"{mark}{text}{mark}"


def reject_unknown_word(word: str) -> str:
    """Return the hint for a word in a recipe that is none of `WORDS`: a typo, or a layer's name without quotes."""
    near = difflib.get_close_matches(word.lower(), WORDS, n=1, cutoff=0.75)
    typo = did_you_mean(near[0], near) if near else ""
    return f"{typo} The name of a layer goes in quotes: {quote(word)}."


def reject_pattern(pattern: str) -> str | None:
    """Return in words what a pattern must be, if this one cannot be written in a recipe; else None."""
    if pattern.strip() and pattern.isprintable() and not ("'" in pattern and '"' in pattern):
        return None
    return "a layer's name of printable characters with one kind of quotes at most (? stands for any character)"


def read_label(name: str) -> tuple[str, str]:
    """Split ``dropout[conv]`` into the regularizer's name and what a recipe writes between its brackets.

    >>> read_label("dropout[conv]"), read_label("l2[exclude='conv_0']"), read_label("l2")
    (('dropout', 'on=conv'), ('l2', "exclude='conv_0'"), ('l2', ''))

    Raises:
        InputError: if the bracket does not end the name.
    """
    regularizer, bracket, label = name.partition("[")
    if not bracket:
        return name, ""
    if not label.endswith("]"):
        raise InputError(f"expected dropout[conv] or the like, received {name!r}")
    label = label[:-1]
    return regularizer, label if label.startswith("exclude=") else f"on={label}"


def _split(text: str) -> list[tuple[str, bool]]:
    """Return the items of a text, each with True if it stood in quotes."""
    found: list[tuple[str, bool]] = []
    position = 0
    while True:
        match = _ITEM.match(text, position)
        if match is None:
            raise ValueError(f"has quotes that do not match, received {text!r}")
        single, double, bare = match.groups()
        found.append((bare, False) if bare is not None else (single if single is not None else double, True))
        position = match.end()
        if not match[0].endswith("|"):
            return found


def _unquote(text: str) -> list[tuple[str, bool]]:
    inside = len(text) >= 2 and text[0] == text[-1] and text[0] in "'\""
    return [(text[1:-1], True)] if inside else [(text, True)]


def _cut(paths: Sequence[str]) -> str:
    more = f", and {len(paths) - _SHOWN} more" if len(paths) > _SHOWN else ""
    return ", ".join(paths[:_SHOWN]) + more
