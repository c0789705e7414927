"""The tables of the zoo, and the card of one regularizer or backbone."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.cli.zoo_cards import describe_component
from regzoo.core import backbones, regularizers
from regzoo.core.formatting import format_list, format_significant
from regzoo.data.catalog import SOURCES

Card = dict[str, Any]


def make_zoo_tables() -> Group:
    """Return the tables of regularizers, backbones and data sources."""
    zoo = make_table("name", "acts on", "strengths (searched range)", "cost", "does", title="Regularizers")
    for name in regularizers():
        card = describe_component(name)
        strengths = ", ".join(f"{field['name']} {field['range']}" for field in card["fields"] if "range" in field)
        cells = [name, ", ".join(card["places"]), strengths, _format_cost(card), _unmark_code(card["does"])]
        zoo.add_row(*map(Text, cells))
    networks = make_table("name", "slots", "does", title="\nBackbones")
    for name in backbones():
        card = describe_component(name)
        networks.add_row(*map(Text, (name, ", ".join(card["slots"]), _unmark_code(card["does"]))))
    data = make_table("write", "for", title="\nData sources")
    for source, description in SOURCES.items():
        data.add_row(Text(source), Text(description))
    return Group(zoo, networks, data)


def make_card(name: str) -> Group:
    """Return the card of ``name``: its labeled entries, then the rest of its docstring.

    Raises:
        InputError: if there is none of this name.
    """
    card = describe_component(name)
    entries = make_table("", "")
    entries.show_header = False
    for label, content in _list_entries(card):
        entries.add_row(Text(label, style="bold"), content)
    notes = [Text(f"\n{_unmark_code(note)}") for note in card["notes"]]
    title = Text(f"{name}, a {card['kind']}", style="bold")
    return Group(title, Text(f"{_unmark_code(card['does'])}\n"), entries, *notes)


def _list_entries(card: Card) -> list[tuple[str, RenderableType]]:
    """Return the entries that the card has, each with its label, in order."""
    regularizes = card["kind"] == "regularizer"
    entries = [
        ("formula", card.get("formula", "")),
        ("strengths" if regularizes else "fields", _make_fields_table(card["fields"]) if card["fields"] else ""),
        ("acts on", ", ".join(card.get("places", []))),
        ("layers", _describe_selections(card)),
        ("slots", card.get("slots_notes", "")),
        ("needs", format_list(card.get("needs", []))),
        ("cost", _describe_cost(card) if regularizes else ""),
        ("clashes", "\n".join(card.get("clashes", [])) or ("none" if regularizes else "")),
        ("raises", card["errors"]),
        ("reference", card["reference"]),
        ("departure", card["departure"]),
        ("example", card["example"]),
    ]
    return [
        (label, Text(_unmark_code(entry)) if isinstance(entry, str) else entry) for label, entry in entries if entry
    ]


def _format_cost(card: Card) -> str:
    """Return what a training costs, in trainings of the baseline: ``2``, or ``2 to 10``."""
    low, high = (format_significant(card["cost"] * count, 3) for count in card["trainings"])
    return low if low == high else f"{low} to {high}"


def _describe_cost(card: Card) -> str:
    cost = _format_cost(card)
    notes = f": {card['cost_notes']}" if card["cost_notes"] else ""
    declared = f"{'as' if cost == '1' else f'{cost} times'} the baseline's training{notes}"
    return f"{declared}\n(`regzoo zoo {card['name']} --costs` measures it)"


def _describe_selections(card: Card) -> str:
    """Return how the regularizer is narrowed to layers; empty if it cannot be."""
    if not card.get("on"):
        return ""
    example = f"{card['name']}(on={card['on'][0]})"
    return f"`{example}` narrows it: {', '.join(card['on'])}, or a layer's name or pattern in quotes, joined by |"


def _make_fields_table(fields: Sequence[dict[str, Any]]) -> Table:
    rows = [_make_field_row(field) for field in fields]
    headers = [header for header in rows[0] if any(row[header] for row in rows)]
    table = make_table(*headers)
    for row in rows:
        table.add_row(*(Text(row[header]) for header in headers))
    for column in table.columns:
        column.no_wrap = column.header in ("name", "searched range")
    return table


def _make_field_row(field: dict[str, Any]) -> dict[str, str]:
    return {
        "name": field["name"],
        "domain": field["domain"],
        "searched range": f"{field.get('range', '')}{_describe_scale(field)}",
        "neutral": "" if field.get("neutral") is None else str(field["neutral"]),
        "default": str(field.get("default", "")),
        "means": _unmark_code(field["means"]),
    }


def _describe_scale(field: dict[str, Any]) -> str:
    """Return what a range is of, and its scale."""
    per_run = " / (learning rate x steps)" if field.get("per_run") else ""
    return per_run + (" (log)" if field.get("log") else " (log of 1 - value)" if field.get("complement") else "")


def _unmark_code(text: str) -> str:
    """Return ``text`` with single backquotes around code."""
    return text.replace("``", "`")
