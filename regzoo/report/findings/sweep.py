"""Sweep in words: the best value of a strength, and which values are as good."""

from __future__ import annotations

from collections.abc import Sequence

from regzoo.comparison.strength_response import ResponsePoint, StrengthResponse, measure_response
from regzoo.comparison.sweep import Sweep, SweptStrength
from regzoo.core import regularizers
from regzoo.core.component import get_specs
from regzoo.core.fields import StrengthSpec
from regzoo.core.formatting import (
    choose_decimals,
    format_code,
    format_list,
    format_number,
    format_short_list,
    format_strength,
)
from regzoo.core.selection import read_label
from regzoo.report.descriptions import format_direction
from regzoo.storage.info import ComparisonInfo
from regzoo.training.records import Record


def read_response(records: Sequence[Record], comparison: ComparisonInfo) -> StrengthResponse | None:
    """Return the response to the strength that was swept; None if the comparison is no sweep."""
    if comparison.sweep is None:
        return None
    sweep, ratio = Sweep.from_dict(comparison.sweep), comparison.test_train_ratio
    return measure_response(sweep, records, comparison.rank_by, comparison.direction, ratio)


def make_headline(response: StrengthResponse) -> str:
    """Name the best value, and the values that are as good."""
    assert response.best is not None
    names = format_list([format_code(swept.name) for swept in response.sweep.over])
    score = f"mean validation {response.metric} {format_number(response.best.mean, choose_point_decimals(response))}"
    best = f"Best {names}: {format_point(response.best)}, with a {score} ({format_direction(response.direction)})"
    if all(point.name == response.best.name for point in response.flat):
        return f"{best}; no other value is within one standard error."
    return f"{best}; {format_points(response, response.flat)} are within one standard error."


def describe_response(response: StrengthResponse) -> tuple[str, ...]:
    """Say how certain the best value is, which is the mildest that is as good, and what to look at next."""
    assert response.best is not None
    sentences, drawn = [], name_resampled(response)
    if len(response.candidates) > 1:
        ends = [
            f"{format_code(swept.name)} from {format_strength(low)} to {format_strength(high)}"
            for swept, (low, high) in zip(response.sweep.over, response.interval, strict=True)
        ]
        sentences.append(f"When the {drawn} are resampled, the best lies at {format_list(ends)} in 95 % of the draws.")
    elif response.candidates:
        sentences.append(f"When the {drawn} are resampled, the best value is the same in 95 % of the draws or more.")
    if response.knee is not None and response.knee.name != response.best.name:
        sentences.append(f"The mildest value within one standard error is {format_point(response.knee)}.")
    edges = (_describe_edge(swept, response.best.values[axis]) for axis, swept in enumerate(response.sweep.over))
    sentences += filter(None, edges)
    lost = [f"{format_point(p)} ({p.lost} of {p.replicates})" for p in response.points if p.lost]
    if lost:
        rule = "a value that lost replicates can be the best only if all values did"
        sentences.append(f"Replicates diverged or failed at {format_list(lost)}; {rule}.")
    return tuple(sentences)


def name_resampled(response: StrengthResponse) -> str:
    """Name what the intervals of a sweep resample: ``seeds``, or ``searches`` where there were several."""
    return "searches" if response.searches > 1 else "seeds"


def describe_means(response: StrengthResponse) -> str:
    """Return the headline as plain text, and the mean at every point."""
    decimals = choose_point_decimals(response)
    means = [f"{format_point(point)}: {format_number(point.mean, decimals)}" for point in response.points]
    return f"{make_headline(response).replace('`', '')} Means: {', '.join(means)}."


def _describe_edge(swept: SweptStrength, best: float) -> str:
    if best == swept.neutral:
        only = "" if _stands_alone(swept) else " if its other strengths are neutral too"
        return f"The best {format_code(swept.name)} is its neutral value, at which the regularizer does nothing{only}."
    if best in (swept.values[0], swept.values[-1]):
        end = "smallest" if best == swept.values[0] else "largest"
        return (
            f"{format_strength(best)} is the {end} value of {format_code(swept.name)} tried: the best may lie beyond."
        )
    return ""


def _stands_alone(swept: SweptStrength) -> bool:
    """Return True if the regularizer has no other strength; of one that is not registered here it is assumed."""
    kind = regularizers().get(read_label(swept.name.rpartition(".")[0])[0])
    return kind is None or sum(isinstance(spec, StrengthSpec) for spec in get_specs(kind).values()) == 1


def format_point(point: ResponsePoint) -> str:
    """Write the values of a point, such as ``0.3``, or ``0.3 x 0.001``."""
    return " x ".join(format_strength(value) for value in point.values)


def format_points(response: StrengthResponse, points: Sequence[ResponsePoint]) -> str:
    """Write several points briefly: neighbors of a single strength as ``0.2 to 0.5``."""
    if len(response.sweep.over) > 1:
        return format_short_list([format_point(point) for point in points], most=6)
    chosen = {point.name for point in points}
    groups: list[list[ResponsePoint]] = [[]]
    for point in response.points:
        if point.name in chosen:
            groups[-1].append(point)
        elif groups[-1]:
            groups.append([])
    ends = [dict.fromkeys((format_point(group[0]), format_point(group[-1]))) for group in groups if group]
    return format_list([" to ".join(group) for group in ends])


def choose_point_decimals(response: StrengthResponse) -> int:
    """Return how many decimals the scores need: values are compared seed by seed, so more than their intervals do."""
    return choose_decimals(point.sd for point in response.points)
