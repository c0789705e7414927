"""Recommendations: what to try next, concrete enough to type."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

from regzoo.comparison.chosen_strengths import read_strengths
from regzoo.comparison.coverage import Coverage
from regzoo.comparison.leaderboard import Leaderboard, Row
from regzoo.core.formatting import format_code, format_count, format_strength
from regzoo.report.findings.diagnosis import Diagnosis
from regzoo.report.findings.spread import Purchase
from regzoo.report.findings.strengths import find_edges, parse_or_empty
from regzoo.stats.power import CAP

MOST = 4
"""Most recommendations that are shown, the most useful first."""


def recommend(
    leaderboard: Leaderboard,
    diagnosis: Diagnosis,
    coverage: Coverage,
    purchase: Purchase | None = None,
    learning_rate: float = math.nan,
    steps: int | None = None,
) -> tuple[str, ...]:
    """Return what to try next, a sentence each; nothing before there is a score.

    Args:
        leaderboard: the results.
        diagnosis: of the baseline.
        coverage: searches and trainings so far.
        purchase: what would settle whether the best recipe beats the baseline, where there were several searches.
        learning_rate: that of the best recipe.
        steps: training steps of a run; None if an earlier version began the comparison.
    """
    rows = [row for row in leaderboard.measured if not row.is_placebo]
    if not rows:
        return ()
    sentences = (
        *_recommend_finishing(leaderboard),
        *_recommend_replicates(leaderboard, rows, coverage, purchase),
        *_recommend_ranges(rows[0], learning_rate, steps),
        *_recommend_sum(leaderboard, rows),
        *_recommend_for_baseline(leaderboard, diagnosis),
    )
    if not sentences and rows[0].beats_baseline:
        return (f"No further step is needed: use {format_code(rows[0].name)}.",)
    return sentences[:MOST]


def _recommend_finishing(leaderboard: Leaderboard) -> list[str]:
    pending = any(row.status == "pending" for row in leaderboard.unmeasured)
    return ["Run the same command again: it continues with the recipes not measured yet."] if pending else []


def _recommend_replicates(
    leaderboard: Leaderboard, rows: Sequence[Row], coverage: Coverage, purchase: Purchase | None
) -> list[str]:
    """Recommend what would settle whether the best recipe other than the baseline beats it."""
    row = next((row for row in rows if not leaderboard.is_baseline(row)), None)
    if row is None or row.replicates_needed is None:
        return []
    name, base = format_code(row.name), format_code(leaderboard.baseline)
    settle = f"would settle whether {name} differs from {base}"
    if purchase is not None and purchase.kind == "data":
        return [f"Get more data: no number of trainings on these rows {settle}."]
    if row.replicates_needed >= CAP:
        most = format_count(CAP, "replicate")
        if coverage.searches > 1:
            most = format_count(round(CAP * coverage.searches / coverage.most), "search", "searches")
        return [f"Treat {name} and {base} as equally good: telling them apart would take {most} or more."]
    if purchase is not None and purchase.kind == "searches":
        return [
            f"Compare again, in another folder, with `replicates: {purchase.replicates}` and, below `search`, "
            f"`repeats: {purchase.searches}`: about that many searches {settle}; more replicates of the same "
            f"{coverage.searches} would not, or would take longer."
        ]
    if purchase is not None and purchase.kind == "replicates":
        return [
            f"Set `replicates: {purchase.replicates}` and run again (only the missing ones are trained): about that "
            f"many in the same {coverage.searches} searches {settle}."
        ]
    return [
        f"Set `replicates: {row.replicates_needed}` and run again (only the missing ones are trained): about that many "
        f"{settle}."
    ]


def _recommend_ranges(row: Row, learning_rate: float, steps: int | None) -> list[str]:
    """Recommend a wider range for each strength of the best recipe that lies at the edge of its range."""
    values = read_strengths(row.recipe)
    return [
        f"Widen the range of `{key}`: the best value found, {format_strength(values[key])}, lies at the edge of the "
        f"searched range, {searched}."
        for key, searched in find_edges(row.name, values, learning_rate, steps).items()
    ]


def _recommend_sum(leaderboard: Leaderboard, rows: Sequence[Row]) -> list[str]:
    """Recommend the sum of the first two recipes of the first tier that beat the baseline, unless it was tried."""
    best = [row for row in rows if row.tier == rows[0].tier and row.beats_baseline]
    tried = {frozenset(_list_regularizers(row.name)) for row in leaderboard.recipes}
    for one, other in itertools.combinations(best, 2):
        first = _list_regularizers(one.name)
        added = {name: text for name, text in _list_regularizers(other.name).items() if name not in first}
        joined = " + ".join([one.name, *added.values()])
        if added and first and frozenset(first | added) not in tried and _is_compatible(joined):
            return [f"Combine two recipes of the first tier: {format_code(joined)} has not been tried."]
    return []


def _list_regularizers(name: str) -> dict[str, str]:
    """Return the regularizers of a recipe as written, by name; empty if the recipe is unknown here."""
    return {key: str(regularizer) for key, regularizer in parse_or_empty(name).items()}


def _is_compatible(name: str) -> bool:
    recipe = parse_or_empty(name)
    return bool(recipe.regularizers) and not recipe.clashes()


def _recommend_for_baseline(leaderboard: Leaderboard, diagnosis: Diagnosis) -> list[str]:
    if not diagnosis.tested:
        alone = all(leaderboard.is_baseline(row) or row.is_placebo for row in leaderboard.recipes)
        return ["Add a regularizer to `recipes` to compare with, such as `dropout`."] if alone else []
    if diagnosis.need == "perhaps":
        none = "the other recipe does not" if diagnosis.tested == 1 else f"none of the {diagnosis.tested} recipes does"
        rows = format_count(diagnosis.rows, "training row")
        return [
            f"Try more training data or a smaller model: the baseline overfits its {rows}, "
            f"and {none} conclusively better."
        ]
    if diagnosis.need != "no":
        return []
    if diagnosis.still_improving:
        return [
            "Use no regularizer; train longer or make the model larger: the baseline was still improving at the end."
        ]
    return ["Use no regularizer: keep the model as it is."]
