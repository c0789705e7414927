"""Members: the trainings that a run is put together from. Needs no TensorFlow."""

from __future__ import annotations

from dataclasses import replace

from regzoo.core import parse
from regzoo.core.seeds import derive
from regzoo.training.records import Run


def list_members(run: Run) -> list[Run]:
    """The trainings that ``run`` is put together from: runs of their own; ``run`` itself if it is one training.

    The first has the run's own seed, so it is the twin of the run without what acts after training.
    """
    recipe = parse(run.recipe)
    alone = recipe.without_post_training()
    if alone == recipe:
        return [run]
    one = replace(run, stage="member", name=str(alone), recipe=str(alone), number=0)
    return [replace(one, seed=member_seed(run.seed, member)) for member in range(recipe.n_models())]


def member_seed(seed: int, member: int) -> int:
    """The seed of a member; the first has the run's own, so it is the baseline's twin."""
    return seed if member == 0 else derive(seed, "member", member)
