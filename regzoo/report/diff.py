"""Difference between two comparisons: config, data, package versions, ranking."""

from __future__ import annotations

import difflib
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, TypeVar

from regzoo.comparison.coverage import read_coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.json_values import replace_nonfinite
from regzoo.storage.info import ComparisonInfo

T = TypeVar("T")


@dataclass(frozen=True)
class Side:
    """One of two comparisons: its folder as given, its leaderboard, what is known of it, and of a user's own model."""

    folder: str
    leaderboard: Leaderboard
    comparison: ComparisonInfo
    model: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A value that differs; None on a side that lacks it."""

    what: str
    before: object
    after: object


@dataclass(frozen=True)
class RecipeChange:
    """One recipe before and after; each pair has None on a side that lacks the recipe.

    Attributes:
        name: as the config writes it.
        recipe: with numbers.
        rank, tier, gain, gain_low, gain_high, verdict: as on the leaderboards.
        moved: how many ranks it rose; None unless both sides rank it.
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
    """The changes from one comparison to another.

    Attributes:
        folders: before and after.
        config: lines of a diff of the resolved configs, ``-`` before and ``+`` after; empty if they are equal.
        model: facts about the user's own models that differ: the digest of layers, source and kept weights among them.
        data: facts about the data that differ, the digest among them.
        versions: of packages.
        rank_by: metric and direction of each side; gains are comparable only if they are equal.
        covers: what the intervals of each side cover.
        winner: the recipe of rank 1.
        recipes: in the order of the second leaderboard, then those that only the first one has.
    """

    folders: tuple[str, str]
    config: tuple[str, ...]
    model: tuple[Change, ...]
    data: tuple[Change, ...]
    versions: tuple[Change, ...]
    rank_by: tuple[str, str]
    covers: tuple[str, str]
    winner: tuple[str | None, str | None]
    recipes: tuple[RecipeChange, ...]

    def to_dict(self) -> dict[str, Any]:
        """Return plain values for strict JSON."""
        plain: dict[str, Any] = replace_nonfinite(asdict(self))
        return plain


def compare_runs(before: Side, after: Side) -> Difference:
    """Return what changed from ``before`` to ``after``."""
    old, new = before.comparison, after.comparison
    lines = difflib.unified_diff(old.config.splitlines(), new.config.splitlines(), n=0, lineterm="")
    names = [row.name for side in (after, before) for row in side.leaderboard.recipes]
    return Difference(
        (before.folder, after.folder),
        tuple(line for line in lines if not line.startswith(("---", "+++", "@@"))),
        _list_changes(before.model, after.model),
        _list_changes(old.data.to_json(), new.data.to_json()),
        _list_changes(old.versions, new.versions),
        (_describe_metric(before.leaderboard), _describe_metric(after.leaderboard)),
        (_describe_coverage(before), _describe_coverage(after)),
        (before.leaderboard.winner, after.leaderboard.winner),
        tuple(_compare_recipe(name, before.leaderboard, after.leaderboard) for name in dict.fromkeys(names)),
    )


def _list_changes(before: Mapping[str, object], after: Mapping[str, object]) -> tuple[Change, ...]:
    before, after = _flatten(before), _flatten(after)
    keys = dict.fromkeys([*before, *after])
    return tuple(Change(key, before.get(key), after.get(key)) for key in keys if before.get(key) != after.get(key))


def _flatten(facts: Mapping[str, object], prefix: str = "") -> dict[str, object]:
    """Return the facts in one mapping, nested ones as ``split.kind``."""
    found: dict[str, object] = {}
    for key, value in facts.items():
        if isinstance(value, Mapping):
            found |= _flatten(value, f"{prefix}{key}.")
        else:
            found[f"{prefix}{key}"] = list(value) if isinstance(value, tuple) else value
    return found


def _describe_metric(leaderboard: Leaderboard) -> str:
    return f"{leaderboard.rank_by} ({leaderboard.direction})"


def _describe_coverage(side: Side) -> str:
    return str(read_coverage(side.leaderboard, side.comparison))


def _compare_recipe(name: str, before: Leaderboard, after: Leaderboard) -> RecipeChange:
    old, new = (next((row for row in side.recipes if row.name == name), None) for side in (before, after))
    was, now = _read_pair(old, new, lambda row: row.rank)
    return RecipeChange(
        name,
        recipe=_read_pair(old, new, lambda row: row.recipe),
        rank=(was, now),
        tier=_read_pair(old, new, lambda row: row.tier),
        gain=_read_pair(old, new, lambda row: row.gain),
        gain_low=_read_pair(old, new, lambda row: row.gain_low),
        gain_high=_read_pair(old, new, lambda row: row.gain_high),
        verdict=_read_pair(old, new, lambda row: row.verdict),
        moved=None if was is None or now is None else was - now,
    )


def _read_pair(before: Row | None, after: Row | None, read: Callable[[Row], T | None]) -> tuple[T | None, T | None]:
    return None if before is None else read(before), None if after is None else read(after)
