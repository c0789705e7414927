"""The best search of a recipe: the one whose chosen strengths have the best mean of trial and confirmations.

Several searches of one recipe choose several points. One of them has to be shown, exported and trained again, and it
is found here, for all who need it. Replicates do not count: the ledger keeps the weights of one of them, so the best
search is known before the first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from regzoo.core import Objective
from regzoo.stats.scores import Direction
from regzoo.training.choice import ChosenTrial, Setting, get_setting, list_choices
from regzoo.training.records import Record


@dataclass(frozen=True)
class ChosenPoint:
    """A choice of one search of a recipe.

    Attributes:
        search: number of the search, from 0.
        recipe_text: the recipe with numbers.
        learning_rate: the optimizer's learning rate.
        mean: of the ranking metric on validation, over the finished confirmations and replicates of this point; NaN
            if none finished.
        runs: number of these confirmations and replicates, those that were lost included.
        lost: number of those that diverged or failed.
    """

    search: int
    recipe_text: str
    learning_rate: float
    mean: float
    runs: int
    lost: int


def list_chosen_points(records: Iterable[Record], name: str, rank_by: str) -> tuple[ChosenPoint, ...]:
    """Return what each search of a recipe chose, in the order of the searches; those without a replicate are left out.

    Args:
        records: of the comparison, of any stage and recipe; of several records of one run the last one counts.
        name: the recipe as the config writes it.
        rank_by: a metric of the validation part.
    """
    latest = {record.run.key: record for record in records if record.run.name == name}
    own = sorted(latest.values(), key=lambda record: record.run.number)
    searches = sorted({record.run.search for record in own if record.run.stage == "replicate"})
    return tuple(_read_point([record for record in own if record.run.search == search], rank_by) for search in searches)


def find_best_search(
    records: Iterable[Record], name: str, rank_by: str, direction: Direction = "min"
) -> ChosenPoint | None:
    """Return what the best search of a recipe chose, among the searches that are measured; None before any is.

    Args:
        records: of the comparison, of any stage and recipe.
        name: the recipe as the config writes it.
        rank_by: a metric of the validation part.
        direction: ``min`` if small scores are good, else ``max``.
    """
    latest = {record.run.key: record for record in records if record.run.name == name}
    points = list_chosen_points(latest.values(), name, rank_by)
    objective = Objective(rank_by, direction)
    choices = list_choices(latest.values(), objective)
    if not points or not choices:
        return points[0] if points else None
    scores = [_score_before_replicates(point, choices, latest.values(), rank_by) for point in points]
    best = 0
    for place, score in enumerate(scores):
        best = place if objective.is_better(score, scores[best]) else best
    return next(point for point in points if _get_setting(point) == _get_setting(points[best]))


def _score_before_replicates(
    point: ChosenPoint, choices: Mapping[int, ChosenTrial], records: Iterable[Record], rank_by: str
) -> float:
    """Return the mean of trial and confirmations with which a search chose ``point``; NaN if they have no score.

    A trial that was made again after the replicates may be better than what these measure, which stays.
    """
    choice = choices.get(point.search)
    if choice is not None and choice.setting == _get_setting(point):
        return choice.score
    own = [r for r in records if r.run.search == point.search and get_setting(r.run) == _get_setting(point)]
    scores = [record.score(rank_by) for record in own if record.run.stage != "replicate"]
    return fmean([score for score in scores if math.isfinite(score)] or [math.nan])


def _get_setting(point: ChosenPoint) -> Setting:
    return point.recipe_text, point.learning_rate


def find_best_recipes(
    records: Sequence[Record], names: Iterable[str], rank_by: str, direction: Direction = "min"
) -> dict[str, str]:
    """Return each recipe with the strengths of its best search, by name; itself before its first replicate."""
    best = {name: find_best_search(records, name, rank_by, direction) for name in names}
    return {name: name if point is None else point.recipe_text for name, point in best.items()}


def _read_point(records: list[Record], rank_by: str) -> ChosenPoint:
    """Return the point of the replicates of one search, and its mean, which counts its confirmations too."""
    first = next(record.run for record in records if record.run.stage == "replicate")
    point = (first.recipe_text, first.learning_rate)
    found = [r for r in records if r.run.stage in ("confirmation", "replicate")]
    same = [record for record in found if (record.run.recipe_text, record.run.learning_rate) == point]
    finished = [score for record in same if math.isfinite(score := record.score(rank_by))]
    mean = fmean(finished) if finished else math.nan
    return ChosenPoint(first.search, *point, mean, len(same), len(same) - len(finished))
