"""The table of a plan: trials, replicates, cost and search space of each recipe."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.core.formatting import format_fixed, format_significant


def make_plan_table(described: dict[str, Any]) -> Group:
    """Return one row per recipe, then the totals and the warnings.

    Args:
        described: what ``Plan.to_dict`` returned, with the estimated ``seconds``.
    """
    table = make_table("recipe", "trials", "replicates", "models per run", "cost", "searched")
    notes = []
    for recipe in described["recipes"]:
        space = ", ".join(f"{name} {values}" for name, values in recipe["space"].items())
        counts = [str(recipe[key]) for key in ("trials", "replicates", "models_per_run")]
        table.add_row(Text(recipe["name"]), *counts, format_significant(recipe["cost"], 3), Text(space))
        notes += [f"{recipe['name']}: {clash}" for clash in recipe["clashes"]]
    folds = f"; replicates take turns at {described['folds']} folds" if described["folds"] > 1 else ""
    seconds = format_fixed(described["seconds"], 0)
    total = (
        f"{described['runs']} runs, {described['epochs']} epochs at most, about {seconds} s "
        f"on this machine; ranked by validation {described['rank_by']}, tuner {described['tuner']}{folds}"
    )
    return Group(table, Text(f"\n{total}"), *(Text(f"note: {note}") for note in notes))
