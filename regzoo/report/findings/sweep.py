"""Sweep: what the response to a strength comes to, in words and as a table."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse, measure_response
from regzoo.comparison.sweep import Sweep, SweptStrength
from regzoo.report import board as boards
from regzoo.report.findings.verdict import Verdict, verdict
from regzoo.report.formatting import code, decimals, listing, show, strength
from regzoo.training.records import Record


def response_of(records: Sequence[Record], comparison: dict[str, Any]) -> StrengthResponse | None:
    """What the records say about the strength that was swept; None if the comparison is no sweep."""
    if comparison.get("sweep") is None:
        return None
    ratio = comparison.get("test_train_ratio")
    return measure_response(
        Sweep.from_dict(comparison["sweep"]), records, comparison["rank_by"], comparison["direction"], ratio
    )


def verdict_of(board: dict[str, Any], records: Sequence[Record], comparison: dict[str, Any]) -> Verdict:
    """Return what the board says; of a sweep, what the response says, and then the board."""
    told, found = verdict(board, comparison, records), response_of(records, comparison)
    if found is None or found.best is None:
        return told
    return Verdict(headline(found), (*details(found), told.headline, *told.details), told.next)


def headline(found: StrengthResponse) -> str:
    """The best value, and the values that are as good."""
    assert found.best is not None
    names = " and ".join(code(swept.name) for swept in found.sweep.over)
    score = f"mean validation {found.metric} {show(found.best.mean, places(found))}"
    said = f"Best {names}: {at(found.best)}, with a {score} ({boards.better(found.direction)} is better)"
    others = [point for point in found.flat if point.name != found.best.name]
    if not others:
        return f"{said}; no other value is within one standard error."
    return f"{said}; {span(found, found.flat)} are within one standard error."


def details(found: StrengthResponse) -> tuple[str, ...]:
    """How sure the best value is, the mildest that will do, and what to look at next."""
    assert found.best is not None
    said = []
    if len(found.candidates) > 1:
        ends = [
            f"{code(s.name)} from {strength(low)} to {strength(high)}"
            for s, (low, high) in zip(found.sweep.over, found.interval, strict=True)
        ]
        said.append(f"When the seeds are resampled, the best lies at {listing(ends)} in 95 % of the draws.")
    elif found.candidates:
        said.append("When the seeds are resampled, the best value is the same in 95 % of the draws or more.")
    if found.knee is not None and found.knee.name != found.best.name:
        said.append(f"The mildest value within one standard error is {at(found.knee)}.")
    said += [sentence for axis, swept in enumerate(found.sweep.over) if (sentence := _edge(swept, found.best, axis))]
    lost = [point for point in found.points if point.lost]
    if lost:
        counts = [f"{at(point)} ({point.lost} of {point.replicates})" for point in lost]
        said.append(f"Replicates diverged or failed at {listing(counts)}; such a value is not the best.")
    return tuple(said)


def _edge(swept: SweptStrength, best: ResponsePoint, axis: int) -> str:
    value = best.values[axis]
    if value == swept.neutral:
        return f"The best {code(swept.name)} is the neutral value, at which it does nothing."
    if value in (swept.values[0], swept.values[-1]):
        return f"{strength(value)} is the end of the values of {code(swept.name)}: the best may lie beyond."
    return ""


def at(point: ResponsePoint) -> str:
    """The values of a point, such as ``0.3``, or ``0.3 x 0.001``."""
    return " x ".join(strength(value) for value in point.values)


def span(found: StrengthResponse, points: Sequence[ResponsePoint]) -> str:
    """Name points briefly: neighbours of a single strength as ``0.2 to 0.5``."""
    if len(found.sweep.over) > 1:
        shown = [at(point) for point in points]
        return listing(shown if len(shown) <= 6 else [*shown[:5], f"{len(shown) - 5} more"])
    chosen = {point.name for point in points}
    groups: list[list[ResponsePoint]] = [[]]
    for point in found.points:
        if point.name in chosen:
            groups[-1].append(point)
        elif groups[-1]:
            groups.append([])
    runs = [group for group in groups if group]
    return listing([at(g[0]) if len(g) == 1 else f"{at(g[0])} to {at(g[-1])}" for g in runs])


def places(found: StrengthResponse) -> int:
    """How many decimals the scores deserve: values are compared seed by seed, so more than their intervals do."""
    return decimals(point.sd for point in found.points)
