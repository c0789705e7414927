"""The table of ``regzoo zoo --costs``: what regularizers cost, declared and measured."""

from __future__ import annotations

from typing import Any

from rich.console import Group
from rich.text import Text

from regzoo.bench.costs import BACKBONES
from regzoo.cli.tables.layout import make_table
from regzoo.core import BASELINE
from regzoo.core.formatting import format_fixed, format_significant

Values = dict[str, Any]

COLUMNS = ("step", "around", "prediction")
"""What is measured on each backbone."""


def make_cost_tables(report: Values) -> Group:
    """Return the machine, the table of costs, and how to read it."""
    machine, versions = report["machine"], report["machine"]["versions"]
    head = (
        f"{report['date']}: {machine['processor']}, {machine['cores']} cores, {report['threads']} thread; "
        f"TensorFlow {versions['tensorflow']}, Keras {versions['keras']}, regzoo {versions['regzoo']}; scikit-learn's "
        f"digits, {report['batch_size']} rows a step, {report['repetitions']} repetitions"
    )
    costs = report["regularizers"]
    used = [(backbone, column) for backbone in BACKBONES for column in COLUMNS if _is_used(costs, backbone, column)]
    table = make_table("recipe", "declared", title="\nCosts, in those of the baseline")
    for backbone, column in used:
        table.add_column(f"{backbone}: {column}", justify="right")
    for cost in costs:
        cells = [_format_cell(cost[backbone], column) for backbone, column in used]
        table.add_row(Text(_describe_recipe(cost)), format_significant(cost["passes"] * cost["models"], 3), *cells)
    notes = [Text(note) for note in report["notes"]]
    return Group(Text(head), table, Text(""), *notes, Text(f"Measured in {format_fixed(report['seconds'], 0)} s."))


def _is_used(costs: list[Values], backbone: str, column: str) -> bool:
    return column == "step" or any(cost[backbone][column] is not None for cost in costs)


def _describe_recipe(cost: Values) -> str:
    """Return the recipe that was measured, and what it was measured against if that is not `none`."""
    return cost["recipe"] + ("" if cost["baseline"] == BASELINE else f" against {cost['baseline']}")


def _format_cell(measured: Values, column: str) -> str:
    """Return ``1.55 (1.50 to 1.61)``, a number of steps, ``-`` where there is no place, or nothing."""
    value = measured[column]
    if measured["reason"]:
        return "-"
    if value is None:
        return ""
    if column == "around":
        return format_fixed(value, 0)
    middle, low, high = (format_fixed(value[key], 2) for key in ("median", "low", "high"))
    return middle if low == high else f"{middle} ({low} to {high})"
