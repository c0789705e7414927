"""The tables of ``regzoo check-claims``: the claims of a comparison, and what only its repetitions claim."""

from __future__ import annotations

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from regzoo.cli.tables.layout import make_table
from regzoo.comparison.claims import ClaimCheck
from regzoo.report.findings.claims import (
    HEADERS,
    NEW_HEADERS,
    READING,
    ClaimRow,
    describe_counts,
    make_agreement_headers,
    make_agreement_rows,
    make_claim_rows,
)

MOST_NEW = 10
"""Rows that are shown of what only repetitions claim."""


def make_claim_tables(check: ClaimCheck) -> Group:
    """Return the answer in one sentence, the claims, the worst first, and how well the repetitions agree."""
    parts: list[RenderableType] = [Text(check.headline, style="bold"), Text(describe_counts(check))]
    if check.claims:
        parts += [Text(), _make_table(HEADERS, make_claim_rows(check.claims))]
    new = make_claim_rows(check.new)
    if new:
        parts += [Text(), _make_table(NEW_HEADERS, new[:MOST_NEW])]
    if len(new) > MOST_NEW:
        parts.append(Text(f"and {len(new) - MOST_NEW} more, see claims.md"))
    rows = make_agreement_rows(check)
    if rows:
        agreement = make_table()
        for number, header in enumerate(make_agreement_headers(check)):
            agreement.add_column(header, justify="right" if number else "left")
        for row in rows:
            agreement.add_row(*row)
        parts += [Text(), agreement, Text(f"\n{READING}")]
    return Group(*parts)


def _make_table(headers: tuple[str, ...], rows: Sequence[ClaimRow]) -> Table:
    table = make_table()
    for header in headers:
        table.add_column(header, overflow="fold")
    for row in rows:
        style = "red" if "turned" in row.difference + row.tier else None  # the words say it, too
        table.add_row(*map(Text, (row.claim, row.difference, row.tier)), style=style)
    return table
