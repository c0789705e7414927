"""The tables of a plan: trials, replicates, cost and search space of each recipe, and where its regularizers act."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.core.formatting import format_fixed, format_significant
from regzoo.training.model.place_summary import describe_places


def make_plan_table(described: dict[str, Any]) -> Group:
    """Return one row per recipe, the totals, one row per regularizer with its places, and the warnings.

    Args:
        described: what ``Plan.to_dict`` returned, with the estimated ``seconds`` and the ``notes`` on the models.
    """
    counted = _choose_counts(described["recipes"])
    table = make_table("recipe", *counted.values(), "cost", "searched")
    notes = []
    for recipe in described["recipes"]:
        space = ", ".join(f"{name} {values}" for name, values in recipe["space"].items())
        counts = [str(recipe[key]) for key in counted]
        table.add_row(Text(recipe["name"]), *counts, format_significant(recipe["cost"], 3), Text(space))
        notes += [f"{recipe['name']}: {note}" for note in recipe["clashes"]]
    notes += described.get("notes", ())
    folds = f"; replicates take turns at {described['folds']} folds" if described["folds"] > 1 else ""
    if not folds and "split" in described.get("vary", ()):
        folds = "; each replicate draws training and validation rows of its own"
    seconds = format_fixed(described["seconds"], 0)
    total = (
        f"{described['runs']} runs, {described['epochs']} epochs at most, about {seconds} s "
        f"on this machine; ranked by validation {described['rank_by']}, tuner {described['tuner']}{folds}"
    )
    places = _make_places_table(described["recipes"])
    return Group(table, Text(f"\n{total}\n"), *places, *(Text(f"note: {note}") for note in notes))


def _choose_counts(recipes: Sequence[Mapping[str, Any]]) -> dict[str, str]:
    """Return the heading of each count; searches and confirmations are counted only if there are any."""
    counts = {"searches": "searches", "trials": "trials of each", "confirmations": "run again of each"}
    if all(recipe["searches"] == 1 and not recipe["confirmations"] for recipe in recipes):
        counts = {"trials": "trials"}
    return {**counts, "replicates": "replicates", "models_per_run": "models per run"}


def _make_places_table(recipes: Sequence[Mapping[str, Any]]) -> list[RenderableType]:
    """Return the table of where each regularizer acts; nothing if there is none."""
    table = make_table("recipe", "regularizer", "places", "where")
    for recipe in recipes:
        for number, (name, places) in enumerate(recipe["places"].items()):
            first = "" if number else recipe["name"]
            table.add_row(Text(first), Text(name), str(places["hits"]), Text(describe_places(places)))
    return [table] if table.row_count else []
