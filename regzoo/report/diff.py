"""Compare runs: what changed between two comparisons - config, data, versions, ranking."""

from __future__ import annotations

import difflib
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from regzoo.core.json_values import replace_nonfinite


@dataclass(frozen=True)
class Side:
    """One comparison: its folder as given, its board and its study."""

    folder: str
    board: dict[str, Any]
    comparison: dict[str, Any]


@dataclass(frozen=True)
class Change:
    """Something that differs; None where one side lacks it."""

    what: str
    before: Any
    after: Any


@dataclass(frozen=True)
class Moved:
    """One recipe on both sides, None where one lacks it; ``moved`` is how many ranks it rose.

    Attributes:
        name: as the config writes it.
        recipe: with numbers; before, then after. So are the other pairs.
        rank, tier, gain, gain_low, gain_high, verdict: as on the boards.
        moved: None unless both sides rank it.
    """

    name: str
    recipe: tuple[str | None, str | None]
    rank: tuple[int | None, int | None]
    tier: tuple[int | None, int | None]
    gain: tuple[float | None, float | None]
    gain_low: tuple[float | None, float | None]
    gain_high: tuple[float | None, float | None]
    verdict: tuple[str | None, str | None]
    moved: int | None


@dataclass(frozen=True)
class Difference:
    """What changed from one comparison to another.

    Attributes:
        folders: before and after.
        config: lines of a diff of the resolved configs, ``-`` before and ``+`` after; empty if they are equal.
        data: differing facts of the data, the digest among them.
        versions: of the packages.
        rank_by: metric and direction of each side; gains are comparable only if they are equal.
        winner: the recipe of rank 1.
        recipes: in the order of the second board, then those only in the first.
    """

    folders: tuple[str, str]
    config: tuple[str, ...]
    data: tuple[Change, ...]
    versions: tuple[Change, ...]
    rank_by: tuple[str, str]
    winner: tuple[str | None, str | None]
    recipes: tuple[Moved, ...]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for strict JSON."""
        plain: dict[str, Any] = replace_nonfinite(asdict(self))
        return plain


def compare_runs(before: Side, after: Side) -> Difference:
    """Return what changed from ``before`` to ``after``."""
    sides = (before, after)
    old, new = (side.comparison["config"].splitlines() for side in sides)
    lines = difflib.unified_diff(old, new, n=0, lineterm="")
    names = [row["name"] for side in (after, before) for row in side.board["recipes"]]
    metrics = [f"{side.board['rank_by']} ({side.board['direction']})" for side in sides]
    return Difference(
        (before.folder, after.folder),
        tuple(line for line in lines if not line.startswith(("---", "+++", "@@"))),
        _changes(before.comparison["data"], after.comparison["data"]),
        _changes(before.comparison["versions"], after.comparison["versions"]),
        (metrics[0], metrics[1]),
        (before.board["winner"], after.board["winner"]),
        tuple(_moved(name, before.board, after.board) for name in dict.fromkeys(names)),
    )


def _changes(before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[Change, ...]:
    before, after = _flat(before), _flat(after)
    keys = dict.fromkeys([*before, *after])
    return tuple(Change(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key))


def _flat(facts: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """The facts, those inside others as ``split.kind``."""
    found: dict[str, Any] = {}
    for key, value in facts.items():
        found |= _flat(value, f"{prefix}{key}.") if isinstance(value, Mapping) else {f"{prefix}{key}": value}
    return found


def _moved(name: str, *sides: dict[str, Any]) -> Moved:
    rows = [next((row for row in board["recipes"] if row["name"] == name), None) for board in sides]
    both: dict[str, Any] = {
        key: tuple(row and row[key] for row in rows)
        for key in ("recipe", "rank", "tier", "gain", "gain_low", "gain_high", "verdict")
    }
    first, second = both["rank"]
    return Moved(name, **both, moved=None if first is None or second is None else first - second)
