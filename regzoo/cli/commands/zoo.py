"""``regzoo zoo``: list regularizers, backbones and data sources, or print one card."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from regzoo.cli.options import AsJson
from regzoo.cli.terminal import print_json, print_table, print_warning


def zoo(
    name: Annotated[
        str | None, typer.Argument(help="a regularizer or backbone, to print its card", show_default=False)
    ] = None,
    costs: Annotated[
        bool,
        typer.Option("--costs", help="measure what regularizers cost on this machine: all in a few minutes, or one"),
    ] = False,
    as_json: AsJson = False,
) -> None:
    """List regularizers, backbones and data sources, or print the card of one.

    A card has the formula, the strengths with their ranges, clashes, cost, reference and an example. --costs measures
    the time of a training step on an mlp and a cnn, in steps of the baseline.
    """
    if costs:
        _measure_costs(name, as_json)
        return
    from regzoo.cli.tables.zoo import make_card, make_zoo_tables
    from regzoo.cli.zoo_cards import describe_component, describe_zoo

    if as_json:
        print_json(json.dumps(describe_zoo() if name is None else describe_component(name), indent=2))
    else:
        print_table(make_zoo_tables() if name is None else make_card(name))


def _measure_costs(name: str | None, as_json: bool) -> None:
    from regzoo.bench.costs import measure_costs
    from regzoo.cli.tables.costs import make_cost_tables
    from regzoo.core import regularizers

    report = measure_costs(list(regularizers()) if name is None else [name], print_warning)
    if as_json:
        print_json(json.dumps(report, indent=2, allow_nan=False))
    else:
        print_table(make_cost_tables(report))
