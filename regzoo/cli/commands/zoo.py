"""``regzoo zoo``: list regularizers, backbones and data sources, or print one card."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from regzoo.cli.options import AsJson
from regzoo.cli.terminal import print_json, print_table


def zoo(
    name: Annotated[
        str | None, typer.Argument(help="a regularizer or backbone, to print its card", show_default=False)
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List regularizers, backbones and data sources, or print the card of one.

    A card has the formula, the strengths with their ranges, clashes, cost, reference and an example.
    """
    from regzoo.cli.tables.zoo import make_card, make_zoo_tables
    from regzoo.cli.zoo_cards import describe_component, describe_zoo

    if as_json:
        print_json(json.dumps(describe_zoo() if name is None else describe_component(name), indent=2))
    else:
        print_table(make_zoo_tables() if name is None else make_card(name))
