"""The best search of a recipe: the one whose chosen strengths have the best mean of trial and confirmations.

Several searches of one recipe choose several points. One of them has to be shown, exported and trained again, and it
is found here, for all who need it. Scores of replicates do not count: the ledger keeps the weights of one of them, so
the best search is known before the first. A search whose replicates all failed has no model, so it comes last.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from regzoo.core import Objective
from regzoo.stats.scores import Direction
from regzoo.training.choice import MeasuredChoice, list_measured_choices, sort_measured_choices
from regzoo.training.records import Record


def list_chosen_points(records: Iterable[Record], name: str, rank_by: str) -> tuple[MeasuredChoice, ...]:
    """Return what each search of a recipe chose, in the order of the searches; those without a replicate are left out.

    Args:
        records: of the comparison, of any stage and recipe; of several records of one run the last one counts.
        name: the recipe as the config writes it.
        rank_by: a metric of the validation part.
    """
    return list_measured_choices((record for record in records if record.run.name == name), rank_by)


def find_best_search(
    records: Iterable[Record], name: str, rank_by: str, direction: Direction = "min"
) -> MeasuredChoice | None:
    """Return what the best search of a recipe chose, among the searches that are measured; None before any is.

    Args:
        records: of the comparison, of any stage and recipe.
        name: the recipe as the config writes it.
        rank_by: a metric of the validation part.
        direction: ``min`` if small scores are good, else ``max``.
    """
    points = list_chosen_points(records, name, rank_by)
    return next(iter(sort_measured_choices(points, Objective(rank_by, direction))), None)


def find_best_recipes(
    records: Sequence[Record], names: Iterable[str], rank_by: str, direction: Direction = "min"
) -> dict[str, str]:
    """Return each recipe with the strengths of its best search, by name; itself before its first replicate."""
    best = {name: find_best_search(records, name, rank_by, direction) for name in names}
    return {name: name if point is None else point.recipe_text for name, point in best.items()}
