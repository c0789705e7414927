"""Parsing of recipes and backbones from text, such as ``dropout(0.5) + l2`` and ``mlp([64, 64])``."""

from __future__ import annotations

from regzoo.core.backbone import Backbone
from regzoo.core.component import construct
from regzoo.core.errors import InputError
from regzoo.core.grammar import read_call, read_sum
from regzoo.core.registry import backbones, regularizers
from regzoo.core.regularizer import BASELINE, Recipe, Regularizer


def parse(text: str) -> Recipe:
    """Read a recipe as it is written in a config. Nothing is evaluated.

    >>> parse("dropout(0.1..0.5) + l2").space()["dropout.rate"][0]
    Float(low=0.1, high=0.5)

    Raises:
        InputError: with the column, name or value that is wrong and what is allowed.
    """
    if not isinstance(text, str):
        raise InputError(f"a recipe is text such as 'dropout(0.5) + l2', received {text!r}")
    calls = read_sum(text)
    if len(calls) == 1 and calls[0].word == BASELINE and not (calls[0].positional or calls[0].keyword):
        return Recipe()
    if any(call.word == BASELINE for call in calls):
        raise InputError(f"{BASELINE} is the empty recipe: it takes no values and is not summed, received {text!r}")
    return Recipe(tuple(construct(call, regularizers(), "regularizer") for call in calls))


def as_recipe(recipe: Recipe | Regularizer | str) -> Recipe:
    """Return ``recipe`` as a `Recipe`; a regularizer alone and text are converted.

    Raises:
        InputError: as `parse` does.
    """
    if isinstance(recipe, Recipe):
        return recipe
    return Recipe((recipe,)) if isinstance(recipe, Regularizer) else parse(recipe)


Recipe.of = staticmethod(as_recipe)


def read_backbone(text: str) -> Backbone:
    """Read a backbone as it is written in a config, such as ``mlp([64, 64])``.

    Raises:
        InputError: with the column, name or value that is wrong and what is allowed.
    """
    return construct(read_call(text), backbones(), "backbone")
