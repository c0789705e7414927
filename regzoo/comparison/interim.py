"""Settling: with `replicates: auto`, which recipes get further seeds, and when it is enough.

The data are looked at a fixed number of times, after 5, 10, 20 and 40 replicates, and every p-value is multiplied by
that number. Without it, going on until something is significant would sooner or later find something in pure noise.
"""

from __future__ import annotations

from collections.abc import Iterable

import pandas as pd

from regzoo.comparison.plan import Plan
from regzoo.core import BASELINE
from regzoo.stats.rank import rank
from regzoo.training.records import Record


def undecided_recipes(records: Iterable[Record], plan: Plan, look: int) -> set[str]:
    """The recipes that need more replicates after look number ``look``, from 0; the baseline with them.

    Recipes in the first tier, while there are several that are not equivalent to the leader, and recipes whose gain
    over the baseline is open and could be settled within the looks that are left. What comes later in the ledger is
    not looked at, so that a resumed comparison decides as an uninterrupted one.

    Args:
        records: what the ledger holds.
        plan: whose arms are compared.
        look: how far all of them have come.
    """
    names = [arm.name for arm in plan.arms]
    seen = [
        (record.run.name, record.run.number, record.score(plan.objective.metric))
        for record in records
        if record.run.stage == "replicate" and record.run.number < plan.looks[look]
    ]
    frame = pd.DataFrame(seen, columns=["recipe", "seed", "score"]).sort_values(
        "recipe", key=lambda column: column.map(names.index), kind="stable"
    )
    table = rank(frame, plan.objective.direction, BASELINE, rope=plan.rope, looks=len(plan.looks)).table
    finished = [str(name) for name in table.index if table.loc[name, "status"] != "failed"]
    going = {name for name in finished if _went(seen, name, plan, look)}
    leaders = {name for name in going if table.loc[name, "tier"] == 1}
    needed = table["replicates_needed"]
    open_gains = {name for name in going if pd.notna(needed[name]) and needed[name] <= plan.looks[-1]}
    if len(leaders) > 1 and not _alike(table, leaders):
        open_gains |= leaders
    return open_gains | {BASELINE} if open_gains - {BASELINE} else set()


def _went(seen: list[tuple[str, int, float]], name: str, plan: Plan, look: int) -> bool:
    """Whether a recipe was still in at this look: what has been settled stays settled."""
    return sum(recipe == name for recipe, _, _ in seen) >= plan.looks[look]


def _alike(table: pd.DataFrame, leaders: set[str]) -> bool:
    """Whether the leaders beside the baseline are all as good as it, or worse, in practice."""
    others = [name for name in leaders if name != BASELINE]
    return BASELINE in leaders and all(table.loc[name, "verdict"] == "equivalent" for name in others)
