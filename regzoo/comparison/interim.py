"""Interim analyses: with `replicates: auto`, decide which recipes get further replicates, and when to stop.

Results are analyzed a fixed number of times, after 5, 10, 20 and 40 replicates, and every p-value is multiplied by that
number (Bonferroni). Without the correction, adding replicates until something is significant would eventually find a
difference in pure noise.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pandas as pd

from regzoo.comparison.plan import Plan
from regzoo.core import BASELINE
from regzoo.stats.rank import rank
from regzoo.training.records import Record


def find_undecided_recipes(
    records: Iterable[Record],
    plan: Plan,
    analysis: int,
    test_train_ratio: float | None = None,
    nested: Collection[str] = (),
) -> set[str]:
    """Return the recipes that need more replicates after interim analysis number ``analysis``, the baseline included.

    These are the recipes of the first tier that do not differ significantly from its first, while several of them are
    not equivalent to the baseline, and recipes whose gain over the baseline is inconclusive and could become conclusive
    within the remaining analyses. Later records are ignored, so a resumed comparison decides as an uninterrupted one
    does.

    Args:
        records: the records in the ledger.
        plan: what is compared.
        analysis: number of the interim analysis, from 0.
        test_train_ratio: validation rows per training row, if the replicates are repeated splits of the same rows.
        nested: recipes that cannot truly lose to the baseline, see `regzoo.stats.rank.rank`; more replicates cannot
            make their losses conclusive.
    """
    replicates = plan.interim_analyses[analysis]
    names = [recipe.name for recipe in plan.recipes]
    scores = [
        (record.run.name, record.run.search, record.run.number, record.run.fold, record.score(plan.objective.metric))
        for record in records
        if record.run.stage == "replicate" and record.run.number < replicates
    ]
    frame = pd.DataFrame(scores, columns=["recipe", "search", "seed", "fold", "score"]).sort_values(
        "recipe", key=lambda column: column.map(names.index), kind="stable"
    )
    analyses = len(plan.interim_analyses)
    options: dict[str, Any] = {"test_train_ratio": test_train_ratio, "rope": plan.rope, "looks": analyses}
    ranking = rank(frame, plan.objective.direction, BASELINE, nested={*nested} & {*frame["recipe"]}, **options)
    table = ranking.table
    counts = frame["recipe"].value_counts()
    # A recipe with fewer replicates was decided at an earlier analysis, and stays so.
    active = {str(name) for name in table.index if table.loc[name, "status"] != "failed" and counts[name] >= replicates}
    behind = {pair.other for pair in ranking.pairs if pair.significant and pair.recipe == ranking.winner}
    leaders = {name for name in active if table.loc[name, "tier"] == 1} - behind
    needed = table["replicates_needed"]
    undecided = {name for name in active if pd.notna(needed[name]) and needed[name] <= plan.interim_analyses[-1]}
    if len(leaders) > 1 and not _equivalent_to_baseline(table, leaders):
        undecided |= leaders
    return undecided | {BASELINE} if undecided - {BASELINE} else set()


def _equivalent_to_baseline(table: pd.DataFrame, leaders: set[str]) -> bool:
    """Return True if the baseline is a leader and all others are equivalent to it."""
    return BASELINE in leaders and all(table.loc[name, "verdict"] == "equivalent" for name in leaders - {BASELINE})
