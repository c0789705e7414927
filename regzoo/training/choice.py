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
    return sort_choices(finished or [ChosenTrial(trial, scores[0]) for trial, scores in choices], objective)[0]


def list_candidates(trials: Sequence[Record], objective: Objective) -> list[Record]:
    """Return the trials among which one is chosen, best first.

    They are the finished ones among those trained longest; all finished ones if none of these finished; the first trial
    if none did at all.
    """
    longest = max(trial.run.epochs for trial in trials)
    finished = [trial for trial in trials if not math.isnan(trial.score(objective.metric))]
    candidates = [trial for trial in finished if trial.run.epochs == longest] or finished or list(trials[:1])
    return sorted(candidates, key=lambda trial: _get_order(trial.score(objective.metric), objective))


def sort_choices(choices: Sequence[ChosenTrial], objective: Objective) -> list[ChosenTrial]:
    """Return the trials that several searches chose, the best first, those without a score last."""
    return sorted(choices, key=lambda choice: _get_order(choice.score, objective))


@dataclass(frozen=True)
class MeasuredChoice:
    """A choice of one search of a recipe, as its replicates show it.

    Attributes:
        search: number of the search, from 0.
        recipe_text: the recipe with numbers.
        learning_rate: the optimizer's learning rate.
        score: mean validation score of the trial and its confirmations; NaN if none of them finished.
        finished: whether a replicate finished.
    """

    search: int
    recipe_text: str
    learning_rate: float
    score: float
    finished: bool

    @property
    def setting(self) -> Setting:
        """The setting that was chosen."""
        return self.recipe_text, self.learning_rate


def list_measured_choices(records: Iterable[Record], metric: str) -> tuple[MeasuredChoice, ...]:
    """Return the choice of each search of a recipe that has a replicate, in the order of the searches.

    The replicates say what was chosen: a trial that was made again after them may be better than what they measure.

    Args:
        records: of one recipe, of any stage; of several records of one run the last one counts.
        metric: a metric of the validation part.
    """
    groups: dict[int, list[Record]] = {}
    for record in {record.run.key: record for record in records}.values():
        groups.setdefault(record.run.search, []).append(record)
    choices = []
    for search in sorted(groups):
        replicates = [record for record in groups[search] if record.run.stage == "replicate"]
        if replicates:
            setting = get_setting(min(replicates, key=lambda record: record.run.number).run)
            before = [r for r in groups[search] if r.run.stage != "replicate" and get_setting(r.run) == setting]
            scores = [score for record in before if math.isfinite(score := record.score(metric))]
            finished = any(math.isfinite(record.score(metric)) for record in replicates)
            choices.append(MeasuredChoice(search, *setting, fmean(scores) if scores else math.nan, finished))
    return tuple(choices)


def sort_measured_choices(choices: Iterable[MeasuredChoice], objective: Objective) -> list[MeasuredChoice]:
    """Return ``choices`` with the best first, by their score before the replicates; those that all failed come last."""
    return sorted(choices, key=lambda choice: (not choice.finished, *_get_order(choice.score, objective)))


def count_trials(records: Iterable[Record]) -> int | None:
    """Return the most trials that a search of a recipe made; None without any."""
    trials = {record.run.key: record.run for record in records if record.run.stage == "trial"}
    counts = Counter((run.name, run.search) for run in trials.values())
    return max(counts.values(), default=None)


def _get_order(score: float, objective: Objective) -> tuple[bool, float]:
    """Return the sort key of a score: the best first, NaN last."""
    missing = math.isnan(score)
    return missing, 0.0 if missing else score if objective.direction == "min" else -score
