"""The settings that the searches of a recipe chose, and the best of them: from records alone.

A setting is what a search chooses: the recipe with numbers, and the learning rate.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import fmean

from regzoo.core import Objective
from regzoo.training.records import Record, Run

Setting = tuple[str, float]
"""The recipe with numbers, and the learning rate."""


@dataclass(frozen=True)
class ChosenTrial:
    """The trial that a search chose.

    Attributes:
        trial: the record of the trial that was chosen.
        score: mean validation score of the trial and its confirmations; NaN if none of them finished.
    """

    trial: Record
    score: float

    @property
    def setting(self) -> Setting:
        """The setting of the trial."""
        return get_setting(self.trial.run)


def get_setting(run: Run) -> Setting:
    """Return the setting that ``run`` trains."""
    return run.recipe_text, run.learning_rate


def choose_trial(trials: Sequence[Record], confirmations: Sequence[Record], objective: Objective) -> ChosenTrial:
    """Return the trial that a search chooses.

    With confirmations, which ran the best trials again on fresh seeds, it is the trial with the best mean over its own
    run and its confirmations, if all of them finished. Otherwise it is the best of `list_candidates`. The first of
    equals wins.

    Args:
        trials: the trials of one search, in order.
        confirmations: the confirmations of some of them.
        objective: the metric, and whether small or large values are good.
    """
    candidates = list_candidates(trials, objective)
    again: dict[Setting, list[float]] = {}
    for record in confirmations:
        again.setdefault(get_setting(record.run), []).append(record.score(objective.metric))
    choices = []
    for trial in candidates:
        scores = [trial.score(objective.metric), *again.get(get_setting(trial.run), ())]
        choices.append((trial, scores))
    confirmed = [ChosenTrial(trial, fmean(scores)) for trial, scores in choices if len(scores) > 1]
    finished = [choice for choice in confirmed if not math.isnan(choice.score)]
    return _find_best(finished or [ChosenTrial(trial, scores[0]) for trial, scores in choices], objective)


def list_candidates(trials: Sequence[Record], objective: Objective) -> list[Record]:
    """Return the trials among which one is chosen, best first.

    They are the finished ones among those trained longest; all finished ones if none of these finished; the first trial
    if none did at all.
    """
    longest = max(trial.run.epochs for trial in trials)
    finished = [trial for trial in trials if not math.isnan(trial.score(objective.metric))]
    candidates = [trial for trial in finished if trial.run.epochs == longest] or finished or list(trials[:1])
    sign = 1.0 if objective.direction == "min" else -1.0
    return sorted(candidates, key=lambda trial: sign * trial.score(objective.metric))


def list_choices(records: Iterable[Record], objective: Objective) -> dict[int, ChosenTrial]:
    """Return the trial that each search of a recipe chose, by the number of the search.

    Args:
        records: records of one recipe; those of other stages than trials and confirmations are ignored.
        objective: the metric, and whether small or large values are good.
    """
    trials: dict[int, list[Record]] = {}
    confirmations: dict[int, list[Record]] = {}
    for record in records:
        if record.run.stage in ("trial", "confirmation"):
            group = trials if record.run.stage == "trial" else confirmations
            group.setdefault(record.run.search, []).append(record)
    return {
        search: choose_trial(
            sorted(trials[search], key=lambda each: each.run.number), confirmations.get(search, ()), objective
        )
        for search in sorted(trials)
    }


def count_trials(records: Iterable[Record]) -> int | None:
    """Return the most trials that a search of a recipe made; None without any."""
    trials = {record.run.key: record.run for record in records if record.run.stage == "trial"}
    counts = Counter((run.name, run.search) for run in trials.values())
    return max(counts.values(), default=None)


def find_best_choice(choices: Sequence[ChosenTrial], objective: Objective) -> ChosenTrial:
    """Return the best of the trials that several searches chose; the first of equals."""
    return _find_best(choices, objective)


def _find_best(choices: Sequence[ChosenTrial], objective: Objective) -> ChosenTrial:
    """Return the first of the best ``choices``; the first of all if none has a score."""
    best = choices[0]
    for choice in choices[1:]:
        if objective.is_better(choice.score, best.score):
            best = choice
    return best
