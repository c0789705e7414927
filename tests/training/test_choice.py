"""What a search chooses, from its records alone."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import pytest

from regzoo.core import Objective
from regzoo.training.choice import choose_trial, list_measured_choices, sort_choices, sort_measured_choices
from regzoo.training.records import Record, Run

NLL = Objective("nll", "min")
ACCURACY = Objective("nll", "max")


def record(strength: float, nll: float, stage: Any = "trial", search: int = 0, epochs: int = 9, **more: Any) -> Record:
    run = Run(stage, "l2", f"l2({strength})", 0, 1, 0.1, epochs, "setup", search=search)
    return Record(run, more.get("status", "ok"), metrics={"validation": {"nll": nll}})


def choose(
    trials: list[Record], confirmations: tuple[Record, ...] = (), objective: Objective = NLL
) -> tuple[str, float]:
    choice = choose_trial(trials, confirmations, objective)
    return choice.setting[0], round(choice.score, 9)


def test_the_best_trial_is_one_of_those_trained_longest() -> None:
    trials = [record(0.1, 0.2, epochs=3), record(0.2, 0.4), record(0.3, 0.3), record(0.4, 0.3)]
    assert choose(trials) == ("l2(0.3)", 0.3)  # the first of equals
    assert choose(trials, objective=ACCURACY) == ("l2(0.2)", 0.4)
    lost = [record(0.1, 0.2, epochs=3), record(0.2, math.nan), record(0.3, 0.1, status="diverged")]
    assert choose(lost) == ("l2(0.1)", 0.2)
    setting, score = choose([record(0.5, math.nan), record(0.6, math.nan)])
    assert setting == "l2(0.5)"
    assert math.isnan(score)
    assert choose([record(0.1, 0.2, status="pruned"), record(0.2, 0.4)]) == ("l2(0.2)", 0.4)


def test_a_lucky_trial_is_not_chosen_once_it_is_confirmed() -> None:
    trials = [record(0.1, 0.2), record(0.2, 0.3), record(0.3, 0.28)]
    again = (record(0.1, 0.5, "confirmation"), record(0.3, 0.3, "confirmation"))
    assert choose(trials) == ("l2(0.1)", 0.2)
    assert choose(trials, again) == ("l2(0.3)", 0.29)  # 0.1 has 0.35; 0.2 was not confirmed
    assert choose(trials, (*again, record(0.3, 0.62, "confirmation"))) == ("l2(0.1)", 0.35)
    assert choose([*trials, record(0.3, 0.2, epochs=3)], again) == ("l2(0.3)", 0.29)


@pytest.mark.parametrize("status", ["failed", "diverged"])
def test_a_trial_whose_confirmation_has_no_score_is_not_chosen(status: Any) -> None:
    trials = [record(0.1, 0.2), record(0.2, 0.3)]
    lost = record(0.1, 0.1, "confirmation", status=status)
    assert choose(trials, (lost, record(0.2, 0.4, "confirmation"))) == ("l2(0.2)", 0.35)
    assert choose(trials, (lost, replace(lost, run=record(0.2, 0, "confirmation").run))) == ("l2(0.1)", 0.2)


def test_choices_are_sorted_by_the_mean_of_trial_and_confirmations() -> None:
    searches = [
        choose_trial(
            [record(0.1, 0.2), record(0.2, 0.21)],
            [record(0.1, 0.6, "confirmation"), record(0.2, 0.4, "confirmation")],
            NLL,
        ),
        choose_trial([record(0.3, math.nan)], [], NLL),
        choose_trial([record(0.4, 0.3), record(0.5, 0.5)], [], NLL),
    ]
    assert [choice.setting[0] for choice in searches] == ["l2(0.2)", "l2(0.3)", "l2(0.4)"]
    assert [choice.setting[0] for choice in sort_choices(searches, NLL)] == ["l2(0.4)", "l2(0.2)", "l2(0.3)"]
    assert [choice.setting[0] for choice in sort_choices(searches, ACCURACY)] == ["l2(0.2)", "l2(0.4)", "l2(0.3)"]


def test_each_search_is_read_from_its_own_runs_and_one_without_a_result_comes_last() -> None:
    records = [
        record(0.1, 0.2),
        record(0.2, 0.21),
        record(0.2, 0.4, "confirmation"),
        record(0.2, math.nan, "replicate"),
        record(0.3, 0.5, search=1),
        record(0.3, 0.7, "replicate", search=1),
        record(0.4, 0.6, search=2),
        record(0.4, 0.1, "replicate", search=2),
        record(0.5, 0.0, search=3),
    ]
    choices = list_measured_choices(records, "nll")
    assert [(choice.search, choice.setting[0], round(choice.score, 9), choice.finished) for choice in choices] == [
        (0, "l2(0.2)", 0.305, False),
        (1, "l2(0.3)", 0.5, True),
        (2, "l2(0.4)", 0.6, True),
    ]
    assert [choice.search for choice in sort_measured_choices(choices, NLL)] == [1, 2, 0]
    assert [choice.search for choice in sort_measured_choices(choices, ACCURACY)] == [2, 1, 0]
    assert list_measured_choices([], "nll") == ()
