"""Next steps: what to try now, concrete enough to be typed."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any

from regzoo.report import board as boards
from regzoo.report.board import Row
from regzoo.report.findings import strengths
from regzoo.report.findings.diagnosis import LATE, Diagnosis, tops_baseline
from regzoo.report.formatting import code, strength
from regzoo.stats.power import CAP

MOST = 4
"""So many steps are said, the most useful first."""


def next_steps(board: dict[str, Any], found: Diagnosis) -> tuple[str, ...]:
    """Return what to try next, a sentence each; nothing before there is a score."""
    rows = [row for row in boards.measured(board) if not boards.is_placebo(row)]
    if not rows:
        return ()
    steps = (
        *_unfinished(board),
        *_replicates(board, rows),
        *_edges(rows[0]),
        *_sum(board, rows),
        *_baseline(board, found),
    )
    if not steps and not boards.is_baseline(board, rows[0]):
        return (f"Nothing more is needed: take {code(rows[0]['name'])}.",)
    return steps[:MOST]


def _unfinished(board: dict[str, Any]) -> list[str]:
    pending = any(row["status"] == "pending" for row in boards.unmeasured(board))
    return ["Run the same command again: it goes on with the recipes that are not measured yet."] if pending else []


def _replicates(board: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    """Replicates that would settle whether the winner, or else the best of the rest, beats the baseline."""
    rivals = [row for row in rows if not boards.is_baseline(board, row)]
    if not rivals:
        return []
    row, needed = rivals[0], rivals[0]["replicates_needed"]
    if not boards.known(needed):
        return []
    who, base = code(row["name"]), code(board["baseline"])
    if needed >= CAP:
        return [f"{CAP:,} replicates or more would be needed to tell {who} from {base}: take them as equally good."]
    return [
        f"Set `replicates: {needed:.0f}` and run again (only the missing ones are made): about so many would settle "
        f"whether {who} differs from {base}."
    ]


def _edges(row: Row) -> list[str]:
    """A wider range for a strength of the best recipe that lies at the edge of what was searched."""
    ranges, values = strengths.searched(row["name"]), strengths.read(row["recipe"])
    return [
        f"Widen the range of `{key}`: the best value found, {strength(values[key])}, lies at the edge of "
        f"{range_}, which was searched."
        for key, range_ in ranges.items()
        if key in values and range_.edge(values[key])
    ]


def _sum(board: dict[str, Any], rows: Sequence[Row]) -> list[str]:
    """The first two recipes of the first tier that beat the baseline and were not tried together."""
    best = [row for row in rows if row["tier"] == rows[0]["tier"] and tops_baseline(row)]
    tried = {frozenset(_parts(row["name"])) for row in board["recipes"]}
    for one, other in itertools.combinations(best, 2):
        first = _parts(one["name"])
        added = {name: part for name, part in _parts(other["name"]).items() if name not in first}
        joined = " + ".join([one["name"], *added.values()])
        if added and first and frozenset(first | added) not in tried and _goes(joined):
            return [f"Try both at once: {code(joined)}; they share the first tier and were not combined."]
    return []


def _parts(name: str) -> dict[str, str]:
    """The regularizers of a recipe as written, by name; empty for one that is unknown here."""
    return {part.name: str(part) for part in strengths.recipe_of(name).regularizers}


def _goes(name: str) -> bool:
    recipe = strengths.recipe_of(name)
    return bool(recipe.regularizers) and not recipe.clashes()


def _baseline(board: dict[str, Any], found: Diagnosis) -> list[str]:
    if not found.tested:
        alone = all(boards.is_baseline(board, row) or boards.is_placebo(row) for row in board["recipes"])
        return ["Compare it with a regularizer: add one to `recipes`, such as `dropout`."] if alone else []
    if found.need == "perhaps":
        none = "the one other recipe is not" if found.tested == 1 else f"none of the {found.tested} recipes is"
        return [f"More training rows, or a smaller model: it overfits {found.rows:,} rows, and {none} certain to help."]
    if found.need != "no":
        return []
    if found.turn >= LATE * found.epochs:
        return ["No regularizer; train longer or make the model larger: it was still learning at the end."]
    return ["No regularizer: keep the plain model."]
