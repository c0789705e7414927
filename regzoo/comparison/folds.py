"""Which fold of the data a run uses: its split into training and validation rows."""

from __future__ import annotations

from regzoo.comparison.plan import Plan
from regzoo.training.records import Stage


def choose_fold(plan: Plan, stage: Stage, number: int, search: int) -> int:
    """Return the number of the fold that a run of ``plan`` uses.

    Replicate i uses fold i, where the experiment has several folds or varies the split. Trials and confirmations use
    the first, so that all searches see the same rows; those of search k use fold k where split and search both vary,
    so that the interval covers how the strengths depend on the rows that chose them.

    Args:
        plan: the plan of the comparison.
        stage: the stage of the run.
        number: number of the replicate, from 0; of no effect in other stages.
        search: number of the search, from 0; there are no more searches than replicates.
    """
    varied = "split" in plan.vary
    if stage == "replicate":
        return number if varied or plan.folds > 1 else 0
    return search if varied and "search" in plan.vary else 0
